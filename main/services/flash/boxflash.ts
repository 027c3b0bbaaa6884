/**
 * One flash of a disk of a box: a job there that holds and judges the disk, fed from here. Asked for again, it joins the job where that
 * runs, begins the next attempt where it is gone, and says at once where it has passed (docs/adr/0012-flash-box.md).
 */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { AppError } from '../../../preload/contract/errors.ts';
import type { FlashProgress } from '../../../preload/contract/flash.ts';
import { jobError } from '../../../preload/contract/job-error.ts';
import type { JobRow } from '../../../preload/contract/job.ts';
import type { Phase, Session } from '../../../preload/contract/session.ts';
import type { JobView } from '../../../preload/contract/reduce.ts';
import type { Connection } from '../../remote/connection.ts';
import { runAsRoot } from '../../remote/sudo.ts';
import type { App } from '../app.ts';
import { JobDriver, type JobEnd } from '../jobs.ts';
import { login, withRoot } from '../login.ts';
import { endRun, makeRun, planRun, type PhasePlan } from '../runs.ts';
import type { Secrets } from '../secrets.ts';
import { BoxFeed } from './boxfeed.ts';
import { installFeedKey, type FeedKey } from './feedkey.ts';
import { logInAhead, openSocket } from './boxsocket.ts';
import type { Proof } from './engine-options.ts';
import { failureOf } from './failures.ts';
import {
  keyOfTarget,
  recordsOf,
  seedFor,
  type FirstBootOrder,
  type FlashResult,
  type FlashTarget,
} from './flash.ts';
import { dataBytes, prepareImage, type FlashImage } from './image.ts';
import type { SeedShown } from './proof.ts';
import { ChunkRecord } from './record.ts';
import { Sealed, type Seed } from './sealed.ts';
import { becomeLive, nothingNext } from './seed/box.ts';
import { FAILURES } from './wire.ts';

export type BoxTarget = Extract<FlashTarget, { kind: 'disk' }>;

export interface BoxOrder {
  image: string;
  target: BoxTarget;
  signal: AbortSignal;
  giveUpAfterMs: number;
  firstBoot?: FirstBootOrder;
  /** The attempt is recorded; the box may not know of it yet. */
  onBegun?: (row: JobRow) => void;
  onProgress?: (view: FlashProgress) => void;
  /** Bytes of the image that were looked at, before there is a job. `total`: null where nobody knows it. */
  onLook: (what: string, done: number, total: number | null) => void;
  onNote: (text: string) => void;
}

const GROUP = 'vaultcube';
/** The client's, where the connection's own is a password. */
const authOf = ({ auth }: Connection, key: FeedKey | null) =>
  auth.kind === 'password' ? key?.auth : undefined;

/** For taking a key away again: nobody waits long for that. */
const REMOVE_LIMITS = { connectTimeoutMs: 3_000, loginTimeoutMs: 8_000 };
/** What the job found when it had read all of the disk back (resources/box/vcbox/kinds/flash_box.py). */
const CHECK = 'flash_read_back';
/** How long a job may take to end by itself after its feeder was told why; then it is asked to. */
const OWN_END_MS = 5_000;

/** As root: the group, and the user in it. Both may be there already. */
const JOIN = `getent group ${GROUP} >/dev/null || groupadd --system ${GROUP}; usermod -aG ${GROUP} "$1"`;

/**
 * Whoever follows a job and feeds it is in the group that may read it. A live system has no step Keys that brings this about; a login
 * has its groups from its begin, so it is done before the one that starts the job. Errors: those of runAsRoot, box_unreadable.
 */
async function joinGroup(conn: Connection, session: Session, secrets: Secrets): Promise<void> {
  if (conn.uid === 0) return;
  const { stdout } = await conn.exec('id -nG');
  if (stdout.toString('utf8').split(/\s+/).includes(GROUP)) return;
  const run = await withRoot(conn, session, secrets, ({ password }) =>
    runAsRoot(conn, ['sh', '-c', JOIN, 'sh', session.user], { sudoPassword: password }),
  );
  if (run.code !== 0) {
    const detail = `${session.user} could not be put into the group ${GROUP}: ${run.stderr.trim().slice(-300)}`;
    throw new AppError('box_unreadable', { detail });
  }
}

/** Tells the image from all others; the same image copied elsewhere is the same where a manifest proves it. */
const imageIdOf = ({ key, diskRoot }: FlashImage): string =>
  diskRoot ?? createHash('sha256').update(JSON.stringify(key)).digest('hex');

