/** The parts of an image's build that need no machine: what a log tells, what is left of a build, what is installed, what may differ. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { healthChecks, imageExpectation, testChecks } from '../../../preload/contract/image-checks.ts';
import { causeOf, failedInside } from '../../../main/services/image/cause.ts';
import { lookCleaned } from '../../../main/services/image/cleaned.ts';
import { autoinstallProblems } from '../../../main/services/image/autoinstall.ts';
import { FileHashes, fingerprint, treeHash } from '../../../main/services/image/fingerprint.ts';
import { changedTasks, recapOf } from '../../../main/services/image/packer.ts';
import { phasesOf, slowestTasks } from '../../../main/services/image/phases.ts';
import { debComponents, pipComponent, sbomOf } from '../../../main/services/image/sbom.ts';
import { differing, treeOf, unexplained } from '../../../main/services/image/tree.ts';

const REQUIRED = { kind: 'required' } as const;
/** Lines of Packer 1.6.6, with what it puts before each. */
const said = (...lines: string[]) =>
  lines.map((line) => `2026-11-29T15:08:19Z:     provision.qemu.disk: ${line}`).join('\n');

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vc-image-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));
const put = (path: string, text: string, mode = 0o644): void => {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), text, { mode });
};

describe('why a stage failed', () => {
  it.each([
    [
      'a role',
      said(
        'TASK [base_system : One] ***',
        'ok: [golden]',
        'TASK [base_system : Two] ***',
        'fatal: [golden]: FAILED! => {"msg": "no"}',
      ),
      /the task "base_system : Two" failed/,
    ],
    ['a full disk', 'qemu-img: error while writing at byte 1048576: No space left on device', /disk .* full/],
    ['a checksum', said('error downloading ISO: Checksums did not match for /a.qcow2.'), /another checksum/],
    ['no SSH', 'Build errored: Timeout waiting for SSH.', /did not answer by SSH/],
    [
      'a script',
      said('Script exited with non-zero exit status: 2.Allowed exit codes are: [0]'),
      /script .* ended with 2/,
    ],
    [
      'a KVM that is none',
      said('Could not access KVM kernel module: Permission denied'),
      /KVM does not work/,
    ],
    ['anything else', 'one\n--> base.qemu.disk: the sky fell\n', /packer ended with an error: the sky fell/],
  ])('%s', (_, log, cause) => expect(causeOf('packer', log, false).cause).toMatch(cause));

  it('a machine that is gone is named, unless its disk was full', () => {
    expect(causeOf('packer', said('TASK [a : b] ***'), true).cause).toMatch(/QEMU ended before/);
    expect(causeOf('packer', 'No space left on device', true).cause).toMatch(/full/);
  });

  it('a machine that answered before Packer ended it was not the one that failed', () => {
    const task = (result: string) => said('TASK [a : b] ***', `fatal: [golden]: ${result} => {"msg": "no"}`);
    expect(failedInside(task('FAILED!'))).toBe(true);
    expect(failedInside(task('UNREACHABLE!'))).toBe(false);
    expect(failedInside(`${task('FAILED!')}\n${said('TASK [a : c] ***')}`)).toBe(false);
    expect(failedInside(said('Script exited with non-zero exit status: 2.Allowed exit codes are: [0]'))).toBe(
      true,
    );
  });

  it('a play that failed and was rescued is not the cause of what came later', () => {
    const log = said(
      'TASK [a : Tried] ***',
      'ok: [golden]',
      'PLAY RECAP ***',
      'Script exited with non-zero exit status: 7.',
    );
    expect(causeOf('packer', log, false).cause).toMatch(/ended with 7/);
  });
});

describe("Ansible's recap behind Packer's marks", () => {
  const log = said(
    ...[
      'TASK [base_system : Packages] ***',
      'changed: [golden]',
      'TASK [base_system : Same] ***',
      'ok: [golden]',
    ],
    'golden                     : ok=71   changed=1    unreachable=0    failed=0    skipped=9    rescued=0    ignored=0',
  );
  it('counts, and tasks that changed something', () => {
    expect(recapOf(log)).toEqual({ ok: 71, changed: 1, failed: 0 });
    expect(changedTasks(log)).toEqual(['base_system : Packages']);
    expect(recapOf('nothing')).toBeNull();
  });
});

