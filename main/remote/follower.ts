/**
 * Follows a job's event log across broken links. What is followed is bytes of one file, and how far the caller has them is
 * asked anew at each connect, from what it stored: so an event comes once, whatever broke, this process included.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AppError } from '../../preload/contract/errors.ts';
import type { LinkState } from '../../preload/contract/job.ts';
import { shellQuote, type Connection, type ExecStream } from './connection.ts';
import { isOfTheLink, Patience, type DialLimits } from './link.ts';
import { Overtaker } from './overtaker.ts';

export type { DialLimits } from './link.ts';

export type FollowEnd = 'finished' | 'lost' | 'diverged' | 'no_such_job';

export interface Position {
  /** Bytes of the log the caller has stored. */
  offset: number;
  /** Length and SHA-256 in hex of the last stored line, without its newline; ignored at offset 0. */
  lastLength: number;
  lastSha256: string;
}

export interface FollowOptions {
  /** Connects with a key; the follower closes what it gets. Its limits are short, so that a link that is back is found soon. */
  dial: (limits: DialLimits) => Promise<Connection>;
  /** Text of resources/box/vcbox/follow.py. */
  followSource: string;
  /** The attempt's folder on the box. */
  dir: string;
  position: () => Position;
  /** Stores whole lines, without newlines, in order. What it throws stops the following and is thrown on. */
  onLines: (lines: Buffer[]) => void;
  onLink: (state: LinkState, detail: string) => void;
  /** Called on each new connection before the log is read: tunnels and their files are set up here. */
  onConnected?: ((conn: Connection) => Promise<void>) | undefined;
  signal: AbortSignal;
  /** Throws link_lost when the box could not be reached for this long; by default it tries until the signal. */
  giveUpAfterMs?: number | undefined;
}

const FIRST_PAUSE_MS = 200;
const PAUSE_MS = 600;
/** A try that took so long waited for an answer, which was pause enough: the next one asks anew at once. */
const WAITED_MS = 1_300;
const MAX_STDERR = 4096;

const Header = z.union([
  z.looseObject({ ok: z.literal(true), size: z.number(), finished: z.boolean() }),
  z.looseObject({ ok: z.literal(false), code: z.string() }),
]);
type Header = z.infer<typeof Header>;

/** Cuts a byte stream into lines. What follows the last newline is kept back: it is torn until its newline comes. */
class Lines {
  #rest: Buffer[] = [];

  push(data: Buffer): Buffer[] {
    const lines: Buffer[] = [];
    let at = 0;
    for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10, at)) {
      const piece = data.subarray(at, end);
      lines.push(this.#rest.length ? Buffer.concat([...this.#rest, piece]) : piece);
      this.#rest = [];
      at = end + 1;
    }
    if (at < data.length) this.#rest.push(data.subarray(at));
    return lines;
  }
}

/** One follow process on one connection. */
class Reading {
  readonly #run: ExecStream;
  readonly #o: FollowOptions;
  readonly #onHeader: () => void;
  readonly #lines = new Lines();
  readonly #failed: Promise<never>;
  #fail: (error: Error) => void = () => undefined;
  #header: Header | null = null;
  #waiting: Buffer[] = [];
  #scheduled = false;
  #stopped = false;
  #err = '';

