// Everything `npm start`, `npm test` and `npm run check` need on a fresh machine. Safe to repeat; quick when done.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, VENV, has, isRoot, must, once, run } from './lib.mjs';

/** Debian and Ubuntu packages of the rig and the checks, each with a command or file that shows it is there. */
const PACKAGES = {
  'systemd-container': 'systemd-nspawn',
  mmdebstrap: 'mmdebstrap',
  'debian-archive-keyring': '/usr/share/keyrings/debian-archive-keyring.gpg',
  'openssh-server': '/usr/sbin/sshd',
  'openssh-client': 'ssh-keygen',
  sudo: 'sudo',
  'putty-tools': 'puttygen',
  nftables: '/usr/sbin/nft',
  iproute2: 'ip',
  'iputils-ping': 'ping',
  'avahi-daemon': '/usr/sbin/avahi-daemon',
  procps: 'ps',
  gnupg: 'gpg',
  'apt-utils': 'apt-ftparchive',
  'dpkg-dev': 'dpkg-scanpackages',
  'xz-utils': 'xz',
  zstd: 'zstd',
  'qemu-utils': 'qemu-img',
  'qemu-system-x86': 'qemu-system-x86_64',
  ovmf: '/usr/share/OVMF/OVMF_CODE_4M.fd',
  // Of the golden image's build; not every release has it.
  packer: 'packer',
  fdisk: '/usr/sbin/sfdisk',
  dosfstools: '/usr/sbin/fsck.fat',
  mtools: 'mcopy',
  minisign: 'minisign',
  'netplan.io': '/usr/libexec/netplan/generate',
  shellcheck: 'shellcheck',
  'python3-venv': '/usr/share/doc/python3-venv',
};

/** Installs packages without letting them start services: a test machine must not suddenly answer on port 22. */
export async function aptInstall(names) {
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    await must('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...names], { env });
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

/** What a window needs, as Chromium is linked; the names of newer releases first. */
const LIB = process.arch === 'arm64' ? '/usr/lib/aarch64-linux-gnu' : '/usr/lib/x86_64-linux-gnu';
const WINDOW_PACKAGES = {
  'libgtk-3-0t64|libgtk-3-0': `${LIB}/libgtk-3.so.0`,
  libnss3: `${LIB}/libnss3.so`,
  'libasound2t64|libasound2': `${LIB}/libasound.so.2`,
  libgbm1: `${LIB}/libgbm.so.1`,
};
const TEST_WINDOW_PACKAGES = {
  ...WINDOW_PACKAGES,
  xvfb: 'Xvfb',
  // What the package for laptops depends on, beside what a window needs.
  'xdg-utils': 'xdg-open',
  'fonts-dejavu-core': '/usr/share/fonts/truetype/dejavu',
};

/** What a release may lack: its tests are skipped then. */
const OPTIONAL = ['packer'];

/** The first of the names that this release has. */
async function known(names) {
  const all = names.split('|');
  for (const name of all) {
    if ((await run('apt-cache', ['show', '--no-all-versions', name])).code === 0) return name;
  }
  return OPTIONAL.includes(names) ? null : all.at(-1);
}

/** `why`: what goes without them where they cannot be installed. */
async function debianPackages(packages, why) {
  if (process.platform !== 'linux' || !(await has('apt-get'))) return;
  const missing = [];
  for (const [names, proof] of Object.entries(packages)) {
    if (!(proof.startsWith('/') ? existsSync(proof) : await has(proof))) missing.push(names);
  }
  if (missing.length === 0) return;
  if (isRoot) await must('apt-get', ['update', '-q'], { env: { DEBIAN_FRONTEND: 'noninteractive' } });
  const names = (await Promise.all(missing.map(known))).filter((name) => name !== null);
  if (names.length === 0) return;
  if (!isRoot) {
    console.log(`setup: ${why} until these are there:\n  sudo apt-get install ${names.join(' ')}`);
    return;
  }
  console.log(`setup: installing ${names.join(' ')}`);
  await aptInstall(names);
}

export async function nodeModules() {
  const done = await once(
    'node_modules',
    ['package-lock.json', '.npmrc'],
    () => existsSync(join(ROOT, 'node_modules')),
    () => must('npm', ['ci', '--no-audit', '--no-fund']),
  );
  if (done) console.log('setup: npm packages installed');
}

async function pythonTools() {
  const python = join(VENV, 'bin', 'python3');
  const done = await once(
    'venv',
    ['requirements-dev.txt'],
    () => existsSync(python),
    async () => {
      rmSync(VENV, { recursive: true, force: true });
      await must('python3', ['-m', 'venv', VENV]);
      await must(python, ['-m', 'pip', 'install', '-q', '-r', 'requirements-dev.txt']);
    },
  );
  if (done) console.log('setup: Python tools installed');
}

/** `what`: 'run' for the command line, 'window' for the app with its window, 'test' for everything. */
export async function setup(what) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 15))
    throw new Error(`Node 20.15 or newer is needed; this is ${process.version}.`);
  if (what === 'window') await debianPackages(WINDOW_PACKAGES, 'the window cannot open');
  if (what === 'test')
    await debianPackages({ ...PACKAGES, ...TEST_WINDOW_PACKAGES }, 'some tests are skipped');
  const tools = what === 'test' && process.platform !== 'win32' ? pythonTools() : Promise.resolve();
  await Promise.all([nodeModules(), tools]);
}

/** The version of the running commit, or what package.json says outside a checkout. */
export async function version() {
  const { version: base } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const git = await run('git', ['rev-parse', '--short=12', 'HEAD']).catch(() => ({ code: 1, output: '' }));
  return git.code === 0 ? `${base}+${git.output.trim()}` : base;
}

if (process.argv[1]?.endsWith('setup.mjs')) await setup('test');
