/** Recorded boxes at earlier places of the road than where the recording stands, and with checks that went otherwise. */
import type { BoxState } from '../../preload/contract/calls.ts';
import type { CheckResult } from '../../preload/contract/events.ts';
import { parseEvent } from '../../preload/contract/events.ts';
import { EMPTY_JOB, reduceJob } from '../../preload/contract/reduce.ts';
import type { Session } from '../../preload/contract/session.ts';
import { profileInJournal, standing } from '../../preload/contract/standing.ts';
import { stepsOf } from '../../preload/contract/steps.ts';
import { boxOf, type Recording } from './recordings.ts';

/** The box with its session changed, and all that follows from it. */
export function boxWith(
  recordings: readonly Recording[],
  change: Partial<Session>,
  more: Partial<BoxState> = {},
): BoxState {
  const box = boxOf(recordings, more);
  const session = { ...box.session, ...change };
  const attempts = recordings.map(({ row, lines }) => ({
    row,
    view: lines.map(parseEvent).reduce(reduceJob, EMPTY_JOB),
  }));
  const stands = standing(session, attempts, profileInJournal(attempts));
  return { ...box, session, standing: stands, steps: stepsOf(session, stands, null, box.jobs) };
}

/** Before anything: an address and a user. */
export const NEW: Partial<Session> = { hostKey: null, identity: null, keys: null, user: 'installer' };
/** Connected, not looked at; or looked at, with the preflight among the recordings. */
export const BEFORE_KEYS: Partial<Session> = { keys: null, user: 'installer' };

/** The recording with one of its checks as if it had gone otherwise. */
export function withCheck({ row, lines }: Recording, id: string, change: Partial<CheckResult>): Recording {
  let found = false;
  const changed = lines.map((line) => {
    const event = JSON.parse(line) as { kind: string; check?: CheckResult };
    if (event.kind !== 'check' || event.check?.id !== id) return line;
    found = true;
    return JSON.stringify({ ...event, check: { ...event.check, ...change } });
  });
  if (!found) throw new Error(`there is no check ${id}`);
  return { row, lines: changed };
}