describe('what the time of a stage went into', () => {
  // Cut from a build with Packer 1.6.6.
  const log = [
    '2026-11-29T19:30:51Z: ==> provision.qemu.disk: Retrieving ISO',
    '2026-11-29T19:30:52Z: ==> provision.qemu.disk: Starting VM, booting disk image',
    '    provision.qemu.disk: vnc://127.0.0.1:48',
    '2026-11-29T19:31:52Z: ==> provision.qemu.disk: Connected to SSH!',
    '2026-11-29T19:31:53Z: ==> provision.qemu.disk: Provisioning with shell script: scripts/bundle.sh',
    '2026-11-29T19:31:55Z: ==> provision.qemu.disk: Provisioning with Ansible...',
    '2026-11-29T19:36:55Z:     provision.qemu.disk: TASK [a : Starting VM] ***',
    '2026-11-29T19:37:00Z:     provision.qemu.disk: base_system : Install the packages of layer 1 ------------- 240.10s',
    '2026-11-29T19:37:00Z:     provision.qemu.disk: base_system : Jail for sshd -------------------------------- 3.02s',
    '2026-11-29T19:37:01Z: ==> provision.qemu.disk: Uploading scripts/checks.py => /tmp/',
    '2026-11-29T19:37:02Z: ==> provision.qemu.disk: Provisioning with shell script: scripts/checks.sh',
    '2026-11-29T19:37:32Z: ==> provision.qemu.disk: Downloading /tmp/checks.jsonl => /tmp/a',
    '2026-11-29T19:37:33Z: ==> provision.qemu.disk: Gracefully halting virtual machine...',
    "2026-11-29T19:37:40Z: Build 'provision.qemu.disk' finished after 6 minutes 49 seconds.",
  ].join('\n');
  it('is told in phases, of the same name together', () => {
    const phases = Object.fromEntries(phasesOf(log).map(({ name, seconds }) => [name, seconds]));
    expect(phases).toEqual({
      ...{ disk: 1, 'start to SSH': 60, files: 3, script: 2, roles: 306, checks: 30, shutdown: 7 },
    });
    expect(phasesOf('nothing')).toEqual([]);
  });
  it('and in the slowest tasks of the roles', () =>
    expect(slowestTasks(log)).toEqual([
      { name: 'base_system : Install the packages of layer 1', seconds: 240.1 },
      { name: 'base_system : Jail for sshd', seconds: 3.02 },
    ]));
});

describe('what is left of a build', () => {
  const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBuildKeyOfThisImage image build';
  beforeEach(() => {
    put('etc/machine-id', '');
    put('etc/shadow', 'root:!:1:::::\nvaultadmin:!:1:::::\nsshd:*:1:::::\n');
    put('var/log/.keep-folder/none', '');
    rmSync(join(dir, 'var/log/.keep-folder/none'));
  });
  const found = () => lookCleaned(dir, KEY).flatMap(({ id, left }) => (left.length ? [id] : []));

  it('nothing in a clean system', () => expect(found()).toEqual([]));
  it.each([
    ['p5_apt', 'var/lib/apt/lists/deb_dists_InRelease', 'x'],
    ['p5_apt', 'var/cache/apt/archives/a_1_all.deb', 'x'],
    ['p5_apt', 'var/lib/vault-cube/bundle/tree/manifest.json', '{}'],
    ['p5_apt', 'etc/dpkg/dpkg.cfg.d/image-build', 'force-unsafe-io'],
    ['p5_services', 'usr/sbin/policy-rc.d', 'exit 101'],
    ['p5_logs', 'var/log/apt/history.log', 'x'],
    ['p5_machine_id', 'etc/machine-id', '0123456789abcdef0123456789abcdef\n'],
    ['p5_host_keys', 'etc/ssh/ssh_host_ed25519_key', 'x'],
    ['p5_cloud_init', 'var/lib/cloud/instance/boot-finished', 'x'],
    ['p5_passwords', 'etc/shadow', 'vaultadmin:$6$a$b:1:::::\n'],
    ['p5_passwords', 'etc/shadow', 'guest::1:::::\n'],
    ['p5_keys', 'home/vaultadmin/.ssh/authorized_keys', KEY],
    ['p5_keys', 'etc/ssh/keys/vaultadmin', `# here\n${KEY}\n`],
    ['p5_sudo', 'etc/sudoers.d/90-cloud-init-users', 'vaultadmin ALL=(ALL) NOPASSWD:ALL\n'],
    ['p5_history', 'root/.bash_history', 'ls\n'],
    ['p5_history', 'tmp/left', 'x'],
    ['p5_random', 'var/lib/systemd/random-seed', 'x'],
  ])('%s: %s', (id, path, text) => {
    put(path, text);
    expect(found()).toEqual([id]);
  });
});

