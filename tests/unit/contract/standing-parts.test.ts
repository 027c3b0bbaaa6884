import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../preload/contract/outcome.ts';
import type { Part } from '../../../preload/contract/standing.ts';
import type { AttemptPlan } from './attempts.ts';
import { again, bootstrap, fetch, harden, L0, L1, layer1, looks, part, preflight, stand } from './plans.ts';

interface Row {
  what: string;
  plans: AttemptPlan[];
  part: string;
  state: Part['state'];
  outcome: Outcome;
  stale?: boolean;
  /** The sentences of all three lists. */
  says?: string[];
}

const rows: Row[] = [
  // nothing, running, ended
  {
    what: 'not run at all',
    plans: [],
    part: 'l1',
    state: 'not_run',
    outcome: 'incomplete',
    says: ['L1 Base system: not run'],
  },
  { what: 'all well', plans: L0, part: 'l0', state: 'ended', outcome: 'passed', says: [] },
  {
    what: 'fetched only',
    plans: [fetch(['l0'])],
    part: 'l0',
    state: 'ended',
    outcome: 'incomplete',
    says: ['Health check: not run'],
  },
  {
    what: 'fetched for another layer',
    plans: [fetch(['l0'])],
    part: 'l1',
    state: 'not_run',
    outcome: 'incomplete',
  },
  {
    what: 'being installed',
    plans: [...L0, layer1({ state: 'running' })],
    part: 'l1',
    state: 'running',
    outcome: 'incomplete',
  },
  {
    what: 'its health check running',
    plans: [layer1(), harden(), looks('l1', { state: 'running', checks: { l1_a: 'pass' } })],
    part: 'l1',
    state: 'running',
    outcome: 'incomplete',
    says: ['L1 Base system: not run (it is still running)'],
  },
  {
    what: 'its job created and not begun',
    plans: [looks('gpu-detection', { state: 'starting', checks: {} })],
    part: 'gpu-detection',
    state: 'running',
    outcome: 'incomplete',
  },

  // jobs that did not end well
  {
    what: 'the install failed and nothing was checked since',
    plans: [layer1({ state: 'failed', detail: 'task Docker: no network' })],
    part: 'l1',
    state: 'ended',
    outcome: 'failed',
    says: ['Base system: error (the job failed: task Docker: no network)', 'Health check: not run'],
  },
  {
    what: 'the fetch was lost',
    plans: [fetch(['l0'], { state: 'lost', detail: 'power cut' })],
    part: 'l0',
    state: 'ended',
    outcome: 'incomplete',
    says: ['Fetch: not run (the job was lost: power cut)', 'Health check: not run'],
  },
  {
    what: 'the install failed after the health check',
    plans: [...L1, harden({ state: 'failed', detail: 'not confirmed' })],
    part: 'l1',
    state: 'ended',
    outcome: 'failed',
    stale: true,
  },
  ...(['lost', 'cancelled'] as const).map((state) => ({
    what: `the install was ${state} after the health check`,
    plans: [...L1, layer1({ state })],
    part: 'l1',
    state: 'ended' as const,
    outcome: 'incomplete' as const,
    stale: true,
  })),
  {
    what: 'the install was lost before it began: nothing was changed, and still it is not healthy',
    plans: [...L1, { ...layer1({ state: 'starting' }) }],
    part: 'l1',
    state: 'running',
    outcome: 'incomplete',
  },
  {
    what: 'a failed install, mended and checked',
    plans: [layer1({ state: 'failed' }), ...L1],
    part: 'l1',
    state: 'ended',
    outcome: 'passed',
  },
  {
    what: 'a failed install, and a health check that finds everything in place: the look is the proof',
    plans: [layer1({ state: 'failed' }), looks('l1')],
    part: 'l1',
    state: 'ended',
    outcome: 'passed',
  },
  {
    what: 'the health check was lost',
    plans: [...L1, looks('l1', { state: 'lost', checks: { l1_a: 'pass' } })],
    part: 'l1',
    state: 'ended',
    outcome: 'incomplete',
    says: ['L1 Base system: not run (the job was lost)'],
  },
  {
    what: 'a lost health check that had found a fail',
    plans: [looks('l1', { state: 'lost', checks: { l1_a: 'fail' } })],
    part: 'l1',
    state: 'ended',
    outcome: 'failed',
  },
  {
    what: 'the suite could not be run',
    plans: [looks('gpu-detection', { state: 'failed', detail: 'unknown check', checks: {} })],
    part: 'gpu-detection',
    state: 'ended',
    outcome: 'failed',
    says: ['T1 GPU detection: error (the job failed: unknown check)'],
  },
  {
    what: 'a suite that ran no check',
    plans: [looks('gpu-detection', { checks: {} })],
    part: 'gpu-detection',
    state: 'ended',
    outcome: 'incomplete',
    says: ['T1 GPU detection: not run (its job ran no check)'],
  },

  // health checks decide
  {
    what: 'a required check failed',
    plans: [...L1.slice(0, 2), looks('l1', { checks: { l1_a: 'fail' } })],
    part: 'l1',
    state: 'ended',
    outcome: 'failed',
    says: ['Check l1_a: fail'],
  },
  {
    what: 'a check warned',
    plans: [looks('l1', { checks: { l1_a: 'warn' } })],
    part: 'l1',
    state: 'ended',
    outcome: 'passed_with_deviations',
  },
  {
    what: 'the preflight blocks',
    plans: [preflight({ checks: { pf_cpu: 'fail' } })],
    part: 'preflight',
    state: 'ended',
    outcome: 'failed',
  },
  {
    what: 'the newest preflight counts',
    plans: [preflight({ checks: { pf_cpu: 'fail' } }), preflight()],
    part: 'preflight',
    state: 'ended',
    outcome: 'passed',
  },

  // stale
  {
    what: 'installed again after the health check',
    plans: [...L1, layer1()],
    part: 'l1',
    state: 'ended',
    outcome: 'incomplete',
    stale: true,
    says: ['L1 Base system: not run (its health check is older than "Base system")'],
  },
  {
    what: 'an earlier layer changed the box since',
    plans: [...L0, ...L1, bootstrap({ changed: 2 }), looks('l0')],
    part: 'l1',
    state: 'ended',
    outcome: 'incomplete',
    stale: true,
  },
  {
    what: 'a suite that ran the layers again since changed one of them',
    plans: [...L0, ...L1, looks('integration', { changed: 2 })],
    part: 'l1',
    state: 'ended',
    outcome: 'incomplete',
    stale: true,
  },
  {
    what: 'a suite that ran the layers again since changed nothing',
    plans: [...L0, ...L1, looks('integration', { changed: 0 })],
    part: 'l1',
    state: 'ended',
    outcome: 'passed',
  },
  {
    what: 'a suite is not out of date by what it changed itself',
    plans: [...L0, ...L1, looks('integration', { changed: 2 })],
    part: 'integration',
    state: 'ended',
    outcome: 'passed',
  },
  {
    what: 'an earlier layer ran since and changed nothing',
    plans: [...L0, ...L1, bootstrap({ changed: 0 }), looks('l0')],
    part: 'l1',
    state: 'ended',
    outcome: 'passed',
  },
  {
    what: 'an earlier layer failed since, after it may have changed something',
    plans: [...L0, ...L1, bootstrap({ state: 'failed', changed: 0 })],
    part: 'l1',
    state: 'ended',
    outcome: 'incomplete',
    stale: true,
  },
  {
    what: 'an earlier layer was fetched again since',
    plans: [...L0, ...L1, fetch(['l0'])],
    part: 'l1',
    state: 'ended',
    outcome: 'passed',
  },
  { what: 'a later layer ran since', plans: [...L0, ...L1], part: 'l0', state: 'ended', outcome: 'passed' },
  {
    what: 'a UID swap since',
    plans: [...L0, ...L1, { kind: 'uid_swap', title: 'Swap' }],
    part: 'l1',
    state: 'ended',
    outcome: 'incomplete',
    stale: true,
  },
  {
    what: 'a UID swap is nothing to layer 0',
    plans: [...L0, { kind: 'uid_swap', title: 'Swap' }],
    part: 'l0',
    state: 'ended',
    outcome: 'passed',
  },
  {
    what: 'a suite older than a change of a layer',
    plans: [looks('gpu-detection'), layer1()],
    part: 'gpu-detection',
    state: 'ended',
    outcome: 'incomplete',
    stale: true,
  },
  {
    what: 'a suite after which a layer ran and changed nothing',
    plans: [looks('gpu-detection'), layer1({ changed: 0 })],
    part: 'gpu-detection',
    state: 'ended',
    outcome: 'passed',
  },

  // single checks again
  {
    what: 'a failed check run again alone, and well',
    plans: [looks('l1', { checks: { a: 'fail', b: 'pass' } }), again('l1', ['a'], { checks: { a: 'pass' } })],
    part: 'l1',
    state: 'ended',
    outcome: 'passed',
  },
  {
    what: 'a good check run again alone, and badly',
    plans: [looks('l1', { checks: { a: 'pass', b: 'pass' } }), again('l1', ['a'], { checks: { a: 'fail' } })],
    part: 'l1',
    state: 'ended',
    outcome: 'failed',
  },
  {
    what: 'a check that was to run again and did not',
    plans: [
      looks('l1', { checks: { a: 'pass', b: 'pass' } }),
      again('l1', ['a'], { state: 'cancelled', checks: {} }),
    ],
    part: 'l1',
    state: 'ended',
    outcome: 'incomplete',
    says: ['Check a: not run (the job was cancelled)'],
  },
  {
    what: 'a check that was to run again, whose job passed and says nothing of it',
    plans: [looks('l1', { checks: { a: 'pass' } }), again('l1', ['a'], { checks: {} })],
    part: 'l1',
    state: 'ended',
    outcome: 'incomplete',
    says: ['Check a: not run (its job gave no result of it)'],
  },
  {
    what: 'single checks only',
    plans: [again('gpu-detection', ['a'], { checks: { a: 'pass' } })],
    part: 'gpu-detection',
    state: 'ended',
    outcome: 'incomplete',
    says: ['T1 GPU detection: not run (only single checks of it were run)'],
  },

  // records
  {
    what: 'a spoilt record of the health check',
    plans: [...L0.slice(0, 2), looks('l0', { broken: 'line 2 is another' })],
    part: 'l0',
    state: 'ended',
    outcome: 'failed',
    says: ['Record of "Checks of l0": error (line 2 is another)'],
  },
  {
    what: 'a spoilt record of the install',
    plans: [bootstrap({ broken: 'line 2 is another' }), looks('l0')],
    part: 'l0',
    state: 'ended',
    outcome: 'failed',
  },
];

describe('a part', () => {
  it.each(rows)(
    '$part, $what: $state, $outcome',
    ({ plans, part: id, state, outcome, stale = false, says }) => {
      const found = part(stand(plans), id);
      expect({ state: found.state, outcome: found.outcome }).toEqual({ state, outcome });
      expect(found.stale !== null).toBe(stale);
      const { failures, missing, deviations } = found.decision;
      if (says) expect([...failures, ...missing, ...deviations]).toEqual(says);
    },
  );
});
