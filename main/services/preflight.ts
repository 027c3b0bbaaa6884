/**
 * Preflight: what the box really is, compared with the profile, before anything is changed. Gathering (readFacts) and
 * judging (preflightChecks) are apart; the second is pure.
 */
import type { CheckResult } from '../../preload/contract/events.ts';
import type { Profile } from '../../preload/contract/profile.ts';
import { ACCESS } from './preflight/access.ts';
import { GPUS } from './preflight/gpus.ts';
import type { Finding, Look, PreflightCheck } from './preflight/judge.ts';
import { MACHINE } from './preflight/machine.ts';
import type { FactsReading } from './preflight/reading.ts';
import { SOFTWARE } from './preflight/software.ts';
import { SYSTEM } from './preflight/system.ts';

export { isBlocker } from '../../preload/contract/preflight.ts';
export { setClock } from './preflight/clock.ts';
export { identityOf, sameIdentity } from './preflight/identity.ts';
export { readFacts, type FactsReading } from './preflight/reading.ts';

const SUITE = 'preflight';
const EVIDENCE_MAX = 8_000;

/** All checks in the order in which they are shown. */
const CHECKS: readonly PreflightCheck[] = [...ACCESS, ...SYSTEM, ...MACHINE, ...GPUS, ...SOFTWARE];

/** Judges what was read by the profile. Pure; a check that itself fails is an `error`, not a fail of the box. */
export function preflightChecks(reading: FactsReading, profile: Profile, when: Look['when']): CheckResult[] {
  const look: Look = { reading, facts: reading.facts, profile, when };
  return CHECKS.map((check) => result(check, found(check, look)));
}

function found(check: PreflightCheck, look: Look): Finding {
  try {
    return check.judge(look);
  } catch (error) {
    const reason = `the check itself failed: ${error instanceof Error ? error.message : String(error)}`;
    return {
      verdict: 'error',
      reason,
      nextAction: 'Inspect again; if it stays so, send the detail to support.',
    };
  }
}

function result({ id, title }: PreflightCheck, finding: Finding): CheckResult {
  const { verdict, value, unit, threshold, source, reason, nextAction, evidence } = finding;
  return {
    id,
    title,
    layer: null,
    suite: SUITE,
    verdict,
    value: value ?? null,
    unit: unit ?? null,
    threshold: threshold ?? null,
    source: source ?? null,
    reason: reason ?? null,
    nextAction: nextAction ?? null,
    evidence: evidence?.slice(0, EVIDENCE_MAX) ?? null,
    seconds: 0,
  };
}
