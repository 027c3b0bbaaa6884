/** Load that was chosen, and what has to be said before it: what feeds the box, how long a soak takes. Nothing runs without it (spec W3). */
import { useState } from 'react';
import type { BoxState } from '../../../preload/contract/calls.ts';
import {
  limitFor,
  limitProblem,
  loadOf,
  Supply,
  supplyProblem,
  supplyWatts,
  wattsAt,
  type LoadFacts,
} from '../../../preload/contract/supply.ts';
import { duration, number } from '../../numbers.ts';

/** A number that is being typed may be empty. */
export type Typed = number | string;
export const isNumber = (n: Typed): n is number => typeof n === 'number' && Number.isFinite(n);

const HOUR = 3600;
const SOAK_MAX_HOURS = 168;

export interface LoadForm {
  facts: LoadFacts;
  volts: Typed;
  amperes: Typed;
  hours: Typed;
  set: (now: { volts?: Typed; amperes?: Typed; hours?: Typed; lowered?: boolean; limit?: Typed }) => void;
  /** A lower power limit of the cards, for a supply that does not carry full power; null where none is offered. */
  lower: { on: boolean; limit: Typed; most: number; full: number } | null;
  /** Whether how long it soaks is to be said. */
  soaks: boolean;
  /** What the supply carries for hours, in watts; null where nothing was said of it. */
  carries: number | null;
  /** Both numbers as they are typed, where they are not what is kept; null where nothing is to be kept. */
  changed: Pick<Supply, 'volts' | 'amperes'> | null;
  /** Why no load may be started; null where it may. */
  why: string | null;
  /** What the button says, with watts and time. */
  label: string;
  agreedWatts: number;
  /** Watts that each card is held to; null for full power. */
  powerLimitW: number | null;
  /** Null where nothing soaks. */
  soakSeconds: number | null;
}

type Said = Pick<Supply, 'volts' | 'amperes'> | null;

const given = (volts: Typed, amperes: Typed): Said =>
  Supply.pick({ volts: true, amperes: true }).safeParse({ volts, amperes }).data ?? null;

/** What of a lower power limit there is to choose, with what is typed; null where full power is carried, or nothing helps. */
function offered(facts: LoadFacts, said: Said, lowered: boolean, typed: Typed | null): LoadForm['lower'] {
  const most = said && limitFor(facts, said);
  if (most === null || facts.cardWatts === null) return null;
  return { on: lowered, limit: typed ?? most, most, full: facts.cardWatts };
}

/** Why the limit that is typed cannot be chosen; null where it can, or none is. */
function unfit(facts: LoadFacts, lower: LoadForm['lower']): string | null {
  if (!lower?.on) return null;
  if (!isNumber(lower.limit)) return 'Say how many watts each card may draw.';
  const why = limitProblem(facts, lower.limit);
  return why && `The cards cannot be held to ${number(lower.limit, 0)} W: ${why}.`;
}

const LENGTH = `Say how long the soak is to take, up to ${SOAK_MAX_HOURS} hours.`;

/** What is to be said of the supply, or what is wrong with it; null where it carries the load. */
function lacking(facts: LoadFacts, said: Said, limit: number | null): string | null {
  const problem = supplyProblem(facts, said, limit);
  if (problem === null) return null;
  if (said === null) return 'Say first what feeds the box.';
  const [carries, draws] = [supplyWatts(said), wattsAt(facts, limit)].map((watts) => number(watts, 0));
  return `The supply carries ${carries} W for hours, and the box draws up to ${draws} W.`;
}

/** What a call that runs suites is told of load; nothing where none is chosen. */
export const loadOrder = (load: LoadForm | null) =>
  load
    ? {
        agreedWatts: load.agreedWatts,
        ...(load.powerLimitW === null ? {} : { powerLimitW: load.powerLimitW }),
        ...(load.soakSeconds === null ? {} : { soakSeconds: load.soakSeconds }),
      }
    : {};

/** Null where no suite with load is chosen. */
export function useLoad(box: BoxState, chosen: readonly string[]): LoadForm | null {
  const { supply } = box.session;
  const { load: facts } = box.standing;
  const [volts, setVolts] = useState<Typed>(supply?.volts ?? '');
  const [amperes, setAmperes] = useState<Typed>(supply?.amperes ?? '');
  const [hours, setHours] = useState<Typed>((facts?.soakSeconds ?? 24 * HOUR) / HOUR);
  const [lowered, setLowered] = useState(false);
  const [typedLimit, setLimit] = useState<Typed | null>(null);
  if (!facts) return null;
  const soaking = chosen.includes('stress');
  const soaks = soaking && !facts.soakFixed;
  const typedSeconds = isNumber(hours) && hours > 0 && hours <= SOAK_MAX_HOURS ? hours * HOUR : null;
  const soakSeconds = facts.soakFixed ? facts.soakSeconds : typedSeconds;
  const said = given(volts, amperes);
  const lower = offered(facts, said, lowered, typedLimit);
  const limit = lower?.on && isNumber(lower.limit) ? lower.limit : null;
  const loads = chosen.flatMap((id) => loadOf(id, facts, soakSeconds, limit) ?? []);
  if (loads.length === 0) return null;
  const why =
    unfit(facts, lower) ?? lacking(facts, said, limit) ?? (soaks && soakSeconds === null ? LENGTH : null);
  const watts = wattsAt(facts, limit);
  const seconds = loads.reduce((all, one) => all + one.seconds, 0);
  const kept = said !== null && said.volts === supply?.volts && said.amperes === supply.amperes;
  return {
    ...{ facts, volts, amperes, hours, soaks, why, lower },
    set: (now) => {
      if (now.volts !== undefined) setVolts(now.volts);
      if (now.amperes !== undefined) setAmperes(now.amperes);
      if (now.hours !== undefined) setHours(now.hours);
      if (now.lowered !== undefined) setLowered(now.lowered);
      if (now.limit !== undefined) setLimit(now.limit);
    },
    carries: said && supplyWatts(said),
    changed: facts.wallWatts === null || kept ? null : said,
    label: `Load the GPUs: up to ${number(watts, 0)} W for about ${duration(seconds)}`,
    agreedWatts: watts,
    powerLimitW: limit,
    soakSeconds: soaking ? soakSeconds : null,
  };
}
