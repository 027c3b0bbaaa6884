/**
 * One job on the box from here: recorded before it is started, started once however often that is tried, followed across
 * broken links, its end written into the journal. Everything above it only asks for phases of a run.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError, asAppError } from '../../preload/contract/errors.ts';
import { parseEvent, type JobEvent } from '../../preload/contract/events.ts';
import type { JobRow, JobSpec } from '../../preload/contract/job.ts';
import type { JobView } from '../../preload/contract/reduce.ts';
import type { Phase, Session } from '../../preload/contract/session.ts';
import type { Connection } from '../remote/connection.ts';
import { confirm, requestCancel, writeFinding, writeSource } from '../remote/control.ts';
import { followJob, type DialLimits, type FollowEnd } from '../remote/follower.ts';
import { overTheLink } from '../remote/link.ts';
import { startJob } from '../remote/stage.ts';
import { BundleTunnel } from '../remote/tunnel.ts';
import type { App } from './app.ts';
import { Bundle } from './bundle.ts';
import { login, withRoot } from './login.ts';
import { lookFromOutside, type Finding } from './outside.ts';
import type { Secrets } from './secrets.ts';
import { addressOf, changeSession, mustBeMarked } from './sessions.ts';

const JOBS = '/var/lib/vault-cube/jobs';
/** sshd's own; hardening ends there whatever the port was before. */
const SSH_PORT = 22;
/** After the last session of a user, systemd keeps that user's manager for 10 s. */
const LOGOUT_MS = 12_000;

export interface DriveOptions {
  signal: AbortSignal;
  /** How long to go on trying while the box is out of reach, in ms; its first login is tried once. */
  giveUpAfterMs: number;
  /** The folder of the bundle that a fetch is served from. */
  bundle: string | null;
  feed?: JobFeed | undefined;
}

/** What a flash is fed with, told of connections, with the attempt's folder. Must not wait. */
export interface JobFeed {
  /** On this one the job is about to be started. */
  ahead: (conn: Connection, dir: string) => void;
  /** On this one it is followed. */
  attach: (conn: Connection, dir: string) => void;
}

/** An attempt at its end, whatever that is. */
export interface JobEnd {
  row: JobRow;
  view: JobView;
}

const LOST: Record<Exclude<FollowEnd, 'finished'>, string> = {
  lost: 'Its process on the box is gone without a result: a power cut, a kill or a reboot.',
  diverged: 'The event log on the box is not the one recorded here: a power cut, or it was changed.',
  no_such_job: 'The box knows nothing of it any more.',
};

const evidenceOf = (line: Buffer) => parseEvent(line.toString('utf8')).env.evidence;

/** The folder of an attempt on the box. */
const folderOf = (job: string, attempt: number) => `${JOBS}/${job}/${attempt}`;

export class JobDriver {
  readonly #app: App;
  readonly #sessionId: string;
  readonly #secrets: Secrets;
  readonly #o: DriveOptions;
  #hadLink = false;

  constructor(app: App, sessionId: string, secrets: Secrets, opts: DriveOptions) {
    this.#app = app;
    this.#sessionId = sessionId;
    this.#secrets = secrets;
    this.#o = opts;
  }

