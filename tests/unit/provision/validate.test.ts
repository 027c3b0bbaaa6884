import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { App } from '../../../main/services/app.ts';
import {
  gateSuites,
  parseSuites,
  planValidate,
  suiteOfChecks,
  type LoadWanted,
} from '../../../main/services/validate.ts';
import { Profile } from '../../../preload/contract/profile.ts';
import { SUITES_HERE, suiteBlocked, suiteHere } from '../../../preload/contract/suites.ts';
import { limitFor, loadFacts } from '../../../preload/contract/supply.ts';
import { stepOfJob } from '../../../preload/contract/steps.ts';
import { attempt, type AttemptPlan } from '../contract/attempts.ts';
import { KEYS, looks, preflight, stand, WHOLE } from '../contract/plans.ts';
import { makeSession } from '../journal/log.ts';

const FILE = join(import.meta.dirname, '../../../resources/profiles/two-h100.json');
const profile = Profile.parse(JSON.parse(readFileSync(FILE, 'utf8')));
const session = makeSession({ keys: KEYS });
const never = (): never => {
  throw new Error('the profile says nothing of load');
};
const TELEMETRY = { hz: 1, watchSeconds: 20 };

/** A layer's role as it was run on the box, with variables that only that run had. */
const role = (layer: number, tags = [`l${layer}`], more: Partial<AttemptPlan> = {}): AttemptPlan => ({
  kind: tags[0] === 'hardening' ? 'harden' : 'layer',
  title: `Role of ${tags.join()}`,
  params: { layer, playbook: 'site.yml', tags, vars: { given: layer } },
  changed: 5,
  ...more,
});
const ALL = [role(1), role(1, ['hardening']), role(2), role(3), role(4), role(5)];

function plan(
  done: readonly AttemptPlan[],
  suites: string,
  more: Partial<typeof session> = {},
  load?: LoadWanted,
  on = profile,
  checks: readonly string[] = [],
) {
  const attempts = [preflight(), ...done].map(attempt);
  // Of the app only its journal is asked.
  const journal = {
    jobs: () => attempts.map((a) => a.row),
    view: (job: string) => attempts.find((a) => a.row.job === job)?.view,
  };
  const app = { journal } as unknown as App;
  return planValidate(app, { ...session, ...more }, on, parseSuites(suites), TELEMETRY, load, checks);
}

interface Params {
  layers: number[];
  installed: number[];
  roles: { role: string; layer: number; tags: string[]; vars: Record<string, unknown> }[];
}
const params = (done: readonly AttemptPlan[], suite: string) =>
  plan(done, suite).phases[0]?.params as unknown as Params;

describe('T9, the roles', () => {
  it('is one job that is told each role that ran, with what it ran with', () => {
    const { phases } = plan(ALL, 'roles');
    expect(phases.map(({ kind, suite }) => [kind, suite])).toEqual([['checks', 'roles']]);
    const { roles, layers, installed } = params(ALL, 'roles');
    expect(roles.map((r) => [r.role, r.layer])).toEqual([
      ['base_system', 1],
      ['access_hardening', 1],
      ['driver_stack', 2],
      ['gpu_runtime', 3],
      ['ai_frameworks', 4],
      ['monitoring', 5],
    ]);
    expect(roles.filter((r) => r.role !== 'access_hardening').map((r) => r.vars['given'])).toEqual([
      1, 2, 3, 4, 5,
    ]);
    // Layer 6 is nobody's who did not want it.
    expect([layers, installed]).toEqual([
      [0, 1, 2, 3, 4, 5],
      [0, 1, 2, 3, 4, 5],
    ]);
  });

  it('knows what is not there: a layer that failed, that was never begun, a hardening that was taken back', () => {
    const done = [role(1), role(1, ['hardening'], { state: 'failed' }), role(2, ['l2'], { state: 'failed' })];
    const { roles, layers, installed } = params(done, 'roles');
    expect(roles.map((r) => r.role)).toEqual(['base_system']);
    expect([layers, installed]).toEqual([
      [0, 1, 2, 3, 4, 5],
      [0, 1],
    ]);
  });

  it('has layer 6 where that is on the box', () => {
    const forwarding = role(6, ['forwarding'], { kind: 'harden' });
    const { roles, layers } = params([...ALL, role(6), forwarding], 'roles');
    expect(roles.slice(-2).map((r) => r.role)).toEqual(['extended_hardening', 'ssh_forwarding']);
    expect(layers).toContain(6);
  });
});