function planOf(
  session: Session,
  { target, firstBoot }: BoxOrder,
  image: FlashImage,
  seed?: Seed,
): PhasePlan {
  const { path, serial, size, name } = target;
  const sealed = new Sealed(image.layout.sealed, seed ?? null);
  const { boardSerial = null, productUuid = null } = session.identity ?? {};
  return {
    ...{ id: 'flash', title: `Flash ${name}`, kind: 'flash_box', layer: null, suite: null },
    params: {
      // Where a disk with a serial is after the next boot, its serial tells.
      target: { serial, size, name, path: serial === null ? path : null },
      imageId: imageIdOf(image),
      ...image.ordered,
      virtualSize: image.virtualSize,
      sealed: [...sealed.ascending],
      ...(firstBoot ? { seeded: [...sealed.seeded], hostname: firstBoot.settings.hostname } : {}),
      // Of the step that writes: what is sealed comes in one of its own.
      dataBytes: dataBytes(image, (chunk) => sealed.has(chunk)),
      diskRoot: image.diskRoot,
      identity: { boardSerial, productUuid },
    },
  };
}

/** The phase of the session's run, where that is this very flash and has not ended; else of a new run. Errors: run_open. */
function phaseOf(app: App, session: Session, plan: PhasePlan): Phase {
  const now = app.journal.session(session.id) ?? session;
  const [open] = now.run?.command === 'flash' && now.run.endedAt === null ? now.run.phases : [];
  if (open && isDeepStrictEqual(open, { ...plan, job: open.job })) return open;
  return newPhase(app, session, plan);
}

function newPhase(app: App, session: Session, plan: PhasePlan): Phase {
  const { run } = planRun(app, session, makeRun('flash', plan.title, null, [plan]));
  const [phase] = run?.phases ?? [];
  if (!phase) throw new AppError('internal', { detail: 'a run without a phase' });
  return phase;
}

/** The proof as the job's own look has it: where the last word to the feeder was lost. */
function proofIn({ checks }: JobView): Proof | null {
  const found = checks.find((check) => check.id === CHECK && check.verdict === 'pass');
  return typeof found?.value === 'string'
    ? { diskRoot: found.value, writtenBytes: 0, keptChunks: 0, mendedChunks: 0, seed: null }
    : null;
}

/** Why a job that ended did not pass. `names`: what the sentences call them. */
export function boxFlashError(
  { row, view }: JobEnd,
  names: Record<'target' | 'image' | 'box', string>,
): AppError {
  const code = FAILURES.find((one) => one === view.code);
  if (row.state !== 'failed') return jobError(row, view);
  const detail = view.detail ?? 'no reason was given';
  if (code) return failureOf({ is: 'failed', code, detail, command: null }, names);
  return view.code === 'flash_other_box'
    ? new AppError('flash_other_box', { box: names.box, detail: `${detail}.` })
    : jobError(row, view);
}

/**
 * Errors: run_open where the box is busy with something else of this laptop, those of login, of the job's start and of following, and
 * the signal's reason. What goes wrong with image, disk or job is the result.
 */
export async function flashBox(
  app: App,
  session: Session,
  secrets: Secrets,
  order: BoxOrder,
): Promise<FlashResult> {
  const { target, signal } = order;
  const image = await prepareImage(order.image, { signal, onRead: order.onLook });
  try {
    if (target.size < image.virtualSize)
      throw new AppError('flash_target_size', {
        target: target.name,
        detail: `it has ${target.size} bytes, and the disk in the image ${image.virtualSize}.`,
      });
    return await new BoxRun(app, becomeLive(app, session), secrets, order, image).go();
  } finally {
    await image.close();
  }
}

class BoxRun {
  readonly #app: App;
  readonly #session: Session;
  readonly #secrets: Secrets;
  readonly #o: BoxOrder;
  readonly #image: FlashImage;
  #seed: SeedShown | null = null;

  constructor(app: App, session: Session, secrets: Secrets, order: BoxOrder, image: FlashImage) {
    this.#app = app;
    this.#session = session;
    this.#secrets = secrets;
    this.#o = order;
    this.#image = image;
  }

