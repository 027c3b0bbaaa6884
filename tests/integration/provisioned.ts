/**
 * A box that has its layers and the laptop that gave them to it, for tests of what comes after. Provisioned once through the real
 * command line, kept below .cache/rig, and given to each test as a box and a laptop of its own.
 */
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packBoxCode } from '../../main/services/boxcode.ts';
import { build, withLock, type Built } from '../rig/build.ts';
import { RigBox } from '../rig/box.ts';
import { RIG, ROOT } from '../rig/host.ts';
import { installKernels } from '../rig/kernels.ts';
import { KERNELS } from '../rig/nvidia.ts';
import { Laptop, PASSED, type Ended, type SecretsGiven } from './cli.ts';

/** What the box on this laptop is called. */
export const NAME = 'VC-KEPT';
const PREFIX = 'provisioned-';
const SECRETS = 'secrets.json';
/** What makes the kept box, beside the rig and the code that runs on boxes: another content gives another box. */
const SOURCES = ['main', 'preload/contract', 'resources/profiles'];

export interface Provisioned {
  /** A box in which the layers 0 and 1 passed; vaultadmin has UID 1000, the first user `installer` has another. */
  box: RigBox;
  /** Knows the box under NAME, with its address, and has the sudo password among its secrets. */
  laptop: Laptop;
  /** Path of the key that vaultadmin logs in with, without a passphrase. */
  key: string;
  /** Stops the one and removes the other. */
  end(): Promise<void>;
}

/** Name of the folder for what is here now, committed or not. */
async function keyOf(built: Built): Promise<string> {
  const code = await packBoxCode();
  const hash = createHash('sha256').update(JSON.stringify([built, { ...code, tar: null }]));
  for (const folder of SOURCES) {
    const files = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true });
    const paths = files.filter((f) => f.isFile()).map((f) => join(f.parentPath, f.name));
    for (const path of paths.sort()) hash.update(`\0${path}\0`).update(readFileSync(path));
  }
  return `${PREFIX}${hash
    .update(readFileSync(import.meta.filename))
    .digest('hex')
    .slice(0, 12)}`;
}

async function must0(laptop: Laptop, ...args: string[]): Promise<Ended> {
  const ended = await laptop.run(...args);
  if (ended.last.type !== 'result')
    throw new Error(`vault-cube ${args.join(' ')}: ${JSON.stringify(ended.last)}\n${ended.stderr}`);
  return ended;
}

/** The road, typed as an engineer does; the home keeps what the laptop knows then. */
async function provision(dir: string): Promise<void> {
  const box = await RigBox.start();
  const home = join(dir, 'home');
  mkdirSync(home, { mode: 0o700 });
  const laptop = new Laptop(home);
  const sudo: SecretsGiven = { sudoPassword: 'the kept box 1 Sudo' };
  try {
    laptop.secrets = { loginPassword: box.password, newSudoPassword: sudo.sudoPassword ?? '' };
    const first = ['--host', box.host, '--user', box.user, '--profile', 'two-h100'];
    await must0(laptop, 'inspect', '--box', NAME, ...first, '--accept-host-key', box.fingerprint());
    // Beside the home: a copy of the home names the same key.
    await must0(laptop, 'keys', '--generate', '--out', join(dir, 'key'), '--uid', 'swap');
    laptop.secrets = sudo;
    const { code, last } = await must0(laptop, 'provision', '--layers', '0,1', '--bundle', box.bundle);
    if (!PASSED.includes(code))
      throw new Error(`the layers did not pass on a fresh box: ${JSON.stringify(last)}`);
    await box.powerOff();
    await box.save(join(dir, 'box'));
    writeFileSync(join(dir, SECRETS), JSON.stringify(sudo), { mode: 0o600 });
  } finally {
    await box.stop();
  }
}

/** Layers that a box may have everything below of. */
export type Above = 2 | 3 | 4 | 5;

/** From the box with one layer less, as it was kept: a kernel below layer 2, and else that layer. */
async function oneMore(dir: string, from: string, below: Above): Promise<void> {
  const { box, laptop } = await begun(from);
  try {
    if (below === 2) await installKernels(box, KERNELS.slice(0, 1));
    else {
      const args = ['--box', NAME, '--layers', String(below - 1), '--bundle', box.bundle];
      const { code, last } = await must0(laptop, 'provision', ...args);
      if (!PASSED.includes(code)) throw new Error(`layer ${below - 1}: ${JSON.stringify(last)}`);
    }
    await box.powerOff();
    await box.save(join(dir, 'box'));
    cpSync(laptop.home, join(dir, 'home'), { recursive: true });
    cpSync(join(from, 'key'), join(dir, 'key'));
    cpSync(join(from, SECRETS), join(dir, SECRETS));
  } finally {
    laptop.remove();
    await box.stop();
  }
}

/** Removes what other sources made, except where a box still stands on it. */
function prune(key: string): void {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  const old = readdirSync(RIG).filter(
    (n) => n.startsWith(PREFIX) && !n.startsWith(key) && !mounts.includes(n),
  );
  for (const name of old) rmSync(join(RIG, name), { recursive: true, force: true });
}

/** The kept folder: `box` for RigBox.start, `home` to copy, `key`, the secrets. */
async function kept(below?: Above): Promise<string> {
  const key = await keyOf(await build());
  const from = below === undefined ? '' : await kept(below === 2 ? undefined : ((below - 1) as Above));
  const dir = join(RIG, below === undefined ? key : `${key}-below${below}`);
  await withLock('provisioned', async () => {
    if (existsSync(join(dir, SECRETS))) return; // it is written last
    prune(key);
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    await (below === undefined ? provision(dir) : oneMore(dir, from, below));
  });
  return dir;
}

/** A box as it is kept in `dir`, and a laptop that knows it. */
async function begun(dir: string): Promise<{ box: RigBox; laptop: Laptop }> {
  const box = await RigBox.start({ from: join(dir, 'box') });
  const laptop = new Laptop(mkdtempSync(join(tmpdir(), 'vault-cube-laptop-')));
  try {
    cpSync(join(dir, 'home'), laptop.home, { recursive: true });
    laptop.secrets = JSON.parse(readFileSync(join(dir, SECRETS), 'utf8')) as SecretsGiven;
    // The same box at another address: its pinned key must be the one that answers there.
    await must0(laptop, 'inspect', '--box', NAME, '--host', box.host);
    // SSH answers before all else runs.
    await box.run(['systemctl', 'is-system-running', '--wait']);
    return { box, laptop };
  } catch (error) {
    laptop.remove();
    await box.stop();
    throw error;
  }
}

/**
 * Starts a box as it was left by `vault-cube provision`, and a laptop that knows it: with layers 0 and 1, or with all that comes
 * below a layer, a kernel included.
 */
export async function provisioned(below?: Above): Promise<Provisioned> {
  const dir = await kept(below);
  const { box, laptop } = await begun(dir);
  const end = async () => {
    laptop.remove();
    await box.stop();
  };
  return { box, laptop, key: join(dir, 'key'), end };
}
