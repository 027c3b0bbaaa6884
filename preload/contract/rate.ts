/** How fast a job's progress is now, out of its events: a moving window, never an average since the start. Pure. */
import type { JobEvent } from './events.ts';

/** Seconds of the box's clock that the window holds; shorter than MIN_S it says nothing. */
const WINDOW_S = 10;
const MIN_S = 1;

export interface Rate {
  /** Per second, in the progress's unit. */
  perSecond: number;
  /** Until the total at this rate; null where there is no total or nothing moves. */
  remainingSeconds: number | null;
}

/**
 * Of the step that is on its way. Null when it is unknown: too few events, or a new step has just begun. Silence counts:
 * the beats of a job that waits make its rate fall to nothing.
 */
export function rateOf(events: readonly JobEvent[]): Rate | null {
  const now = events.at(-1)?.env.mono;
  if (now === undefined) return null;
  let newest: { done: number; total: number | null } | null = null;
  let oldest: { mono: number; done: number } | null = null;
  for (let i = events.length - 1; i >= 0; i--) {
    const e = events[i];
    if (!e?.known) continue;
    if (e.kind === 'step' && e.body.state === 'begin') break;
    if (e.kind !== 'progress') continue;
    newest ??= e.body;
    oldest = { mono: e.env.mono, done: e.body.done };
    if (now - e.env.mono >= WINDOW_S) break;
  }
  if (!newest || !oldest || now - oldest.mono < MIN_S) return null;
  const perSecond = Math.max(0, (newest.done - oldest.done) / (now - oldest.mono));
  const left = newest.total === null ? null : newest.total - newest.done;
  return { perSecond, remainingSeconds: left === null || perSecond <= 0 ? null : left / perSecond };
}