describe('T8, integration', () => {
  const { phases } = plan(ALL, 'integration,roles');

  it('comes last, in three jobs: before the reboot, the reboot of the app, after it', () => {
    expect(phases.map((p) => [p.id, p.kind, p.suite])).toEqual([
      ['roles', 'checks', 'roles'],
      ['integration', 'checks', 'integration'],
      ['integration-reboot', 'reboot', 'integration'],
      ['integration-after', 'checks', 'integration'],
    ]);
    const [, before, reboot, after] = phases.map((p) => p.params);
    expect(before).toMatchObject({ checks: [], outside: { program: 28_017, container: 28_018 } });
    expect(before?.['after']).toBeUndefined();
    expect(reboot).toMatchObject({ suite: 'integration', askSeconds: 60 });
    expect(after).toMatchObject({ after: true, checks: ['t8_reboot', 't8_gpu_after_reboot'] });
  });

  it('shows in Validate, its reboot too; the reboot of a layer in Provision', () => {
    const step = (p: Record<string, unknown>) => stepOfJob(attempt({ kind: 'reboot', params: p }).row);
    expect([step({ suite: 'integration' }), step({ layer: 2 })]).toEqual(['validate', 'provision']);
  });

  it('is refused while a layer is missing, with the layers it comes after', () => {
    expect(() => plan(ALL.slice(0, 3), 'integration')).toThrow(
      'T8 Integration cannot run on this box now: after L3, L4, L5.',
    );
    expect(() => plan([], 'roles')).toThrow('T9 Roles cannot run on this box now: after L1.');
    expect(() => plan(ALL, 'integration', { practice: true })).toThrow('not on the practice box');
  });
});

const file = (name: string) =>
  readFileSync(join(import.meta.dirname, `../../../resources/profiles/${name}.json`), 'utf8');
const cube = Profile.parse(JSON.parse(file('vault-cube')));
const SUPPLY = { volts: 230, amperes: 16, statedAt: '2026-11-29T10:00:00Z' };
const agreed = (watts: number, soakSeconds: number | null = null): LoadWanted => ({
  agreedWatts: watts,
  soakSeconds,
});

describe('load', () => {
  it('waits for somebody who agrees to watts and time', () => {
    expect(() => plan(ALL, 'pytorch-ddp')).toThrow(
      'T2 PyTorch DDP puts all GPUs under load: the box draws up to 1400 W for about 10 min. Nobody agreed to that yet.',
    );
    expect(() => plan(ALL, 'stress', {}, agreed(1000))).toThrow('1400 W for about 24 h');
    const { phases } = plan(ALL, 'pytorch-ddp,stress', {}, agreed(1400, 120));
    expect(phases.map((p) => p.params['consent'])).toMatchObject([
      { watts: 1400, seconds: 600 },
      { watts: 1400, seconds: 120 },
    ]);
    expect(phases.map((p) => p.params['seconds'])).toEqual([undefined, 120]);
    expect(phases.every((p) => p.params['telemetry'] !== null)).toBe(true);
  });

  it('waits for what feeds the box, where the profile names its draw, and for enough of it', () => {
    const on = (supply: typeof SUPPLY | null, load: LoadWanted) =>
      plan(ALL, 'performance', { supply }, load, cube);
    expect(() => on(null, agreed(2750))).toThrow('Nobody has said yet what feeds');
    const small = { ...SUPPLY, volts: 120, amperes: 15 };
    expect(() => on(small, agreed(2750))).toThrow('120 V and 15 A, carries 1440 W for hours');
    expect(() => on(SUPPLY, agreed(2300))).toThrow('2750 W for about 20 min');
    expect(on(SUPPLY, agreed(2750)).phases).toHaveLength(1);
  });

  it('is no matter of suites that only look, and none without a profile that says how', () => {
    expect(plan(ALL, 'docker-gpu,gpu-detection').phases.map((p) => p.params['consent'])).toEqual([
      undefined,
      undefined,
    ]);
    const { load: _, ...without } = profile;
    expect(() => plan(ALL, 'vllm', {}, agreed(1400), without)).toThrow('says nothing of load');
  });
});

