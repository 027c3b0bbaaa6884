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

/** Null for a suite that puts no load on a box, and for a profile that says nothing of load. */
export function loadOf(suite: string, profile: Profile, soakSeconds: number | null = null): LoadOf | null {
  const here = suiteHere(suite);
  if (!here?.load || !profile.load) return null;
  const watts = profile.power?.wallWatts ?? profile.load.watts.value;
  const soak = soakSeconds ?? profile.load.soak.seconds.value;
  return { watts, seconds: suite === 'stress' ? soak : here.nominalSeconds };
}

/** Why a supply does not carry what the profile says of the box; null where it does, or where the profile asks for nothing. */
export function supplyProblem(profile: Profile, supply: Supply | null): 'unknown' | 'too_small' | null {
  if (!profile.power) return null;
  if (!supply) return 'unknown';
  return supplyWatts(supply) < profile.power.wallWatts ? 'too_small' : null;
}

/** What a person agrees to, in one sentence. */
export function loadSentence(title: string, { watts, seconds }: LoadOf): string {
  const hours = seconds / 3600;
  const time = hours >= 1 ? `${Number(hours.toFixed(1))} h` : `${Math.round(seconds / 60)} min`;
  return `${title} puts all GPUs under load: the box draws up to ${watts} W for about ${time}.`;
}
