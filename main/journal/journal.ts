/**
 * The record of everything that happened, on this laptop: sessions, attempts of jobs, every line of their logs and the
 * samples in them (docs/adr/0003-journal.md). One SQLite file, shared by the app and the command line.
 */
import { AppError } from '../../preload/contract/errors.ts';
import type { JobEvent } from '../../preload/contract/events.ts';
import { ENDED, JobSpec, LAPTOP, type JobRow } from '../../preload/contract/job.ts';
import { EMPTY_JOB, reduceJob, type JobView } from '../../preload/contract/reduce.ts';
import { Session, addressText } from '../../preload/contract/session.ts';
import { readLine, sha256Hex } from './chain.ts';
import { LineStore, type JobRecord, type Verified, type VisitLine } from './lines.ts';
import { openJournal } from './open.ts';
import { FORMAT } from './schema.ts';
import {
  SampleStore,
  type LinesQuery,
  type Sample,
  type SampleLine,
  type SampleQuery,
  type SampleSeries,
} from './samples.ts';
import type { Sql } from './sql.ts';

/** Where following goes on: bytes of the box's log that are stored, the last `seq`, and the last line's length and hash. */
export interface Position {
  offset: number;
  seq: number;
  lastLength: number;
  /** Empty before the first event. */
  lastSha256: string;
}

export type OnAppend = (job: string, attempt: number, events: readonly JobEvent[]) => void;

/** Whose jobs those are that belong to no box: a flash is done before there is one. Its row in `sessions` is no session. */
export { LAPTOP };
/** In place of a session's document. */
const NO_SESSION = 'null';

export class Journal {
  /** True where nothing can be written: asked for, or the file is of a newer version. */
  readonly readOnly: boolean;
  /** The file's format where it is newer than this version's, else null. */
  readonly newerFormat: number | null;
  readonly path: string;
  readonly #sql: Sql;
  readonly #samples: SampleStore;
  readonly #lines: LineStore;
  readonly #listeners = new Set<OnAppend>();
  readonly #views = new Map<number, JobView>();
  #untold: Parameters<OnAppend>[] = [];
  /** Up to which line this process has told of an attempt that it follows, by the attempt's row. */
  readonly #toldTo = new Map<number, number>();

  private constructor(path: string, readOnly: boolean) {
    const opened = openJournal(path, readOnly);
    this.path = path;
    this.readOnly = opened.readOnly;
    this.newerFormat = opened.newerFormat;
    this.#sql = opened.sql;
    this.#samples = new SampleStore(opened.sql);
    this.#lines = new LineStore(opened.sql, this.#samples);
  }

  /**
   * Opens the file, makes it if it is not there, and brings an older format forward after a copy. A newer format is
   * opened for reading. Errors: journal_readonly, journal_older, journal_damaged, journal_busy, laptop_disk_full.
   */
  static open(path: string, opts: { readOnly?: boolean } = {}): Journal {
    return new Journal(path, opts.readOnly ?? false);
  }

