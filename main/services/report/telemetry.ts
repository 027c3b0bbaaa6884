/** Telemetry of one attempt, out of the samples in its lines (not the journal's packed copy, which no chain covers). */
import type { JobEvent } from '../../../preload/contract/events.ts';
import type { ReportSeries, ReportTelemetry } from '../../../preload/contract/report.ts';
import { thin } from '../../journal/samples.ts';

/** What the report draws, and the limits drawn with it. */
const FIELDS: ReadonlySet<string> = new Set([
  'temperature.gpu',
  'power.draw',
  'power.limit',
  'utilization.gpu',
  'memory.used',
  'memory.total',
  'clocks.current.sm',
  'pcie.link.gen.current',
  'pcie.link.width.current',
]);
/** Points of one line: more than a printed chart can show. */
const POINTS = 300;

/** Numbers in a block that grows: a day of four GPUs has three million of them. */
class Raw {
  #mono = new Float64Array(256);
  #value = new Float64Array(256);
  #count = 0;

  put(mono: number, value: number): void {
    if (this.#count === this.#mono.length) {
      const [times, values] = [new Float64Array(this.#count * 2), new Float64Array(this.#count * 2)];
      times.set(this.#mono);
      values.set(this.#value);
      [this.#mono, this.#value] = [times, values];
    }
    this.#mono[this.#count] = mono;
    this.#value[this.#count] = value;
    this.#count += 1;
  }

  get mono(): Float64Array {
    return this.#mono.subarray(0, this.#count);
  }

  get value(): Float64Array {
    return this.#value.subarray(0, this.#count);
  }
}
/** By field, then by series. */
type Source = Map<string, Map<string, Raw>>;

/** Where the values of one field of one series go; nowhere before the first. */
interface Column {
  index: number;
  field: string;
  raw: Raw | null;
}

const columnsOf = (fields: readonly string[]): Column[] =>
  fields.map((field, i) => ({ index: i + 2, field, raw: null })).filter(({ field }) => FIELDS.has(field));

export class Telemetry {
  readonly #sources = new Map<string, Source>();
  /** By source and fields, then by series: looked up once a row, since a day has millions of cells. */
  readonly #columns = new Map<string, Map<unknown, Column[]>>();
  #boot: string | null = null;
  /** Added to `mono` after a reboot, which begins it anew. */
  #shift = 0;
  #last = 0;

  add({ env, ...event }: JobEvent): void {
    if (env.boot !== this.#boot) {
      this.#shift = this.#boot === null ? 0 : this.#last - env.mono;
      this.#boot = env.boot;
    }
    this.#last = env.mono + this.#shift;
    if (!event.known || event.kind !== 'samples') return;
    const { source, fields, rows } = event.body;
    const columns = at(this.#columns, `${source}\n${fields.join('\n')}`, () => new Map<unknown, Column[]>());
    for (const row of rows) {
      const mono = row[0];
      if (typeof mono !== 'number') continue;
      const own = at(columns, row[1], () => columnsOf(fields));
      for (const column of own) {
        const value = row[column.index];
        if (typeof value !== 'number') continue;
        column.raw ??= this.#raw(source, column.field, String(row[1]));
        column.raw.put(mono + this.#shift, value);
      }
    }
  }

  summary(of: { job: string; attempt: number; title: string }): ReportTelemetry[] {
    return [...this.#sources].map(([source, fields]) => {
      const all = [...fields.values()].flatMap((series) => [...series.values()]);
      const first = lowest(all.map((raw) => lowest(raw.mono)));
      const last = highest(all.map((raw) => highest(raw.mono)));
      return {
        ...of,
        source,
        seconds: round(last - first),
        fields: [...fields].map(([field, series]) => ({
          field,
          series: [...series].sort(byName).map(([name, raw]) => line(name, raw, first)),
        })),
      };
    });
  }

  #raw(source: string, field: string, series: string): Raw {
    const fields = at(this.#sources, source, (): Source => new Map());
    const all = at(fields, field, () => new Map<string, Raw>());
    return at(all, series, () => new Raw());
  }
}

function at<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let found = map.get(key);
  if (found === undefined) map.set(key, (found = make()));
  return found;
}

const byName = ([a]: [string, unknown], [b]: [string, unknown]) =>
  a.localeCompare(b, 'en', { numeric: true });

const round = (n: number) => Math.round(n * 1000) / 1000;

type Numbers = readonly number[] | Float64Array;

function lowest(all: Numbers): number {
  let low = Infinity;
  for (const n of all) if (n < low) low = n;
  return low;
}

function highest(all: Numbers): number {
  let high = -Infinity;
  for (const n of all) if (n > high) high = n;
  return high;
}

function mean(all: Float64Array): number {
  let sum = 0;
  for (const n of all) sum += n;
  return sum / all.length;
}

function line(name: string, { mono, value }: Raw, first: number): ReportSeries {
  const points = thin([{ mono, value }], POINTS);
  return {
    name,
    count: value.length,
    min: lowest(value),
    mean: round(mean(value)),
    max: highest(value),
    points: points.map((p) => [round(p.mono - first), p.value]),
  };
}
