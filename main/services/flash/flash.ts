/**
 * One flash, from the image to a disk or file that was read back: with its job in the journal, its record of chunks, and an end that is
 * never a wrong success. The writer is started by whoever calls (launch.ts).
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError, asAppError } from '../../../preload/contract/errors.ts';
import { PHASE_TITLES, type FlashPhase, type FlashProgress } from '../../../preload/contract/flash.ts';
import { ENDED, type JobRow } from '../../../preload/contract/job.ts';
import type { FirstBoot } from '../../../preload/contract/firstboot.ts';
import type { Session } from '../../../preload/contract/session.ts';
import { LAPTOP } from '../../journal/journal.ts';
import { LocalJob, reconcileLocal } from '../../journal/localjob.ts';
import type { App } from '../app.ts';
import type { Proof, Tell } from './engine-options.ts';
import { Engine } from './engine.ts';
import { prepareImage, type FlashImage } from './image.ts';
import { reduceProgress, startProgress, TELL_MS, viewProgress, type ProgressState } from './progress.ts';
import { checksOf, type SeedShown } from './proof.ts';
import { ChunkRecord, type TargetKey } from './record.ts';
import type { Seed } from './sealed.ts';
import { makeSeed, type HostKey } from './seed/make.ts';
import { findSeed } from './seed/place.ts';
import { orderedImage, readSidecars } from './source/sidecars.ts';
import { Writer, type Launch, type WriterProcess } from './writer.ts';

/** `name`: as a person knows it. Of a disk that has no serial (a loop device) `serial` is null. */
export type FlashTarget =
  | { kind: 'file'; path: string; name: string }
  | { kind: 'disk'; path: string; serial: string | null; size: number; name: string };

/** What the disk is to have for its first boot. */
export interface FirstBootOrder {
  settings: FirstBoot;
  /** Of the administrator, crypt(3). */
  passwordHash: string;
  /**
   * The host key that the box will have, and the layers that the image says it has (null: it says nothing): told before the disk can start.
   * What it throws ends the flash there.
   */
  onHostKey: (key: HostKey, layers: readonly number[] | null) => void;
}

/** What is written for them into this image. `onWritten` is told after `onHostKey` has had the key. Errors: flash_seed_missing. */
export async function seedFor(
  image: FlashImage,
  { settings, passwordHash, onHostKey }: FirstBootOrder,
  onWritten: (shown: SeedShown) => void,
): Promise<Seed> {
  const place = await findSeed(image);
  const { bytes, hostKey } = makeSeed(settings, passwordHash, place);
  return {
    ...{ offset: place.offset, bytes },
    onWritten: () => {
      onHostKey(hostKey, image.layers);
      onWritten({ hostname: settings.hostname, fingerprint: hostKey.fingerprint });
    },
  };
}

export interface FlashOrder {
  image: string;
  target: FlashTarget;
  launch: Launch;
  signal: AbortSignal;
  firstBoot?: FirstBootOrder;
  /** The box that is to start from it; without one the job hangs on the laptop. */
  box?: Pick<Session, 'id' | 'practice'>;
  /** The job is recorded and begins. */
  onBegun?: (at: { job: string; attempt: number }) => void;
  /** Often, and also while nothing moves, so that a rate falls; the journal has it twice a second while something does. */
  onProgress?: (view: FlashProgress) => void;
  /** What a person should know on the way; the journal has it, too. */
  onNote?: (text: string) => void;
}

/** `interrupted`: the same order goes on where it stood. Only `verified` is a success. */
export type FlashResult =
  | {
      state: 'verified';
      proof: Proof;
      image: Pick<FlashImage, 'virtualSize' | 'diskRoot' | 'fileChecked'>;
      /** With first-boot settings: `SHA256:` and base64 of the box's host key. */
      hostKey?: string;
    }
  | { state: 'failed' | 'interrupted' | 'cancelled'; error: AppError };

type Home = Pick<App, 'home' | 'journal' | 'laptop' | 'version'>;

const STORE_MS = 500;
/** How long the writer of an attempt that was killed may still be at its last chunks. */
const LAST_WRITER_MS = 30_000;
const LOOK_MS = 100;

/** The same disk is the same target, at the laptop and in a box. */
export const keyOfTarget = (target: FlashTarget): TargetKey =>
  target.kind === 'file'
    ? { kind: 'file', path: target.path }
    : { kind: 'disk', serial: target.serial ?? target.path, size: target.size };

export const recordsOf = ({ home }: Pick<App, 'home'>): string => join(home, 'flash');

/** Whether a flash of this target was begun from this laptop; then what is on it is this app's own. */
export const isKnownTarget = (app: Pick<App, 'home'>, target: FlashTarget): boolean =>
  ChunkRecord.knows(recordsOf(app), keyOfTarget(target));

/**
 * Begins the job; a flash of the same image to the same target that did not pass gets its next attempt. Errors: flash_busy where
 * another process is at this target.
 */