  /** As stored now: another command may have changed it. */
  get #session(): Session {
    const session = this.#app.journal.session(this.#sessionId);
    if (!session) throw new AppError('internal', { detail: 'a session vanished while it was in use' });
    return session;
  }

  /**
   * Brings a phase to its end: joins it where it runs, begins a new attempt after a failed, cancelled or lost one.
   * Returns the end, whatever it is. Errors: those of login, startJob and followJob; log_diverged; laptop_disk_full.
   */
  async run(phase: Phase): Promise<JobEnd> {
    const { journal } = this.#app;
    let row = journal.latest(phase.job);
    if (row?.state === 'running') {
      const end = await this.attach(row);
      if (end.view.state !== 'lost') return end;
      row = end.row;
    }
    if (row?.state !== 'starting') row = this.#record(phase, (row?.attempt ?? 0) + 1);
    return this.#follow(row, await this.#start(row));
  }

  /** Follows an attempt that was started before, to its end. */
  async attach(row: JobRow): Promise<JobEnd> {
    return this.#follow(row, await this.#overTheLink((limits) => this.#login(limits)));
  }

  /** Asks the box to end an attempt and follows it to there. One that never reached the box ends as lost, without an event. */
  async cancel(row: JobRow): Promise<JobEnd> {
    try {
      return await this.#follow(row, await this.#askToCancel(row));
    } catch (error) {
      const unknown = error instanceof AppError && error.code === 'box_unreadable';
      if (!unknown || row.state !== 'starting') throw error;
      // There may be no folder of it to write into: the follower knows.
      return this.attach(row);
    }
  }

  /** Asks the box to end an attempt that something else follows already. */
  async requestCancel(row: JobRow): Promise<void> {
    (await this.#askToCancel(row)).close();
  }

  #askToCancel(row: JobRow): Promise<Connection> {
    return this.#overTheLink(async (limits) => {
      const conn = await this.#login(limits);
      try {
        await requestCancel(conn, folderOf(row.job, row.attempt));
        return conn;
      } catch (error) {
        conn.close();
        throw error;
      }
    });
  }

  #record(phase: Phase, attempt: number): JobRow {
    const { job, kind, title, params } = phase;
    const spec: JobSpec = { v: 1, job, attempt, kind, title, laptop: this.#app.laptop, params };
    return this.#app.journal.createAttempt(this.#sessionId, spec, Buffer.from(JSON.stringify(spec)));
  }

  async #login(limits?: DialLimits): Promise<Connection> {
    const conn = await login(this.#app, this.#session, this.#secrets, {
      limits,
      signal: this.#o.signal,
      hadLink: this.#hadLink,
    });
    this.#hadLink = true;
    return conn;
  }

  #overTheLink<T>(fn: (limits: DialLimits | undefined) => Promise<T>): Promise<T> {
    return overTheLink(
      {
        signal: this.#o.signal,
        hadLink: () => this.#hadLink,
        onBroken: (error) => this.#app.person.link('reconnecting', error.message),
        giveUpAfterMs: this.#o.giveUpAfterMs,
      },
      fn,
    );
  }

  /** Starts the attempt and returns the connection that did it. Repeating it joins. */
  async #start(row: JobRow): Promise<Connection> {
    const { tar, sha256, stage0 } = await this.#app.boxCode();
    return this.#overTheLink(async (limits) => {
      const conn = await this.#login(limits);
      try {
        this.#o.feed?.ahead(conn, folderOf(row.job, row.attempt));
        await withRoot(conn, this.#session, this.#secrets, ({ password }) =>
          startJob(conn, {
            tar,
            tarSha256: sha256,
            spec: this.#app.journal.specBytes(row.job, row.attempt),
            specSha256: row.specSha256,
            stage0,
            sudoPassword: password,
          }),
        );
      } catch (error) {
        conn.close();
        throw error;
      }
      changeSession(this.#app, this.#sessionId, (s) => ({ ...s, boxCode: sha256 }));
      return conn;
    });
  }

  async #follow(row: JobRow, first: Connection | null): Promise<JobEnd> {
    const { journal } = this.#app;
    const { job, attempt } = row;
    let end: FollowEnd;
    try {
      end =
        row.kind === 'uid_swap'
          ? await this.#watchSwap(row, first)
          : await new Following(this.#parts(row), first).run();
    } catch (error) {
      if (error instanceof AppError && error.code === 'log_diverged') {
        journal.markLost(job, attempt, LOST.diverged);
      }
      throw error;
    }
    if (end !== 'finished') journal.markLost(job, attempt, LOST[end]);
    const now = journal.attempt(job, attempt);
    if (!now) throw new AppError('job_unknown', { job });
    return { row: now, view: journal.view(job, attempt) };
  }

  /**
   * A UID swap waits until nobody of either user is logged in, the app's own login among them. So the app looks in, and
   * leaves again while the job waits; in between the box lets nobody in.
   */
  async #watchSwap(row: JobRow, first: Connection | null): Promise<FollowEnd> {
    first?.close();
    for (;;) {
      this.#app.person.note(
        'Logged out, so that the user numbers can be changed; looking again in a few seconds.',
      );
      await delay(LOGOUT_MS, undefined, { signal: this.#o.signal });
      const leave = new AbortController();
      const signal = AbortSignal.any([this.#o.signal, leave.signal]);
      const parts = { ...this.#parts(row), signal };
      parts.onEvents = (events) => {
        if (
          events.some(
            (e) => e.known && e.kind === 'waiting' && e.body.for === 'logout' && e.body.state === 'begin',
          )
        )
          leave.abort();
      };
      try {
        return await new Following(parts, null).run();
      } catch (error) {
        if (!leave.signal.aborted) throw error;
        const { waiting } = this.#app.journal.view(row.job, row.attempt);
        if (waiting) this.#app.person.note(`Waiting for logout: ${waiting.detail}`);
      }
    }
  }

  #parts(row: JobRow): Parts {
    return {
      app: this.#app,
      row,
      session: this.#session,
      dial: (limits) => this.#login(limits),
      confirm: () => this.#confirm(row),
      outside: () => lookFromOutside(this.#app, this.#session, this.#secrets, portsOf(row), this.#o.signal),
      bundle: this.#o.bundle,
      feed: this.#o.feed,
      signal: this.#o.signal,
      giveUpAfterMs: this.#o.giveUpAfterMs,
      onEvents: () => undefined,
    };
  }

  /** Proves that the hardened box still lets the engineer in: a new login by key on port 22, and its word to the job. */
  async #confirm(row: JobRow): Promise<void> {
    await this.#overTheLink(async (limits) => {
      const address = { ...addressOf(this.#session), port: SSH_PORT };
      const session = { ...this.#session, address };
      const conn = await login(this.#app, session, this.#secrets, { limits, signal: this.#o.signal });
      try {
        await confirm(conn, folderOf(row.job, row.attempt));
      } finally {
        conn.close();
      }
      changeSession(this.#app, this.#sessionId, (s) => ({ ...s, address }));
    });
  }
}

/** The ports that a suite wants to be tried from outside (main/services/validate.ts). */
function portsOf({ spec }: JobRow): number[] {
  const asked: unknown = spec.params['outside'];
  const all = asked && typeof asked === 'object' ? (Object.values(asked).flat() as unknown[]) : [];
  return all.filter((p) => typeof p === 'number');
}

interface Parts {
  app: App;
  row: JobRow;
  session: Session;
  dial: (limits: DialLimits) => Promise<Connection>;
  confirm: () => Promise<void>;
  outside: () => Promise<Finding>;
  bundle: string | null;
  feed: DriveOptions['feed'];
  signal: AbortSignal;
  giveUpAfterMs: number;
  onEvents: (events: readonly JobEvent[]) => void;
}

/** One following of one attempt, with what the attempt's kind needs beside it: a bundle served, a login that confirms. */
class Following {
  readonly #p: Parts;
  #first: Connection | null;
  #tunnel: BundleTunnel | null = null;
  #confirming: Promise<void> | null = null;
  #conn: Connection | null = null;
  #finding: Promise<Finding | null> | null = null;
  #telling: Promise<void> | null = null;

  constructor(parts: Parts, first: Connection | null) {
    this.#p = parts;
    this.#first = first;
  }

  async run(): Promise<FollowEnd> {
    const { app, row, signal, giveUpAfterMs } = this.#p;
    const { job, attempt } = row;
    const { follow } = await app.boxCode();
    if (row.kind === 'fetch') this.#tunnel = new BundleTunnel(this.#bundle());
    // Attached late: the job may be waiting for its confirmation already.
    this.#answer(app.journal.view(job, attempt).waiting?.for);
    try {
      return await followJob({
        dial: (limits) => this.#dial(limits),
        followSource: follow,
        dir: folderOf(job, attempt),
        position: () => app.journal.position(job, attempt),
        onLines: (lines) => {
          mustBeMarked(this.#p.session, () => lines.map(evidenceOf));
          const events = app.journal.append(job, attempt, lines);
          for (const e of events) {
            if (e.known && e.kind === 'waiting' && e.body.state === 'begin') this.#answer(e.body.for);
          }
          this.#p.onEvents(events);
        },
        onLink: (state, detail) => app.person.link(state, detail),
        onConnected: (conn) => this.#serve(conn),
        signal,
        giveUpAfterMs,
      });
    } finally {
      this.#tunnel?.close();
      this.#first?.close();
      await this.#confirming;
      await this.#telling;
    }
  }

  async #dial(limits: DialLimits): Promise<Connection> {
    const first = this.#first;
    this.#first = null;
    return first?.alive ? first : this.#p.dial(limits);
  }

  #bundle(): Bundle {
    const { bundle, row } = this.#p;
    if (bundle === null) throw new AppError('bundle_missing', { path: 'a folder that was not named' });
    const found = new Bundle(bundle);
    if (found.manifestSha256 !== row.spec.params['manifestSha256']) {
      throw new AppError('bundle_corrupt', {
        detail: 'it is another bundle than the one this run began with.',
      });
    }
    return found;
  }

  /** Opens the way from the box to the bundle on this connection, and says where it is; tells what was found meanwhile. */
  async #serve(conn: Connection): Promise<void> {
    this.#conn = conn;
    if (this.#finding) this.#tell();
    const { row, feed } = this.#p;
    if (row.kind === 'flash_box') feed?.attach(conn, folderOf(row.job, row.attempt));
    if (!this.#tunnel) return;
    const { port } = await this.#tunnel.attach(conn);
    await writeSource(conn, folderOf(this.#p.row.job, this.#p.row.attempt), {
      port,
      token: this.#tunnel.token,
    });
  }

  #answer(waitingFor: string | undefined): void {
    if (waitingFor === 'confirm') this.#confirm();
    if (waitingFor !== 'laptop' || this.#finding) return;
    this.#finding = this.#p.outside().catch((error: unknown) => {
      this.#p.app.person.note(`The look from outside failed: ${asAppError(error).message}`);
      return null;
    });
    this.#tell();
  }

  /** Over the connection that follows: one that is lost meanwhile has a next one, which tells it again. */
  #tell(): void {
    const { row } = this.#p;
    this.#telling = (async () => {
      const finding = await this.#finding;
      const conn = this.#conn;
      if (finding && conn?.alive) await writeFinding(conn, folderOf(row.job, row.attempt), finding);
    })().catch((error: unknown) => {
      this.#p.app.person.note(`What was found from outside was not told: ${asAppError(error).message}`);
    });
  }

  #confirm(): void {
    if (this.#confirming) return;
    this.#confirming = this.#p.confirm().catch((error: unknown) => {
      // The job itself says what comes of it: without the confirmation it puts everything back.
      this.#p.app.person.note(
        `The new login that confirms the hardening failed: ${asAppError(error).message}`,
      );
    });
  }
}
