/**
 * A job that the app runs itself, before the box has a runner (kinds `preflight` and `keys`), while it is away (`reboot`), or for
 * what is no box yet (`flash`, `image`). Its events have the same
 * envelope and hash chain as those of the box, so that everything after the journal treats them alike.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { CheckResult, Counts, EventKind, WaitingFor } from '../../preload/contract/events.ts';
import type { BoxFacts } from '../../preload/contract/facts.ts';
import { ENDED, LOCAL_KINDS, type JobRow, type JobSpec } from '../../preload/contract/job.ts';
import type { Evidence } from '../../preload/contract/outcome.ts';
import { sha256Hex } from './chain.ts';
import { LAPTOP, type Journal } from './journal.ts';

/** The event log's limits of a text, in characters (docs/adr/0002-job-mechanism.md). */
const TEXT_MAX = 4000;
const EVIDENCE_MAX = 8000;

export interface LocalJobStart {
  sessionId: string;
  kind: 'preflight' | 'keys' | 'reboot' | 'flash' | 'image';
  title: string;
  laptop: { name: string; user: string };
  /** The app's version, as `runner` of a job on the box is the runner's. */
  app: string;
  evidence: Evidence;
  /** No secret may be in here. */
  params?: Record<string, unknown>;
  /** A job planned before under this id; a new one when left out. */
  job?: string;
}

export interface LocalFinish {
  code?: string | null;
  detail?: string | null;
  nextAction?: string | null;
  counts?: Counts | null;
}

let ownBoot: string | undefined;

/** The laptop's boot id; where the system tells none, an id of this process, within which `mono` is comparable too. */
function bootId(): string {
  if (ownBoot === undefined) {
    try {
      ownBoot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    } catch {
      ownBoot = `process-${randomUUID()}`;
    }
  }
  return ownBoot;
}

/** Seconds of the laptop's monotonic clock. */
function mono(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1e6;
}

export class LocalJob {
  readonly job: string;
  readonly attempt: number;
  /** Of the events from now on: it is known better once the box's own facts are read. */
  evidence: Evidence;
  readonly #journal: Journal;
  readonly #begun = mono();
  readonly #specSha256: string;
  #step: string | null = null;

  private constructor(journal: Journal, spec: JobSpec, specSha256: string, evidence: Evidence) {
    this.#journal = journal;
    this.job = spec.job;
    this.attempt = spec.attempt;
    this.#specSha256 = specSha256;
    this.evidence = evidence;
  }

