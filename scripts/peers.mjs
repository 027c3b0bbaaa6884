// What `npm run bench:flash` compares with, installed where it is missing; nothing of it belongs to the product or its tests.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, has, isRoot, run } from './lib.mjs';
import { aptInstall } from './setup.mjs';

/** Debian and Ubuntu packages with a command of each. */
const PACKAGES = {
  'qemu-utils': 'qemu-img',
  'bmap-tools': 'bmaptool',
  zstd: 'zstd',
  'openssh-client': 'ssh',
  'openssh-server': '/usr/sbin/sshd',
  e2fsprogs: 'mke2fs',
  iproute2: 'tc',
};
/** Its own package.json: a version that is known, and one of a dependency that npm still has. */
const ETCHER = { 'etcher-sdk': '10.2.15' };
const OVERRIDES = { 'unbzip2-stream': '1.4.3' };
const PEERS = join(CACHE, 'peers');

const there = async (proof) => (proof.startsWith('/') ? existsSync(proof) : has(proof));
const lastWords = (output) => output.trim().split('\n').slice(-3).join(' ').slice(-300);

async function packages() {
  const missing = [];
  for (const [name, proof] of Object.entries(PACKAGES)) if (!(await there(proof))) missing.push(name);
  if (missing.length === 0 || !isRoot || !(await has('apt-get'))) return;
  console.log(`peers: installing ${missing.join(' ')}`);
  // One that cannot be installed is a contender that is not measured, and said to be.
  await run('apt-get', ['update', '-q'], { env: { DEBIAN_FRONTEND: 'noninteractive' } });
  for (const name of missing) await aptInstall([name]).catch((error) => console.log(error.message));
}

/** Resolves to why Etcher's SDK is not there; null when it is. */
async function etcher() {
  const works = () => run('node', ['-e', "require('etcher-sdk')"], { cwd: PEERS });
  mkdirSync(PEERS, { recursive: true });
  const text = JSON.stringify({ private: true, dependencies: ETCHER, overrides: OVERRIDES });
  if (existsSync(join(PEERS, 'node_modules/etcher-sdk')) && (await works()).code === 0) return null;
  console.log("peers: installing Etcher's SDK");
  writeFileSync(join(PEERS, 'package.json'), text);
  // Its native parts come from scripts of its packages, which this project's own settings forbid.
  const args = ['install', '--prefix', PEERS, '--ignore-scripts=false', '--no-audit', '--no-fund'];
  const installed = await run('npm', args, { cwd: PEERS });
  if (installed.code !== 0) return `npm cannot install Etcher's SDK: ${lastWords(installed.output)}`;
  const loaded = await works();
  return loaded.code === 0 ? null : `Etcher's SDK does not load: ${lastWords(loaded.output)}`;
}

/** Resolves to `{sdk, missing}`: the folder of Etcher's SDK, and why a contender cannot run, by its name. */
export async function peers() {
  await packages();
  const missing = {};
  const why = await etcher();
  if (why !== null) missing.etcher = why;
  for (const name of ['qemu-img', 'bmaptool'])
    if (!(await has(name))) missing[name] = `${name} is not installed`;
  return { sdk: PEERS, missing };
}
