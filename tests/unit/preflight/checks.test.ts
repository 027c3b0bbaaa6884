import { describe, expect, it } from 'vitest';
import type { CheckResult } from '../../../preload/contract/events.ts';
import type { BoxFacts } from '../../../preload/contract/facts.ts';
import { decideOutcome } from '../../../preload/contract/outcome.ts';
import { expectationOf, type Profile } from '../../../preload/contract/profile.ts';
import { isBlocker, preflightChecks, type FactsReading } from '../../../main/services/preflight.ts';
import type { BundleLook } from '../../../main/services/preflight/judge.ts';
import { versionAtLeast } from '../../../main/services/preflight/judge.ts';
import { loadProfile } from '../../../main/services/profiles.ts';
import { cubeBundle, cubeFacts, reading, recorded } from './facts.ts';
import { TABLE, type Change } from './table.ts';

const CUBE = loadProfile('vault-cube').profile;
const H100 = loadProfile('two-h100').profile;
const WHEN = { firstUser: 'installer', adminUser: 'vaultadmin', bundle: cubeBundle() };
/** With a bundle for the system that the box has. */
const whenOn = ({ distribution }: BoxFacts) => ({
  ...WHEN,
  bundle: {
    ...WHEN.bundle,
    distribution: { id: distribution?.id ?? '', version: distribution?.version ?? '' },
  },
});

function judge(facts: BoxFacts, more: Partial<FactsReading> = {}, profile: Profile = CUBE): CheckResult[] {
  return preflightChecks(reading(facts, more), profile, whenOn(facts));
}

function only(checks: readonly CheckResult[], id: string): CheckResult {
  const found = checks.filter((c) => c.id === id);
  expect(found).toHaveLength(1);
  return found[0] as CheckResult;
}

function changed(change: Change): BoxFacts {
  const facts = cubeFacts();
  change(facts);
  return facts;
}

const outcome = (checks: readonly CheckResult[], profile: Profile, evidence: BoxFacts['evidence']) =>
  decideOutcome(checks.map((c) => ({ ...c, expectation: expectationOf(profile, c.id, evidence) })));

const GIB = 2 ** 30;

describe('a Vault Cube as specified', () => {
  const checks = judge(cubeFacts());

  it('passes every check that can be read', () => {
    const others = checks.filter((c) => c.verdict !== 'pass').map((c) => [c.id, c.verdict]);
    expect(others).toEqual([['pf_power', 'not_run']]);
    expect(checks.filter(isBlocker)).toEqual([]);
  });

  it('has the power as its only deviation, since a person states it', () => {
    const { outcome: word, deviations } = outcome(checks, CUBE, 'real');
    expect(word).toBe('passed_with_deviations');
    expect(deviations).toHaveLength(1);
    expect(deviations[0]).toContain('the engineer states voltage and breaker');
  });

  it('names each check once, with a source beside each threshold of the profile', () => {
    expect(new Set(checks.map((c) => c.id)).size).toBe(checks.length);
    for (const c of checks) {
      expect(c.id).toMatch(/^pf_[a-z0-9_]+$/);
      expect(c).toMatchObject({ suite: 'preflight', layer: null, seconds: 0 });
    }
    const sourced = [
      'pf_cpu',
      'pf_memory',
      'pf_ecc',
      'pf_gpu_count',
      'pf_gpu_rebar',
      'pf_iommu',
      'pf_clock',
      'pf_power',
    ];
    for (const id of sourced) expect(only(checks, id).source, id).toBeTruthy();
  });
});

describe('one fact changed', () => {
  it.each(TABLE)('%s', (_, change, id, verdict, words) => {
    const check = only(judge(changed(change)), id);
    expect(check.verdict).toBe(verdict);
    expect([check.value, check.reason, check.nextAction].join(' ')).toMatch(words);
    if (verdict === 'not_run' || verdict === 'not_supported') expect(check.reason).toBeTruthy();
    if (verdict === 'fail' || verdict === 'warn') expect(check.nextAction).toBeTruthy();
  });

  it('every check but those without a choice is in the table with something other than a pass', () => {
    const covered = new Set(TABLE.filter(([, , , verdict]) => verdict !== 'pass').map(([, , id]) => id));
    const rest = judge(cubeFacts())
      .map((c) => c.id)
      .filter((id) => !covered.has(id));
    expect(rest).toEqual(['pf_sudo', 'pf_clock', 'pf_bios', 'pf_power', 'pf_software']);
  });
});

