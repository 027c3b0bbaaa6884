/**
 * Samples for charts. A set is one series (one GPU) with one list of fields; its rows lie in blocks, column by column,
 * as 64-bit floats: first `mono`, then each field, NaN for null. A statement a row was slower than the whole budget,
 * so rows that arrive together share a block, and a small last block is filled up before a new one begins.
 */
import type { JobEvent } from '../../preload/contract/events.ts';
import type { Sql } from './sql.ts';

/** A block below this number of rows is filled up by the next append: less than a database page either way. */
const FILL_UP_ROWS = 32;
const BLOCK_ROWS = 4096;
const FLOAT = 8;

export interface Sample {
  /** Seconds of the box's monotonic clock, comparable within the attempt. */
  mono: number;
  value: number;
}

export interface SampleSeries {
  source: string;
  series: string;
  fields: string[];
  rows: number;
}

export interface SampleQuery {
  field: string;
  /** One series, by its name as it stands in the events (`0` for the first GPU); all of them pooled when left out. */
  series?: string | number | undefined;
  source?: string | undefined;
  /** At most so many points come back: the lowest and the highest of each stretch. Default 2000. */
  points?: number | undefined;
}

export interface LinesQuery {
  fields: readonly string[];
  /** At most so many points of each line come back. */
  points: number;
  /** Only what was measured from here to there, in seconds of the box's monotonic clock; all of it when left out. */
  from?: number | undefined;
  to?: number | undefined;
}

/** What one chart draws of one series. */
export interface SampleLine {
  series: string;
  field: string;
  points: Sample[];
}

interface SetRow {
  id: number;
  source: string;
  series: string;
  fields: string;
}
interface BlockRow {
  block: number;
  rows: number;
  data: Uint8Array;
}
type Columns = number[][];
/** A stretch of one field's values with their times. */
export interface Stretch {
  mono: Float64Array;
  value: Float64Array;
}

/** A cell as a number; a bit mask as `0x…` too; NaN for what is neither. */
function numeric(cell: string | number | null | undefined): number {
  if (typeof cell === 'number') return cell;
  return typeof cell === 'string' && cell.trim() !== '' ? Number(cell) : NaN;
}

function pack(columns: Columns, from: number, to: number): Buffer {
  const out = Buffer.allocUnsafe(columns.length * (to - from) * FLOAT);
  let at = 0;
  for (const column of columns) {
    for (let i = from; i < to; i++) at = out.writeDoubleLE(column[i] ?? NaN, at);
  }
  return out;
}

/** Column `index` of a block: a view of it where it lies well, since a day has 37 MB of them. Every platform is little-endian. */
function column({ data, rows }: BlockRow, index: number): Float64Array {
  const start = index * rows * FLOAT;
  const aligned = (data.byteOffset + start) % FLOAT === 0;
  return aligned
    ? new Float64Array(data.buffer, data.byteOffset + start, rows)
    : new Float64Array(data.slice(start, start + rows * FLOAT).buffer);
}