  constructor(run: ExecStream, options: FollowOptions, onHeader: () => void) {
    this.#run = run;
    this.#o = options;
    this.#onHeader = onHeader;
    this.#failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => undefined);
    run.stdout.on('data', (data: Buffer) => {
      this.#waiting.push(data);
      if (this.#scheduled) return;
      // What arrives in one turn is stored in one transaction.
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    });
    run.stderr.on('data', (data: Buffer) => {
      this.#err = (this.#err + data.toString('utf8')).slice(-MAX_STDERR);
    });
  }

  #flush(): void {
    this.#scheduled = false;
    if (this.#stopped || this.#waiting.length === 0) return;
    const data = this.#waiting.length === 1 ? (this.#waiting[0] as Buffer) : Buffer.concat(this.#waiting);
    this.#waiting = [];
    try {
      const lines = this.#lines.push(data);
      if (this.#header === null) {
        const first = lines.shift();
        if (first === undefined) return;
        this.#header = parseHeader(first);
        if (this.#header.ok) this.#onHeader();
      }
      if (lines.length) this.#o.onLines(lines);
    } catch (error) {
      this.#stopped = true;
      this.#fail(error as Error);
    }
  }

  /** Takes nothing any more. */
  stop(): void {
    this.#stopped = true;
  }

  /** How it ended; null when only the process or the link ended, and the log has more to give. */
  async end(): Promise<FollowEnd | null> {
    const exit = await Promise.race([this.#run.exit, this.#failed]);
    this.#flush();
    if (this.#stopped) return this.#failed;
    if (this.#header && !this.#header.ok) return refused(this.#header.code);
    if (exit.code === 127) throw new AppError('python_missing');
    if (this.#header && exit.code === 0) return 'finished';
    if (this.#header && exit.code === 3) return 'lost';
    if (exit.signal !== null || exit.code === 4) return null;
    const said = this.#err.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
    throw new AppError('box_unreadable', {
      detail: `following ended with status ${exit.code ?? 'none'}: ${said}`,
    });
  }
}

function parseHeader(line: Buffer): Header {
  let json: unknown;
  try {
    json = JSON.parse(line.toString('utf8'));
  } catch (error) {
    throw new AppError(
      'box_unreadable',
      { detail: 'the follower answered with something else than its header.' },
      error,
    );
  }
  const header = Header.safeParse(json);
  if (!header.success)
    throw new AppError('box_unreadable', { detail: 'the follower answered with an unknown header.' });
  return header.data;
}

function refused(code: string): FollowEnd {
  if (code === 'log_diverged') return 'diverged';
  if (code === 'no_such_job') return 'no_such_job';
  const detail =
    code === 'not_allowed'
      ? 'the user is not in the group vaultcube, which may read jobs.'
      : `the follower says ${code}.`;
  throw new AppError('box_unreadable', { detail });
}

class Follower {
  readonly #o: FollowOptions;
  readonly #patience = new Patience();
  readonly #overtaker: Overtaker;
  /** When the link was last seen alive, and how often dialling failed since. */
  #seenAt = performance.now();
  #failures = 0;

  constructor(options: FollowOptions) {
    this.#o = options;
    this.#overtaker = new Overtaker(() => options.dial(this.#patience.limits));
  }

  async run(): Promise<FollowEnd> {
    try {
      for (;;) {
        this.#o.signal.throwIfAborted();
        const end = await this.#once();
        if (end !== null) return end;
      }
    } finally {
      this.#overtaker.drop();
    }
  }

  /** One connection, from dialling to its end. Null when the log has more to give. */
  async #once(): Promise<FollowEnd | null> {
    const began = performance.now();
    let conn: Connection | null = null;
    try {
      conn = await this.#overtaker.connect();
      const end = await this.#read(conn);
      if (end !== null) return end;
      await this.#afterLoss(null, began);
    } catch (error) {
      this.#o.signal.throwIfAborted();
      if (!isOfTheLink(error)) throw error;
      await this.#afterLoss(error, began);
    } finally {
      conn?.close();
    }
    return null;
  }

  async #read(conn: Connection): Promise<FollowEnd | null> {
    const { signal, dir, followSource, onConnected, position, onLink } = this.#o;
    const onAbort = () => conn.close();
    const left = new AbortController();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      signal.throwIfAborted();
      await onConnected?.(conn);
      const { offset, lastLength, lastSha256 } = position();
      const at = offset === 0 ? ['0', '0', '-'] : [offset, lastLength, lastSha256].map(String);
      const run = await conn.stream(shellQuote(['python3', '-I', '-c', followSource, dir, ...at]));
      const reading = new Reading(run, this.#o, () => {
        this.#failures = 0;
        this.#patience.learn(null);
        onLink('live', `connected to ${conn.host}`);
      });
      const overtaken = this.#overtaker.watch(conn, left.signal).then(() => {
        reading.stop();
        onLink('silent', `${conn.host} answers a new connection, and no longer this one`);
        return null;
      });
      return await Promise.race([reading.end(), overtaken]);
    } finally {
      left.abort();
      // Up to here the box was in reach: being out of reach is counted from now.
      if (this.#failures === 0) this.#seenAt = performance.now();
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Says what happened and waits a moment, or gives up. Returns at once where the next connection is on its way. */
  async #afterLoss(error: AppError | null, began: number): Promise<void> {
    if (error === null && this.#overtaker.ready) return;
    const { onLink, giveUpAfterMs, signal } = this.#o;
    const silent = error?.facts['silent'] !== undefined;
    onLink(silent ? 'silent' : 'reconnecting', error?.message ?? 'the follower on the box ended');
    const away = performance.now() - this.#seenAt;
    if (giveUpAfterMs !== undefined && away >= giveUpAfterMs) {
      const host = String(error?.facts['host'] ?? 'the box');
      throw new AppError('link_lost', { host, seconds: Math.round(away / 1000) }, error ?? undefined);
    }
    this.#patience.learn(error);
    this.#failures += 1;
    if (this.#overtaker.ready) return;
    const waited = performance.now() - began > WAITED_MS;
    const pause = this.#failures === 1 || waited ? FIRST_PAUSE_MS : PAUSE_MS;
    await delay(pause, undefined, { signal }).catch(() => undefined);
  }
}

/**
 * Follows one attempt until its log ends. Resolves with how: `finished` was read, the runner is gone (`lost`), the log is
 * not the one stored (`diverged`), or there is none. Throws what `onLines` or `onConnected` threw, the signal's reason once
 * aborted, link_lost after `giveUpAfterMs`, and each error that another try cannot mend.
 */
export function followJob(options: FollowOptions): Promise<FollowEnd> {
  return new Follower(options).run();
}
