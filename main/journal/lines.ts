/** The lines of attempts in the database: checked against the chain, stored once, read in pages, verified anew. */
import { AppError } from '../../preload/contract/errors.ts';
import type { JobEvent } from '../../preload/contract/events.ts';
import type { JobState } from '../../preload/contract/job.ts';
import { weakestEvidence, type Evidence } from '../../preload/contract/outcome.ts';
import { breach, readLine, sha256Hex, type CheckedLine } from './chain.ts';
import type { SampleStore } from './samples.ts';
import type { Sql } from './sql.ts';

/** A row of `jobs`. */
export interface JobRecord {
  id: number;
  job: string;
  attempt: number;
  session: string;
  spec: Uint8Array;
  spec_sha256: string;
  created_at: string;
  state: JobState;
  evidence: Evidence | null;
  lost_detail: string | null;
  bytes: number;
  last_seq: number;
  last_length: number;
  last_sha256: string;
}

export type Verified = { ok: true; events: number } | { ok: false; seq: number; detail: string };

export type VisitLine = (line: CheckedLine) => void;

const PAGE = 1000;

/** What the lines so far make of their attempt. */
interface Sum {
  state: JobState;
  evidence: Evidence | null;
  bytes: number;
}

function plus(sum: Sum, line: Buffer, event: JobEvent): Sum {
  const { evidence } = event.env;
  let state: JobState = sum.state === 'starting' ? 'running' : sum.state;
  // Whoever was called lost and then tells its result was not lost; nothing less takes that word back.
  if (event.known && event.kind === 'finished') state = event.body.outcome;
  return {
    state,
    evidence: weakestEvidence(sum.evidence ? [sum.evidence, evidence] : [evidence]),
    bytes: sum.bytes + line.length + 1,
  };
}

export class LineStore {
  readonly #sql: Sql;
  readonly #samples: SampleStore;

  constructor(sql: Sql, samples: SampleStore) {
    this.#sql = sql;
    this.#samples = samples;
  }

  /** The new lines among `lines`, up to the first that is not the next one. */
  check(record: JobRecord, lines: readonly Buffer[]): { good: CheckedLine[]; problem: string | null } {
    const good: CheckedLine[] = [];
    let end = {
      job: record.job,
      attempt: record.attempt,
      seq: record.last_seq,
      sha256: record.last_seq ? record.last_sha256 : record.spec_sha256,
    };
    for (const line of lines) {
      try {
        const event = readLine(line);
        const seq = event.env.seq;
        if (seq <= end.seq) {
          const known = good[seq - record.last_seq - 1]?.line ?? this.#stored(record.id, seq);
          if (known && line.equals(known)) continue;
          return { good, problem: `line ${seq} is another than the one recorded here` };
        }
        const problem = breach(end, event);
        if (problem) return { good, problem };
        const sha256 = sha256Hex(line);
        good.push({ line, sha256, event });
        end = { ...end, seq, sha256 };
      } catch (error) {
        if (error instanceof AppError) throw error;
        return { good, problem: error instanceof Error ? error.message : String(error) };
      }
    }
    return { good, problem: null };
  }

  /** Stores lines that `check` gave. Call inside the same transaction. */
  store(record: JobRecord, lines: readonly CheckedLine[]): JobEvent[] {
    let sum: Sum = record;
    for (const { line, event } of lines) {
      this.#sql.run(
        'insert into events (job_id, seq, kind, line) values (?, ?, ?, ?)',
        record.id,
        event.env.seq,
        event.kind,
        line,
      );
      sum = plus(sum, line, event);
    }
    const events = lines.map((l) => l.event);
    this.#samples.add(record.id, events);
    const last = lines.at(-1);
    if (!last) return [];
    this.#sql.run(
      `update jobs set state = ?, evidence = ?, bytes = ?, last_seq = ?, last_length = ?, last_sha256 = ? where id = ?`,
      sum.state,
      sum.evidence,
      sum.bytes,
      last.event.env.seq,
      last.line.length,
      last.sha256,
      record.id,
    );
    return events;
  }

  /**
   * Lines with a `seq` above `after`, in order, a page at a time. Without `samples` those are left out, but for the newest line,
   * which tells how far the log goes: they are most of a long log, and nothing but charts is made of them.
   */
  *read(id: number, after: number, { samples = true } = {}): Generator<{ seq: number; line: Buffer }> {
    const newest = '(select last_seq from jobs where id = ?1)';
    const which = samples ? '' : `and (kind <> 'samples' or seq = ${newest})`;
    let seq = after;
    for (;;) {
      const page = this.#sql.all<{ seq: number; line: Uint8Array }>(
        `select seq, line from events where job_id = ?1 and seq > ?2 ${which} order by seq limit ${PAGE}`,
        id,
        seq,
      );
      for (const row of page) {
        seq = row.seq;
        yield { seq, line: Buffer.from(row.line.buffer, row.line.byteOffset, row.line.byteLength) };
      }
      if (page.length < PAGE) return;
    }
  }

  /**
   * Hashes the spec and every stored line anew, follows the chain from the first to the last, and sees that the row of the
   * attempt says what its lines say. `visit` is given every line on the way, also behind the first that does not fit, up to one
   * that cannot be read: a day of telemetry is long, and is read once for all that wants it.
   */
  verify(record: JobRecord, visit?: VisitLine): Verified {
    const { job, attempt } = record;
    let sum: Sum = { state: 'starting', evidence: null, bytes: 0 };
    let end = { job, attempt, seq: 0, sha256: sha256Hex(record.spec) };
    let broken: Verified | null =
      end.sha256 === record.spec_sha256 ? null : { ok: false, seq: 0, detail: 'the spec was changed' };
    for (const { seq, line } of this.read(record.id, 0)) {
      if (broken && !visit) return broken;
      let event: JobEvent;
      try {
        event = readLine(line);
      } catch (error) {
        return broken ?? { ok: false, seq, detail: error instanceof Error ? error.message : String(error) };
      }
      const problem: string | null = broken ? null : breach(end, event);
      if (problem) broken = { ok: false, seq, detail: problem };
      const sha256 = sha256Hex(line);
      sum = plus(sum, line, event);
      end = { ...end, seq: end.seq + 1, sha256 };
      visit?.({ line, sha256, event });
    }
    if (broken) return broken;
    if (end.seq !== record.last_seq || (end.seq > 0 && end.sha256 !== record.last_sha256)) {
      return {
        ok: false,
        seq: end.seq,
        detail: `the end of the log is not the one recorded (line ${record.last_seq})`,
      };
    }
    // `lost` is no word of the log: it stands for a result that never came.
    const noResult = sum.state === 'starting' || sum.state === 'running';
    const state = record.state === 'lost' && noResult ? 'lost' : sum.state;
    if (state !== record.state || sum.evidence !== record.evidence || sum.bytes !== record.bytes) {
      return { ok: false, seq: end.seq, detail: 'what is recorded of the attempt is not what its log says' };
    }
    return { ok: true, events: end.seq };
  }

  #stored(id: number, seq: number): Uint8Array | undefined {
    const row = this.#sql.get<{ line: Uint8Array }>(
      'select line from events where job_id = ? and seq = ?',
      id,
      seq,
    );
    return row?.line;
  }
}
