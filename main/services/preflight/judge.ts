/** What every preflight check is made of: a pure function from what was read and the profile to a finding. */
import type { CheckResult } from '../../../preload/contract/events.ts';
import type { BoxFacts } from '../../../preload/contract/facts.ts';
import type { Profile } from '../../../preload/contract/profile.ts';
import type { Offered } from '../../../preload/contract/software.ts';
import type { FactsReading } from './reading.ts';

/** The site bundle that layers would come from: what it offers and for which system, or why it cannot be read. */
export type BundleLook =
  | { dir: string; offered: Offered; distribution: { id: string; version: string } }
  | { dir: string; problem: string; nextAction: string };

export interface Look {
  reading: FactsReading;
  facts: BoxFacts;
  profile: Profile;
  /** The user of the first login, the administrator that the Keys step makes, and the bundle, null where none is known yet. */
  when: { firstUser: string; adminUser: string; bundle: BundleLook | null };
}

type Told = 'value' | 'unit' | 'threshold' | 'source' | 'reason' | 'nextAction' | 'evidence';
export type Finding = Pick<CheckResult, 'verdict'> & Partial<Pick<CheckResult, Told>>;
type More = Partial<Pick<CheckResult, Told>>;

export interface PreflightCheck {
  id: `pf_${string}`;
  title: string;
  judge(look: Look): Finding;
}

export const pass = (value: CheckResult['value'], more: More = {}): Finding => ({
  verdict: 'pass',
  value,
  ...more,
});

/** A finding that a person should know and that a later step deals with, or that is a deviation. */
export const warn = (value: CheckResult['value'], nextAction: string, more: More = {}): Finding => ({
  verdict: 'warn',
  value,
  nextAction,
  ...more,
});

/** pass or fail; the next action belongs to the fail. */
export const judged = (
  good: boolean,
  value: CheckResult['value'],
  nextAction: string,
  more: More = {},
): Finding => (good ? pass(value, more) : { verdict: 'fail', value, nextAction, ...more });

export const notRun = (reason: string, nextAction: string | null, more: More = {}): Finding => ({
  verdict: 'not_run',
  reason,
  nextAction,
  ...more,
});

/** The profile has no number to judge by; what was found is told. */
export const unnamed = (what: string, value: CheckResult['value'] = null): Finding => ({
  verdict: 'not_supported',
  value,
  reason: `the profile names no ${what}`,
});

/** Not run, because the box does not tell `what`. `items` are the gatherer's names, the first with a reason counts. */
export function unread({ facts, reading }: Look, what: string, ...items: string[]): Finding {
  const why = items.map((item) => facts.unreadable[item]).find((reason) => reason !== undefined);
  const asRoot = reading.asRoot ? '' : `; it was not read as root: ${reading.noRootReason ?? 'not tried'}`;
  return notRun(
    `${what} could not be read: ${why ?? 'the box does not tell'}${asRoot}`,
    reading.asRoot ? null : 'Inspect the box again as a user who may become root, with the sudo password.',
  );
}

const GIB = 2 ** 30;

/** Bytes as GiB with one decimal. */
export const gib = (bytes: number): number => Math.round((bytes / GIB) * 10) / 10;

/** `minimum` or more, in GiB, with the profile's source. */
export function atLeastGib(
  bytes: number,
  floor: { min: number; source: string },
  nextAction: string,
): Finding {
  return judged(bytes / GIB >= floor.min, gib(bytes), nextAction, {
    unit: 'GiB',
    threshold: `${floor.min} GiB or more`,
    source: floor.source,
  });
}

/** The leading numbers of a version: 6.8.0-45-generic is 6, 8, 0, 45. */
const numbers = (version: string): number[] =>
  (/^\d+(?:[.-]\d+)*/.exec(version)?.[0] ?? '').split(/[.-]/).map(Number);

/** Whether a version is the floor or newer, number by number. */
export function versionAtLeast(found: string, floor: string): boolean {
  const [a, b] = [numbers(found), numbers(floor)];
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** One value when all are the same, else each with its name. */
export function listed(pairs: readonly (readonly [string, string])[]): string {
  const values = new Set(pairs.map(([, value]) => value));
  if (values.size === 1) return `${[...values][0]}${pairs.length > 1 ? ` on all ${pairs.length}` : ''}`;
  return pairs.map(([name, value]) => `${name}: ${value}`).join(', ');
}
