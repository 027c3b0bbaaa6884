/**
 * The app as the window sees it: every box of this laptop, the ones that are open, and what changes meanwhile. Knows
 * nothing of Electron; the window's calls are answered out of it (main/handlers.ts).
 */
import { randomUUID } from 'node:crypto';
import type { BoxCard, BoxState } from '../../preload/contract/calls.ts';
import { AppError } from '../../preload/contract/errors.ts';
import type { JobEvent } from '../../preload/contract/events.ts';
import type { JobRow } from '../../preload/contract/job.ts';
import type { Notice, NoticeName } from '../../preload/contract/notices.ts';
import { OUTCOME_WORDS } from '../../preload/contract/outcome.ts';
import { addressText, type Run, type Session } from '../../preload/contract/session.ts';
import { stepsOf } from '../../preload/contract/steps.ts';
import { forWindow } from '../../preload/contract/window-actions.ts';
import type { HostKeyQuestion } from '../remote/connection.ts';
import { LAPTOP } from '../journal/journal.ts';
import type { App, RebootQuestion } from './app.ts';
import { FlashDesk, type FlashStart, type TellFlash } from './flash/desk.ts';
import { Meetings } from './flash/meetings.ts';
import { NetFlashes } from './flash/netdesk.ts';
import { renewed } from './flash/renew.ts';
import type { HashPassword } from './flash/seed/order.ts';
import { ImageDesk, type Builder } from './image/desk.ts';
import { JobDriver } from './jobs.ts';
import { LiveBox } from './live.ts';
import { activeJob, endRun, executeRun, planRun, standingOf, type RunEnd } from './runs.ts';
import { Secrets } from './secrets.ts';
import { changeSession } from './sessions.ts';

/** What is asked before the app is closed. */
export interface Losses {
  title: string;
  /** A sentence or two for each piece of work. */
  all: string[];
}

export type Tell = <K extends NoticeName>(name: K, notice: Notice<K>) => void;

/** Kinds of events after which a box may stand otherwise; the others only add to what is shown of the job. */
const CHANGES: ReadonlySet<string> = new Set(['started', 'step', 'check', 'finished', 'facts']);
/** A burst of changes is told of once. */
const STATE_MS = 150;
/** A laptop at a site is patient: a cable may be out for an hour. */
const GIVE_UP_MS = 3_600_000;

/** Where a box stands that has no keys yet. `newest`: its last job. */
function beforeKeys({ path, hostKey, next }: Session, newest: JobRow | undefined): string {
  if (path === 'network')
    return next ? 'flashed; Reconnect comes next' : hostKey ? 'in its live system' : 'Connect comes next';
  if (path !== 'flash' || hostKey) return 'keys come next';
  if (newest?.kind !== 'flash') return 'its disk is to be flashed';
  return newest.state === 'passed' ? 'flashed; Connect comes next' : `stopped in "${newest.title}"`;
}

/** One that did not come to its end: it goes on in its step, where the end of the serial is typed again. */
const stoppedFlash = ({ hostKey }: Session, { kind, state }: JobRow): boolean =>
  !hostKey && kind === 'flash' && ['failed', 'cancelled', 'lost'].includes(state);

export class Desk {
  readonly app: App;
  readonly #tell: Tell;
  readonly #live = new Map<string, LiveBox>();
  readonly #asked = new Map<string, (value: string | null) => void>();
  readonly #due = new Map<string, NodeJS.Timeout>();
  readonly flashes: FlashDesk;
  readonly netFlashes: NetFlashes;
  readonly meetings: Meetings;
  readonly images: ImageDesk;
  readonly #awake: (on: boolean) => void;
  /** What the laptop feeds now: while there is anything, it does not go to sleep. */
  readonly #feeds = new Set<string>();
  readonly #stop: () => void;
  #closed = false;