function startJob(app: Home, { image, target, box, firstBoot }: FlashOrder): LocalJob {
  const key = keyOfTarget(target);
  const { journal } = app;
  const flashes = (session: string): JobRow[] =>
    journal
      .jobs(session)
      .filter((row) => row.kind === 'flash')
      .filter((row) => JSON.stringify(row.spec.params['target']) === JSON.stringify(key));
  const sessionId = box?.id ?? LAPTOP;
  // Since this process opened the journal, another one may have ended in the middle of its flash.
  reconcileLocal(journal);
  return journal.together(() => {
    const all = [LAPTOP, ...journal.sessions().map((s) => s.id)].flatMap(flashes);
    if (all.some((row) => !ENDED.includes(row.state)))
      throw new AppError('flash_busy', { target: target.name });
    const before = flashes(sessionId).findLast((row) => row.spec.params['image'] === image);
    return LocalJob.start(journal, {
      ...{ sessionId, kind: 'flash', title: `Flash ${target.name}` },
      ...{ laptop: app.laptop, app: app.version },
      params: {
        image,
        ...told(image),
        target: key,
        ...(firstBoot ? { hostname: firstBoot.settings.hostname } : {}),
      },
      // A file is no disk, and neither is what has no serial.
      evidence: box?.practice
        ? 'practice'
        : target.kind === 'disk' && target.serial !== null
          ? 'real'
          : 'stand-in',
      ...(before && before.state !== 'passed' ? { job: before.job } : {}),
    });
  });
}

/** As the files beside it say now. What is wrong with them is told by the look at the image. */
function told(image: string): Record<string, unknown> {
  try {
    return orderedImage(readSidecars(resolve(image)));
  } catch {
    return {};
  }
}

/** Never throws for what goes wrong with image, disk or writer: that is the result. Errors: flash_busy, those of the journal. */
export async function flash(app: Home, order: FlashOrder): Promise<FlashResult> {
  const local = startJob(app, order);
  order.onBegun?.({ job: local.job, attempt: local.attempt });
  const run = new FlashRun(app, order, local);
  try {
    const { proof, image } = await run.go();
    const { seed } = run;
    for (const check of checksOf(proof, image, run.seconds(), seed)) local.check(check);
    local.finish('passed', { detail: `Every chunk was read back; disk hash ${proof.diskRoot}.` });
    return { state: 'verified', proof, image, ...(seed ? { hostKey: seed.fingerprint } : {}) };
  } catch (thrown) {
    const { name } = order.target;
    if (order.signal.aborted) {
      const error = new AppError('flash_cancelled', { target: name, detail: run.standing() }, thrown);
      local.finish('cancelled', ended(error));
      return { state: 'cancelled', error };
    }
    const error = asAppError(thrown);
    local.finish('failed', ended(error));
    return { state: error.toReply().retryable ? 'interrupted' : 'failed', error };
  }
}

/** With the next action as it is now: whoever reads the log later has not the facts that fill it. */
const ended = ({ code, message, nextAction }: AppError) => ({ code, detail: message, nextAction });

function isSameFile(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false, bigint: true }));
  return one !== undefined && other !== undefined && one.ino === other.ino && one.dev === other.dev;
}

class FlashRun {
  readonly #app: Home;
  readonly #order: FlashOrder;
  readonly #local: LocalJob;
  #progress: ProgressState = startProgress({ write: null, verify: null }, performance.now());
  #storedAt = -Infinity;
  #touched = false;
  #seed: SeedShown | null = null;
  readonly #begunAt = performance.now();

  constructor(app: Home, order: FlashOrder, local: LocalJob) {
    this.#app = app;
    this.#order = order;
    this.#local = local;
  }

