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

export const isOfTheLink = (error: unknown): error is AppError =>
  error instanceof AppError && OF_THE_LINK.has(error.code);

export interface Retry {
  signal: AbortSignal;
  /** Whether the link worked before in this command; if not, its first failure is the answer. */
  hadLink: boolean;
  onBroken: (error: AppError) => void;
  /** After this long without success the last failure is thrown. */
  giveUpAfterMs: number;
}

/** Runs `fn` until it does not fail for the link's sake. `fn` must be safe to repeat. */
export async function overTheLink<T>(retry: Retry, fn: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  for (;;) {
    retry.signal.throwIfAborted();
    try {
      return await fn();
    } catch (error) {
      retry.signal.throwIfAborted();
      if (!isOfTheLink(error) || !retry.hadLink) throw error;
      if (performance.now() - begun > retry.giveUpAfterMs) throw error;
      retry.onBroken(error);
      await delay(PAUSE_MS, undefined, { signal: retry.signal });
    }
  }
}