/** Index of the first time at or after `at` (after it, if `past`) in ascending times. */
function firstFrom(times: Float64Array, at: number, past = false): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const time = times[middle] ?? NaN;
    if (past ? time <= at : time < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class SampleStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Adds the rows of the samples events among `events`. Call inside a transaction. */
  add(jobId: number, events: readonly JobEvent[]): void {
    const sets = new Map<string, { source: string; series: string; fields: string[]; columns: Columns }>();
    for (const e of events) {
      if (!e.known || e.kind !== 'samples') continue;
      const { source, fields, rows } = e.body;
      const names = JSON.stringify(fields);
      for (const row of rows) {
        const series = String(row[1]);
        const key = `${source}\n${series}\n${names}`;
        let set = sets.get(key);
        if (!set) sets.set(key, (set = { source, series, fields, columns: [[], ...fields.map(() => [])] }));
        const { columns } = set;
        columns[0]?.push(numeric(row[0]));
        for (let i = 0; i < fields.length; i++) columns[i + 1]?.push(numeric(row[i + 2]));
      }
    }
    for (const set of sets.values()) this.#store(jobId, set);
  }

  series(jobId: number): SampleSeries[] {
    return this.#sql
      .all<SetRow & { rows: number }>(
        `select s.source, s.series, s.fields, (select sum(rows) from sample_blocks where set_id = s.id) as rows
         from sample_sets s where job_id = ? order by s.id`,
        jobId,
      )
      .map((s) => ({
        source: s.source,
        series: s.series,
        fields: JSON.parse(s.fields) as string[],
        rows: s.rows,
      }));
  }

  /** Rows of all series together. */
  rows(jobId: number): number {
    return (
      this.#sql.get<{ n: number | null }>(
        'select sum(b.rows) as n from sample_sets s join sample_blocks b on b.set_id = s.id where s.job_id = ?',
        jobId,
      )?.n ?? 0
    );
  }

  /** Measured points in order of time, thinned by lowest and highest where there are more than asked for. */
  query(jobId: number, query: SampleQuery): Sample[] {
    const parts: { mono: Float64Array; value: Float64Array }[] = [];
    for (const set of this.#sql.all<SetRow>(
      'select * from sample_sets where job_id = ? order by id',
      jobId,
    )) {
      if (query.source !== undefined && set.source !== query.source) continue;
      if (query.series !== undefined && set.series !== String(query.series)) continue;
      const index = (JSON.parse(set.fields) as string[]).indexOf(query.field);
      if (index < 0) continue;
      for (const block of this.#sql.all<BlockRow>(
        'select block, rows, data from sample_blocks where set_id = ? order by block',
        set.id,
      )) {
        parts.push({ mono: column(block, 0), value: column(block, index + 1) });
      }
    }
    return thin(parts, Math.max(2, query.points ?? 2000));
  }

  /**
   * Several fields at once, so that each block is read once: a day of four GPUs is 37 MB of blocks. Lines without a single
   * value in the window are left out.
   */
  lines(jobId: number, { fields, points, from = -Infinity, to = Infinity }: LinesQuery): SampleLine[] {
    const found = new Map<string, { series: string; field: string; parts: Stretch[] }>();
    for (const set of this.#sql.all<SetRow>(
      'select * from sample_sets where job_id = ? order by id',
      jobId,
    )) {
      const known = JSON.parse(set.fields) as string[];
      const wanted = fields
        .map((field) => ({ field, index: known.indexOf(field) }))
        .filter((f) => f.index >= 0);
      if (wanted.length === 0) continue;
      for (const block of this.#sql.all<BlockRow>(
        'select block, rows, data from sample_blocks where set_id = ? order by block',
        set.id,
      )) {
        const mono = column(block, 0);
        const [begin, end] = [firstFrom(mono, from), firstFrom(mono, to, true)];
        if (begin >= end) continue;
        for (const { field, index } of wanted) {
          const key = `${set.series}\n${field}`;
          let line = found.get(key);
          if (!line) found.set(key, (line = { series: set.series, field, parts: [] }));
          const value = column(block, index + 1).subarray(begin, end);
          line.parts.push({ mono: mono.subarray(begin, end), value });
        }
      }
    }
    return [...found.values()]
      .map(({ series, field, parts }) => ({ series, field, points: thin(parts, Math.max(2, points)) }))
      .filter((line) => line.points.length > 0);
  }

  #store(jobId: number, set: { source: string; series: string; fields: string[]; columns: Columns }): void {
    const fields = JSON.stringify(set.fields);
    const id = this.#setId(jobId, set.source, set.series, fields);
    const last = this.#sql.get<BlockRow>(
      'select block, rows, data from sample_blocks where set_id = ? order by block desc limit 1',
      id,
    );
    let block = last ? last.block + 1 : 0;
    let columns = set.columns;
    if (last && last.rows < FILL_UP_ROWS) {
      block = last.block;
      columns = columns.map((c, i) => [...column(last, i), ...c]);
    }
    const rows = columns[0]?.length ?? 0;
    for (let from = 0; from < rows; from += BLOCK_ROWS) {
      const to = Math.min(from + BLOCK_ROWS, rows);
      this.#sql.run(
        'insert or replace into sample_blocks (set_id, block, rows, data) values (?, ?, ?, ?)',
        id,
        block++,
        to - from,
        pack(columns, from, to),
      );
    }
  }

  #setId(jobId: number, source: string, series: string, fields: string): number {
    const key = [jobId, source, series, fields] as const;
    const found = this.#sql.get<{ id: number }>(
      'select id from sample_sets where job_id = ? and source = ? and series = ? and fields = ?',
      ...key,
    );
    if (found) return found.id;
    this.#sql.run('insert into sample_sets (job_id, source, series, fields) values (?, ?, ?, ?)', ...key);
    return this.#sql.lastId();
  }
}

/** Every point where they are few, else the lowest and the highest of each of `points / 2` equal stretches of time. */
export function thin(parts: readonly Stretch[], points: number): Sample[] {
  let first = Infinity;
  let last = -Infinity;
  let count = 0;
  for (const { mono, value } of parts) {
    for (let i = 0; i < mono.length; i++) {
      const at = mono[i] ?? NaN;
      if (Number.isNaN(value[i]) || Number.isNaN(at)) continue;
      count++;
      if (at < first) first = at;
      if (at > last) last = at;
    }
  }
  return count <= points
    ? parts.flatMap(measured).sort((a, b) => a.mono - b.mono)
    : extremes(parts, Math.floor(points / 2), first, last);
}

function measured({ mono, value }: Stretch): Sample[] {
  return Array.from(mono, (at, i) => ({ mono: at, value: value[i] ?? NaN })).filter(
    (s) => !Number.isNaN(s.mono) && !Number.isNaN(s.value),
  );
}

/** Numbers only in the loop: an object a sample took most of the time that a day's charts needed to open. */
function extremes(parts: readonly Stretch[], stretches: number, first: number, last: number): Sample[] {
  const low = new Float64Array(stretches).fill(Infinity);
  const high = new Float64Array(stretches).fill(-Infinity);
  const lowAt = new Float64Array(stretches);
  const highAt = new Float64Array(stretches);
  const perSecond = stretches / (last - first || 1);
  for (const { mono, value } of parts) {
    for (let i = 0; i < mono.length; i++) {
      const at = mono[i] ?? NaN;
      const v = value[i] ?? NaN;
      if (Number.isNaN(v) || Number.isNaN(at)) continue;
      const stretch = Math.min(stretches - 1, Math.floor((at - first) * perSecond));
      if (v < (low[stretch] ?? NaN)) {
        low[stretch] = v;
        lowAt[stretch] = at;
      }
      if (v > (high[stretch] ?? NaN)) {
        high[stretch] = v;
        highAt[stretch] = at;
      }
    }
  }
  const thinned: Sample[] = [];
  for (let i = 0; i < stretches; i++) {
    const lo = { mono: lowAt[i] ?? NaN, value: low[i] ?? NaN };
    const hi = { mono: highAt[i] ?? NaN, value: high[i] ?? NaN };
    if (lo.value > hi.value) continue;
    if (lo.mono === hi.mono && lo.value === hi.value) thinned.push(lo);
    else thinned.push(...(lo.mono <= hi.mono ? [lo, hi] : [hi, lo]));
  }
  return thinned;
}