describe('what is installed', () => {
  const STATUS = `Package: curl
Status: install ok installed
Architecture: amd64
Version: 8.14.1-2+deb13u2

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1
`;
  it('of dpkg only what is installed', () => {
    expect(debComponents(STATUS, 'debian')).toEqual([
      {
        type: 'library',
        name: 'curl',
        version: '8.14.1-2+deb13u2',
        purl: 'pkg:deb/debian/curl@8.14.1-2%2Bdeb13u2?arch=amd64',
      },
    ]);
  });
  it('of environments what pip installed there, sorted and without a date', () => {
    put('etc/os-release', 'NAME="Debian GNU/Linux"\nID=debian\n');
    put('var/lib/dpkg/status', STATUS);
    put(
      'opt/vault-cube/venvs/torch/lib/python3.12/site-packages/torch-2.9.0.dist-info/METADATA',
      'Metadata-Version: 2.1\nName: torch\nVersion: 2.9.0\n\nVersion: of the text\n',
    );
    const sbom = sbomOf(dir, 'box', '1.0');
    expect(sbom.components.map(({ purl }) => purl)).toEqual([
      'pkg:deb/debian/curl@8.14.1-2%2Bdeb13u2?arch=amd64',
      'pkg:pypi/torch@2.9.0',
    ]);
    expect(sbomOf(dir, 'box', '1.0')).toEqual(sbom);
    expect(pipComponent('nothing', '/')).toBeNull();
  });
});

describe('fingerprints', () => {
  it('are of names, contents and whether a file runs, and of nothing that tools leave', () => {
    put('a/main.yml', 'one');
    const before = treeHash(dir);
    put('a/__pycache__/x.pyc', 'x');
    expect(treeHash(dir)).toBe(before);
    put('a/main.yml', 'two');
    expect(treeHash(dir)).not.toBe(before);
    put('a/main.yml', 'one');
    expect(treeHash(dir)).toBe(before);
  });
  it('do not depend on the order of their inputs', () => {
    expect(fingerprint({ a: 1, b: [2] })).toBe(fingerprint({ b: [2], a: 1 }));
    expect(fingerprint({ a: 1 })).not.toBe(fingerprint({ a: 2 }));
  });
  it('a large file is hashed once, and anew when it changed', async () => {
    put('disk', 'one');
    const hashes = () => new FileHashes(join(dir, 'known.json'));
    const one = await hashes().of(join(dir, 'disk'));
    expect(await hashes().of(join(dir, 'disk'))).toBe(one);
    put('disk', 'longer');
    expect(await hashes().of(join(dir, 'disk'))).not.toBe(one);
  });
});

