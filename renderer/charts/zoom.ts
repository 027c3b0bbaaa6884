/** Windows of time: what keys and buttons make of the one that shows. Null is the whole. Pure. */

export type Window = readonly [number, number];

/** Less than this and there is nothing between two samples to see, in seconds. */
const LEAST_S = 4;
const STEP = 0.25;

/** A window within the whole, at least LEAST_S wide; null where it would be all of it. */
export function within(whole: Window, from: number, to: number): Window | null {
  const width = Math.max(LEAST_S, to - from);
  if (width >= whole[1] - whole[0]) return null;
  const middle = (from + to) / 2;
  const start = Math.min(Math.max(whole[0], middle - width / 2), whole[1] - width);
  return [start, start + width];
}

export type Turn = 'in' | 'out' | 'earlier' | 'later' | 'whole';

export function turned(whole: Window, now: Window | null, turn: Turn): Window | null {
  const [from, to] = now ?? whole;
  const width = to - from;
  switch (turn) {
    case 'in':
      return within(whole, from + width * STEP, to - width * STEP);
    case 'out':
      return within(whole, from - width / 2, to + width / 2);
    case 'earlier':
      return now && within(whole, from - width * STEP, to - width * STEP);
    case 'later':
      return now && within(whole, from + width * STEP, to + width * STEP);
    case 'whole':
      return null;
  }
}

const KEYS: Readonly<Record<string, Turn>> = {
  '+': 'in',
  '=': 'in',
  '-': 'out',
  ArrowLeft: 'earlier',
  ArrowRight: 'later',
  '0': 'whole',
};

export const turnOf = (key: string): Turn | null => (Object.hasOwn(KEYS, key) ? (KEYS[key] ?? null) : null);
