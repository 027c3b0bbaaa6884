/** Load that was chosen, and what has to be said before it: what feeds the box, how long a soak takes. Nothing runs without it (spec W3). */
import { useState } from 'react';
import type { BoxState } from '../../../preload/contract/calls.ts';
import {
  loadOf,
  Supply,
  supplyProblem,
  supplyWatts,
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
  set: (now: { volts?: Typed; amperes?: Typed; hours?: Typed }) => void;
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
  /** Null where nothing soaks. */
  soakSeconds: number | null;
}

const given = (volts: Typed, amperes: Typed) =>
  Supply.pick({ volts: true, amperes: true }).safeParse({ volts, amperes }).data ?? null;

const LENGTH = `Say how long the soak is to take, up to ${SOAK_MAX_HOURS} hours.`;

/** What is to be said of the supply, or what is wrong with it; null where it carries the load. */
function lacking(facts: LoadFacts, said: Pick<Supply, 'volts' | 'amperes'> | null): string | null {
  const problem = supplyProblem(facts, said);
  if (problem === null) return null;
  if (said === null) return 'Say first what feeds the box.';
  const [carries, draws] = [supplyWatts(said), facts.watts].map((watts) => number(watts, 0));
  return `The supply carries ${carries} W for hours, and the box draws up to ${draws} W.`;
}

/** Null where no suite with load is chosen. */
export function useLoad(box: BoxState, chosen: readonly string[]): LoadForm | null {
  const { supply } = box.session;
  const { load: facts } = box.standing;
  const [volts, setVolts] = useState<Typed>(supply?.volts ?? '');
  const [amperes, setAmperes] = useState<Typed>(supply?.amperes ?? '');
  const [hours, setHours] = useState<Typed>((facts?.soakSeconds ?? 24 * HOUR) / HOUR);
  if (!facts) return null;
  const soaks = chosen.includes('stress');
  const soakSeconds = isNumber(hours) && hours > 0 && hours <= SOAK_MAX_HOURS ? hours * HOUR : null;
  const loads = chosen.flatMap((id) => loadOf(id, facts, soakSeconds) ?? []);
  if (loads.length === 0) return null;
  const said = given(volts, amperes);
  const why = lacking(facts, said) ?? (soaks && soakSeconds === null ? LENGTH : null);
  const seconds = loads.reduce((all, one) => all + one.seconds, 0);
  const kept = said !== null && said.volts === supply?.volts && said.amperes === supply.amperes;
  return {
    ...{ facts, volts, amperes, hours, soaks, why },
    set: (now) => {
      if (now.volts !== undefined) setVolts(now.volts);
      if (now.amperes !== undefined) setAmperes(now.amperes);
      if (now.hours !== undefined) setHours(now.hours);
    },
    carries: said && supplyWatts(said),
    changed: facts.wallWatts === null || kept ? null : said,
    label: `Load the GPUs: up to ${number(facts.watts, 0)} W for about ${duration(seconds)}`,
    agreedWatts: facts.watts,
    soakSeconds: soaks ? soakSeconds : null,
  };
}