describe('a lower power limit', () => {
  const weak = { volts: 230, amperes: 13, statedAt: '2026-11-29T10:00:00Z' };
  const on = (limit: number, watts: number, supply = weak) =>
    plan(ALL, 'pytorch-ddp', { supply }, { ...agreed(watts), powerLimitW: limit }, cube);

  it('lets a supply carry the box that does not at full power, for the watts that it names then', () => {
    expect(() => plan(ALL, 'pytorch-ddp', { supply: weak }, agreed(2750), cube)).toThrow(
      'carries 2392 W for hours; the box draws up to 2750 W',
    );
    expect(() => on(500, 2450)).toThrow('carries 2392 W for hours; the box draws up to 2450 W');
    // The agreement is to the watts of the run, not of the box.
    expect(() => on(480, 2750)).toThrow(
      'the box draws up to 2370 W for about 10 min, each card held to 480 W',
    );
    expect(on(480, 2370).phases[0]?.params).toMatchObject({
      consent: { watts: 2370, seconds: 600 },
      powerLimit: { watts: 480, full: 575 },
    });
    expect(limitFor(loadFacts(cube) ?? never(), weak)).toBe(485);
    expect(limitFor(loadFacts(cube) ?? never(), SUPPLY)).toBeNull();
    expect(
      plan(ALL, 'gpu-detection', {}, { ...agreed(1), powerLimitW: 480 }, cube).phases[0]?.params,
    ).not.toHaveProperty('powerLimit');
  });

  it('is refused where it is none, or nobody knows what the cards draw', () => {
    expect(() => on(600, 2750)).toThrow('full power of a card is 575 W, and a lower one is asked for');
    expect(() => on(Number.NaN, 2750)).toThrow('it is no number of watts');
    const { powerLimitW: _, ...gpu } = cube.gpu;
    const load = { ...agreed(2750), powerLimitW: 480 };
    expect(() => plan(ALL, 'pytorch-ddp', { supply: weak }, load, { ...cube, gpu })).toThrow(
      'the profile names no power limit of the cards',
    );
  });
});

describe('single checks', () => {
  it('are run again as a job of their suite that names them; load is agreed to as ever', () => {
    const { phases, title } = plan(ALL, 'gpu-detection', {}, undefined, profile, ['gpu_xid', 'gpu_ecc']);
    expect(title).toBe('Run again gpu-detection, gpu_xid, gpu_ecc');
    expect(phases.map((p) => p.params['checks'])).toEqual([['gpu_xid', 'gpu_ecc']]);
    expect(() => plan(ALL, 'stress', {}, undefined, profile, ['t7_power'])).toThrow('Nobody agreed');
    const again = plan(ALL, 'stress', {}, agreed(1400, 60), profile, ['t7_power']).phases[0]?.params;
    expect(again).toMatchObject({ checks: ['t7_power'], seconds: 60, consent: { watts: 1400 } });
  });

  it('are of one suite, and not of one that a reboot parts', () => {
    const never_ = (suites: string) => () => plan(ALL, suites, {}, agreed(1400), profile, ['a']);
    expect(never_('gpu-detection,roles')).toThrow('Single checks are of one suite');
    expect(never_('integration')).toThrow('Single checks are of one suite that can be run in parts');
  });

  it('have their suite found by what was run', () => {
    const s = stand([...WHOLE, looks('gpu-detection', { checks: { gpu_xid: 'fail', gpu_ecc: 'pass' } })]);
    expect(suiteOfChecks(s, ['gpu_xid', 'gpu_ecc'])).toBe('gpu-detection');
    for (const checks of [['t2_loss'], ['gpu_xid', 't2_loss']])
      expect(() => suiteOfChecks(s, checks)).toThrow('are not checks of one suite');
  });
});

describe('a gate', () => {
  it('is its suites, as the specification has them: ship T1 to T5, production those and T7', () => {
    for (const of of [profile, cube]) {
      expect(gateSuites(of, 'ship')).toEqual(SUITES_HERE.slice(0, 5));
      expect(gateSuites(of, 'production')).toEqual([...SUITES_HERE.slice(0, 5), 'stress']);
    }
    const none = { ...profile, gates: { ship: [], production: [] } };
    expect(() => gateSuites(none, 'ship')).toThrow('names no suite for the gate ship');
  });
});

describe('suites', () => {
  it('say how long they take, and T8 what it does', () => {
    const nominal = Object.fromEntries(SUITES_HERE.map((id) => [id, suiteHere(id)?.nominalSeconds]));
    expect(nominal).toEqual({
      'gpu-detection': 120,
      'pytorch-ddp': 600,
      tensorflow: 300,
      vllm: 600,
      'docker-gpu': 180,
      performance: 1200,
      stress: 86_400,
      integration: 900,
      roles: 300,
    });
    expect(suiteHere('integration')?.warning).toContain('reboots');
    expect(suiteBlocked('t10', [], false)).toBe('not in this version');
    expect(suiteBlocked('vllm', [], false)).toBe('after L4');
    expect(suiteBlocked('gpu-detection', [], true)).toBeNull();
    expect(suiteBlocked('vllm', [{ layer: 4, attempts: 1 }], true)).toBe(
      'not on the practice box: no run of it was recorded to be replayed',
    );
    expect(suiteBlocked('stress', [{ layer: 4, attempts: 1 }], true)).toBeNull();
    // A machine that has PyTorch from elsewhere.
    expect(suiteBlocked('stress', [], false, ['torch'])).toBeNull();
    expect(suiteBlocked('vllm', [], false, ['torch'])).toBe('after L4');
  });

  it('of a wrong name are told with those there are', () => {
    expect(() => parseSuites('roles,t8')).toThrow('There is no suite t8 in this version.');
  });
});
