/**
 * The journal's format, as an ordered list of steps: step n brings format n to format n + 1. A step that was released
 * is never changed again; a new format is a new step.
 */
import { parseEvent } from '../../preload/contract/events.ts';
import { SampleStore } from './samples.ts';
import type { Sql } from './sql.ts';

/** "VCJL": marks the file as a journal of this app, so that another program's database is not taken for one. */
export const APPLICATION_ID = 0x56434a4c;

/** Sessions, attempts of jobs, and the lines of their logs as the bytes that came. */
const FIRST = `
pragma application_id = ${APPLICATION_ID};
create table sessions (
  id text primary key,
  name text not null unique,
  doc text not null
) strict;
create table jobs (
  id integer primary key,
  job text not null,
  attempt integer not null,
  session text not null references sessions (id),
  spec blob not null,
  spec_sha256 text not null,
  created_at text not null,
  state text not null,
  evidence text,
  lost_detail text,
  bytes integer not null,
  last_seq integer not null,
  last_length integer not null,
  last_sha256 text not null,
  unique (job, attempt)
) strict;
create index jobs_by_session on jobs (session, id);
create table events (
  job_id integer not null references jobs (id),
  seq integer not null,
  kind text not null,
  line blob not null,
  primary key (job_id, seq)
) strict, without rowid;
`;

/** Numbers of the samples events once more, packed for charts. All of it can be made again from the lines. */
const SAMPLES = `
create table sample_sets (
  id integer primary key,
  job_id integer not null references jobs (id),
  source text not null,
  series text not null,
  fields text not null,
  unique (job_id, source, series, fields)
) strict;
create table sample_blocks (
  set_id integer not null references sample_sets (id),
  block integer not null,
  rows integer not null,
  data blob not null,
  primary key (set_id, block)
) strict, without rowid;
`;

function fillSamples(sql: Sql): void {
  sql.exec(SAMPLES);
  const store = new SampleStore(sql);
  for (const { id } of sql.all<{ id: number }>('select id from jobs order by id')) {
    let seq = 0;
    for (;;) {
      const rows = sql.all<{ seq: number; line: Uint8Array }>(
        `select seq, line from events where job_id = ? and seq > ? and kind = 'samples' order by seq limit 1000`,
        id,
        seq,
      );
      const last = rows.at(-1);
      if (!last) break;
      store.add(
        id,
        rows.map((r) => parseEvent(Buffer.from(r.line).toString('utf8'))),
      );
      seq = last.seq;
    }
  }
}

/**
 * The same tables, but `sessions` may have a row that is none (`LAPTOP` in journal.ts), and a box may have no address yet (the path `flash`):
 * an older version must not take the one for a box, nor the other for a damaged one.
 */
const laptopRow = (): void => undefined;

export const MIGRATIONS: readonly ((sql: Sql) => void)[] = [(sql) => sql.exec(FIRST), fillSamples, laptopRow];

/** The newest format that this version reads and writes; kept in the file as `user_version`. */
export const FORMAT = MIGRATIONS.length;
