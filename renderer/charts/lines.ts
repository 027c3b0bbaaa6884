/** Samples as charts need them: a line a field and GPU, in typed arrays that grow while a job runs. */
import uPlot from 'uplot';
import type { SampleLine } from '../../preload/contract/calls.ts';
import type { JobEvent } from '../../preload/contract/events.ts';
import {
  CHART_KINDS,
  POWER_LIMIT_FIELD,
  REASONS_FIELD,
  type ChartKind,
} from '../../preload/contract/telemetry.ts';
import { number } from '../numbers.ts';

/** Everything that is drawn, or drawn as a limit or a mark. */
export const FIELDS: readonly string[] = [
  ...CHART_KINDS.map((k) => k.field),
  POWER_LIMIT_FIELD,
  REASONS_FIELD,
];

export interface Line {
  series: string;
  /** Seconds of the box's monotonic clock; valid up to `length`, as `value` is. */
  mono: Float64Array;
  value: Float64Array;
  length: number;
}

/** Longer than both without a sample, and the line is broken: nothing was measured there. */
const GAP_S = 10;
const GAP_SPACINGS = 5;

/** The library's names for what it does with null are types only. Expanded, a gap covers times at which others were measured. */
const RETAIN = 1;
const EXPAND = 2;

const byNumber = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true });

/** A cell as a number; a bit mask as `0x…` too; null for what the card does not report. */
function numeric(cell: string | number | null | undefined): number | null {
  if (typeof cell === 'number') return cell;
  const n = typeof cell === 'string' && cell.trim() !== '' ? Number(cell) : NaN;
  return Number.isNaN(n) ? null : n;
}

function grown(array: Float64Array): Float64Array<ArrayBuffer> {
  const more = new Float64Array(Math.max(64, array.length * 2));
  more.set(array);
  return more;
}

export class Lines {
  readonly #fields = new Map<string, Map<string, Line>>();
  /** The newest time of each series, whatever the field. */
  readonly #newest = new Map<string, number>();

  static of(lines: readonly SampleLine[]): Lines {
    const all = new Lines();
    for (const { field, series, mono, value } of lines) {
      all.#field(field).set(series, { series, mono, value, length: mono.length });
      all.#seen(series, mono.at(-1) ?? -Infinity);
    }
    return all;
  }

  /** Adds the rows that are newer than what is here. Returns how many those were. */
  add(events: readonly JobEvent[]): number {
    let added = 0;
    for (const e of events) {
      if (!e.known || e.kind !== 'samples') continue;
      const wanted = e.body.fields
        .map((field, i) => ({ field, i: i + 2 }))
        .filter(({ field }) => FIELDS.includes(field));
      for (const row of e.body.rows) {
        const [mono, series] = [row[0], String(row[1])];
        if (typeof mono !== 'number' || mono <= (this.#newest.get(series) ?? -Infinity)) continue;
        added++;
        this.#seen(series, mono);
        for (const { field, i } of wanted) this.#put(field, series, mono, numeric(row[i]));
      }
    }
    return added;
  }

  /** By GPU number; none for a field that no card reports. */
  of(field: string): Line[] {
    return [...(this.#fields.get(field)?.values() ?? [])].sort((a, b) => byNumber(a.series, b.series));
  }

  /** First and last time of all; null while there is nothing. */
  get span(): { from: number; to: number } | null {
    const all = [...this.#fields.values()].flatMap((series) => [...series.values()]);
    const from = Math.min(...all.map((l) => l.mono[0] ?? Infinity));
    const to = Math.max(...all.map((l) => l.mono[l.length - 1] ?? -Infinity));
    return from <= to ? { from, to } : null;
  }

  /** Points of the longest line. */
  get longest(): number {
    return Math.max(0, ...[...this.#fields.values()].flatMap((s) => [...s.values()].map((l) => l.length)));
  }

  #field(field: string): Map<string, Line> {
    let found = this.#fields.get(field);
    if (!found) this.#fields.set(field, (found = new Map<string, Line>()));
    return found;
  }

  #seen(series: string, mono: number): void {
    this.#newest.set(series, Math.max(mono, this.#newest.get(series) ?? -Infinity));
  }

  #put(field: string, series: string, mono: number, value: number | null): void {
    if (value === null) return;
    const all = this.#field(field);
    let line = all.get(series);
    if (!line)
      all.set(
        series,
        (line = { series, mono: new Float64Array(64), value: new Float64Array(64), length: 0 }),
      );
    if (line.length === line.mono.length) {
      line.mono = grown(line.mono);
      line.value = grown(line.value);
    }
    line.mono[line.length] = mono;
    line.value[line.length] = value;
    line.length++;
  }
}

/** From the least to the most of a line, in the chart's unit; one number where both read alike. */
export function rangeOf({ value, length }: Line, { per, digits }: Pick<ChartKind, 'per' | 'digits'>): string {
  const known = value.subarray(0, length);
  const [low, high] = [
    known.reduce((a, b) => Math.min(a, b), Infinity),
    known.reduce((a, b) => Math.max(a, b), -Infinity),
  ];
  const [least, most] = [number(low / per, digits), number(high / per, digits)];
  return least === most ? least : `${least} to ${most}`;
}

/** A line as a table of its own, with an explicit nothing where nothing was measured for long. */
function table({ mono, value, length }: Line, zero: number, per: number): uPlot.AlignedData {
  const x: number[] = [];
  const y: (number | null)[] = [];
  const spacing = length > 1 ? ((mono[length - 1] ?? 0) - (mono[0] ?? 0)) / (length - 1) : 0;
  const gap = Math.max(GAP_S, spacing * GAP_SPACINGS);
  for (let i = 0; i < length; i++) {
    const at = mono[i] ?? 0;
    const before = mono[i - 1];
    if (before !== undefined && at - before > gap) {
      x.push((before + at) / 2 - zero);
      y.push(null);
    }
    x.push(at - zero);
    y.push((value[i] ?? 0) / per);
  }
  return [x, y];
}

/**
 * Lines on one axis of time, in seconds since `zero`. A GPU that was not measured at another one's time has `undefined`
 * there, which is drawn over; null is a real gap.
 */
export function aligned(lines: readonly Line[], zero: number, per: number): uPlot.AlignedData {
  const [first, ...others] = lines.map((line) => table(line, zero, per));
  if (!first) return [[]];
  if (others.length === 0) return first;
  const tables = [first, ...others];
  return uPlot.join(
    tables,
    tables.map(() => [RETAIN, EXPAND]),
  );
}
