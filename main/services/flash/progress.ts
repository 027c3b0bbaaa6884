/** How far a flash is, as a person is told: never more than is done, and the end only at the end. Pure; the clock is handed in. */

import type { FlashPhase, FlashProgress } from '../../../preload/contract/flash.ts';

/** Bytes that a phase has to move; null where nobody can know it. */
export type Totals = Readonly<Record<'write' | 'verify', number | null>>;

export interface ProgressState {
  phase: FlashPhase;
  totals: Totals;
  done: number;
  /** Oldest first, within the window. */
  samples: readonly { at: number; done: number }[];
  finished: boolean;
  /** Commands under way that zero a part of the target. */
  zeroing: number;
  /** The largest part that was told before: after a cut, or where chunks are written again, it goes on from there. */
  floor: number;
  /** What `floor` was when the totals were told: they are of what is left then. */
  from: number;
}

export type ProgressEvent =
  | { kind: 'phase'; phase: FlashPhase; at: number }
  /** More of the phase is done. */
  | { kind: 'bytes'; bytes: number; at: number }
  /** Better known than before: what a record or a delta saves need not be written. */
  | { kind: 'totals'; totals: Totals; at: number }
  /** 1: such a command begins, -1: it ended. */
  | { kind: 'zeroing'; more: 1 | -1; at: number }
  | { kind: 'finished'; at: number };

/** The rate is that of the last ten seconds, told after the first. */
const WINDOW_MS = 10_000;
const MIN_MS = 1_000;
/** A sample more often says nothing more. */
const SAMPLE_MS = 100;
const ALMOST = 0.999;
/** How often it is told, also while nothing moves: then the rate falls, and a person is to see that. */
export const TELL_MS = 500;

export function startProgress(totals: Totals, at: number): ProgressState {
  return {
    phase: 'wipe',
    totals,
    done: 0,
    samples: [{ at, done: 0 }],
    finished: false,
    zeroing: 0,
    floor: 0,
    from: 0,
  };
}

/** `at` in ms of a clock that never goes back. */
export function reduceProgress(state: ProgressState, event: ProgressEvent): ProgressState {
  const next = reduced(state, event);
  // Of bytes alone it only grows.
  if (event.kind !== 'phase' && event.kind !== 'totals') return next;
  const floor = viewProgress(state, event.at).fraction ?? state.floor;
  return { ...next, floor, from: event.kind === 'totals' ? floor : state.from };
}

function reduced(state: ProgressState, event: ProgressEvent): ProgressState {
  switch (event.kind) {
    case 'phase':
      return { ...state, phase: event.phase, done: 0, samples: [{ at: event.at, done: 0 }] };
    case 'totals':
      return { ...state, totals: event.totals };
    case 'bytes': {
      const done = state.done + event.bytes;
      const last = state.samples.at(-1);
      if (last && last.at > event.at - SAMPLE_MS && state.samples.length > 1)
        return { ...state, done, samples: state.samples.with(-1, { at: last.at, done }) };
      // One that is older than the window stays: the rate is told between two of them.
      const inside = state.samples.findIndex((s) => s.at >= event.at - WINDOW_MS);
      const from = inside < 0 ? state.samples.length - 1 : Math.max(0, inside - 1);
      return { ...state, done, samples: [...state.samples.slice(from), { at: event.at, done }] };
    }
    case 'zeroing':
      return { ...state, zeroing: state.zeroing + event.more };
    case 'finished':
      return { ...state, finished: true };
  }
}

/** How it is at this moment: a rate falls while nothing comes. */
export function viewProgress(state: ProgressState, at: number): FlashProgress {
  const { phase, totals, samples, finished, floor, from } = state;
  // The map is of all of the disk, as what is read back is.
  const of = phase === 'map' ? 'verify' : phase;
  const total = of === 'write' || of === 'verify' ? totals[of] : null;
  const done = total === null ? state.done : Math.min(state.done, total);
  const oldest = samples.findLast((s) => s.at <= at - WINDOW_MS) ?? samples[0];
  const span = oldest ? at - oldest.at : 0;
  const perSecond = oldest && span >= MIN_MS ? ((state.done - oldest.done) / span) * 1000 : null;
  const left = bytesLeft(phase, totals, done);
  const all = totals.write === null || totals.verify === null ? null : totals.write + totals.verify;
  const moved = all === null || left === null ? null : all === 0 ? 1 : (all - left) / all;
  return {
    ...{ phase, done, total, perSecond },
    remainingSeconds: finished ? 0 : left === null || !perSecond || left === 0 ? null : left / perSecond,
    fraction: finished ? 1 : fractionOf(moved, floor, from),
    zeroing: state.zeroing > 0 && !perSecond,
  };
}

function fractionOf(moved: number | null, floor: number, from: number): number | null {
  if (moved === null) return floor || null;
  return Math.min(Math.max(floor, from + (1 - from) * moved), ALMOST);
}

/** Of this phase and those to come. */
function bytesLeft(phase: FlashPhase, totals: Totals, done: number): number | null {
  const { write, verify } = totals;
  if (verify === null) return null;
  switch (phase) {
    // What is to be written after it, it will tell.
    case 'map':
      return null;
    case 'wipe':
      return write === null ? null : write + verify;
    case 'write':
      return write === null ? null : write - done + verify;
    case 'flush':
      return verify;
    case 'verify':
      return verify - done;
    case 'seed':
    case 'seal':
      return 0;
  }
}
