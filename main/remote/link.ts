/** Trying again over a link that breaks. What may be repeated is repeated until it worked or the caller gave up. */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError, type ErrorCode } from '../../preload/contract/errors.ts';

/** Failures that another try can mend. A refused key or a changed host key is none: repeating it would harm. */
const OF_THE_LINK: ReadonlySet<ErrorCode> = new Set([
  'host_unknown',
  'host_unreachable',
  'port_refused',
  'ssh_banned',
  'box_starting',
  'link_lost',
]);

const PAUSE_MS = 600;
const CONNECT_MS = 1_500;
const LOGIN_MS = 2_000;
const LOGIN_MAX_MS = 16_000;

/** How patient one dialling may be; both in ms, as in ConnectOptions. */
export interface DialLimits {
  connectTimeoutMs: number;
  loginTimeoutMs: number;
}

/** How long the next dialling may take: short, so that a link that is back is found soon. */
export class Patience {
  #loginMs = LOGIN_MS;

  get limits(): DialLimits {
    return { connectTimeoutMs: CONNECT_MS, loginTimeoutMs: this.#loginMs };
  }

  /** Takes how the last try went; null when it reached what it was for. */
  learn(error: AppError | null): void {
    // A login that takes long is a busy box or a slow network, and hurrying it would never succeed. Where not even a
    // connection came about, the link was gone, and says nothing about how long a login takes.
    const slow = error?.facts['phase'] === 'login';
    this.#loginMs = slow ? Math.min(this.#loginMs * 2, LOGIN_MAX_MS) : LOGIN_MS;
  }
}

export const isOfTheLink = (error: unknown): error is AppError =>
  error instanceof AppError && OF_THE_LINK.has(error.code);

export interface Retry {
  signal: AbortSignal;
  /** Whether the link has worked in this command; as long as it has not, its first failure is the answer. */
  hadLink: () => boolean;
  onBroken: (error: AppError) => void;
  /** After this long without success the last failure is thrown. */
  giveUpAfterMs: number;
}

/**
 * Runs `fn` until it does not fail for the link's sake. `fn` must be safe to repeat; it is given how patient its dialling may
 * be, or undefined as long as the link has not worked.
 */
export async function overTheLink<T>(
  retry: Retry,
  fn: (limits: DialLimits | undefined) => Promise<T>,
): Promise<T> {
  const begun = performance.now();
  const patience = new Patience();
  for (;;) {
    retry.signal.throwIfAborted();
    try {
      return await fn(retry.hadLink() ? patience.limits : undefined);
    } catch (error) {
      retry.signal.throwIfAborted();
      if (!isOfTheLink(error) || !retry.hadLink()) throw error;
      if (performance.now() - begun > retry.giveUpAfterMs) throw error;
      patience.learn(error);
      retry.onBroken(error);
      await delay(PAUSE_MS, undefined, { signal: retry.signal });
    }
  }
}