  /** Stores the session as it is now. Errors: box_name_taken when another session has its name. */
  saveSession(session: Session): void {
    const doc = Session.parse(session);
    this.#write(() => {
      const other = this.sessionByName(doc.name);
      if (other && other.id !== doc.id) {
        throw new AppError('box_name_taken', { name: doc.name, address: addressText(other.address) });
      }
      this.#sql.run(
        'insert into sessions (id, name, doc) values (?, ?, ?) on conflict (id) do update set name = excluded.name, doc = excluded.doc',
        doc.id,
        doc.name,
        JSON.stringify(doc),
      );
    });
  }

  session(id: string): Session | null {
    return this.#session(this.#sql.get<{ doc: string }>('select doc from sessions where id = ?', id));
  }

  sessionByName(name: string): Session | null {
    return this.#session(this.#sql.get<{ doc: string }>('select doc from sessions where name = ?', name));
  }

  /** Every session, by name. */
  sessions(): Session[] {
    return this.#sql
      .all<{ doc: string }>('select doc from sessions order by name')
      .map((row) => this.#session(row))
      .filter((s) => s !== null);
  }

  /**
   * Records an attempt before it is started. `specBytes` are the bytes the box gets; their hash begins the chain. The
   * same bytes again give the same row. Errors: job_conflict for other bytes under the same job and attempt.
   */
  createAttempt(sessionId: string, spec: JobSpec, specBytes: Buffer): JobRow {
    const written = JobSpec.safeParse(parseJson(specBytes));
    if (!written.success || written.data.job !== spec.job || written.data.attempt !== spec.attempt) {
      throw new AppError('internal', { detail: 'the bytes of a job are not those of its spec' });
    }
    return this.#write(() => {
      const sha256 = sha256Hex(specBytes);
      const there = this.#find(spec.job, spec.attempt);
      if (there) {
        if (there.spec_sha256 !== sha256 || there.session !== sessionId) {
          throw new AppError('job_conflict', { job: spec.job });
        }
        return this.#row(there);
      }
      // No box can have this name: it has characters that a name may not have.
      if (sessionId === LAPTOP)
        this.#sql.run(
          "insert into sessions (id, name, doc) values (?, '(laptop)', ?) on conflict (id) do nothing",
          LAPTOP,
          NO_SESSION,
        );
      this.#sql.run(
        `insert into jobs (job, attempt, session, spec, spec_sha256, created_at, state, bytes, last_seq, last_length, last_sha256)
         values (?, ?, ?, ?, ?, ?, 'starting', 0, 0, 0, '')`,
        spec.job,
        spec.attempt,
        sessionId,
        specBytes,
        sha256,
        new Date().toISOString(),
      );
      return this.#row(this.#need(spec.job, spec.attempt));
    });
  }

  /** Every attempt of the session's jobs, oldest first. */
  jobs(sessionId: string): JobRow[] {
    return this.#sql
      .all<JobRecord>('select * from jobs where session = ? order by id', sessionId)
      .map((r) => this.#row(r));
  }

  attempt(job: string, attempt: number): JobRow | null {
    const found = this.#find(job, attempt);
    return found ? this.#row(found) : null;
  }

  /** The job's newest attempt. */
  latest(job: string): JobRow | null {
    const found = this.#sql.get<JobRecord>(
      'select * from jobs where job = ? order by attempt desc limit 1',
      job,
    );
    return found ? this.#row(found) : null;
  }

  /** The bytes that the box gets as spec.json, whose hash begins the chain. Errors: job_unknown. */
  specBytes(job: string, attempt: number): Buffer {
    return Buffer.from(this.#need(job, attempt).spec);
  }

  /** Errors: job_unknown. */
  position(job: string, attempt: number): Position {
    const r = this.#need(job, attempt);
    if (!this.#toldTo.has(r.id)) this.#toldTo.set(r.id, r.last_seq);
    return { offset: r.bytes, seq: r.last_seq, lastLength: r.last_length, lastSha256: r.last_sha256 };
  }

  /**
   * Stores lines of the attempt's log, without their newlines, in one transaction that is on the disk when this
   * returns, and gives the events that were new to this process: also those that another one, which follows the same
   * attempt, has stored since. Lines stored already are skipped. A line that is not the next of the chain throws
   * log_diverged; the good ones before it are kept then, and nothing of it or after it.
   * Errors: log_diverged, job_unknown, laptop_disk_full (nothing is stored; the same call works when there is room).
   */
  append(job: string, attempt: number, lines: readonly Buffer[]): JobEvent[] {
    const { id, events, problem } = this.#write(() => {
      const record = this.#need(job, attempt);
      const checked = this.#lines.check(record, lines);
      const known = this.#toldTo.get(record.id) ?? record.last_seq;
      const others = known < record.last_seq ? [...this.#lines.read(record.id, known)] : [];
      const stored = this.#lines.store(record, checked.good);
      const news = [...others.map(({ line }) => this.#reread(line)), ...stored];
      if (news.length) this.#untold.push([job, attempt, news]);
      return { id: record.id, events: news, problem: checked.problem };
    });
    const last = events.at(-1);
    if (last) this.#toldTo.set(id, last.env.seq);
    if (problem) throw new AppError('log_diverged', { job, attempt, detail: problem }, new Error(problem));
    return events;
  }

  /** Several calls as one: all of them or none is stored. `onAppend` tells of them when all are. */
  together<T>(fn: () => T): T {
    return this.#write(fn);
  }

  /** The attempt ended without a result. One whose result is known stays as it is. */
  markLost(job: string, attempt: number, detail: string): void {
    this.#write(() => {
      const record = this.#need(job, attempt);
      if (ENDED.includes(record.state)) return;
      this.#sql.run("update jobs set state = 'lost', lost_detail = ? where id = ?", detail, record.id);
    });
  }

  /** The stored lines in order, read a page at a time. */
  *events(job: string, attempt: number): Generator<{ line: string; event: JobEvent }> {
    for (const { line } of this.#lines.read(this.#need(job, attempt).id, 0)) {
      yield { line: line.toString('utf8'), event: this.#reread(line) };
    }
  }

  /** At most `limit` lines as they came, after line `seq`; without `samples` those are left out but for the newest line. */
  linesAfter(
    job: string,
    attempt: number,
    seq: number,
    limit: number,
    opts: { samples?: boolean } = {},
  ): string[] {
    const found: string[] = [];
    for (const { line } of this.#lines.read(this.#need(job, attempt).id, seq, opts)) {
      if (found.length >= limit) break;
      found.push(line.toString('utf8'));
    }
    return found;
  }

  /**
   * What the events make of the attempt, `lost` included. Only events new since the last call are read, and of samples
   * only the newest: the attempt's row and the packed samples know what the others add.
   */
  view(job: string, attempt: number): JobView {
    const record = this.#need(job, attempt);
    let view = this.#views.get(record.id) ?? EMPTY_JOB;
    for (const { line } of this.#lines.read(record.id, view.lastSeq, { samples: false }))
      view = reduceJob(view, this.#reread(line));
    view = { ...view, sampleRows: this.#samples.rows(record.id), evidence: record.evidence };
    this.#views.set(record.id, view);
    return record.state === 'lost' ? { ...view, state: 'lost', detail: record.lost_detail } : view;
  }

  /** How many rows of samples an attempt has so far. */
  sampleRows(job: string, attempt: number): number {
    return this.#samples.rows(this.#need(job, attempt).id);
  }

  /** Measured points of one field in order of time, at most `points` (2000) of them: lowest and highest of each stretch. */
  samples(job: string, attempt: number, query: SampleQuery): Sample[] {
    return this.#samples.query(this.#need(job, attempt).id, query);
  }

  /** Several fields for charts, each series a line. */
  sampleLines(job: string, attempt: number, query: LinesQuery): SampleLine[] {
    return this.#samples.lines(this.#need(job, attempt).id, query);
  }

  /** Which series an attempt has (the newest where none is named), with their fields. */
  sampleSeries(job: string, attempt?: number): SampleSeries[] {
    const record = attempt === undefined ? this.latest(job)?.attempt : attempt;
    return record === undefined ? [] : this.#samples.series(this.#need(job, record).id);
  }

  /**
   * Hashes the spec and every stored line anew, follows the chain, and compares the attempt's row with its lines. `visit` is
   * given each line that can be read.
   */
  verify(job: string, attempt: number, visit?: VisitLine): Verified {
    // Another process may be storing lines of this very attempt.
    return this.#sql.snapshot(() => this.#lines.verify(this.#need(job, attempt), visit));
  }

  /** Calls back after each append of this process, with the events new to it. Returns what ends it. */
  onAppend(callback: OnAppend): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  /**
   * Puts everything into the one file and closes it. Where a reader elsewhere or a full disk is in the way, the newest
   * commits stay in the -wal file beside it, where they are as safe.
   */
  close(): void {
    this.#listeners.clear();
    try {
      if (!this.readOnly) this.#sql.exec('pragma wal_checkpoint(truncate)');
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'laptop_disk_full') throw error;
    } finally {
      this.#sql.close();
    }
  }

  /** Errors: journal_readonly, journal_newer, where nothing can be written. */
  mustWrite(): void {
    if (!this.readOnly) return;
    throw this.newerFormat === null
      ? new AppError('journal_readonly', { path: this.path })
      : new AppError('journal_newer', { path: this.path, found: this.newerFormat, known: FORMAT });
  }

  #write<T>(fn: () => T): T {
    this.mustWrite();
    if (this.#sql.inTransaction) return fn();
    let result: T;
    try {
      result = this.#sql.transaction(fn);
    } catch (error) {
      this.#untold = [];
      this.#toldTo.clear();
      // A view that was asked for inside has counted lines that are not there.
      this.#views.clear();
      throw error;
    }
    // Taken first: a listener may write, which comes through here again.
    const all = this.#untold;
    this.#untold = [];
    for (const told of all) {
      for (const tell of this.#listeners) this.#tell(tell, told);
    }
    return result;
  }

  /** What is stored stays stored, whatever a listener makes of it. */
  #tell(listener: OnAppend, told: Parameters<OnAppend>): void {
    try {
      listener(...told);
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error));
    }
  }

  /** A line that was checked when it was stored; one that cannot be read now was changed since. */
  #reread(line: Buffer): JobEvent {
    try {
      return readLine(line);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      throw this.#damaged(detail);
    }
  }

  #find(job: string, attempt: number): JobRecord | undefined {
    return this.#sql.get<JobRecord>('select * from jobs where job = ? and attempt = ?', job, attempt);
  }

  #need(job: string, attempt: number): JobRecord {
    const found = this.#find(job, attempt);
    if (!found) throw new AppError('job_unknown', { job });
    return found;
  }

  #row(r: JobRecord): JobRow {
    const spec = JobSpec.safeParse(parseJson(r.spec));
    if (!spec.success) throw this.#damaged(`the spec of job ${r.job} cannot be read.`);
    return {
      job: r.job,
      session: r.session,
      attempt: r.attempt,
      kind: spec.data.kind,
      title: spec.data.title,
      spec: spec.data,
      specSha256: r.spec_sha256,
      createdAt: r.created_at,
      state: r.state,
      evidence: r.evidence,
    };
  }

  #session(row: { doc: string } | undefined): Session | null {
    if (!row || row.doc === NO_SESSION) return null;
    const session = Session.safeParse(parseJson(Buffer.from(row.doc)));
    if (!session.success) throw this.#damaged('a session cannot be read.');
    return session.data;
  }

  #damaged(detail: string): AppError {
    return this.newerFormat === null
      ? new AppError('journal_damaged', { path: this.path, detail })
      : new AppError('journal_newer', { path: this.path, found: this.newerFormat, known: FORMAT });
  }
}

/** Undefined for what is not JSON; the schema it is held against says so. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
