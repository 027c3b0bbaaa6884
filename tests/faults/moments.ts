/** A moment anywhere in a flash, drawn from the seed, and whoever waits for it in what the writer answers. */
import type { Launch } from '../../main/services/flash/writer.ts';
import type { FlashPhase, FlashProgress } from '../../preload/contract/flash.ts';
import { watched } from '../integration/flash.ts';
import { CHUNKS, DATA_CHUNKS, SEALED } from './flashimage.ts';
import type { Random } from './random.ts';

export const PHASES = ['wipe', 'write', 'flush', 'verify', 'seal'] as const;
export type Phase = (typeof PHASES)[number];

/** The writer's answer number `nth` of this kind, counted from the wipe on and anew from the seal on. */
export interface Moment {
  phase: Phase;
  is: string;
  nth: number;
}

const upTo = (random: Random, n: number): number => 1 + Math.floor(random.between(0, n));

/** Every phase is as likely, however long it takes. */
export function anyMoment(random: Random, phases: readonly [Phase, ...Phase[]] = PHASES): Moment {
  const phase = random.pick(phases);
  switch (phase) {
    case 'wipe':
      return { phase, is: random.pick(['opened', 'wiped']), nth: 1 };
    case 'write':
      return { phase, is: 'written', nth: upTo(random, DATA_CHUNKS) };
    case 'flush':
      // There is a second one only where the writing takes more than a second.
      return { phase, is: 'flushed', nth: 1 };
    case 'verify':
      return { phase, is: 'read', nth: upTo(random, CHUNKS) };
    case 'seal': {
      const is = random.pick(['sealed', 'written', 'written', 'flushed', 'read', 'closed']);
      const most = is === 'written' || is === 'read' ? SEALED.length : is === 'flushed' ? 2 : 1;
      return { phase, is, nth: upTo(random, most) };
    }
  }
}

/** The real writer; `strike` comes at the moment, before the app hears of the answer, and once. */
export function striking(moment: Moment, strike: (kill: () => void) => void): Launch {
  const counts = new Map<string, number>();
  let struck = false;
  let sealing = false;
  return watched((is, _nth, kill) => {
    if (is === 'sealed') {
      counts.clear();
      sealing = true;
    }
    const nth = (counts.get(is) ?? 0) + 1;
    counts.set(is, nth);
    if (struck || sealing !== (moment.phase === 'seal') || is !== moment.is || nth !== moment.nth) return;
    struck = true;
    strike(kill);
  });
}

/** As far into a flash as its progress shows, and so many ms more: short phases show their beginning only. */
export interface Part {
  phase: Phase;
  /** Of the bytes of this phase, from 0 to 1. */
  part: number;
  moreMs: number;
}

export function anyPart(random: Random): Part {
  const phase = random.pick(PHASES);
  const long = phase === 'write' || phase === 'verify';
  return { phase, part: random.between(0, 0.95), moreMs: long ? 0 : random.between(0, 60) };
}

const ORDER: readonly FlashPhase[] = ['map', ...PHASES];

/** Whether a flash has come so far; also where it was too fast to be seen there. */
export function isThere({ phase, part }: Part, now: FlashProgress): boolean {
  const [is, due] = [ORDER.indexOf(now.phase), ORDER.indexOf(phase)];
  const long = phase === 'write' || phase === 'verify';
  if (is !== due || !long) return is >= due;
  return now.done >= part * (now.total ?? Infinity);
}
