/**
 * Verdicts, evidence, and the one pure function that decides an outcome (spec "Outcomes, everywhere the same").
 * Used by the CLI, the screen and the report; a table test covers it.
 */
import { z } from 'zod';

export const Verdict = z.enum(['pass', 'warn', 'fail', 'error', 'not_run', 'not_supported']);
export type Verdict = z.infer<typeof Verdict>;

/** Where a measurement comes from. What is derived takes the weakest of its sources. */
export const Evidence = z.enum(['real', 'stand-in', 'practice']);
export type Evidence = z.infer<typeof Evidence>;

const EVIDENCE_STRENGTH: Record<Evidence, number> = { practice: 0, 'stand-in': 1, real: 2 };

/** The weakest of the given kinds of evidence; `real` for an empty list, since nothing weakens it. */
export function weakestEvidence(all: readonly Evidence[]): Evidence {
  return all.reduce<Evidence>((a, b) => (EVIDENCE_STRENGTH[b] < EVIDENCE_STRENGTH[a] ? b : a), 'real');
}

/** How a profile regards a check: it must pass; it is expected to be absent in a named context; or it only informs. */
export const Expectation = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('required') }),
  z.strictObject({
    kind: z.literal('expected'),
    verdicts: z.array(z.enum(['not_run', 'not_supported'])).min(1),
    context: z.string().min(1),
  }),
  z.strictObject({ kind: z.literal('informative'), why: z.string().optional() }),
]);
export type Expectation = z.infer<typeof Expectation>;

/** A fail that a person accepted: the verdict stays, and it counts as a deviation. */
export const Waiver = z.strictObject({
  check: z.string().min(1),
  name: z.string().min(1),
  reason: z.string().min(1),
  at: z.string(),
});
export type Waiver = z.infer<typeof Waiver>;

export const Outcome = z.enum(['passed', 'passed_with_deviations', 'failed', 'incomplete']);
export type Outcome = z.infer<typeof Outcome>;

/** Process exit code of each outcome. Usage errors exit 2, errors of the app 1, a cancelled or lost job 30 and 31. */
export const EXIT_CODES: Record<Outcome, number> = {
  passed: 0,
  passed_with_deviations: 10,
  failed: 20,
  incomplete: 21,
};

/** The words people read for each outcome. */
export const OUTCOME_WORDS: Record<Outcome, string> = {
  passed: 'passed',
  passed_with_deviations: 'passed with deviations',
  failed: 'failed',
  incomplete: 'incomplete',
};

const FROM_BEST: readonly Outcome[] = ['passed', 'passed_with_deviations', 'incomplete', 'failed'];

/** Of several that all count; `passed` for an empty list. */
export const worstOutcome = (all: readonly Outcome[]): Outcome =>
  all.reduce<Outcome>((a, b) => (FROM_BEST.indexOf(b) > FROM_BEST.indexOf(a) ? b : a), 'passed');

export interface JudgedCheck {
  id: string;
  title: string;
  verdict: Verdict;
  expectation: Expectation;
  waiver?: Waiver | undefined;
  reason?: string | null | undefined;
}

export interface Decision {
  outcome: Outcome;
  /** One sentence each; shown on page one. */
  deviations: string[];
  failures: string[];
  missing: string[];
}

/** The context in which the profile expects this very verdict; null where it does not. */
function expectedAs({ verdict, expectation }: JudgedCheck): string | null {
  if (expectation.kind !== 'expected') return null;
  return expectation.verdicts.some((v) => v === verdict) ? expectation.context : null;
}

/** What a check contributes: nothing, or one of the three lists of a Decision. */
function classify(c: JudgedCheck): 'ok' | 'failures' | 'missing' | 'deviations' {
  if (c.expectation.kind === 'informative') return 'ok';
  switch (c.verdict) {
    case 'pass':
      return 'ok';
    case 'warn':
      return 'deviations';
    case 'fail':
    case 'error':
      return c.waiver && c.verdict === 'fail' ? 'deviations' : 'failures';
    case 'not_run':
    case 'not_supported':
      return expectedAs(c) === null ? 'missing' : 'deviations';
  }
}

/**
 * Decides a layer, suite or box. A required fail or error is failed; else an unexpected not_run or not_supported is
 * incomplete; else a warn, a waiver or an expected absence is passed with deviations; else passed. No check at all is
 * incomplete: what did not run did not pass. `extraDeviations` are named by the caller (a kept UID, for one).
 */
export function decideOutcome(
  checks: readonly JudgedCheck[],
  extraDeviations: readonly string[] = [],
): Decision {
  const d: Decision = { outcome: 'passed', deviations: [...extraDeviations], failures: [], missing: [] };
  for (const c of checks) {
    const list = classify(c);
    if (list === 'ok') continue;
    const waived = c.verdict === 'fail' ? c.waiver : undefined;
    const why = waived ? `waived by ${waived.name}: ${waived.reason}` : c.reason;
    const note = [why, expectedAs(c)].filter(Boolean).join('; ');
    d[list].push(`${c.title}: ${c.verdict.replace('_', ' ')}${note ? ` (${note})` : ''}`);
  }
  if (d.failures.length) d.outcome = 'failed';
  else if (d.missing.length || checks.length === 0) d.outcome = 'incomplete';
  else if (d.deviations.length) d.outcome = 'passed_with_deviations';
  return d;
}