  /** Records the job, with the next attempt of `start.job` where that ran before, and its `started` event. */
  static start(journal: Journal, start: LocalJobStart): LocalJob {
    return journal.together(() => {
      const id = start.job ?? randomUUID();
      const spec: JobSpec = {
        v: 1,
        job: id,
        attempt: (journal.latest(id)?.attempt ?? 0) + 1,
        kind: start.kind,
        title: start.title,
        laptop: start.laptop,
        params: start.params ?? {},
      };
      const bytes = Buffer.from(JSON.stringify(spec));
      const specSha256 = sha256Hex(bytes);
      journal.createAttempt(start.sessionId, spec, bytes);
      const local = new LocalJob(journal, spec, specSha256, start.evidence);
      local.#emit('started', {
        jobKind: spec.kind,
        title: spec.title,
        specSha256,
        runner: start.app,
        pid: process.pid,
        laptop: spec.laptop,
      });
      return local;
    });
  }

  /** Runs `fn` as a step. What it throws is thrown on, after the step's end was recorded as failed with its sentence. */
  async step<T>(
    id: string,
    title: string,
    fn: () => T | Promise<T>,
    /** Seconds that it should take. */
    nominalSeconds: number | null = null,
  ): Promise<T> {
    const outer = this.#step;
    const begun = mono();
    this.#emit('step', { id, title, state: 'begin', watchdog: null, nominalSeconds });
    this.#step = id;
    const end = (outcome: 'ok' | 'failed', detail: string | null) => {
      this.#step = outer;
      this.#emit('step', { id, title, state: 'end', outcome, seconds: since(begun), detail });
    };
    let result: T;
    try {
      result = await fn();
    } catch (error) {
      end('failed', (error instanceof Error ? error.message : String(error)).slice(0, 1000));
      throw error;
    }
    end('ok', null);
    return result;
  }

  check(result: CheckResult): void {
    const evidence = result.evidence?.slice(0, EVIDENCE_MAX) ?? null;
    this.#emit('check', { check: { ...result, evidence } });
  }

  /** What the box was found to be. */
  facts(facts: BoxFacts): void {
    this.#emit('facts', { facts });
  }

  /** Runs `fn` while the log says what is waited for. */
  async waiting<T>(what: WaitingFor, detail: string, fn: () => Promise<T>): Promise<T> {
    this.#emit('waiting', { for: what, detail, state: 'begin' });
    try {
      return await fn();
    } finally {
      this.#emit('waiting', { for: what, detail, state: 'end' });
    }
  }

  /** How far the step is, in bytes, with the rate and the rest of the whole job's time where they are known. */
  progress(p: {
    phase: string;
    done: number;
    total: number | null;
    perSecond: number | null;
    remainingSeconds: number | null;
  }): void {
    this.#emit('progress', { step: this.#step, unit: 'bytes', ...p });
  }

  log(text: string, stream: 'stdout' | 'stderr' | 'note' = 'note'): void {
    this.#emit('log', { step: this.#step, stream, text: text.slice(0, TEXT_MAX) });
  }

  finish(
    outcome: 'passed' | 'failed' | 'cancelled',
    { code, detail, nextAction, counts }: LocalFinish = {},
  ): void {
    const state = this.#journal.attempt(this.job, this.attempt)?.state;
    // What was called lost and ends after all was not lost.
    if (state && state !== 'lost' && ENDED.includes(state)) return;
    this.#emit('finished', {
      outcome,
      code: code ?? null,
      detail: detail ?? null,
      ...(nextAction == null ? {} : { nextAction }),
      counts: counts ?? null,
      seconds: since(this.#begun),
    });
  }

  #emit(kind: EventKind, body: Record<string, unknown>): void {
    // Asked each time: a line that could not be stored, or whose transaction was taken back, is no part of the chain.
    const { seq, lastSha256 } = this.#journal.position(this.job, this.attempt);
    const event = {
      v: 1,
      job: this.job,
      attempt: this.attempt,
      seq: seq + 1,
      boot: bootId(),
      mono: mono(),
      t: new Date().toISOString(),
      kind,
      prev: lastSha256 || this.#specSha256,
      evidence: this.evidence,
      ...body,
    };
    this.#journal.append(this.job, this.attempt, [Buffer.from(JSON.stringify(event))]);
  }
}

const since = (begun: number): number => Math.max(0, Math.round((mono() - begun) * 1000) / 1000);

export interface LocalProcess {
  row: JobRow;
  pid: number;
  boot: string;
}

/** Whether the process that began a local job can still be there: same boot of this laptop, and its pid is taken. */
export function processAlive({ pid, boot }: LocalProcess): boolean {
  if (boot !== bootId()) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function startedEvent(journal: Journal, row: JobRow) {
  for (const { event } of journal.events(row.job, row.attempt)) {
    return event.known && event.kind === 'started' ? event : null;
  }
  return null;
}

/** Marks local jobs as lost whose process is gone, in all sessions and of the laptop's own. Returns them. Call it after opening the journal. */
export function reconcileLocal(
  journal: Journal,
  isAlive: (process: LocalProcess) => boolean = processAlive,
): JobRow[] {
  const lost: JobRow[] = [];
  for (const id of [LAPTOP, ...journal.sessions().map((s) => s.id)]) {
    for (const row of journal.jobs(id)) {
      if (!LOCAL_KINDS.includes(row.kind) || ENDED.includes(row.state)) continue;
      const begun = startedEvent(journal, row);
      if (begun && isAlive({ row, pid: begun.body.pid, boot: begun.env.boot })) continue;
      journal.markLost(row.job, row.attempt, 'The app ended before the job did.');
      lost.push({ ...row, state: 'lost' });
    }
  }
  return lost;
}