describe('the software that a bundle offers', () => {
  const of = (bundle: BundleLook | null, profile: Profile = CUBE) =>
    only(preflightChecks(reading(cubeFacts()), profile, { ...WHEN, bundle }), 'pf_software');

  it('is decided with its versions, and who asks for them', () => {
    const found = of(cubeBundle());
    expect(found.verdict).toBe('pass');
    expect(found.value).toContain('NVIDIA driver 580.159.04, CUDA toolkit 13.0.2');
    expect(found.evidence).toContain('specification ≥ 550.127.05');
  });

  it('that cannot work is refused, each with its reason', () => {
    const found = of(cubeBundle({ 'nvidia-open-580': '580.50.01-1ubuntu1', libnccl2: '2.20.1-1' }));
    expect(found.verdict).toBe('fail');
    expect(found.value).toContain('it needs driver 580.65.06 or newer, and 580.50.01 is taken');
    expect(found.value).toMatch(/NCCL: nothing that fits/);
    expect(found.nextAction).toBeTruthy();
  });

  it('of a bundle for another system is refused', () => {
    const found = of({ ...cubeBundle(), distribution: { id: 'debian', version: '13' } });
    expect(found.verdict).toBe('fail');
    expect(found.value).toContain('debian 13');
  });

  it.each([
    ['no bundle is named', null, /no site bundle was named/],
    [
      'it cannot be read',
      { dir: '/x', problem: 'There is no bundle at /x.', nextAction: 'Look.' },
      /no bundle at \/x/,
    ],
  ] as const)('is not decided where %s, which the profile expects', (_, bundle, why) => {
    const found = of(bundle);
    expect(found.verdict).toBe('not_run');
    expect(found.reason).toMatch(why);
    expect(expectationOf(CUBE, 'pf_software', 'real')).toMatchObject({
      kind: 'expected',
      verdicts: ['not_run'],
    });
  });

  it('is nothing where the profile names none', () => {
    expect(of(cubeBundle(), { ...CUBE, software: undefined }).verdict).toBe('not_supported');
  });
});

describe('how it was read', () => {
  const clock = (skewSeconds: number, uncertaintySeconds = 0.02) =>
    only(judge(cubeFacts(), { skewSeconds, uncertaintySeconds }), 'pf_clock');

  it.each([
    [59, 0.1, 'pass', '59.0 s ahead'],
    [-60.5, 0.1, 'fail', '60.5 s behind'],
    [7_300, 0.1, 'fail', '2 h ahead'],
    [-3e7, 0.1, 'fail', '347 days behind'],
    [-1e9, 0.1, 'fail', '32 years behind'],
  ] as const)('a clock off by %d s', (skew, unsure, verdict, value) => {
    expect(clock(skew, unsure)).toMatchObject({ verdict, value });
  });

  it('a wrong clock blocks and names --set-clock', () => {
    const check = clock(3_600);
    expect(check.nextAction).toContain('--set-clock');
    expect(isBlocker(check)).toBe(true);
  });

  it('a link that is too slow to tell is no verdict', () => {
    expect(clock(100, 61)).toMatchObject({ verdict: 'not_run' });
  });

  it.each([
    ['none', 'fail', true],
    ['root', 'pass', false],
    ['passwordless', 'pass', false],
    ['password', 'pass', false],
  ] as const)('sudo: %s', (sudoWay, verdict, blocks) => {
    const check = only(judge(cubeFacts(), { sudoWay }), 'pf_sudo');
    expect(check.verdict).toBe(verdict);
    expect(isBlocker(check)).toBe(blocks);
  });

  it('without root, what only root sees is not run, and says why', () => {
    const facts = changed((f) => {
      f.memory = { bytes: 251 * GIB, ecc: null };
      f.unreadable['memory.ecc'] = 'dmidecode: /dev/mem: Permission denied';
    });
    const more = { asRoot: null, noRootReason: 'sudo asks for a password, and none was given' };
    const checks = judge(facts, more);
    expect(only(checks, 'pf_sudo').verdict).toBe('not_run');
    const ecc = only(checks, 'pf_ecc');
    expect(ecc.reason).toMatch(/Permission denied.*none was given/);
    expect(ecc.nextAction).toMatch(/sudo password/);
  });
});

