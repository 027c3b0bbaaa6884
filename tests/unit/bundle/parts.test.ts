/** The parts of a bundle's build that need no apt: what is asked for, what is read, what is refused. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Profile } from '../../../preload/contract/profile.ts';
import type { Resolved } from '../../../preload/contract/software.ts';
import { debsOf, installedIn, readStatus } from '../../../main/services/bundle/apt.ts';
import { chooseDistribution, requireRoom, type Need } from '../../../main/services/bundle/build.ts';
import { plain } from '../../../main/services/bundle/debs.ts';
import { lockFiles, versionsIn } from '../../../main/services/bundle/frameworks.ts';
import {
  environments,
  headersFor,
  orders,
  parseBundleLayers,
  rolePackages,
  wheelsGib,
} from '../../../main/services/bundle/layers.ts';
import { readLock, wheelName } from '../../../main/services/bundle/locks.ts';
import { setsOf } from '../../../main/services/bundle/manifest.ts';
import { packagesIn } from '../../../main/services/bundle/repository.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const STATUS = join(ROOT, 'tests/fixtures/ubuntu-24.04-cuda13/dpkg-status.gz');
const profile = Profile.parse(
  JSON.parse(readFileSync(join(ROOT, 'resources/profiles/vault-cube.json'), 'utf8')),
);

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'vcg-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const file = (name: string, text: string) => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};

describe('what apt says', () => {
  it('its list of files: address, name, size, hash; everything else is no file', () => {
    const hash = 'a'.repeat(64);
    const printed = `Reading package lists...\n'http://h/p/x_1%3a2_amd64.deb' x_1%3a2_amd64.deb 12 SHA256:${hash}\nE: no\n`;
    expect(debsOf(printed)).toEqual([
      { uri: 'http://h/p/x_1%3a2_amd64.deb', file: 'x_1%3a2_amd64.deb', bytes: 12, sha256: hash },
    ]);
    expect(plain('x_1%3a2_amd64.deb')).toBe('x_1-2_amd64.deb');
  });

  it('a recorded status: what is installed, held packages too', () => {
    const installed = installedIn(readStatus(STATUS));
    expect(installed).toHaveLength(439);
    expect(installed).toEqual(expect.arrayContaining(['libnccl2', 'cuda-nvcc-13-0', 'python3.12']));
  });

  it('what was removed is not installed', () => {
    const text = 'Package: a\nStatus: deinstall ok config-files\n\nPackage: b\nStatus: hold ok installed\n';
    expect(installedIn(text)).toEqual(['b']);
  });

  it.each(['', 'Package: x\nVersion: 1\n', '{"json": true}'])('no status: %j', (text) => {
    expect(() => readStatus(file('status', text))).toThrow(/is no dpkg status/);
    expect(() => readStatus(join(dir, 'nowhere'))).toThrow(/nowhere cannot be used/);
  });

  it('reads a plain status like a packed one', () => {
    const text = gunzipSync(readFileSync(STATUS)).toString('utf8');
    expect(readStatus(file('plain', text))).toBe(readStatus(STATUS));
  });
});

describe('what the layers ask for', () => {
  const roles = rolePackages('ubuntu-24.04');
  const chosen = (id: Resolved['id'], layer: number, name: string, version: string): Resolved => ({
    ...{ id, layer, version, title: id, named: id, text: id },
    package: name,
    install: [`${name}=${version}`],
  });
  const decided = [
    chosen('driver', 2, 'nvidia-open-580', '580.1-1'),
    chosen('cuda', 2, 'cuda-toolkit-13-0', '13.0.2-1'),
    chosen('nccl', 2, 'libnccl2', '2.28.3-1'),
    chosen('container-toolkit', 3, 'nvidia-container-toolkit', '1.18.2-1'),
  ];
  const offered = new Map([
    ['libnccl-dev', ['2.29.1-1', '2.28.3-1']],
    ['linux-headers-6.8.0-49-generic', ['6.8.0-49.49']],
  ]);
  const base = {
    layers: [0, 1, 2, 3, 4, 5],
    roles,
    chosen: decided,
    installed: [],
    offered,
    also: new Map<number, string[]>(),
  };

  it("the roles' own lists, each layer on top of those below it", () => {
    const all = orders(base);
    expect(all.map((o) => o.layer)).toEqual([0, 1, 2, 3, 5]);
    expect(all[0]?.commands).toEqual([['install', 'python3-apt']]);
    expect(all[1]?.commands[0]).toEqual(['upgrade', '--with-new-pkgs']);
    expect(all[1]?.commands[1]).toEqual(['install', 'python3-apt', ...roles.base]);
    expect(all[4]?.commands[0]).toEqual(
      expect.arrayContaining(['docker.io', 'nvtop', 'nvidia-container-toolkit=1.18.2-1']),
    );
  });

  it('versions that the profile decided, a development package in that of its library', () => {
    const [, , l2] = orders(base);
    const [install, again] = l2?.commands ?? [];
    expect(install).toEqual(
      expect.arrayContaining(['nvidia-open-580=580.1-1', 'libnccl2=2.28.3-1', 'libnccl-dev=2.28.3-1']),
    );
    // It stands for the role's nvidia-open, and the pins are not offered.
    expect(install?.filter((name) => /^nvidia-(open|driver)/.test(name))).toEqual([
      'nvidia-open-580=580.1-1',
    ]);
    expect(again?.slice(0, 2)).toEqual(['install', '--reinstall']);
  });

  it('headers of every kernel of the box; what the sources lack is told', () => {
    const installed = [
      'linux-image-6.8.0-49-generic',
      'linux-image-unsigned-6.8.0-45-generic',
      'linux-image-6.8.0-49-generic-dbg',
    ];
    expect(headersFor(installed)).toEqual([
      'linux-headers-6.8.0-45-generic',
      'linux-headers-6.8.0-49-generic',
    ]);
    const l2 = orders({ ...base, installed }).find((o) => o.layer === 2);
    expect(l2?.commands[0]).toContain('linux-headers-6.8.0-49-generic');
    expect(l2?.notes).toEqual([expect.stringContaining('linux-headers-6.8.0-45-generic')]);
  });

  it("Docker's own packages stay, and what is asked for beside goes along", () => {
    const also = new Map([[2, ['linux-headers-generic']]]);
    const all = orders({ ...base, installed: ['docker-ce'], also });
    expect(all[1]?.commands[1]).not.toContain('docker.io');
    expect(all[2]?.commands[0]).toContain('linux-headers-generic');
  });

  it('a single layer', () => {
    expect(orders({ ...base, layers: [5] })).toMatchObject([
      { layer: 5, commands: [['install', 'htop', 'nvtop']] },
    ]);
    expect(orders({ ...base, layers: [4] })).toEqual([]);
    expect(parseBundleLayers('5, 0,5')).toEqual([0, 5]);
    expect(() => parseBundleLayers('7')).toThrow(/no layer 7/);
  });

  it('refuses a system that the roles do not know', () => {
    expect(() => rolePackages('fedora-43')).toThrow(/no packages for fedora-43/);
  });
});

describe('lock files', () => {
  it("the role's own: every wheel by its hash, each environment with a measured size", () => {
    const locks = lockFiles('3.12', null);
    expect(locks.map((l) => l.environment)).toEqual(environments());
    expect(Object.keys(wheelsGib()).sort()).toEqual([...environments()].sort());
    const versions = versionsIn(locks);
    expect(versions.get('torch')).toHaveLength(1);
    expect(versions.get('vllm')).toHaveLength(1);
    expect(() => lockFiles('3.13', null)).toThrow(/no lock files for Python 3.13/);
  });

  it('a line without a version or without a hash is refused, and named', () => {
    const hash = `--hash=sha256:${'b'.repeat(64)}`;
    expect(readLock(file('good.txt', `# of x\nFoo_Bar[x]==1.0 \\\n    ${hash} \\\n    ${hash}\n`))).toEqual([
      { name: 'foo-bar', version: '1.0', sha256: ['b'.repeat(64), 'b'.repeat(64)] },
    ]);
    expect(() => readLock(file('bad.txt', `foo>=1 ${hash}\n`))).toThrow(/"foo>=1/);
    expect(() => readLock(file('bare.txt', 'foo==1\n'))).toThrow(/"foo==1" is no pin with a hash/);
  });

  it('names of wheels', () => {
    expect(wheelName('Foo_Bar-1.0-py3-none-any.whl')).toEqual({ name: 'foo-bar', version: '1.0' });
    expect(wheelName('foo-1.0.tar.gz')).toBeNull();
  });
});

describe('the bundle', () => {
  it('its sets: the index with every layer, models apart, none that is empty', () => {
    const debs = new Map([
      [2, ['a.deb']],
      [3, []],
    ]);
    const none = { wheels: [], collections: [], images: [], frameworks: ['torch.txt'] };
    const sets = setsOf({ debs, ...none, models: ['m/config.json'] });
    expect(Object.keys(sets)).toEqual(['l2', 'l3', 'l4', 'models']);
    expect(sets['l2']).toEqual(expect.arrayContaining(['apt/a.deb', 'apt/InRelease', 'apt/key.gpg']));
    expect(sets['l3']).toHaveLength(6);
    expect(sets['models']).toEqual(['models/m/config.json']);
    expect(setsOf({ debs: new Map(), ...none, models: [] })).toEqual({ l4: ['frameworks/torch.txt'] });
  });

  it("an index's packages by their hashes", () => {
    const text = `Package: a\nFilename: ./a_1.deb\nSHA256: ${'c'.repeat(64)}\n\nPackage: b\nFilename: b.deb\n`;
    expect(packagesIn(text)).toEqual([{ file: 'a_1.deb', sha256: 'c'.repeat(64) }]);
  });

  it("is for the profile's first system that stands in for nothing, or the one that is named", () => {
    expect(chooseDistribution(profile, null).id).toBe('ubuntu');
    expect(chooseDistribution(profile, 'debian-13').standIn).toBeDefined();
    expect(() => chooseDistribution(profile, 'ubuntu-22.04')).toThrow(/it names ubuntu-24.04, debian-13/);
  });

  it('needs room for what is missing and 1 GiB', () => {
    const part = { count: 1, bytes: 5e9 };
    const need = (free: number): Need => ({ debs: part, wheels: part, given: part, bytes: 15e9, free });
    expect(() => requireRoom(need(15e9 + 2 ** 30), '/x')).not.toThrow();
    expect(() => requireRoom(need(15e9 + 2 ** 30 - 1), '/x')).toThrow(
      '/x has 16.1 GB free; the bundle needs 16.1 GB.',
    );
  });
});
