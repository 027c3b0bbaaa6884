import { describe, expect, it } from 'vitest';
import {
  decideOutcome,
  EXIT_CODES,
  Outcome,
  OUTCOME_WORDS,
  weakestEvidence,
  type Evidence,
  type Expectation,
  type JudgedCheck,
  type Verdict,
} from '../../../preload/contract/outcome.ts';

const required: Expectation = { kind: 'required' };
const informative: Expectation = { kind: 'informative', why: 'its floor is from the same GPUs' };
const expected = (...verdicts: ('not_run' | 'not_supported')[]): Expectation => ({
  kind: 'expected',
  verdicts,
  context: "the image's VM",
});
const waiver = { check: 'c', name: 'Kim', reason: 'fan ordered', at: '2026-11-24T05:00:00.000Z' };

const check = (verdict: Verdict, more: Partial<JudgedCheck> = {}): JudgedCheck => ({
  id: 'c',
  title: 'Check',
  verdict,
  expectation: required,
  ...more,
});

interface Row {
  rule: string;
  checks: JudgedCheck[];
  outcome: Outcome;
  deviations?: string[];
  failures?: string[];
  missing?: string[];
}

const rows: Row[] = [
  { rule: 'every required check passed', checks: [check('pass'), check('pass')], outcome: 'passed' },
  { rule: 'nothing ran', checks: [], outcome: 'incomplete' },

  // a required fail or error is failed
  { rule: 'a fail', checks: [check('fail')], outcome: 'failed', failures: ['Check: fail'] },
  {
    rule: 'an error',
    checks: [check('error', { reason: 'nvidia-smi hung' })],
    outcome: 'failed',
    failures: ['Check: error (nvidia-smi hung)'],
  },
  {
    rule: 'an expected absence that came and failed',
    checks: [check('fail', { expectation: expected('not_supported') })],
    outcome: 'failed',
    failures: ['Check: fail'],
  },
  {
    rule: 'a fail outranks what is missing and what deviates',
    checks: [check('warn'), check('not_run'), check('fail'), check('pass')],
    outcome: 'failed',
    failures: ['Check: fail'],
    missing: ['Check: not run'],
    deviations: ['Check: warn'],
  },

  // else an unexpected not_run or not_supported is incomplete
  {
    rule: 'not run',
    checks: [check('pass'), check('not_run', { reason: 'no driver' })],
    outcome: 'incomplete',
    missing: ['Check: not run (no driver)'],
  },
  {
    rule: 'not supported',
    checks: [check('not_supported')],
    outcome: 'incomplete',
    missing: ['Check: not supported'],
  },
  {
    rule: 'another absence than the expected one',
    checks: [check('not_run', { expectation: expected('not_supported') })],
    outcome: 'incomplete',
    missing: ['Check: not run'],
  },
  {
    rule: 'what is missing outranks what deviates',
    checks: [check('warn'), check('not_supported')],
    outcome: 'incomplete',
    missing: ['Check: not supported'],
    deviations: ['Check: warn'],
  },

  // else a warn, a waiver or an expected absence is passed with deviations
  {
    rule: 'a warn',
    checks: [check('pass'), check('warn', { reason: '59 °C of 60' })],
    outcome: 'passed_with_deviations',
    deviations: ['Check: warn (59 °C of 60)'],
  },
  {
    rule: 'a waived fail keeps its verdict and is named with who and why',
    checks: [check('fail', { waiver })],
    outcome: 'passed_with_deviations',
    deviations: ['Check: fail (waived by Kim: fan ordered)'],
  },
  {
    rule: 'an expected absence is named with its context',
    checks: [check('not_run', { reason: 'no GPU', expectation: expected('not_supported', 'not_run') })],
    outcome: 'passed_with_deviations',
    deviations: ["Check: not run (no GPU; the image's VM)"],
  },
  {
    rule: 'a warn of a check that may be absent has nothing to do with that',
    checks: [check('warn', { expectation: expected('not_supported') })],
    outcome: 'passed_with_deviations',
    deviations: ['Check: warn'],
  },
  {
    rule: 'an expected absence that came and passed deviates from nothing',
    checks: [check('pass', { expectation: expected('not_supported') })],
    outcome: 'passed',
  },

  // a waiver is for a fail only
  {
    rule: 'a waiver does not make an error of the check itself acceptable',
    checks: [check('error', { waiver, reason: 'nvidia-smi hung' })],
    outcome: 'failed',
    failures: ['Check: error (nvidia-smi hung)'],
  },
  {
    rule: 'a waiver does not stand for a check that did not run',
    checks: [check('not_run', { waiver })],
    outcome: 'incomplete',
    missing: ['Check: not run'],
  },
  { rule: 'a waiver of what passes by now', checks: [check('pass', { waiver })], outcome: 'passed' },

  // informative checks decide nothing
  ...(['pass', 'warn', 'fail', 'error', 'not_run', 'not_supported'] as const).map((verdict) => ({
    rule: `an informative ${verdict}`,
    checks: [check('pass'), check(verdict, { expectation: informative })],
    outcome: 'passed' as const,
  })),
];

describe('decideOutcome', () => {
  it.each(rows)('$rule: $outcome', ({ checks, outcome, deviations = [], failures = [], missing = [] }) => {
    expect(decideOutcome(checks)).toEqual({ outcome, deviations, failures, missing });
  });

  it.each<[JudgedCheck[], Outcome]>([
    [[check('pass')], 'passed_with_deviations'],
    [[check('warn')], 'passed_with_deviations'],
    [[check('not_run')], 'incomplete'],
    [[check('fail')], 'failed'],
    [[], 'incomplete'],
  ])('names deviations that the caller adds, and never betters an outcome by them', (checks, outcome) => {
    const decision = decideOutcome(checks, ['vaultadmin has UID 1001']);
    expect(decision.outcome).toBe(outcome);
    expect(decision.deviations[0]).toBe('vaultadmin has UID 1001');
  });

  it('does not depend on the order of the checks', () => {
    for (const { checks, outcome } of rows) {
      expect(decideOutcome(checks.toReversed()).outcome).toBe(outcome);
    }
  });
});

describe('outcomes', () => {
  it('have the exit codes and words of the specification', () => {
    expect(EXIT_CODES).toEqual({ passed: 0, passed_with_deviations: 10, failed: 20, incomplete: 21 });
    expect(Object.keys(OUTCOME_WORDS)).toEqual(Outcome.options);
  });
});

describe('weakestEvidence', () => {
  it.each<[Evidence[], Evidence]>([
    [['real'], 'real'],
    [['real', 'stand-in', 'real'], 'stand-in'],
    [['practice', 'stand-in', 'real'], 'practice'],
    [['stand-in', 'practice'], 'practice'],
    [[], 'real'],
  ])('of %j is %s', (all, weakest) => {
    expect(weakestEvidence(all)).toBe(weakest);
  });
});
