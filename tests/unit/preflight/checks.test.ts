import { describe, expect, it } from 'vitest';
import type { CheckResult } from '../../../preload/contract/events.ts';
import type { BoxFacts } from '../../../preload/contract/facts.ts';
import { decideOutcome, type Verdict } from '../../../preload/contract/outcome.ts';
import { expectationOf, type Profile } from '../../../preload/contract/profile.ts';
import { isBlocker, preflightChecks, type FactsReading } from '../../../main/services/preflight.ts';
import { versionAtLeast } from '../../../main/services/preflight/judge.ts';
import { loadProfile } from '../../../main/services/profiles.ts';
import { cubeFacts, reading, recorded } from './facts.ts';

const CUBE = loadProfile('vault-cube').profile;
const H100 = loadProfile('two-h100').profile;
const WHEN = { firstUser: 'installer', adminUser: 'vaultadmin' };

type Change = (facts: BoxFacts) => unknown;

function judge(facts: BoxFacts, more: Partial<FactsReading> = {}, profile: Profile = CUBE): CheckResult[] {
  return preflightChecks(reading(facts, more), profile, WHEN);
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

const gpu = (f: BoxFacts, at = 0) => (f.gpus ?? [])[at] as NonNullable<BoxFacts['gpus']>[number];
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

/** A fact changed, the check that must see it, its verdict, and a word of its value, reason or next action. */
const TABLE: [string, Change, string, Verdict, RegExp][] = [
  ['another processor', (f) => (f.cpu = { model: 'AMD EPYC', cores: 32 }), 'pf_cpu', 'fail', /order/],
  ['half the cores', (f) => (f.cpu = { ...f.cpu, cores: 16 }), 'pf_cpu', 'fail', /16 cores/],
  ['a missing DIMM', (f) => (f.memory = { bytes: 220 * GIB, ecc: true }), 'pf_memory', 'fail', /220/],
  ['no ECC', (f) => (f.memory = { bytes: 251 * GIB, ecc: false }), 'pf_ecc', 'fail', /none/],
  [
    'ECC unread',
    (f) => {
      f.memory = { bytes: 251 * GIB, ecc: null };
      f.unreadable['memory.ecc'] = 'dmidecode: permission denied';
    },
    'pf_ecc',
    'not_run',
    /permission denied/,
  ],
  ['another board', (f) => (f.board = { name: 'X570' }), 'pf_board', 'fail', /X570/],
  ['no DMI', (f) => (f.board = null), 'pf_board', 'not_run', /could not be read/],
  ['a virtual machine', (f) => (f.virtualization = 'kvm'), 'pf_virtualization', 'warn', /kvm/],
  ['ARM', (f) => (f.arch = 'aarch64'), 'pf_arch', 'fail', /aarch64/],
  [
    'a disk without serial',
    (f) => f.disks?.push({ name: 'sda', serial: null }),
    'pf_disks',
    'warn',
    /sda \(no serial\)/,
  ],
  [
    'a small root',
    (f) => (f.filesystems = { ...f.filesystems, rootBytes: 30 * GIB }),
    'pf_root_disk',
    'fail',
    /30/,
  ],
  [
    'a full root',
    (f) => (f.filesystems = { rootBytes: 50 * GIB, rootFreeBytes: 12 * GIB }),
    'pf_free_space',
    'fail',
    /12/,
  ],
  [
    'a full /var',
    (f) => (f.filesystems = { ...f.filesystems, varFreeBytes: 2 * GIB }),
    'pf_free_space',
    'fail',
    /2/,
  ],
  ['no link up', (f) => (f.network = [{ name: 'eno1', state: 'down' }]), 'pf_network', 'warn', /cable/],
  ['no GPU at all', (f) => (f.gpus = []), 'pf_gpu_count', 'fail', /seating/],
  ['no GPU to judge', (f) => (f.gpus = []), 'pf_gpu_model', 'not_run', /no NVIDIA GPU/],
  ['one GPU missing', (f) => f.gpus?.pop(), 'pf_gpu_count', 'fail', /3/],
  ['a fifth GPU', (f) => f.gpus?.push(gpu(f)), 'pf_gpu_count', 'fail', /5/],
  ['another card', (f) => (gpu(f, 2).device = '0x2684'), 'pf_gpu_model', 'fail', /0000:41:00.0: 0x2684/],
  ['a card of Gen4', (f) => (gpu(f).maxLinkSpeed = '16.0 GT/s PCIe'), 'pf_gpu_pcie_max', 'fail', /Gen4 x16/],
  ['a slot of eight lanes', (f) => (gpu(f).maxLinkWidth = 8), 'pf_gpu_pcie_max', 'fail', /Gen5 x8/],
  [
    'an unknown link',
    (f) => (gpu(f, 1).maxLinkSpeed = 'Unknown'),
    'pf_gpu_pcie_max',
    'not_run',
    /0000:21:00.0/,
  ],
  ['an idle link', (f) => (gpu(f).linkSpeed = '2.5 GT/s PCIe'), 'pf_gpu_link', 'warn', /idle/],
  ['Above 4G off', (f) => (gpu(f).above4g = false), 'pf_gpu_above4g', 'fail', /Above 4G Decoding/],
  ['windows unread', (f) => (gpu(f).above4g = null), 'pf_gpu_above4g', 'not_run', /0000:01:00.0/],
  ['ReBAR off', (f) => (gpu(f).bar1Bytes = 256 * 2 ** 20), 'pf_gpu_rebar', 'fail', /Resizable BAR/],
  [
    'no driver yet, the window as it starts',
    (f) => (f.gpus = (f.gpus ?? []).map((g) => ({ ...g, bar1Bytes: 256 * 2 ** 20, driver: null }))),
    'pf_gpu_rebar',
    'not_run',
    /layer 2/,
  ],
  [
    'a translating IOMMU',
    (f) => (f.iommu = { groups: 60, types: ['DMA-FQ', 'identity'] }),
    'pf_iommu',
    'warn',
    /iommu=pt/,
  ],
  ['no IOMMU', (f) => (f.iommu = { groups: 0, types: [] }), 'pf_iommu', 'pass', /off/],
  [
    'an IOMMU of an old kernel',
    (f) => (f.iommu = { groups: 60, types: null }),
    'pf_iommu',
    'not_run',
    /translates/,
  ],
  ['ACS', (f) => (f.acs = { bridges: 12, redirecting: ['0000:00:01.1'] }), 'pf_acs', 'warn', /1 of 12/],
  ['ACS unread', (f) => (f.acs = null), 'pf_acs', 'not_run', /could not be read/],
  ['an old kernel', (f) => (f.kernel = '6.8.0-31-generic'), 'pf_kernel', 'fail', /full-upgrade/],
  ['the kernel floor', (f) => (f.kernel = '6.8.0-45-generic'), 'pf_kernel', 'pass', /45/],
  [
    'Ubuntu 22.04',
    (f) => (f.distribution = { id: 'ubuntu', version: '22.04' }),
    'pf_distribution',
    'fail',
    /ubuntu 24.04/,
  ],
  [
    'Debian 13',
    (f) => (f.distribution = { id: 'debian', version: '13' }),
    'pf_distribution',
    'not_supported',
    /stand-in OS/,
  ],
  ['no os-release', (f) => (f.distribution = null), 'pf_distribution', 'not_run', /could not be read/],
  ['a rescue system', (f) => (f.systemd = false), 'pf_systemd', 'fail', /Boot the installed system/],
  ['an old Python', (f) => (f.python = '3.8.10'), 'pf_python', 'fail', /3\.8/],
  ['a later Python', (f) => (f.python = '3.13.5'), 'pf_python', 'pass', /3\.13/],
  [
    'a wrong hardware clock',
    (f) => (f.clock = { ...f.clock, rtcEpoch: f.clock.epoch - 3600 }),
    'pf_rtc',
    'warn',
    /set-clock/,
  ],
  [
    'no hardware clock',
    (f) => (f.clock = { ...f.clock, rtcEpoch: null }),
    'pf_rtc',
    'not_run',
    /could not be read/,
  ],
  ['Secure Boot', (f) => (f.secureBoot = 'enabled'), 'pf_secure_boot', 'warn', /Enroll MOK/],
  ['legacy boot', (f) => (f.secureBoot = 'not UEFI'), 'pf_secure_boot', 'pass', /not UEFI/],
  ['nouveau', (f) => (f.nouveau = true), 'pf_nouveau', 'warn', /layer 2/],
  ['no module', (f) => (f.nvidiaModule = null), 'pf_nvidia_module', 'pass', /none/],
  [
    'a closed module',
    (f) => (f.nvidiaModule = { version: '570.1', license: 'NVIDIA' }),
    'pf_nvidia_module',
    'warn',
    /open/,
  ],
  [
    'half-installed packages',
    (f) => (f.dpkg = { audit: 'libfoo', lockHolder: null }),
    'pf_dpkg',
    'warn',
    /Layer 0/,
  ],
  [
    'dpkg unread',
    (f) => (f.dpkg = { audit: null, lockHolder: null }),
    'pf_dpkg',
    'not_run',
    /could not be read/,
  ],
  [
    'apt at work',
    (f) => (f.dpkg = { audit: '', lockHolder: 'unattended-upgr (812)' }),
    'pf_apt_lock',
    'warn',
    /812/,
  ],
  ['UID 1000 taken', (f) => (f.uid1000 = 'installer'), 'pf_uid1000', 'warn', /--uid keep .*--uid swap/],
  ['UID 1000 right', (f) => (f.uid1000 = 'vaultadmin'), 'pf_uid1000', 'pass', /vaultadmin/],
  [
    'vaultadmin elsewhere',
    (f) => (f.users = [{ name: 'vaultadmin', uid: 1004 }]),
    'pf_uid1000',
    'warn',
    /1004/,
  ],
  ['another SSH port', (f) => (f.sshPorts = [2222]), 'pf_ssh_port', 'warn', /2222/],
  ['SSH port unknown', (f) => (f.sshPorts = []), 'pf_ssh_port', 'not_run', /could not be read/],
];

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
    expect(rest).toEqual(['pf_sudo', 'pf_clock', 'pf_bios', 'pf_power']);
  });
});

describe('how it was read', () => {
  const clock = (skewSeconds: number, uncertaintySeconds = 0.02) =>
    only(judge(cubeFacts(), { skewSeconds, uncertaintySeconds }), 'pf_clock');

  it.each([
    [59, 0.1, 'pass', '59.0 s ahead'],
    [-60.5, 0.1, 'fail', '60.5 s behind'],
    [7_300, 0.1, 'fail', '2 h ahead'],
    [-1e9, 0.1, 'fail', '11574 days behind'],
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
