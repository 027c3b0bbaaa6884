/** GPU telemetry as people read it: which fields have a chart, their units, their limits, and why a card slows down. Pure. */
import type { Profile } from './profile.ts';

export interface ChartKind {
  /** As nvidia-smi names it, and as it stands in the samples. */
  field: string;
  title: string;
  unit: string;
  /** Divides what was measured: memory comes in MiB and is read in GiB. */
  per: number;
  digits: number;
  /** The axis goes at least from here to there, in what was measured. */
  from: number | null;
  to: number | null;
  /** A value that stays until the next one. */
  stepped: boolean;
}

const kind = (field: string, title: string, unit: string, more: Partial<ChartKind> = {}): ChartKind => ({
  field,
  title,
  unit,
  per: 1,
  digits: 0,
  from: 0,
  to: null,
  stepped: false,
  ...more,
});

/** In the order of the screen. A field that a card does not report has no chart. */
export const CHART_KINDS: readonly ChartKind[] = [
  kind('utilization.gpu', 'Utilization', '%', { to: 100 }),
  kind('temperature.gpu', 'Core temperature', '°C', { from: null }),
  kind('power.draw', 'Power', 'W'),
  kind('memory.used', 'Memory in use', 'GiB', { per: 1024, digits: 1, to: 1024 }),
  kind('clocks.current.sm', 'SM clock', 'MHz'),
  kind('clocks.current.memory', 'Memory clock', 'MHz'),
  kind('pcie.link.gen.current', 'PCIe link generation', '', { to: 5, stepped: true }),
  kind('pcie.link.width.current', 'PCIe link width', 'lanes', { to: 16, stepped: true }),
  kind('fan.speed', 'Fan', '%', { to: 100 }),
];

export const REASONS_FIELD = 'clocks_event_reasons.active';
export const POWER_LIMIT_FIELD = 'power.limit';

export interface Threshold {
  field: string;
  /** In what was measured. */
  value: number;
  text: string;
  source: string;
}

/** What the profile says about a field that is charted. */
export function thresholdsOf({ gpu }: Profile): Threshold[] {
  const { idleTemperatureC, memoryMiB, pcieGen, pcieWidth } = gpu;
  return [
    {
      field: 'temperature.gpu',
      value: idleTemperatureC.max,
      text: 'limit at idle',
      ...from(idleTemperatureC),
    },
    { field: 'memory.used', value: memoryMiB.value, text: 'memory of a card', ...from(memoryMiB) },
    { field: 'pcie.link.gen.current', value: pcieGen.value, text: 'expected', ...from(pcieGen) },
    { field: 'pcie.link.width.current', value: pcieWidth.value, text: 'expected', ...from(pcieWidth) },
  ];
}

const from = ({ source }: { source: string }) => ({ source });

/** Bits of NVML's clock event reasons under which a card is slower than it could be. Idle and set clocks are none. */
const POWER_CAP = 0x4;
const THROTTLES: readonly (readonly [number, string])[] = [
  [POWER_CAP, 'power cap'],
  [0x8, 'hardware slowdown'],
  [0x20, 'heat (driver)'],
  [0x40, 'heat (hardware)'],
  [0x80, 'power brake'],
];

/** Why a card is slowed down, in words; empty when it is not. `mask`: the field clocks_event_reasons.active. */
export function throttleReasons(mask: number): string[] {
  return THROTTLES.filter(([bit]) => (mask & bit) !== 0).map(([, word]) => word);
}

/** Whether its power limit alone slows a card down, which a full load is meant to come to. */
export function held(mask: number): boolean {
  return THROTTLES.every(([bit]) => ((mask & bit) !== 0) === (bit === POWER_CAP));
}
