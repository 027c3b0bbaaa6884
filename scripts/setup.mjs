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
  shellcheck: 'shellcheck',
  'python3-venv': '/usr/share/doc/python3-venv',
};

/** Installs packages without letting them start services: a test machine must not suddenly answer on port 22. */
async function aptInstall(names) {
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    await must('apt-get', ['update', '-q'], { env });
    await must('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...names], { env });
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

async function debianPackages() {
  if (process.platform !== 'linux' || !(await has('apt-get'))) return;
  const missing = [];
  for (const [name, proof] of Object.entries(PACKAGES)) {
    if (!(proof.startsWith('/') ? existsSync(proof) : await has(proof))) missing.push(name);
  }
  if (missing.length === 0) return;
  if (!isRoot) {
    console.log(
      `setup: some tests are skipped until these are there:\n  sudo apt-get install ${missing.join(' ')}`,
    );
    return;
  }
  console.log(`setup: installing ${missing.join(' ')}`);
  await aptInstall(missing);
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

/** `what`: 'run' for the app alone, 'test' for everything. */
export async function setup(what) {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < 20) throw new Error(`Node 20 or newer is needed; this is ${process.version}.`);
  if (what === 'test') await debianPackages();
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
