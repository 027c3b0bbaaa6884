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
  /** How many cards there are, and the power limit of each in watts; null where the profile names none. */
  cards: number;
  cardWatts: number | null;
  /** How long a soak takes if nobody says otherwise. */
  soakSeconds: number;
  /** Whether no other length can be had: a practice box has one soak, which was recorded. */
  soakFixed: boolean;
}

/** Length of the soak that practice boxes replay (resources/practice/h200). */
export const PRACTICE_SOAK_SECONDS = 600;

/** Null for a profile that says nothing of load. */
export function loadFacts(profile: Profile | null, practice = false): LoadFacts | null {
  if (!profile?.load) return null;
  const wallWatts = profile.power?.wallWatts ?? null;
  const { watts, soak } = profile.load;
  return {
    watts: wallWatts ?? watts.value,
    wallWatts,
    cards: profile.gpu.count.value,
    cardWatts: profile.gpu.powerLimitW?.value ?? null,
    soakSeconds: practice ? PRACTICE_SOAK_SECONDS : soak.seconds.value,
    soakFixed: practice,
  };
}

/** What the box draws where each card may draw `limit` watts; at full power without it. A supply's own loss shrinks, too: not counted. */
export function wattsAt({ watts, cards, cardWatts }: LoadFacts, limit: number | null): number {
  return limit === null || cardWatts === null ? watts : Math.round(watts - cards * (cardWatts - limit));
}

/** The highest limit of a card, in whole watts, with which the supply carries the box; null where it does so without, or never. */
export function limitFor(facts: LoadFacts, supply: Pick<Supply, 'volts' | 'amperes'>): number | null {
  const { wallWatts, cards, cardWatts } = facts;
  const lacks = (wallWatts ?? 0) - supplyWatts(supply);
  if (lacks <= 0 || cardWatts === null || cards === 0) return null;
  const limit = Math.floor(cardWatts - lacks / cards);
  return limit > 0 ? limit : null;
}

/** Why a card's limit cannot be chosen; null where it can. What a card itself takes at least, only the box knows. */
export function limitProblem({ cardWatts }: LoadFacts, limit: number): string | null {
  if (cardWatts === null) return 'the profile names no power limit of the cards';
  if (!(limit >= 1)) return 'it is no number of watts';
  return limit < cardWatts ? null : `full power of a card is ${cardWatts} W, and a lower one is asked for`;
}

/** What is said of results that were taken so. */
export const limitSentence = (suite: string, limit: number, full: number): string =>
  `${suite} ran with a power limit of ${limit} W a card, lowered from ${full} W for the supply`;

/** Null for a suite that puts no load on a box, and where nothing is known of load. */
export function loadOf(
  suite: string,
  facts: LoadFacts | null,
  soakSeconds: number | null = null,
  limit: number | null = null,
): LoadOf | null {
  const here = suiteHere(suite);
  if (!here?.load || !facts) return null;
  const soak = soakSeconds ?? facts.soakSeconds;
  return { watts: wattsAt(facts, limit), seconds: suite === 'stress' ? soak : here.nominalSeconds };
}

/** Why a supply does not carry what the profile says of the box; null where it does, or where the profile asks for nothing. */
export function supplyProblem(
  facts: LoadFacts,
  supply: Pick<Supply, 'volts' | 'amperes'> | null,
  limit: number | null = null,
): 'unknown' | 'too_small' | null {
  if (facts.wallWatts === null) return null;
  if (!supply) return 'unknown';
  return supplyWatts(supply) < wattsAt(facts, limit) ? 'too_small' : null;
}

/** "10 min", "24 h", "30 s": about. */
export function timeText(seconds: number): string {
  if (seconds >= 3600) return `${Number((seconds / 3600).toFixed(1))} h`;
  return seconds >= 90 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds)} s`;
}

/** What a person agrees to, in one sentence. `limit`: a lowered power limit of each card. */
export function loadSentence(title: string, { watts, seconds }: LoadOf, limit: number | null = null): string {
  const lowered = limit === null ? '' : `, each card held to ${limit} W`;
  return `${title} puts all GPUs under load: the box draws up to ${watts} W for about ${timeText(seconds)}${lowered}.`;
}
