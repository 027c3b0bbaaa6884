/**
 * Load and what feeds it: how much a suite draws and for how long, what the engineer said of socket and breaker, and whether that carries it
 * (spec W3). Pure; the CLI and the window ask the same.
 */
import { z } from 'zod';
import type { Profile } from './profile.ts';
import { suiteHere } from './suites.ts';

/** As the engineer read it off the socket and its breaker, once a box. */
export const Supply = z.strictObject({
  volts: z.number().min(90).max(480),
  amperes: z.number().min(1).max(125),
  statedAt: z.string(),
});
export type Supply = z.infer<typeof Supply>;

/** A breaker is not for its whole rating over hours: 80 % of it (NEC 210.20(A), continuous loads). */
const CONTINUOUS = 0.8;

/** What may be drawn for hours, in watts. */
export const supplyWatts = ({ volts, amperes }: Pick<Supply, 'volts' | 'amperes'>): number =>
  Math.round(volts * amperes * CONTINUOUS);

/** What a suite puts on a box: watts at the wall where the profile knows them, else of its cards, and seconds. */
export interface LoadOf {
  watts: number;
  seconds: number;
}

/** What a profile says of load, as far as a person has to know it before. */
export interface LoadFacts {
  /** Of the box at its wall, where the profile knows that, else of its cards. */
  watts: number;
  /** What the supply has to carry; null where the profile asks for nothing. */
  wallWatts: number | null;
  /** How long a soak takes if nobody says otherwise. */
  soakSeconds: number;
}

/** Null for a profile that says nothing of load. */
export function loadFacts(profile: Profile | null): LoadFacts | null {
  if (!profile?.load) return null;
  const wallWatts = profile.power?.wallWatts ?? null;
  const { watts, soak } = profile.load;
  return { watts: wallWatts ?? watts.value, wallWatts, soakSeconds: soak.seconds.value };
}

/** Null for a suite that puts no load on a box, and where nothing is known of load. */
export function loadOf(
  suite: string,
  facts: LoadFacts | null,
  soakSeconds: number | null = null,
): LoadOf | null {
  const here = suiteHere(suite);
  if (!here?.load || !facts) return null;
  const soak = soakSeconds ?? facts.soakSeconds;
  return { watts: facts.watts, seconds: suite === 'stress' ? soak : here.nominalSeconds };
}

/** Why a supply does not carry what the profile says of the box; null where it does, or where the profile asks for nothing. */
export function supplyProblem(
  { wallWatts }: Pick<LoadFacts, 'wallWatts'>,
  supply: Pick<Supply, 'volts' | 'amperes'> | null,
): 'unknown' | 'too_small' | null {
  if (wallWatts === null) return null;
  if (!supply) return 'unknown';
  return supplyWatts(supply) < wallWatts ? 'too_small' : null;
}

/** "10 min", "24 h", "30 s": about. */
export function timeText(seconds: number): string {
  if (seconds >= 3600) return `${Number((seconds / 3600).toFixed(1))} h`;
  return seconds >= 90 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds)} s`;
}

/** What a person agrees to, in one sentence. */
export function loadSentence(title: string, { watts, seconds }: LoadOf): string {
  return `${title} puts all GPUs under load: the box draws up to ${watts} W for about ${timeText(seconds)}.`;
}
