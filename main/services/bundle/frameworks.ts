/** Layer 4's wheels: what the lock files of its environments pin, each wheel once. */
import { copyFileSync, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AppError } from '../../../preload/contract/errors.ts';
import { productRoot } from '../paths.ts';
import type { BuildFolder } from './folder.ts';
import { AT_ONCE, inParallel, type Hashes } from './hashes.ts';
import { environments, wheelsGib } from './layers.ts';
import { readLock, wheelName, type Locked } from './locks.ts';
import { pipOne, type PipTarget } from './pip.ts';

const GIB = 2 ** 30;

export interface LockFile {
  environment: string;
  path: string;
  pins: readonly Locked[];
}

/**
 * The lock files for a Python, as in 3.12: the role's own, or `<environment>.txt` of a folder.
 * Errors: usage where the role has none for this Python; bundle_input_bad.
 */
export function lockFiles(python: string, folder: string | null): LockFile[] {
  const tag = `py${python.replace('.', '')}`;
  const own = join(productRoot(), 'ansible/roles/ai_frameworks/files/locks');
  return environments().map((environment) => {
    const path =
      folder === null ? join(own, `${environment}-${tag}.txt`) : join(folder, `${environment}.txt`);
    if (folder === null && !existsSync(path))
      throw new AppError('usage', {
        what: `Layer 4 has no lock files for Python ${python}: name a folder with --locks, or leave the layer out with --layers.`,
      });
    return { environment, path, pins: readLock(path) };
  });
}

/** Versions by project name that lock files pin. */
export function versionsIn(locks: readonly LockFile[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { name, version } of locks.flatMap((lock) => lock.pins)) {
    const known = found.get(name) ?? [];
    if (!known.includes(version)) found.set(name, [...known, version]);
  }
  return found;
}

/** Wheels of all lock files, each once; one that two pin alike may have the hashes of both. */
function wanted(locks: readonly LockFile[]): Locked[] {
  const all = new Map<string, Locked>();
  for (const pin of locks.flatMap((lock) => lock.pins)) {
    const key = `${pin.name}==${pin.version}`;
    const known = all.get(key);
    // Only what both allow fits both environments.
    const sha256 = known ? known.sha256.filter((hash) => pin.sha256.includes(hash)) : pin.sha256;
    all.set(key, { ...pin, sha256 });
  }
  return [...all.values()];
}

export interface WheelPlan {
  locks: readonly LockFile[];
  /** File names of wheels that are here, whole. */
  here: readonly string[];
  missing: readonly Locked[];
  /** What of it is still to be downloaded; null where nobody has measured it. */
  bytes: number | null;
}

/** Looks, by hash, which wheels are in the folder already; what is broken is removed. */
export async function planWheels(
  locks: readonly LockFile[],
  folder: BuildFolder,
  opts: { ownLocks: boolean; hashes: Hashes; signal?: AbortSignal | undefined },
): Promise<WheelPlan> {
  const at = dirname(folder.place('frameworks/x'));
  const pins = new Map(wanted(locks).map((pin) => [`${pin.name}==${pin.version}`, pin]));
  const here: string[] = [];
  let bytesHere = 0;
  const found = readdirSync(at, { withFileTypes: true }).filter((entry) => entry.isFile());
  await inParallel(found, AT_ONCE, async ({ name: file }) => {
    const named = wheelName(file);
    const key = named ? `${named.name}==${named.version}` : '';
    const pin = pins.get(key);
    if (!pin) return; // of an older bundle: taken away at the end
    const path = join(at, file);
    if (!pin.sha256.includes(await opts.hashes.of(path, opts.signal))) return rmSync(path);
    pins.delete(key);
    here.push(file);
    bytesHere += statSync(path).size;
  });
  const missing = [...pins.values()];
  const measured = locks.reduce((sum, lock) => sum + (wheelsGib()[lock.environment] ?? 0), 0) * GIB;
  const bytes = missing.length === 0 ? 0 : opts.ownLocks ? Math.max(measured - bytesHere, 0) : null;
  return { locks, here, missing, bytes };
}

/**
 * Downloads what is missing, several wheels at a time, each put in its place when it is whole; answers with all file names. The lock
 * files wait beside. `onCount` is told how many are here. Errors: bundle_fetch_failed, laptop_disk_full.
 */
export async function takeWheels(
  plan: WheelPlan,
  folder: BuildFolder,
  target: PipTarget,
  opts: { hashes: Hashes; onCount: (done: number) => void },
): Promise<string[]> {
  const work = folder.scratch('wheels');
  let done = plan.here.length;
  const brought = await inParallel(plan.missing, AT_ONCE, async (pin) => {
    const what = `${pin.name} ${pin.version}`;
    const line = [`${pin.name}==${pin.version}`, ...pin.sha256.map((hash) => `--hash=sha256:${hash}`)].join(
      ' ',
    );
    const path = await pipOne(target, what, work, line);
    // pip has compared it; what counts is what lies on the disk.
    if (!pin.sha256.includes(await opts.hashes.of(path, target.signal)))
      throw new AppError('bundle_fetch_failed', {
        what,
        detail: `${basename(path)} has a hash that the lock file does not name.`,
      });
    renameSync(path, folder.place(`frameworks/${basename(path)}`));
    done += 1;
    opts.onCount(done);
    return basename(path);
  });
  for (const lock of plan.locks) copyFileSync(lock.path, folder.stage(`frameworks/${lock.environment}.txt`));
  return [...plan.here, ...brought, ...plan.locks.map((lock) => `${lock.environment}.txt`)].sort();
}
