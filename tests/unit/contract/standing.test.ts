import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { layerOpen, profileInJournal } from '../../../preload/contract/standing.ts';
import { attempt, checkResult, makeProfile, type AttemptPlan } from './attempts.ts';
import {
  again,
  bootstrap,
  fetch,
  KEYS,
  keys,
  L0,
  L1,
  layer1,
  looks,
  part,
  preflight,
  PROFILE,
  stand,
  WHOLE,
} from './plans.ts';

describe('a part', () => {
  it('counts attempts and names the one it rests on', () => {
    const job = randomUUID();
    const s = stand([
      looks('l1', { job, state: 'lost', checks: {} }),
      looks('l1', { job, attempt: 2, checks: { a: 'pass' } }),
      again('l1', ['a'], { checks: { a: 'pass' } }),
    ]);
    const l1 = part(s, 'l1');
    expect(l1.attempts).toBe(3);
    expect(l1.basis).toEqual({ job, attempt: 2 });
    expect(l1.checks.map((c) => [c.result.id, c.times])).toEqual([['a', 2]]);
    expect(part(s, 'l0').basis).toBeNull();
  });

  it('takes the weakest evidence of what it rests on, and no other', () => {
    const s = stand([
      looks('l1', { evidence: 'practice' }),
      fetch(['l1'], { evidence: 'stand-in' }),
      layer1(),
      looks('l1'),
      looks('gpu-detection'),
    ]);
    expect(part(s, 'l1').evidence).toBe('stand-in');
    expect(part(s, 'gpu-detection').evidence).toBe('real');
    expect(part(s, 'l0').evidence).toBeNull();
    expect(s.evidence).toBe('practice');
  });
});

describe('the weekly suite', () => {
  it('is due a week after it was run to its end as a whole', () => {
    expect(stand(WHOLE).weeklyDueAt).toBeNull();
    const t6 = looks('performance', { checks: { t6_gemm: 'fail' } });
    const { weeklyDueAt, suites } = stand([...WHOLE, t6]);
    const made = attempt(t6).row.createdAt;
    expect(Date.parse(weeklyDueAt ?? '') - Date.parse(made)).toBe(7 * 24 * 3_600_000);
    expect(suites.find((p) => p.id === 'performance')?.outcome).toBe('failed');
    expect(stand([...WHOLE, { ...t6, state: 'cancelled' }]).weeklyDueAt).toBeNull();
    expect(stand([...WHOLE, again('performance', ['t6_gemm'])]).weeklyDueAt).toBeNull();
  });
});

describe('a load suite', () => {
  const ran = looks('pytorch-ddp', { checks: { t2_efficiency: 'fail', t2_loss: 'pass' } });

  it('with a waived fail passes with a deviation that names who and why, also after it failed again', () => {
    const waiver = { check: 't2_efficiency', name: 'Kim', reason: 'no P2P', at: '2026-11-29T10:00:00Z' };
    const told = 'Check t2_efficiency: fail (waived by Kim: no P2P)';
    for (const plans of [
      [ran],
      [ran, again('pytorch-ddp', ['t2_efficiency'], { checks: { t2_efficiency: 'fail' } })],
    ]) {
      expect(part(stand([...WHOLE, ...plans]), 'pytorch-ddp').outcome).toBe('failed');
      const { outcome, decision } = part(stand([...WHOLE, ...plans], { waivers: [waiver] }), 'pytorch-ddp');
      expect([outcome, decision.deviations]).toEqual(['passed_with_deviations', [told]]);
    }
  });

  it('with a lowered power limit has that as a deviation, and so have gate and box; others have not', () => {
    const text = 'T2 PyTorch DDP ran with a power limit of 480 W a card, lowered from 575 W for the supply';
    const deviations = [{ id: 'pytorch-ddp.power', text, at: '2026-11-29T10:00:00Z' }];
    const good = looks('pytorch-ddp', { checks: { t2_loss: 'pass' } });
    const s = stand([...WHOLE, good], { deviations });
    expect(part(s, 'pytorch-ddp').outcome).toBe('passed_with_deviations');
    expect(part(s, 'pytorch-ddp').decision.deviations).toEqual([text]);
    expect(s.decision.deviations).toContain(text);
    expect(part(s, 'gpu-detection').decision.deviations).toEqual([]);
  });
});

