/** What boxes went through, for tests of how they stand. */
import type { KeysState, Session } from '../../../preload/contract/session.ts';
import { standing, type Part, type Standing } from '../../../preload/contract/standing.ts';
import { makeSession } from '../journal/log.ts';
import { attempt, makeProfile, type AttemptPlan } from './attempts.ts';

export const PROFILE = makeProfile();
export const KEYS: KeysState = {
  reference: { kind: 'file', path: '/home/kim/.ssh/id_ed25519', encrypted: true },
  publicKey: 'ssh-ed25519 AAAA kim',
  fingerprint: 'SHA256:mF3dOFdjGzhB3x0GQOEzyDgDkR1e3lZ0dD1z2TqVYdI',
  keyLoginProvenAt: '2026-11-24T05:01:00.000Z',
  sudoProvenAt: '2026-11-24T05:02:00.000Z',
  customerKeys: [],
  adminUid: 1000,
  uidDeviation: null,
};

export const preflight = (p: Partial<AttemptPlan> = {}): AttemptPlan => ({
  kind: 'preflight',
  checks: { pf_cpu: 'pass' },
  ...p,
});
export const keys = (p: Partial<AttemptPlan> = {}): AttemptPlan => ({
  kind: 'keys',
  checks: { k: 'pass' },
  ...p,
});
export const fetch = (sets: string[], p: Partial<AttemptPlan> = {}): AttemptPlan => ({
  kind: 'fetch',
  title: 'Fetch',
  params: { sets },
  ...p,
});
export const bootstrap = (p: Partial<AttemptPlan> = {}): AttemptPlan => ({
  kind: 'bootstrap',
  title: 'Bootstrap',
  params: { layer: 0 },
  ...p,
});
export const layer1 = (p: Partial<AttemptPlan> = {}): AttemptPlan => ({
  kind: 'layer',
  title: 'Base system',
  params: { layer: 1 },
  changed: 34,
  ...p,
});
export const harden = (p: Partial<AttemptPlan> = {}): AttemptPlan => ({
  kind: 'harden',
  title: 'Hardening',
  params: { layer: 1 },
  ...p,
});
export const looks = (suite: string, p: Partial<AttemptPlan> = {}): AttemptPlan => ({
  kind: 'checks',
  title: `Checks of ${suite}`,
  params: { suite, checks: [] },
  checks: { [`${suite}_a`]: 'pass', [`${suite}_b`]: 'pass' },
  ...p,
});
export const again = (suite: string, checks: string[], p: Partial<AttemptPlan> = {}): AttemptPlan =>
  looks(suite, { params: { suite, checks }, ...p });

export const L0 = [fetch(['l0', 'l1']), bootstrap(), looks('l0')];
export const L1 = [layer1(), harden(), looks('l1')];
export const WHOLE = [preflight(), keys(), ...L0, ...L1, looks('gpu-detection')];

export const stand = (
  plans: AttemptPlan[],
  session: Partial<Session> = {},
  profile: typeof PROFILE | null = PROFILE,
) => standing(makeSession({ keys: KEYS, ...session }), plans.map(attempt), profile);

export function part(s: Standing, id: string): Part {
  const found = [s.preflight, s.keys, ...s.layers, ...s.suites].find((p) => p.id === id);
  if (!found) throw new Error(`no part ${id}`);
  return found;
}
