/** The steps of the path *flash over the network*, computed from how the box stands. */
import { describe, expect, it } from 'vitest';
import type { Session } from '../../../preload/contract/session.ts';
import { standing } from '../../../preload/contract/standing.ts';
import { stepOfJob, stepsOf } from '../../../preload/contract/steps.ts';
import type { JobRow } from '../../../preload/contract/job.ts';
import { makeSession, makeSpec } from '../journal/log.ts';

const PIN = { algorithm: 'ssh-ed25519', fingerprint: `SHA256:${'A'.repeat(43)}`, confirmedAt: '' };
const NEXT = { hostname: 'vc-0042', address: null, fingerprint: PIN.fingerprint, layers: [0] };
const on = (more: Partial<Session>) => makeSession({ path: 'network', live: true, ...more });

function row(kind: JobRow['kind'], state: JobRow['state'], params: Record<string, unknown> = {}): JobRow {
  const { spec } = makeSpec({ kind, params });
  const { job, attempt, title } = spec;
  return {
    ...{ job, attempt, kind, title, state, spec, session: 's', evidence: 'stand-in' },
    createdAt: '2026-11-29T00:00:00Z',
  } as JobRow;
}

const steps = (session: Session, jobs: JobRow[] = [], active: JobRow | null = null) =>
  stepsOf(session, standing(session, [], null), active, jobs).map(({ id, state }) => `${id} ${state}`);

describe('the path flash over the network', () => {
  it('begins in the live system, and has no steps of its own for keys and layers', () => {
    expect(steps(on({}))).toEqual([
      'connect ready',
      'preflight blocked',
      'flash blocked',
      'reconnect blocked',
      'validate blocked',
      'report blocked',
    ]);
  });

  it('has Reconnect open once a system is to be met, and closed again where it was destroyed', () => {
    const passed = row('flash_box', 'passed');
    expect(steps(on({ hostKey: PIN, next: NEXT }), [passed])).toContain('reconnect ready');
    expect(steps(on({ hostKey: PIN }), [passed])).toContain('reconnect blocked');
  });

  it('shows each job in a step that it has', () => {
    const suite = (id: string) => ({ suite: id });
    expect(stepOfJob(row('flash_box', 'running'), 'network')).toBe('flash');
    expect(stepOfJob(row('keys', 'running'), 'network')).toBe('reconnect');
    expect(stepOfJob(row('checks', 'running', suite('l1')), 'network')).toBe('reconnect');
    expect(stepOfJob(row('checks', 'running', suite('gpu-detection')), 'network')).toBe('validate');
    expect(stepOfJob(row('flash_box', 'running'), 'provision')).toBe('connect');
    expect(steps(on({ hostKey: PIN, next: NEXT }), [], row('keys', 'running'))).toContain(
      'reconnect running',
    );
  });
});
