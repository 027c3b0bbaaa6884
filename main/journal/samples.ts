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

/** Column `index` of a block. */
function column(block: BlockRow, index: number): Float64Array {
  const start = index * block.rows * FLOAT;
  // A copy of its own buffer, since a view must start at a multiple of 8. Every platform of the app is little-endian.
  return new Float64Array(block.data.slice(start, start + block.rows * FLOAT).buffer);
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
export function thin(parts: readonly { mono: Float64Array; value: Float64Array }[], points: number): Sample[] {
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
  const all: Sample[] = [];
  const stretches = Math.floor(points / 2);
  const low: (Sample | undefined)[] = new Array<Sample | undefined>(stretches);
  const high: (Sample | undefined)[] = new Array<Sample | undefined>(stretches);
  const width = (last - first) / stretches || 1;
  for (const { mono, value } of parts) {
    for (let i = 0; i < mono.length; i++) {
      const sample = { mono: mono[i] ?? NaN, value: value[i] ?? NaN };
      if (Number.isNaN(sample.value) || Number.isNaN(sample.mono)) continue;
      if (count <= points) {
        all.push(sample);
        continue;
      }
      const at = Math.min(stretches - 1, Math.floor((sample.mono - first) / width));
      const lo = low[at];
      const hi = high[at];
      if (!lo || sample.value < lo.value) low[at] = sample;
      if (!hi || sample.value > hi.value) high[at] = sample;
    }
  }
  if (count <= points) return all.sort((a, b) => a.mono - b.mono);
  const thinned: Sample[] = [];
  for (let i = 0; i < stretches; i++) {
    const lo = low[i];
    const hi = high[i];
    if (!lo || !hi) continue;
    if (lo === hi) thinned.push(lo);
    else thinned.push(...(lo.mono <= hi.mono ? [lo, hi] : [hi, lo]));
  }
  return thinned;
}
