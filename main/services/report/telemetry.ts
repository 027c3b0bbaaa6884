/** Telemetry of one attempt, out of the samples in its lines (not the journal's packed copy, which no chain covers). */
import type { JobEvent, SampleRow } from '../../../preload/contract/events.ts';
import { Slowing } from '../../../preload/contract/marks.ts';
import type { ReportSeries, ReportTelemetry } from '../../../preload/contract/report.ts';
import { REASONS_FIELD } from '../../../preload/contract/telemetry.ts';
import { thin, type Stretch } from '../../journal/samples.ts';
import { Happened } from './happened.ts';

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
class Numbers {
  #all = new Float64Array(256);
  #count = 0;

  put(value: number): void {
    if (this.#count === this.#all.length) {
      const larger = new Float64Array(this.#count * 2);
      larger.set(this.#all);
      this.#all = larger;
    }
    this.#all[this.#count] = value;
    this.#count += 1;
  }

  get all(): Float64Array {
    return this.#all.subarray(0, this.#count);
  }
}

/** One field of the rows of one series; NaN where a row has no number. */
class Column {
  readonly index: number;
  readonly field: string;
  readonly #value = new Numbers();
  readonly #mono: Numbers;
  /** Whether it has any value; a field that a card never tells is none. */
  told = false;

  constructor(index: number, field: string, mono: Numbers) {
    this.index = index;
    this.field = field;
    this.#mono = mono;
  }

  put(value: number): void {
    this.#value.put(value);
  }

  get stretch(): Stretch {
    return { mono: this.#mono.all, value: this.#value.all };
  }
}

/** The rows of one series that came with one list of fields. Their times are kept once for all of them. */
class Rows {
  readonly #mono = new Numbers();
  readonly #columns: Column[];
  readonly #tell: (column: Column) => void;
  /** Where its reasons for slow clocks stand in a row; undefined where a card does not tell them. */
  readonly reasons: number | undefined;

  constructor(fields: readonly string[], tell: (column: Column) => void) {
    const reasons = fields.indexOf(REASONS_FIELD);
    if (reasons >= 0) this.reasons = reasons + 2;
    this.#columns = fields
      .map((field, i) => new Column(i + 2, field, this.#mono))
      .filter(({ field }) => FIELDS.has(field));
    this.#tell = tell;
  }

  put(mono: number, row: SampleRow): void {
    this.#mono.put(mono);
    for (const column of this.#columns) {
      const value = row[column.index];
      if (typeof value !== 'number') column.put(NaN);
      else {
        if (!column.told) this.#tell(column);
        column.told = true;
        column.put(value);
      }
    }
  }
}

/** By field, then by series: what of it was told, a column for each list of fields that it came with. */
type Source = Map<string, Map<string, Column[]>>;

export class Telemetry {
  readonly #sources = new Map<string, Source>();
  /** By source and fields, then by series: looked up once a row, since a day has millions of cells. */
  readonly #rows = new Map<string, Map<unknown, Rows>>();
  readonly #happened = new Happened();
  /** By source and series. */
  readonly #slowing = new Map<string, Slowing>();
  #boot: string | null = null;
  /** Added to `mono` after a reboot, which begins it anew. */
  #shift = 0;
  #last = 0;

  add(event: JobEvent): void {
    const { env } = event;
    if (env.boot !== this.#boot) {
      this.#shift = this.#boot === null ? 0 : this.#last - env.mono;
      this.#boot = env.boot;
    }
    this.#last = env.mono + this.#shift;
    this.#happened.event(event, this.#last);
    if (!event.known || event.kind !== 'samples') return;
    const { source, fields, rows } = event.body;
    const key = `${source}\n${fields.join('\n')}`;
    let known = this.#rows.get(key);
    if (!known) this.#rows.set(key, (known = new Map<unknown, Rows>()));
    for (const row of rows) {
      const [mono] = row;
      if (typeof mono !== 'number') continue;
      const own = known.get(row[1]) ?? this.#begin(known, row[1], source, fields);
      own.put(mono + this.#shift, row);
      if (own.reasons !== undefined) this.#slowed(source, row, own.reasons, mono + this.#shift);
    }
  }

  #slowed(source: string, row: SampleRow, column: number, mono: number): void {
    const cell = row[column];
    if (cell === null || cell === undefined) return;
    const name = String(row[1]);
    const slowing = at(this.#slowing, `${source}\n${name}`, () => new Slowing(name));
    this.#happened.mark(slowing.next(Number(cell)), mono);
  }

  #begin(known: Map<unknown, Rows>, name: unknown, source: string, fields: readonly string[]): Rows {
    const rows = new Rows(fields, (column) => this.#tell(source, String(name), column));
    known.set(name, rows);
    return rows;
  }

  summary(of: { job: string; attempt: number; title: string }): ReportTelemetry[] {
    return [...this.#sources].map(([source, fields]) => {
      const all = [...fields].map(([field, series]) => ({
        field,
        series: [...series].sort(byName).map(([name, columns]) => new Line(name, columns)),
      }));
      const lines = all.flatMap(({ series }) => series);
      const first = Math.min(...lines.map((l) => l.first));
      const last = Math.max(...lines.map((l) => l.last));
      return {
        ...of,
        source,
        seconds: round(last - first),
        happened: this.#happened.told(first),
        fields: all.map(({ field, series }) => ({ field, series: series.map((l) => l.told(first)) })),
      };
    });
  }

  #tell(source: string, name: string, column: Column): void {
    const fields = at(this.#sources, source, (): Source => new Map());
    const series = at(fields, column.field, () => new Map<string, Column[]>());
    at(series, name, (): Column[] => []).push(column);
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

/** All values of one field of one series, looked through once. */
class Line {
  readonly #name: string;
  readonly #stretches: Stretch[];
  #count = 0;
  #sum = 0;
  #min = Infinity;
  #max = -Infinity;
  /** The earliest and the latest time of a value. */
  first = Infinity;
  last = -Infinity;

  constructor(name: string, columns: readonly Column[]) {
    this.#name = name;
    this.#stretches = columns.map((column) => column.stretch);
    for (const stretch of this.#stretches) this.#look(stretch);
  }

  #look({ mono, value }: Stretch): void {
    let { first, last } = this;
    let [count, sum, min, max] = [this.#count, this.#sum, this.#min, this.#max];
    for (let i = 0; i < value.length; i += 1) {
      const v = value[i] ?? NaN;
      if (Number.isNaN(v)) continue;
      const time = mono[i] ?? NaN;
      count += 1;
      sum += v;
      if (v < min) min = v;
      if (v > max) max = v;
      if (time < first) first = time;
      if (time > last) last = time;
    }
    [this.first, this.last] = [first, last];
    [this.#count, this.#sum, this.#min, this.#max] = [count, sum, min, max];
  }

  /** `from`: the time that its points count from. */
  told(from: number): ReportSeries {
    const points = thin(this.#stretches, POINTS);
    return {
      name: this.#name,
      count: this.#count,
      min: this.#min,
      mean: round(this.#sum / this.#count),
      max: this.#max,
      points: points.map((p) => [round(p.mono - from), p.value]),
    };
  }
}