describe('a flash', () => {
  const flash = (wiped: boolean): AttemptPlan => ({
    ...{ kind: 'flash', title: 'Flash a disk', state: 'failed' },
    steps: wiped ? ['look', 'wipe'] : ['look'],
  });
  const parts = (wiped: boolean) => {
    const s = stand([...WHOLE, flash(wiped)]);
    return [s.preflight, s.keys, ...s.layers, ...s.suites.filter((p) => p.attempts > 0)];
  };

  it('makes all that was found before it out of date, from the first byte on that it destroyed', () => {
    for (const { id, stale, outcome } of parts(true))
      expect([id, stale, outcome]).toEqual([
        id,
        'it is older than "Flash a disk", which changed the box',
        'incomplete',
      ]);
  });

  it('that was refused before changes nothing', () => {
    for (const { id, stale } of parts(false)) expect([id, stale]).toEqual([id, null]);
  });
});

describe('the profile', () => {
  const expectations = {
    tf: {
      kind: 'expected' as const,
      verdicts: ['not_supported' as const],
      context: 'no wheel for this card',
    },
    floor: { kind: 'informative' as const },
  };

  it('says how a check is regarded; one that it does not name is required', () => {
    const profile = makeProfile({ expectations });
    const plan = looks('l1', {
      checks: {
        tf: checkResult('tf', 'not_supported', { title: 'TensorFlow', reason: 'no wheel' }),
        floor: 'fail',
      },
    });
    const l1 = part(stand([plan], {}, profile), 'l1');
    expect(l1.decision).toEqual({
      outcome: 'passed_with_deviations',
      deviations: ['TensorFlow: not supported (no wheel; no wheel for this card)'],
      failures: [],
      missing: [],
    });
    expect(l1.checks.map((c) => c.expectation.kind)).toEqual(['expected', 'informative']);
    expect(part(stand([plan]), 'l1').outcome).toBe('failed');
  });

  it('is the newest that a job was started with', () => {
    const old = makeProfile({ title: 'Old' });
    const attempts = [
      attempt(preflight({ params: { profile: old } })),
      attempt(looks('l1', { params: { suite: 'l1', profile: PROFILE } })),
      attempt(layer1()),
    ];
    expect(profileInJournal(attempts)).toEqual(PROFILE);
    expect(profileInJournal(attempts.slice(0, 1))).toEqual(old);
    expect(profileInJournal([])).toBeNull();
    expect(profileInJournal([attempt(preflight({ params: { profile: { v: 2 } } }))])).toBeNull();
  });
});

describe('waivers and deviations', () => {
  const waiver = {
    check: 'l1_a',
    name: 'Kim',
    reason: 'customer keeps the port',
    at: '2026-11-24T06:00:00.000Z',
  };

  it('a waived fail keeps its verdict and is a deviation', () => {
    const l1 = part(stand([looks('l1', { checks: { l1_a: 'fail' } })], { waivers: [waiver] }), 'l1');
    expect(l1.outcome).toBe('passed_with_deviations');
    expect(l1.checks[0]?.result.verdict).toBe('fail');
    expect(l1.decision.deviations).toEqual(['Check l1_a: fail (waived by Kim: customer keeps the port)']);
  });

  it('a deviation stands at the parts it concerns, and at the box', () => {
    const text = 'vaultadmin has UID 1001: installer keeps 1000';
    const deviations = [
      { id: 'gpu-detection', text: 'measured at 80 % of the power limit', at: '2026-11-24T06:00:00.000Z' },
      { id: 'site', text: 'no rack yet', at: '2026-11-24T06:00:00.000Z' },
    ];
    const s = stand(WHOLE, { deviations, keys: { ...KEYS, uidDeviation: text } });
    expect(part(s, 'keys').decision.deviations).toEqual([text]);
    expect(part(s, 'l1').decision.deviations).toEqual([text]);
    expect(part(s, 'l0').outcome).toBe('passed');
    expect(part(s, 'gpu-detection').outcome).toBe('passed_with_deviations');
    expect(s.gates[0]?.decision.deviations).toEqual(['measured at 80 % of the power limit']);
    expect(s.decision.deviations).toEqual(['measured at 80 % of the power limit', 'no rack yet', text]);
  });
});

describe('keys', () => {
  it('need both proofs, whatever the job says', () => {
    const s = stand([keys()], { keys: { ...KEYS, sudoProvenAt: null } });
    expect(part(s, 'keys').decision.missing).toEqual([
      "sudo with vaultadmin's password: not run (it was not proven)",
    ]);
    expect(part(stand([keys()], { keys: null }), 'keys').outcome).toBe('incomplete');
  });

  it('rest on the proofs that the session remembers, and on the job', () => {
    expect(part(stand([keys({ checks: {} })]), 'keys').outcome).toBe('passed');
    expect(part(stand([keys({ checks: {}, state: 'failed' })]), 'keys').outcome).toBe('failed');
    expect(part(stand([]), 'keys').outcome).toBe('incomplete');
  });
});