describe('two builds', () => {
  it('differ in what is named, and what no reason covers is found', () => {
    put('etc/shadow', 'a');
    put('etc/hosts', 'a');
    put('usr/bin/same', 'a');
    const one = treeOf(dir);
    put('etc/shadow', 'b');
    put('etc/hosts', 'b');
    put('usr/new', 'b');
    const paths = differing(one, treeOf(dir));
    expect(paths).toEqual(['etc/hosts', 'etc/shadow', 'usr/new']);
    expect(unexplained(paths)).toEqual(['etc/hosts', 'usr/new']);
  });
});

describe('checks in the machine', () => {
  it('those that need GPUs are not run, with a reason, which is then expected', () => {
    const { suites, skip } = healthChecks([1, 2, 3]);
    expect(suites).toEqual(['l1', 'l2', 'l3']);
    expect(Object.keys(skip)).toContain('l1_docker_container');
    expect(healthChecks([1]).skip).not.toHaveProperty('l1_docker_container');
    // Demos start in layer 4's environments.
    expect(healthChecks([1, 5]).skip).toHaveProperty('l5_demos');
    expect(healthChecks([4, 5]).skip).not.toHaveProperty('l5_demos');
    const reason = skip['l2_nvidia_smi'] ?? null;
    expect(imageExpectation(reason, REQUIRED)).toMatchObject({ kind: 'expected', verdicts: ['not_run'] });
    expect(imageExpectation('the disk was full', REQUIRED)).toEqual(REQUIRED);
    expect(imageExpectation(null, REQUIRED)).toEqual(REQUIRED);
  });
  it('services are looked at where layer 1 is', () => {
    expect(testChecks([5]).checks).toEqual([]);
    expect(testChecks([1]).checks).toContain('t9_units');
  });
});

describe("answers for Ubuntu's installer", () => {
  const file = join(import.meta.dirname, '../../../packer/autoinstall/user-data');
  const { autoinstall } = parse(readFileSync(file, 'utf8')) as { autoinstall: Record<string, unknown> };
  const text = readFileSync(file, 'utf8');
  it('are what its published schema takes', () => {
    expect(autoinstallProblems(text)).toEqual([]);
    expect(autoinstall).toMatchObject({
      identity: { hostname: 'vault-cube', username: 'vaultadmin', password: '@HASH@' },
      ssh: { 'install-server': true, 'allow-pw': false, 'authorized-keys': ['@KEY@'] },
    });
  });
  it.each([
    ['version: 1', 'version: 2', /^autoinstall\.version: /],
    ['updates: security', 'updates: none', /^autoinstall\.updates: /],
    ['updates: security', 'update: security', /^autoinstall: .*"update"/],
    ['timezone: UTC', 'timezone: 2', /^autoinstall\.timezone: /],
    ['username: vaultadmin, ', '', /^autoinstall\.identity\.username: /],
    ['keyboard: { layout: us }', 'keyboard: { variant: nodeadkeys }', /^autoinstall\.keyboard\.layout: /],
    ['fallback: offline-install', 'fallback: offline', /^autoinstall\.apt\.fallback: /],
    ['shutdown: reboot', 'shutdown: halt', /^autoinstall\.shutdown: /],
    ['late-commands:', 'late-commands:\n    - 7', /^autoinstall\.late-commands\.0: /],
    ['#cloud-config', '# cloud config', /^the first line is not/],
    ['autoinstall:', 'autoinstall: {', /^it is not YAML: /],
  ])('are refused with %s as %s', (from, to, problem) => {
    expect(text).toContain(from);
    expect(autoinstallProblems(text.replace(from, to))).toEqual([expect.stringMatching(problem)]);
  });
  it('make a place for first-boot settings, and a root that can grow: it is the last', () => {
    const { config } = autoinstall['storage'] as { config: { id: string; type: string; size?: unknown }[] };
    const partitions = config.filter(({ type }) => type === 'partition');
    expect(partitions.map((one) => one.id)).toEqual(['esp', 'seed', 'root']);
    expect(partitions[1]).toMatchObject({ size: '4M', partition_name: 'CIDATA' });
    expect(partitions[2]).toMatchObject({ size: -1 });
  });
});