  async go(): Promise<{ proof: Proof; image: FlashImage }> {
    const order = this.#order;
    let opened: FlashImage | undefined;
    // Its start takes as long as looking at the image.
    const early = order.launch.asksNobody ? order.launch(order.signal) : null;
    early?.catch(() => undefined);
    try {
      const image = await this.#local.step('look', 'Look at the image', async () => {
        opened = await prepareImage(order.image, {
          signal: order.signal,
          onRead: (phase, done, total) => this.#read(phase, done, total),
        });
        return opened;
      });
      return { proof: await this.#flash(image, early), image };
    } finally {
      // Where it was never told anything; else it has ended, or was given up, and there is nothing left to end.
      void early?.then(
        (writer) => writer.kill(),
        () => undefined,
      );
      // Also where the end of the step could not be recorded.
      await opened?.close();
    }
  }

  /** What was written for the first boot; null before it was, and without. */
  get seed(): SeedShown | null {
    return this.#seed;
  }

  seconds(): number {
    return (performance.now() - this.#begunAt) / 1000;
  }

  /** What a person who stopped it has to know of the target. */
  standing(): string {
    return this.#touched
      ? 'It starts no machine until a flash of it is finished.'
      : 'Nothing was written to it.';
  }

  async #flash(image: FlashImage, early: Promise<WriterProcess> | null): Promise<Proof> {
    const { target, signal, launch } = this.#order;
    const size = target.kind === 'file' ? image.virtualSize : target.size;
    if (size < image.virtualSize)
      throw new AppError('flash_target_size', {
        target: target.name,
        detail: `it has ${size} bytes, and the disk in the image ${image.virtualSize}.`,
      });
    if (target.kind === 'file' && isSameFile(target.path, image.path))
      throw new AppError('flash_target_unfit', { target: target.name, detail: 'it is the image itself.' });
    const seed = await this.#makeSeed(image);
    const record = ChunkRecord.open(recordsOf(this.#app), {
      ...{ target: keyOfTarget(target), image: image.key, virtualSize: image.virtualSize },
    });
    this.#tellRecord(record);
    await this.#lastWriterGone(record);
    signal.throwIfAborted();
    const started = () => early ?? launch(signal);
    // A dialog may be open for as long as a person needs.
    const process =
      target.kind === 'file'
        ? await started()
        : await this.#local.step('permit', 'Get permission to write', started);
    const writer = new Writer(process, { target: target.name, image: image.path });
    // Whoever waits for an answer is told at once; the writer brings home what it has and ends.
    const stop = () => void writer.abandon();
    signal.addEventListener('abort', stop, { once: true });
    const ticking = setInterval(() => this.#show(performance.now()), TELL_MS);
    try {
      const serial = target.kind === 'file' ? null : target.serial;
      const engine = new Engine({
        ...{ image, record, writer, signal, name: target.name, side: 'laptop' as const },
        target: { kind: target.kind, path: target.path, serial, size },
        tell: (event) => this.#tell(event),
        phase: (phase, fn) => this.#phase(phase, fn),
        note: (text) => this.#note(text),
        seed,
      });
      const proof = await engine.run();
      this.#tell({ kind: 'finished' });
      return proof;
    } finally {
      clearInterval(ticking);
      signal.removeEventListener('abort', stop);
      await writer.abandon();
    }
  }

  /** Errors: flash_seed_missing. */
  async #makeSeed(image: FlashImage): Promise<Seed | undefined> {
    const { firstBoot } = this.#order;
    return (
      firstBoot &&
      seedFor(image, firstBoot, (shown) => {
        this.#seed = shown;
        this.#note(`${shown.hostname} will have the host key ${shown.fingerprint}.`);
      })
    );
  }

  #note(text: string): void {
    this.#local.log(text);
    this.#order.onNote?.(text);
  }

  #tellRecord(record: ChunkRecord): void {
    switch (record.fate) {
      case 'new':
        return;
      case 'same image':
        return this.#note(
          `${record.written.size} chunks of this image were written to this target before${record.wasDone ? ' and verified' : ''}; they are read back, not written again.`,
        );
      case 'other image':
        return this.#note(
          `The image is another than last time, or changed since: it starts over. ${record.believed.size} chunks that the target should have are compared, and only those that differ are written.`,
        );
    }
  }

  /** A killed app leaves a writer that still ends what it had in flight; two at one target would mix. */
  async #lastWriterGone({ lastWriter }: ChunkRecord): Promise<void> {
    if (lastWriter === null) return;
    const still = () => {
      try {
        return readFileSync(`/proc/${lastWriter}/cmdline`, 'latin1').includes('vcflash');
      } catch {
        return false;
      }
    };
    if (!existsSync('/proc/self') || !still()) return;
    await this.#local.waiting('other job', 'the writer of the attempt before ends', async () => {
      const begun = performance.now();
      while (still() && performance.now() - begun < LAST_WRITER_MS)
        await delay(LOOK_MS, undefined, { signal: this.#order.signal });
    });
  }

  async #phase<T>(phase: FlashPhase, fn: () => Promise<T>): Promise<T> {
    if (phase === 'wipe') this.#touched = true;
    return this.#local.step(phase, PHASE_TITLES[phase], () => {
      this.#tell({ kind: 'phase', phase });
      return fn();
    });
  }

  #tell(event: Tell): void {
    const at = performance.now();
    this.#progress = reduceProgress(this.#progress, { ...event, at });
    const view = this.#show(at);
    if (event.kind !== 'bytes') return;
    const { phase, done, total, perSecond, remainingSeconds } = view;
    const whole = total !== null && done >= total;
    if (!whole && at - this.#storedAt < STORE_MS) return;
    this.#storedAt = at;
    this.#local.progress({ phase: PHASE_TITLES[phase], done, total, perSecond, remainingSeconds });
  }

  #show(at: number): FlashProgress {
    const view = viewProgress(this.#progress, at);
    this.#order.onProgress?.(view);
    return view;
  }

  #read(phase: string, done: number, total: number | null): void {
    const at = performance.now();
    if (at - this.#storedAt < STORE_MS) return;
    this.#storedAt = at;
    this.#local.progress({ phase, done, total, perSecond: null, remainingSeconds: null });
  }
}
