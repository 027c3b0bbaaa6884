/**
 * Feeds an image to a job on a box: over whatever connection follows the job, and over the next one after a cut. Each connection is a
 * flash of its own to the engine; what the box has already, the box says.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError, asAppError, type ErrorCode } from '../../../preload/contract/errors.ts';
import { PHASE_TITLES, type FlashPhase, type FlashProgress } from '../../../preload/contract/flash.ts';
import type { Connection } from '../../remote/connection.ts';
import { isOfTheLink } from '../../remote/link.ts';
import { TagsAhead } from './ahead.ts';
import type { Proof, Tell } from './engine-options.ts';
import { Engine } from './engine.ts';
import type { FlashImage } from './image.ts';
import { reduceProgress, startProgress, TELL_MS, viewProgress, type ProgressState } from './progress.ts';
import type { ChunkRecord } from './record.ts';
import type { Seed } from './sealed.ts';
import type { TargetName } from './wire.ts';
import { Writer, type WriterProcess } from './writer.ts';

/** What another connection, or a moment, can mend. */
const GOES_ON: ReadonlySet<ErrorCode> = new Set([
  'flash_writer_gone',
  'flash_writer_silent',
  'flash_feeder_busy',
  'box_unreadable',
]);
const PAUSE_MS = 1_000;
/** Tries in a row over a connection that lives: the job forgets a feeder that fell silent after 15 s. */
const TRIES = 25;

export interface FeedOptions {
  image: FlashImage;
  seed?: Seed | undefined;
  imageId: string;
  record: ChunkRecord;
  target: TargetName;
  /** What a person calls the target. */
  name: string;
  /** Who feeds, for whoever else wants to. */
  feeder: string;
  signal: AbortSignal;
  /** Connects to the socket of the job in this folder. */
  open: (conn: Connection, dir: string) => Promise<WriterProcess>;
  note: (text: string) => void;
  /** What was on the disk is about to be destroyed. */
  onWipe?: () => void;
  onProgress?: ((view: FlashProgress) => void) | undefined;
  /** Between tries, in ms; for tests. */
  pauseMs?: number;
}

interface Link {
  conn: Connection;
  dir: string;
}

export class BoxFeed {
  /** Settles when the disk was proved, or cannot be; also with the signal's reason, or by `close`. */
  readonly proof: Promise<Proof>;
  readonly #o: FeedOptions;
  /** One word for all connections of this feeder, so that a new one takes the place of one that died unnoticed. */
  readonly #key = randomUUID();
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;
  #link: Link | null = null;
  /** Told of a new link. */
  #wake: () => void = () => undefined;
  #process: WriterProcess | null = null;
  readonly #ahead: TagsAhead;
  #tries = 0;
  /** From the first phase on: before it there is nothing to tell. */
  #ticking: NodeJS.Timeout | undefined;
  #progress: ProgressState = startProgress({ write: null, verify: null }, performance.now());

  constructor(options: FeedOptions) {
    this.#o = options;
    this.#signal = AbortSignal.any([options.signal, this.#closing.signal]);
    this.#signal.addEventListener('abort', () => this.#wake(), { once: true });
    this.#ahead = new TagsAhead(options.image, options.record);
    this.proof = this.#run();
    // Whoever awaits it hears of it; nobody may, where the job ends first.
    this.proof.catch(() => undefined);
  }

  /** A connection on which the job is followed now; the one before is dead or given up. Returns at once. */
  attach(conn: Connection, dir: string): void {
    this.#link = { conn, dir };
    this.#process?.kill();
    this.#wake();
  }

  /** The job has ended, or nobody follows it any more. Returns when nothing is sent any more. */
  async close(): Promise<void> {
    this.#closing.abort(
      new AppError('flash_writer_gone', { target: this.#o.name, detail: 'its job ended.' }),
    );
    this.#process?.kill();
    await Promise.all([this.proof.catch(() => undefined), this.#ahead.stop()]);
  }

  async #run(): Promise<Proof> {
    try {
      for (;;) {
        const link = await this.#alive();
        try {
          return await this.#over(link);
        } catch (error) {
          this.#signal.throwIfAborted();
          await this.#goOn(link, error);
        }
      }
    } finally {
      clearInterval(this.#ticking);
    }
  }

  /** Returns where another try makes sense, after a moment; throws the error else. */
  async #goOn(link: Link, thrown: unknown): Promise<void> {
    const error = asAppError(thrown);
    if (!GOES_ON.has(error.code) && !isOfTheLink(error)) throw thrown;
    if (!link.conn.alive || this.#link !== link) return;
    this.#tries += 1;
    if (this.#tries >= TRIES) throw thrown;
    await delay(this.#o.pauseMs ?? PAUSE_MS, undefined, { signal: this.#signal }).catch(() => undefined);
    this.#signal.throwIfAborted();
  }

  /** The newest link, as soon as there is one that lives. */
  async #alive(): Promise<Link> {
    for (;;) {
      this.#signal.throwIfAborted();
      if (this.#link?.conn.alive) return this.#link;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async #over({ conn, dir }: Link): Promise<Proof> {
    const { image, imageId, record, target, name, feeder, open, note, seed } = this.#o;
    const process = (this.#process = await open(conn, dir));
    const subject = { target: name, image: image.path };
    const writer = new Writer(process, subject, undefined, { key: this.#key, name: feeder, imageId });
    // Whoever waits for an answer is told at once; the job keeps what it has.
    const stop = () => void writer.abandon();
    this.#signal.addEventListener('abort', stop, { once: true });
    try {
      const engine = new Engine({
        ...{ image, record, writer, target, name, note, seed, side: 'box', ahead: this.#ahead },
        signal: this.#signal,
        tell: (event) => this.#tell(event),
        phase: (phase, fn) => this.#phase(phase, fn),
      });
      const proof = await engine.run();
      this.#tell({ kind: 'finished' });
      return proof;
    } finally {
      this.#signal.removeEventListener('abort', stop);
      this.#process = null;
      if (!conn.alive) process.kill();
      await writer.abandon();
    }
  }

  #phase<T>(phase: FlashPhase, fn: () => Promise<T>): Promise<T> {
    // The box let us in.
    this.#tries = 0;
    if (phase === 'wipe') this.#o.onWipe?.();
    this.#o.note(`${PHASE_TITLES[phase]}: ${this.#o.name}`);
    this.#ticking ??= setInterval(() => this.#show(performance.now()), TELL_MS);
    this.#tell({ kind: 'phase', phase });
    return fn();
  }

  #tell(event: Tell): void {
    const at = performance.now();
    this.#progress = reduceProgress(this.#progress, { ...event, at });
    this.#show(at);
  }

  #show(at: number): void {
    this.#o.onProgress?.(viewProgress(this.#progress, at));
  }
}