  async go(): Promise<FlashResult> {
    const app = this.#app;
    const { firstBoot, onNote } = this.#o;
    const seed =
      firstBoot &&
      (await seedFor(this.#image, firstBoot, (shown) => {
        this.#seed = shown;
        onNote(`${shown.hostname} will have the host key ${shown.fingerprint}.`);
      }));
    const plan = planOf(this.#session, this.#o, this.#image, seed);
    let phase = phaseOf(app, this.#session, plan);
    const before = app.journal.latest(phase.job);
    // The app may have ended between the job's end and its own. Settings are another order each time: its secrets are kept nowhere.
    if (before?.state === 'passed' && seed) phase = newPhase(app, this.#session, plan);
    else if (before?.state === 'passed')
      return this.#passed({ row: before, view: app.journal.view(before.job, before.attempt) }, null);
    const key = await this.#prepare();
    const feed = await this.#feed(seed, key);
    const driver = new JobDriver(app, this.#session.id, this.#secrets, {
      ...{ signal: this.#o.signal, giveUpAfterMs: this.#o.giveUpAfterMs, bundle: null },
      feed: {
        attach: (conn, dir) => feed.attach(conn, dir),
        ahead: (conn, dir) => logInAhead(conn, dir, authOf(conn, key)),
      },
    });
    const ended = new AbortController();
    const end = driver.run(phase);
    const failed = this.#watch(feed, driver, phase, ended.signal);
    const begun = app.journal.latest(phase.job);
    if (begun) this.#o.onBegun?.(begun);
    try {
      const done = await end;
      const proof = await Promise.race([feed.proof.catch(() => null), delay(0, null)]);
      ended.abort();
      const error = await failed;
      if (done.row.state === 'passed') return this.#passed(done, proof);
      const names = { target: this.#o.target.name, image: this.#image.path, box: this.#session.name };
      return this.#failed(error ?? boxFlashError(done, names));
    } finally {
      ended.abort();
      await feed.close();
      if (key) await this.#takeAway(key);
    }
  }

  /** What the box is to have before its job starts. Errors: those of login and joinGroup. */
  async #prepare(): Promise<FeedKey | null> {
    const conn = await login(this.#app, this.#session, this.#secrets, { signal: this.#o.signal });
    try {
      await joinGroup(conn, this.#session, this.#secrets);
      return await installFeedKey(conn);
    } finally {
      conn.close();
    }
  }

  /** Also where the flash was left. Where the box does not answer, it says that the key is there still. */
  async #takeAway(key: FeedKey): Promise<void> {
    let gone = false;
    try {
      const conn = await login(this.#app, this.#session, this.#secrets, { limits: REMOVE_LIMITS });
      gone = await key.remove(conn).finally(() => conn.close());
    } catch {
      // Told below.
    }
    if (!gone)
      this.#o.onNote(
        `The key of this flash is still in authorized_keys of ${this.#session.user} there: it may only forward, and its private part is gone.`,
      );
  }

  async #feed(seed: Seed | undefined, key: FeedKey | null): Promise<BoxFeed> {
    const { relay } = await this.#app.boxCode();
    const { target, signal, onNote, onProgress } = this.#o;
    const image = this.#image;
    const { name, user } = this.#app.laptop;
    return new BoxFeed({
      ...{ image, seed, imageId: imageIdOf(image), name: target.name, feeder: `${user} on ${name}`, signal },
      record: ChunkRecord.open(recordsOf(this.#app), {
        ...{ target: keyOfTarget(target), image: image.key, virtualSize: image.virtualSize },
      }),
      target: { kind: 'disk', path: target.path, serial: target.serial, size: target.size },
      open: (conn, dir) => openSocket(conn, dir, relay, authOf(conn, key)),
      note: onNote,
      onWipe: () => nothingNext(this.#app, this.#session),
      onProgress,
    });
  }

  /** The error for which feeding ended while the job did not: it is asked to end then, since nobody else can feed it this image. */
  async #watch(feed: BoxFeed, driver: JobDriver, phase: Phase, ended: AbortSignal): Promise<AppError | null> {
    const error = await Promise.race([
      feed.proof.then(
        () => null,
        (reason: unknown) => (reason instanceof AppError ? reason : null),
      ),
      new Promise<null>((resolve) => ended.addEventListener('abort', () => resolve(null), { once: true })),
    ]);
    if (!error || ended.aborted) return null;
    await delay(OWN_END_MS, undefined, { signal: ended }).catch(() => undefined);
    if (ended.aborted) return error;
    const row = this.#app.journal.latest(phase.job);
    if (row) await driver.requestCancel(row).catch((e: Error) => this.#o.onNote(e.message));
    return error;
  }

  #passed({ view }: JobEnd, proof: Proof | null): FlashResult {
    const { run } = this.#app.journal.session(this.#session.id) ?? {};
    if (run?.command === 'flash') endRun(this.#app, this.#session.id, run);
    const found = proof ?? proofIn(view);
    const { diskRoot, virtualSize, fileChecked } = this.#image;
    const wanted = diskRoot ?? found?.diskRoot;
    // A job that says it passed without what it passed for is none.
    if (!found || found.diskRoot !== wanted || (proofIn(view)?.diskRoot ?? wanted) !== wanted)
      return this.#failed(
        new AppError('internal', { detail: 'the job on the box passed with another disk hash' }),
      );
    const hostKey = this.#seed?.fingerprint;
    // A job that passed has had them; the last word to the feeder may have been lost.
    const seeded = hostKey === undefined ? found : { ...found, seed: 'written' as const };
    return {
      ...{ state: 'verified', proof: seeded, image: { virtualSize, diskRoot, fileChecked } },
      ...(hostKey === undefined ? {} : { hostKey }),
    };
  }

  #failed(error: AppError): FlashResult {
    return { state: error.toReply().retryable ? 'interrupted' : 'failed', error };
  }
}