  /** `awake`: told whether the laptop must not sleep now; `hash`: where a password is hashed, here without it; `builder`: of images. */
  constructor(
    app: App,
    tell: Tell,
    awake: (on: boolean) => void = () => undefined,
    hash?: HashPassword,
    builder: Builder = { whyNot: 'This app has no program that builds them.' },
  ) {
    this.app = app;
    this.#tell = tell;
    this.#awake = awake;
    const image = { changed: () => this.#imageChanged(), busy: (on: boolean) => this.#feed('an image', on) };
    this.images = new ImageDesk(app, image, builder, (name, prompt) => this.#ask(LAPTOP, name, prompt));
    const told: TellFlash = {
      flash: (notice) => tell('flash', notice),
      disks: () => tell('disks', {}),
      changed: (session) => this.changed(session),
      flashed: (session, expected) => this.#renew(session, expected),
      busy: (any) => this.#feed('a disk here', any),
    };
    this.flashes = new FlashDesk(app, told, { hash });
    const note = (session: string, text: string) => tell('note', { session, text });
    const overNet = { ...told, note, busy: (any: boolean) => this.#feed('a box', any) };
    this.netFlashes = new NetFlashes(app, overNet, hash);
    this.meetings = new Meetings({
      ...{ app, note, live: (id: string) => this.live(id), session: (id: string) => this.session(id) },
      ...{ start: (id: string, run: Run) => this.start(id, run), changed: (id: string) => this.changed(id) },
    });
    this.#stop = app.journal.onAppend((job, attempt, events) => this.#onEvents(job, attempt, events));
  }

  close(): void {
    this.#closed = true;
    this.#stop();
    this.flashes.close();
    this.netFlashes.close();
    this.meetings.close();
    this.images.close();
    for (const timer of this.#due.values()) clearTimeout(timer);
    for (const answer of this.#asked.values()) answer(null);
    for (const box of this.#live.values()) box.close();
  }

  #feed(what: string, on: boolean): void {
    const before = this.#feeds.size > 0;
    if (on) this.#feeds.add(what);
    else this.#feeds.delete(what);
    if (before !== this.#feeds.size > 0) this.#awake(!before);
  }

  /** What closing the app would end or leave waiting, in sentences for whoever closes it; null where that costs nothing. */
  losses(): Losses | null {
    const flashes = this.#flashLosses();
    const image = this.images.loss();
    const all = [...flashes, ...(image === null ? [] : [image])];
    if (all.length === 0) return null;
    if (image === null)
      return {
        title: all.length === 1 ? 'A flash is on its way' : `${all.length} flashes are on their way`,
        all,
      };
    return {
      title:
        all.length === 1
          ? 'An image is being built'
          : 'An image is being built, and flashes are on their way',
      all,
    };
  }

  #flashLosses(): string[] {
    const { journal } = this.app;
    return journal.sessions().flatMap((s) => {
      if (this.flashes.has(s.id))
        return [
          `The flash of the disk for ${s.name} ends. That disk starts no machine until a flash of it is finished; the same flash goes on where it stood.`,
        ];
      if (this.netFlashes.has(s.id))
        return [
          `The flash of ${s.name} is not fed any more. The box keeps what it has and waits; the same flash goes on with it. Switched off, it starts no system until a flash of it is finished.`,
        ];
      return [];
    });
  }

  /** What the box was known by went with its old system: the next login is a first one, or meets the host key that is expected. */
  #renew(id: string, expected: boolean): void {
    if (expected) return this.#live.get(id)?.disconnect();
    const before = this.session(id);
    const after = renewed(before);
    if (after === before) return;
    this.#live.get(id)?.disconnect();
    this.app.knownHosts.forget(before.name);
    changeSession(this.app, id, renewed);
  }

  #onEvents(job: string, attempt: number, events: readonly JobEvent[]): void {
    const session = this.app.journal.attempt(job, attempt)?.session;
    if (session === undefined) return;
    this.#tell('lines', { session, job, attempt, lines: events.map((e) => JSON.stringify(e.env)) });
    if (!events.some((e) => CHANGES.has(e.kind))) return;
    if (session === LAPTOP) this.#imageChanged();
    else this.changed(session);
  }

  #imageChanged(): void {
    this.#soon(LAPTOP, () => this.#tell('image', this.images.state()));
  }

  /** Tells the window how a box stands, soon, and once for many changes. */
  changed(session: string): void {
    this.#soon(session, () => this.#tell('box', this.state(session)));
  }

  #soon(what: string, tell: () => void): void {
    // What was on its way ends later than the journal is closed.
    if (this.#closed || this.#due.has(what)) return;
    const timer = setTimeout(() => {
      this.#due.delete(what);
      tell();
    }, STATE_MS);
    this.#due.set(what, timer);
  }

  session(id: string): Session {
    const session = this.app.journal.session(id);
    if (!session) throw new AppError('unknown_box', { name: id });
    return session;
  }

  /** The box's live part, made when it is first needed. */
  live(id: string): LiveBox {
    const known = this.#live.get(id);
    if (known) return known;
    this.session(id);
    const person = {
      confirmHostKey: (q: HostKeyQuestion) => this.#askHostKey(id, q),
      confirmReboot: (q: RebootQuestion) => this.#askReboot(id, q),
      note: (text: string) => this.#tell('note', { session: id, text }),
      // What a run says of its own connection shows only while nothing is held.
      link: () => undefined,
    };
    const secrets = new Secrets((name, prompt) => this.#ask(id, name, prompt));
    const box = new LiveBox({ ...this.app, person }, id, secrets, (link) =>
      this.#tell('link', { session: id, link }),
    );
    this.#live.set(id, box);
    return box;
  }

  #askHostKey(session: string, { host, algorithm, fingerprint }: HostKeyQuestion): Promise<boolean> {
    const ask = randomUUID();
    const answer = new Promise<boolean>((resolve) => this.#asked.set(ask, (v) => resolve(v === 'yes')));
    this.#tell('hostKey', { ask, session, host, algorithm, fingerprint });
    return answer;
  }

  /** Nobody may be looking: the window counts down and answers yes by itself. A window that is closed answers nothing. */
  #askReboot(session: string, { box, why, seconds }: RebootQuestion): Promise<boolean> {
    const ask = randomUUID();
    const answer = new Promise<boolean>((resolve) => this.#asked.set(ask, (v) => resolve(v === 'yes')));
    this.#tell('reboot', { ask, session, box, why, seconds });
    return answer;
  }

  #ask(session: string, secret: string, prompt: string): Promise<string | null> {
    const ask = randomUUID();
    const answer = new Promise<string | null>((resolve) => this.#asked.set(ask, resolve));
    this.#tell('ask', { ask, session, secret, prompt });
    return answer;
  }

  answer(ask: string, value: string | null): void {
    this.#asked.get(ask)?.(value);
    this.#asked.delete(ask);
  }

  state(id: string): BoxState {
    const { journal } = this.app;
    const session = this.session(id);
    const live = this.#live.get(id);
    const standing = standingOf(journal, session);
    const active = activeJob(journal, session) ?? this.flashes.active(id) ?? this.meetings.active(id);
    const error = session.path === 'network' ? this.netFlashes.error(session) : null;
    const jobs = journal.jobs(id);
    return {
      session,
      practice: session.practice,
      standing,
      steps: stepsOf(session, standing, active, jobs),
      jobs,
      active: active && { job: active.job, attempt: active.attempt },
      following: (live?.run ?? null) !== null || this.#hasHands(id),
      // A flash goes on in its step, where the end of the serial is typed again: it wants to be fed.
      resumable: session.run !== null && session.run.endedAt === null && session.run.command !== 'flash',
      flashError: error && forWindow(error),
      link: live?.link ?? { state: null, detail: 'not connected', rttMs: null },
      secrets: {
        sudoPassword: live?.secrets.has('sudoPassword') ?? false,
        passphrase: live?.secrets.has('passphrase') ?? false,
      },
    };
  }

  cards(): BoxCard[] {
    const { journal } = this.app;
    return journal.sessions().map((s) => {
      const active = activeJob(journal, s) ?? this.flashes.active(s.id);
      const open = s.run !== null && s.run.endedAt === null;
      const newest = journal.jobs(s.id).at(-1);
      const state = active
        ? `"${active.title}" was on its way`
        : open
          ? `stopped in "${s.run?.title ?? ''}"`
          : s.keys
            ? OUTCOME_WORDS[standingOf(journal, s).outcome]
            : beforeKeys(s, newest);
      return {
        session: s.id,
        name: s.name,
        address: addressText(s.address),
        profile: s.profile,
        practice: s.practice,
        state,
        resumable: open || (newest !== undefined && stoppedFlash(s, newest)),
        changedAt: newest?.createdAt ?? s.createdAt,
      };
    });
  }

  /** Runs to the end what is planned; the box's state is told of at both ends. Errors: run_open, those of executeRun. */
  async start(id: string, run: Run): Promise<RunEnd> {
    const box = this.live(id);
    if (box.run) throw new AppError('run_open', this.#open(id));
    planRun(box.app, this.session(id), run);
    return this.#drive(id);
  }

  /** Goes on with the session's run. Errors: nothing_to_resume, those of executeRun. */
  async resume(id: string): Promise<RunEnd> {
    const session = this.session(id);
    if (!session.run || session.run.endedAt !== null || session.run.command === 'flash') {
      throw new AppError('nothing_to_resume', { box: session.name });
    }
    if (this.live(id).run) throw new AppError('run_open', this.#open(id));
    return this.#drive(id);
  }

  /** Whether this process is at something of the box that is no run. */
  #hasHands(id: string): boolean {
    return this.flashes.has(id) || this.netFlashes.has(id) || this.meetings.has(id);
  }

  /** A disk of this laptop, or one of the box on that path. Errors: those of FlashDesk and NetFlashes. */
  async startFlash(session: Session, order: FlashStart): Promise<void> {
    const box = this.live(session.id);
    if (session.path === 'network') await this.netFlashes.start(session, box, order);
    else await this.flashes.start(session, order, box.secrets);
  }

  /** Errors: nothing_to_attach, those of the link. */
  async cancelFlash(session: Session): Promise<void> {
    if (session.path !== 'network') this.flashes.cancel(session);
    else if (!(await this.netFlashes.cancel(session, this.live(session.id)))) await this.cancel(session.id);
  }

  #open(id: string) {
    const session = this.session(id);
    return { title: session.run?.title ?? 'A run', box: session.name, detail: 'it is followed here.' };
  }

  async #drive(id: string): Promise<RunEnd> {
    const box = this.live(id);
    const abort = new AbortController();
    box.run = abort;
    this.changed(id);
    // A bundle is fetched from here.
    const feeds = (this.session(id).run?.bundle ?? null) !== null;
    if (feeds) this.#feed(`bundle for ${id}`, true);
    try {
      return await executeRun(box.app, id, box.secrets, { signal: abort.signal, giveUpAfterMs: GIVE_UP_MS });
    } finally {
      box.run = null;
      this.#feed(`bundle for ${id}`, false);
      this.changed(id);
    }
  }

  /** Asks the box to end its job. What follows it meanwhile, sees it end. Errors: nothing_to_attach, those of the link. */
  async cancel(id: string): Promise<void> {
    const box = this.live(id);
    const session = this.session(id);
    const row = activeJob(this.app.journal, session);
    if (!row) throw new AppError('nothing_to_attach', { box: session.name });
    const driver = new JobDriver(box.app, id, box.secrets, {
      signal: new AbortController().signal,
      giveUpAfterMs: GIVE_UP_MS,
      bundle: null,
    });
    if (box.run) return driver.requestCancel(row);
    const end = await driver.cancel(row);
    const neverStarted = end.row.state === 'lost' && end.view.lastSeq === 0;
    if (session.run && (neverStarted || end.row.state === 'cancelled')) endRun(box.app, id, session.run);
    this.changed(id);
  }
}
