/** The rules of outcomes are written twice, here and for the commands on the box (vcbox/outcome.py); one table holds both to the same. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  EXIT_CODES,
  decideOutcome,
  type Expectation,
  type Verdict,
} from '../../../preload/contract/outcome.ts';

const TABLE = JSON.parse(readFileSync(join(import.meta.dirname, '../../fixtures/outcomes.json'), 'utf8')) as {
  expectations: Expectation[];
  cases: { checks: [Verdict, number][]; outcome: string }[];
};

it('decides the table as the commands on the box do', () => {
  const unlike = TABLE.cases.filter(({ checks, outcome }) => {
    const given = checks.map(([verdict, at]) => {
      const expectation = TABLE.expectations[at];
      if (!expectation) throw new Error(`no expectation ${at}`);
      return { id: 'check', title: 'Check', verdict, expectation };
    });
    return decideOutcome(given).outcome !== outcome;
  });
  expect(unlike).toEqual([]);
  expect(new Set(TABLE.cases.map(({ outcome }) => outcome))).toEqual(new Set(Object.keys(EXIT_CODES)));
});
