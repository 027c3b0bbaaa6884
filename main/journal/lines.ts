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

const PAGE = 1000;

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
        if (seq <= record.last_seq) {
          if (this.#same(record.id, seq, line)) continue;
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
    let { state, evidence, bytes } = record;
    for (const { line, event } of lines) {
      this.#sql.run(
        'insert into events (job_id, seq, kind, line) values (?, ?, ?, ?)',
        record.id,
        event.env.seq,
        event.kind,
        line,
      );
      bytes += line.length + 1;
      evidence = weakestEvidence(evidence ? [evidence, event.env.evidence] : [event.env.evidence]);
      // Whoever was called lost and then tells its result was not lost; nothing less takes that word back.
      if (event.known && event.kind === 'finished') state = event.body.outcome;
      else if (state === 'starting') state = 'running';
    }
    const events = lines.map((l) => l.event);
    this.#samples.add(record.id, events);
    const last = lines.at(-1);
    if (!last) return [];
    this.#sql.run(
      `update jobs set state = ?, evidence = ?, bytes = ?, last_seq = ?, last_length = ?, last_sha256 = ? where id = ?`,
      state,
      evidence,
      bytes,
      last.event.env.seq,
      last.line.length,
      last.sha256,
      record.id,
    );
    return events;
  }

  /** Lines with a `seq` above `after`, in order, a page at a time. */
  *read(id: number, after: number): Generator<{ seq: number; line: Buffer }> {
    let seq = after;
    for (;;) {
      const page = this.#sql.all<{ seq: number; line: Uint8Array }>(
        `select seq, line from events where job_id = ? and seq > ? order by seq limit ${PAGE}`,
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

  /** Hashes the spec and every stored line anew and follows the chain from the first to the last. */
  verify(record: JobRecord): Verified {
    const { job, attempt } = record;
    let end = { job, attempt, seq: 0, sha256: sha256Hex(record.spec) };
    if (end.sha256 !== record.spec_sha256) return { ok: false, seq: 0, detail: 'the spec was changed' };
    for (const { seq, line } of this.read(record.id, 0)) {
      let problem: string | null;
      try {
        problem = breach(end, readLine(line));
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error);
      }
      if (problem) return { ok: false, seq, detail: problem };
      end = { ...end, seq: end.seq + 1, sha256: sha256Hex(line) };
    }
    if (end.seq !== record.last_seq || (end.seq > 0 && end.sha256 !== record.last_sha256)) {
      return {
        ok: false,
        seq: end.seq,
        detail: `the end of the log is not the one recorded (line ${record.last_seq})`,
      };
    }
    return { ok: true, events: end.seq };
  }

  #same(id: number, seq: number, line: Buffer): boolean {
    const row = this.#sql.get<{ line: Uint8Array }>(
      'select line from events where job_id = ? and seq = ?',
      id,
      seq,
    );
    return row !== undefined && line.equals(row.line);
  }
}