describe('gates and box', () => {
  it('a gate takes the outcome of its suites, and one that did not run is missing', () => {
    const s = stand(WHOLE);
    expect(s.gates).toMatchObject([
      { id: 'ship', suites: ['gpu-detection'], outcome: 'passed' },
      {
        id: 'production',
        outcome: 'incomplete',
        decision: { missing: ['T7 Stress: not run'] },
      },
    ]);
    expect(s.outcome).toBe('passed');
    expect(s.suites.map((p) => p.id)).toEqual(['gpu-detection', 'stress', 'roles']);
  });

  it('a gate without suites is nothing that passed', () => {
    const s = stand(WHOLE, {}, makeProfile({ gates: { ship: [], production: [] } }));
    expect(s.gates.map((g) => g.outcome)).toEqual(['incomplete', 'incomplete']);
  });

  it.each(['preflight', 'keys', 'l0', 'l1', 'gpu-detection'])('a box without %s is incomplete', (left) => {
    const s = stand(
      WHOLE.filter((p) => p.kind !== left && !(p.kind === 'checks' && p.params?.['suite'] === left)),
    );
    expect(s.outcome).toBe('incomplete');
  });

  it('a suite that no gate names counts for the box once it ran', () => {
    const s = stand([...WHOLE, looks('extra', { checks: { x: 'fail' } })]);
    expect(s.outcome).toBe('failed');
    expect(s.decision.failures).toEqual(['extra: Check x: fail']);
    expect(s.gates[0]?.outcome).toBe('passed');
  });

  it('a spoilt record counts for the box, also where no part rests on it', () => {
    const s = stand([preflight({ broken: 'line 1 is another' }), ...WHOLE]);
    expect(part(s, 'preflight').outcome).toBe('passed');
    expect(s.decision.failures).toEqual(['Record of "preflight": error (line 1 is another)']);
  });

  it('without a profile nothing is known to be enough', () => {
    const s = stand(WHOLE, {}, null);
    expect(s.gates).toEqual([]);
    expect(s.decision.missing).toEqual(['Profile: not run (no job recorded one)']);
  });
});

describe('layerOpen', () => {
  it.each<[string, AttemptPlan[], boolean[]]>([
    ['nothing ran', [], [true, false, false]],
    ['layer 0 healthy', L0, [true, true, false]],
    ['layer 0 with deviations', [looks('l0', { checks: { l0_a: 'warn' } })], [true, true, false]],
    ['layer 0 failed', [looks('l0', { checks: { l0_a: 'fail' } })], [true, false, false]],
    ['both healthy', [...L0, ...L1], [true, true, true]],
    [
      'layer 0 broken again below a healthy layer 1',
      [...L0, ...L1, bootstrap({ state: 'failed' })],
      [true, false, false],
    ],
    ['layer 1 healthy on a layer 0 that was never checked', L1, [true, false, false]],
  ])('%s', (_, plans, open) => {
    const s = stand(plans);
    expect([0, 1, 2].map((n) => layerOpen(s, n))).toEqual(open);
  });
});

describe('the layers of a profile', () => {
  const software = [
    {
      ...{
        id: 'driver' as const,
        title: 'Driver',
        layer: 2,
        from: 'apt' as const,
        packages: ['nvidia-open'],
      },
      ...{ also: [], floors: [{ version: '570.26', what: 'card', source: 'test' }], broken: [], needs: [] },
    },
  ];
  const of = (profile: Parameters<typeof stand>[2], plans: AttemptPlan[] = []) =>
    stand(plans, {}, profile).layers.map(({ id, attempts }) => [id, attempts]);

  it('are the base system where it decides no versions, and all where it does', () => {
    expect(of(null).map(([id]) => id)).toEqual(['l0', 'l1']);
    expect(of(makeProfile()).map(([id]) => id)).toEqual(['l0', 'l1']);
    expect(of(makeProfile({ software })).map(([id]) => id)).toEqual(['l0', 'l1', 'l2', 'l3', 'l4', 'l5']);
  });

  it('hold an optional one where it was begun', () => {
    const begun = layer1({ title: 'Extended hardening', params: { layer: 6 } });
    expect(of(makeProfile({ software }), [begun]).at(-1)).toEqual(['l6', 1]);
  });

  it('each count their own jobs, and a layer is out of date when one below it is changed', () => {
    const profile = makeProfile({ software });
    const layer2 = layer1({ title: 'Driver stack', params: { layer: 2 } });
    const plans = [...L0, ...L1, layer2, looks('l2')];
    expect(of(profile, plans).slice(1, 4)).toEqual([
      ['l1', 4],
      ['l2', 2],
      ['l3', 0],
    ]);
    expect(part(stand(plans, {}, profile), 'l2').outcome).toBe('passed');
    expect(part(stand([...plans, layer1()], {}, profile), 'l2').stale).toContain('Base system');
    expect(part(stand([...plans, layer2], {}, profile), 'l1').stale).toBeNull();
  });
});