describe('blockers', () => {
  it('are the listed ones, and only when they fail', () => {
    const facts = changed((f) => {
      f.arch = 'aarch64';
      f.systemd = false;
      f.python = '3.8.10';
      f.distribution = { id: 'fedora', version: '42' };
      f.filesystems = { rootBytes: 20 * GIB, rootFreeBytes: GIB };
      f.gpus = [];
      f.memory = { bytes: GIB, ecc: false };
      f.dpkg = { audit: 'broken', lockHolder: 'apt (1)' };
    });
    const checks = judge(facts, { sudoWay: 'none', skewSeconds: 1e6 });
    expect(checks.filter(isBlocker).map((c) => c.id)).toEqual([
      'pf_sudo',
      'pf_distribution',
      'pf_systemd',
      'pf_python',
      'pf_clock',
      'pf_arch',
      'pf_free_space',
    ]);
  });

  it('are none where a blocking fact could not be read', () => {
    const facts = changed((f) => {
      f.distribution = f.systemd = f.arch = f.filesystems = f.python = null;
    });
    const checks = judge(facts);
    expect(checks.filter(isBlocker)).toEqual([]);
    expect(outcome(checks, CUBE, 'real').outcome).toBe('incomplete');
  });

  it('a check that breaks is an error of its own, and blocks where it would', () => {
    // A profile that passed no schema: what a check then does is its own failure.
    const broken = { ...CUBE, clockSkewSeconds: undefined } as unknown as Profile;
    const check = only(judge(cubeFacts(), {}, broken), 'pf_clock');
    expect(check).toMatchObject({
      verdict: 'error',
      reason: expect.stringContaining('the check itself failed'),
    });
    expect(isBlocker(check)).toBe(true);
  });
});

describe('a stand-in box', () => {
  const standIn = (evidence: BoxFacts['evidence']): BoxFacts => ({
    ...recorded('ci-vm-root'),
    evidence,
    virtualization: 'systemd-nspawn',
    distribution: { id: 'debian', version: '13', codename: 'trixie', pretty: 'Debian GNU/Linux 13 (trixie)' },
    python: '3.13.5',
    systemd: true,
    sshPorts: [22],
    uid1000: null,
  });

  it('passes with deviations that say what it is', () => {
    const checks = judge(standIn('stand-in'), {}, H100);
    const decision = outcome(checks, H100, 'stand-in');
    expect(decision).toMatchObject({ outcome: 'passed_with_deviations', failures: [], missing: [] });
    expect(decision.deviations.join('\n')).toMatch(/stand-in OS/);
    expect(only(checks, 'pf_gpu_count')).toMatchObject({ verdict: 'not_run', value: null });
    expect(checks.filter(isBlocker)).toEqual([]);
  });

  it('without its mark the same machine fails, on either profile', () => {
    for (const profile of [H100, CUBE]) {
      const decision = outcome(judge(standIn('real'), {}, profile), profile, 'real');
      expect(decision.outcome).toBe('failed');
      expect(decision.failures.join()).toContain('GPUs on the PCI bus: fail');
      expect(decision.missing.join()).toContain('stand-in OS');
    }
  });
});

describe('the recorded machine', () => {
  it('is no Vault Cube and no machine with two H100, and says where', () => {
    const checks = judge(recorded('ci-vm-root'), {}, H100);
    const verdicts = Object.fromEntries(checks.map((c) => [c.id, c.verdict]));
    expect(verdicts).toMatchObject({
      pf_distribution: 'fail',
      pf_systemd: 'fail',
      pf_kernel: 'pass',
      pf_python: 'pass',
      pf_arch: 'pass',
      pf_free_space: 'pass',
      pf_gpu_count: 'fail',
      pf_gpu_model: 'not_run',
      pf_ecc: 'not_run',
      pf_cpu: 'not_supported',
      pf_disks: 'warn',
      pf_ssh_port: 'not_run',
      pf_uid1000: 'warn',
      pf_virtualization: 'warn',
    });
    expect(only(checks, 'pf_ecc').reason).toContain('dmidecode is not installed');
    expect(checks.filter(isBlocker).map((c) => c.id)).toEqual(['pf_distribution', 'pf_systemd']);
  });

  it('is judged as a plain user too', () => {
    const more = { asRoot: null, noRootReason: 'nobody may not use sudo', sudoWay: 'none' } as const;
    const checks = judge(recorded('ci-vm-nobody'), more, H100);
    expect(checks.filter((c) => c.verdict === 'error')).toEqual([]);
    expect(only(checks, 'pf_ecc').reason).toContain('nobody may not use sudo');
  });
});

describe('versionAtLeast', () => {
  it.each([
    ['6.8.0-45-generic', '6.8.0-45', true],
    ['6.8.0-44-generic', '6.8.0-45', false],
    ['6.8.0-1018-nvidia', '6.8.0-45', true],
    ['6.12.48+deb13-amd64', '6.8.0-45', true],
    ['6.8', '6.8.0-45', false],
    ['6.18.44-fc-v595', '6.8.0-45', true],
    ['3.12.3', '3.11', true],
    ['3.9.18', '3.11', false],
    ['', '3.11', false],
    ['rc', '3.11', false],
  ])('%s against %s', (found, floor, wanted) => {
    expect(versionAtLeast(found, floor)).toBe(wanted);
  });
});
