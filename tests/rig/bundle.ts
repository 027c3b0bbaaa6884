/** The site bundle of the stand-in box, in the format of docs/adr/0005-bundle.md. */
import { createHash } from 'node:crypto';
import {
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { BundleManifest } from '../../preload/contract/bundle.ts';
import { makeFrameworks } from './frameworks.ts';
import { PYTHON, ROOT, must } from './host.ts';
import { writeImage } from './image.ts';
import { FROM_DEBIAN, makeNvidia } from './nvidia.ts';
import { RELEASE } from './sources.ts';

export const REQUIREMENTS = join(ROOT, 'ansible', 'requirements.txt');
export const COLLECTIONS = join(ROOT, 'ansible', 'collections', 'requirements.yml');
export const LAYER1 = join(ROOT, 'ansible', 'roles', 'base_system', 'vars', 'debian-13.yml');
export const LAYER5 = join(ROOT, 'ansible', 'roles', 'monitoring', 'vars', 'main.yml');
export const LAYER6 = join(ROOT, 'ansible', 'roles', 'extended_hardening', 'vars', 'debian-13.yml');
export const TAKE_COLLECTIONS = join(ROOT, 'tests', 'rig', 'take_collections.py');

/** Python of the box, for which the wheels are chosen on a machine that may have another. */
const PYTHON_VERSION = '3.13';
const WHEEL_TAGS = [
  ...['--python-version', PYTHON_VERSION, '--implementation', 'cp'],
  ...['--abi', `cp${PYTHON_VERSION.replace('.', '')}`, '--abi', 'abi3', '--abi', 'none'],
  // pip takes each tag by its letter; a wheel for an older glibc fits, too.
  ...['manylinux_2_34', 'manylinux_2_28', 'manylinux_2_17', 'manylinux2014'].flatMap((tag) => [
    '--platform',
    `${tag}_x86_64`,
  ]),
];
const INDEX = ['Packages', 'Packages.gz', 'Release', 'InRelease', 'Release.gpg', 'key.gpg'];

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** A copy of the root in which apt may leave its lists and archives. */
class Scratch {
  readonly root: string;
  constructor(root: string) {
    this.root = root;
  }

  static async of(root: string): Promise<Scratch> {
    const copy = `${root}.scratch`;
    rmSync(copy, { recursive: true, force: true });
    await must('cp', ['-a', '--reflink=auto', root, copy]);
    writeFileSync(join(copy, 'etc/resolv.conf'), readFileSync('/etc/resolv.conf'));
    return new Scratch(copy);
  }

  run(...argv: string[]): Promise<string> {
    const env: NodeJS.ProcessEnv = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' };
    for (const name of ['http_proxy', 'https_proxy', 'no_proxy']) {
      if (process.env[name]) env[name] = process.env[name];
    }
    return must('chroot', [this.root, ...argv], { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } });
  }

  /** Lets the box's own apt resolve and download, without installing; it keeps what it has downloaded before. */
  apt(...argv: string[]): Promise<string> {
    return this.run('apt-get', '-y', '-q', '--download-only', ...argv);
  }

  debs(): string[] {
    return readdirSync(join(this.root, 'var/cache/apt/archives')).filter((name) => name.endsWith('.deb'));
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** apt writes `:` of an epoch as `%3a`; in a flat repository a plain name is understood by every tool on every system. */
const plain = (name: string): string => decodeURIComponent(name).replaceAll(':', '-');

/** The list of packages in a role's variables. */
async function packagesOf(
  role: 'base_system' | 'monitoring' | 'extended_hardening',
  file: string,
): Promise<string[]> {
  const script = `import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))["${role}_packages"]))`;
  return JSON.parse(await must(PYTHON, ['-c', script, file])) as string[];
}

/** File names below `apt/` that a set holds beside the index. */
type Debs = Record<'l0' | 'l1' | 'l2' | 'l3' | 'l5' | 'l6', string[]>;

/** Fills `apt/` with what the layers install; returns the names by layer. A layer stands on those before it. */
async function takeDebs(scratch: Scratch, apt: string): Promise<Debs> {
  mkdirSync(apt);
  const none = '--no-install-recommends';
  await scratch.run('apt-get', '-q', 'update');
  await scratch.apt('install', none, 'python3-apt');
  const l0 = scratch.debs();
  await scratch.apt('upgrade', '--with-new-pkgs');
  const layer1 = await packagesOf('base_system', LAYER1);
  await scratch.apt('install', none, ...layer1);
  const l1 = scratch.debs();
  await scratch.apt('install', none, ...layer1, ...FROM_DEBIAN);
  const l2 = scratch.debs();
  const layer5 = await packagesOf('monitoring', LAYER5);
  await scratch.apt('install', none, ...layer1, ...FROM_DEBIAN, ...layer5);
  const l5 = scratch.debs();
  const layer6 = await packagesOf('extended_hardening', LAYER6);
  await scratch.apt('install', none, ...layer1, ...FROM_DEBIAN, ...layer5, ...layer6);
  const all = scratch.debs();
  const without = (known: readonly string[], names: readonly string[]) =>
    names.filter((name) => !known.includes(name)).map(plain);
  for (const name of all)
    renameSync(join(scratch.root, 'var/cache/apt/archives', name), join(apt, plain(name)));
  const nvidia = await makeNvidia(apt);
  return {
    ...{ l0: l0.map(plain), l1: l1.map(plain), l2: [...without(l1, l2), ...nvidia[2]] },
    ...{ l3: nvidia[3], l5: without(l2, l5), l6: without(l5, all) },
  };
}

/** Index, and a signature by a key that exists for this one bundle and is forgotten afterwards. */
async function signRepository(apt: string): Promise<void> {
  const packages = await must('apt-ftparchive', ['packages', '.'], { cwd: apt });
  writeFileSync(join(apt, 'Packages'), packages);
  await must('gzip', ['-9', '-n', '-k', 'Packages'], { cwd: apt });
  const labels = { Origin: 'Vault Cube rig', Label: 'stand-in', Suite: RELEASE, Codename: RELEASE };
  const options = Object.entries(labels).flatMap(([k, v]) => ['-o', `APT::FTPArchive::Release::${k}=${v}`]);
  const release = await must('apt-ftparchive', [...options, 'release', '.'], { cwd: apt });
  writeFileSync(join(apt, 'Release'), release);
  // The agent's socket lies in this folder, and its path must be short.
  const home = mkdtempSync(join(tmpdir(), 'vcg-'));
  const opts = { cwd: apt, env: { ...process.env, GNUPGHOME: home } };
  const gpg = (...args: string[]) => must('gpg', ['--batch', '--quiet', '--yes', ...args], opts);
  try {
    const user = 'Vault Cube rig (stand-in)';
    await gpg('--passphrase', '', '--quick-generate-key', user, 'ed25519', 'sign', 'never');
    await gpg('--output', 'key.gpg', '--export');
    await gpg('--output', 'InRelease', '--clearsign', 'Release');
    await gpg('--output', 'Release.gpg', '--detach-sign', '--armor', 'Release');
  } finally {
    await must('gpgconf', ['--kill', 'all'], opts);
    rmSync(home, { recursive: true, force: true });
  }
}

/** The line of requirements.txt that pins this package. */
function pin(name: string): string {
  const lines = readFileSync(REQUIREMENTS, 'utf8').split('\n');
  const line = lines.find((text) => text.startsWith(`${name}==`));
  if (!line) throw new Error(`${REQUIREMENTS} does not pin ${name}`);
  return line.trim();
}

const download = (to: string, ...args: string[]): Promise<string> =>
  must(PYTHON, ['-m', 'pip', 'download', '-q', '--only-binary=:all:', '-d', to, ...args]);

async function takeWheels(wheels: string): Promise<void> {
  mkdirSync(wheels);
  await download(wheels, ...WHEEL_TAGS, pin('ansible-core'));
  const lines: string[] = [];
  for (const name of readdirSync(wheels).sort()) {
    const [project, version] = name.split('-');
    lines.push(`${project}==${version} --hash=sha256:${await sha256(join(wheels, name))}`);
  }
  writeFileSync(join(wheels, 'requirements-l0.txt'), `${lines.join('\n')}\n`);
  await download(wheels, '--no-deps', ...WHEEL_TAGS, 'pip');
}

async function takeCollections(folder: string): Promise<void> {
  mkdirSync(folder);
  const work = mkdtempSync(join(tmpdir(), 'vcg-'));
  try {
    await download(work, '--no-deps', pin('ansible'));
    const wheel = join(work, readdirSync(work)[0] ?? '');
    await must(PYTHON, [TAKE_COLLECTIONS, wheel, COLLECTIONS, join(folder, 'ansible-collections.tar.xz')]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function takeImage(scratch: Scratch, folder: string): Promise<void> {
  mkdirSync(folder);
  await scratch.run('sh', '-c', 'cd /tmp && apt-get -q download busybox-static');
  const deb = readdirSync(join(scratch.root, 'tmp')).find((name) => name.startsWith('busybox-static_'));
  await scratch.run('sh', '-c', `cd /tmp && dpkg-deb -x ./${deb} busybox`);
  const path = ['tmp/busybox/usr/bin/busybox', 'tmp/busybox/bin/busybox']
    .map((inside) => join(scratch.root, inside))
    .find((candidate) => statSync(candidate, { throwIfNoEntry: false }));
  if (!path) throw new Error(`${deb} holds no busybox`);
  const applets = (await must(path, ['--list'])).split('\n').filter(Boolean);
  await writeImage(join(folder, 'busybox.tar'), readFileSync(path), applets);
}

/** Proves with the box's own Python that the wheels are all there, since they were chosen by another one. */
async function proveWheels(scratch: Scratch, wheels: string): Promise<void> {
  await must('cp', ['-r', wheels, join(scratch.root, 'tmp/wheels')]);
  const pip = readdirSync(wheels).find((name) => name.startsWith('pip-'));
  const find = ['--no-index', '--find-links', '/tmp/wheels', '--require-hashes', '--no-cache-dir'];
  const list = ['-r', '/tmp/wheels/requirements-l0.txt', '--dry-run', '-q', '--root-user-action=ignore'];
  const command = ['python3', `/tmp/wheels/${pip}/pip`, 'install', '--break-system-packages'];
  await scratch.run(...command, ...find, ...list);
}

async function manifest(bundle: string, debs: Debs): Promise<BundleManifest> {
  const files: BundleManifest['files'] = [];
  for (const folder of ['apt', 'collections', 'frameworks', 'images', 'wheels']) {
    for (const name of readdirSync(join(bundle, folder)).sort()) {
      const path = `${folder}/${name}`;
      const full = join(bundle, path);
      files.push({ path, size: statSync(full).size, sha256: await sha256(full) });
    }
  }
  const all = (folder: string) => files.map((f) => f.path).filter((path) => path.startsWith(`${folder}/`));
  const apt = (names: readonly string[]) => [...INDEX, ...names].map((name) => `apt/${name}`);
  return BundleManifest.parse({
    v: 1,
    name: 'Stand-in box: layers 0 to 6',
    created: new Date().toISOString(),
    distribution: { id: 'debian', version: '13', codename: RELEASE, arch: 'amd64' },
    evidence: 'stand-in',
    files,
    sets: {
      l0: [...apt(debs.l0), ...all('wheels'), ...all('collections')],
      l1: [...apt(debs.l1), ...all('images')],
      l2: apt(debs.l2),
      l3: apt(debs.l3),
      l4: all('frameworks'),
      l5: apt(debs.l5),
      l6: apt(debs.l6),
    },
  });
}

/** Makes the bundle folder `bundle` for the box whose root file system is `root`. */
export async function makeBundle(bundle: string, root: string): Promise<void> {
  const work = `${bundle}.new`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const scratch = await Scratch.of(root);
  try {
    const debs = await takeDebs(scratch, join(work, 'apt'));
    await signRepository(join(work, 'apt'));
    await takeWheels(join(work, 'wheels'));
    await proveWheels(scratch, join(work, 'wheels'));
    await takeCollections(join(work, 'collections'));
    await makeFrameworks(join(work, 'frameworks'));
    await takeImage(scratch, join(work, 'images'));
    const text = JSON.stringify(await manifest(work, debs), null, 1);
    writeFileSync(join(work, 'manifest.json'), `${text}\n`);
    renameSync(work, bundle);
  } finally {
    scratch.remove();
  }
}
