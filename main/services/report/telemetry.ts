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

interface Raw {
  mono: number[];
  value: number[];
}
/** By field, then by series. */
type Source = Map<string, Map<string, Raw>>;

export class Telemetry {
  readonly #sources = new Map<string, Source>();
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
    const wanted = fields.map((field, i) => ({ field, i })).filter(({ field }) => FIELDS.has(field));
    for (const row of rows) {
      const mono = row[0];
      if (typeof mono !== 'number') continue;
      for (const { field, i } of wanted) {
        const value = row[i + 2];
        if (typeof value === 'number') this.#put(source, field, String(row[1]), mono + this.#shift, value);
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

  #put(source: string, field: string, series: string, mono: number, value: number): void {
    const fields = at(this.#sources, source, (): Source => new Map());
    const all = at(fields, field, () => new Map<string, Raw>());
    const raw = at(all, series, () => ({ mono: [], value: [] }));
    raw.mono.push(mono);
    raw.value.push(value);
  }
}

function at<V>(map: Map<string, V>, key: string, make: () => V): V {
  let found = map.get(key);
  if (found === undefined) map.set(key, (found = make()));
  return found;
}

const byName = ([a]: [string, unknown], [b]: [string, unknown]) =>
  a.localeCompare(b, 'en', { numeric: true });

const round = (n: number) => Math.round(n * 1000) / 1000;
const lowest = (all: readonly number[]) => all.reduce((a, b) => Math.min(a, b), Infinity);
const highest = (all: readonly number[]) => all.reduce((a, b) => Math.max(a, b), -Infinity);

function line(name: string, { mono, value }: Raw, first: number): ReportSeries {
  const points = thin([{ mono: Float64Array.from(mono), value: Float64Array.from(value) }], POINTS);
  return {
    name,
    count: value.length,
    min: lowest(value),
    mean: round(value.reduce((a, b) => a + b, 0) / value.length),
    max: highest(value),
    points: points.map((p) => [round(p.mono - first), p.value]),
  };
}
