/** Which layers of a flashed system are checked: those that its manifest claims, else those of which a trace is there. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { TRACES_LOOK, planFor, planText, readTraces } from '../../../main/services/flash/prove.ts';
import { loadProfile } from '../../../main/services/profiles.ts';
import type { Session } from '../../../preload/contract/session.ts';
import { makeSession } from '../journal/log.ts';

const { profile } = loadProfile('vault-cube');
const met = (claims: number[] | null): Session =>
  makeSession({
    claims,
    keys: {
      ...{ reference: { kind: 'file', path: '/k', encrypted: false }, publicKey: '', fingerprint: '' },
      ...{ keyLoginProvenAt: '2026-11-29T00:00:00Z', sudoProvenAt: null, customerKeys: [] },
      ...{ adminUid: 1000, uidDeviation: null },
    },
  });
const suites = (claims: number[] | null, found: number[]) =>
  planFor(met(claims), profile, found).run?.phases.map(
    ({ kind, params }) => `${kind} ${String(params['suite'])}`,
  );

describe('the layers of a flashed system', () => {
  it('are those of the manifest, in their order, each by its own health check', () => {
    expect(suites([1, 0, 5], [1, 0, 5])).toEqual(['checks l0', 'checks l1', 'checks l5']);
    expect(planText(planFor(met([1, 0]), profile, [1, 0]))).toBe("The image's manifest claims L0, L1.");
  });

  it('that this profile does not know are named, and not forgotten', () => {
    const plan = planFor(met([0, 9]), profile, [0, 9]);
    expect([plan.layers, plan.unknown]).toEqual([[0], [9]]);
    expect(planText(plan)).toContain('Not checked, as the profile does not know them: L9.');
  });

  it('are those with a trace where no manifest says them', () => {
    expect(suites(null, [0, 2])).toEqual(['checks l0', 'checks l2']);
    expect(planText(planFor(met(null), profile, [0, 2]))).toContain('there are traces of L0, L2');
  });

  it('may be none: then nothing is run, and that is said', () => {
    const plan = planFor(met(null), profile, []);
    expect(plan.run).toBeNull();
    expect(planText(plan)).toContain('there is no trace of one');
    expect(planText(planFor(met([]), profile, []))).toContain('claims no layer');
  });

  it('are looked for by a command that every shell understands, and that ends well whatever is there', () => {
    const text = execFileSync('sh', ['-c', TRACES_LOOK], { encoding: 'utf8' });
    expect(text.split('\n').filter(Boolean).map(Number)).toEqual(readTraces(text));
    expect(readTraces('0\n\nnoise 3\n12\n')).toEqual([0, 12]);
  });
});
