/** The GPUs in one glance, while samples come: a temperature each, and what they draw together. */
import { Text } from '@mantine/core';
import type { JobEvent } from '../../preload/contract/events.ts';

interface Glance {
  temperatures: number[];
  watts: number;
}

/** The newest row of each GPU in the samples; null where they are not of GPUs. */
export function glanceOf(samples: JobEvent | null): Glance | null {
  if (!samples?.known || samples.kind !== 'samples' || samples.body.source !== 'gpu') return null;
  const { fields, rows } = samples.body;
  const [temperature, power] = [fields.indexOf('temperature.gpu'), fields.indexOf('power.draw')];
  const newest = new Map(rows.map((row) => [Number(row[1]), row]));
  const column = (at: number) =>
    [...newest]
      .sort(([a], [b]) => a - b)
      .map(([, row]) => (at < 0 ? null : row[at + 2]))
      .filter((cell) => typeof cell === 'number');
  return { temperatures: column(temperature), watts: column(power).reduce((a, b) => a + b, 0) };
}

export function GpuSummary({ samples }: { samples: JobEvent | null }) {
  const glance = glanceOf(samples);
  if (!glance) return null;
  const heat = glance.temperatures.map((t) => `${t}°`).join(' ');
  const power =
    glance.watts >= 1000 ? `${(glance.watts / 1000).toFixed(1)} kW` : `${glance.watts.toFixed(0)} W`;
  return (
    <Text size="sm" span aria-label={`GPU temperatures ${heat}, power ${power}`}>
      GPU {heat} · {power}
    </Text>
  );
}
