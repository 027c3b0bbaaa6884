/**
 * The folder that a bundle is built in. What arrives goes to its place, or is staged below `.build` where it would change a file of
 * a bundle that stands already; everything changes at the end, the manifest last. A build that was killed goes on from there, and
 * until then an older bundle in the folder stays as it was.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  statfsSync,
  type Dirent,
} from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import type { BundleManifest } from '../../../preload/contract/bundle.ts';
import { AppError } from '../../../preload/contract/errors.ts';
import { MANIFEST, writeManifest } from './manifest.ts';

export const WORK = '.build';
const FOLDERS = ['apt', 'wheels', 'collections', 'frameworks', 'images', 'models'];
/** A killed build's helper needs a moment to let go. */
const LOCK_SECONDS = 10;

/** Paths of all files below `dir`, with / between their parts; what is no plain file is among them. */
export function filesBelow(dir: string): string[] {
  const entries: Dirent[] = existsSync(dir) ? readdirSync(dir, { recursive: true, withFileTypes: true }) : [];
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

export class BuildFolder {
  readonly dir: string;
  /** For what is only needed while building. */
  readonly work: string;
  readonly #lock: () => Promise<void>;

  private constructor(dir: string, lock: () => Promise<void>) {
    this.dir = dir;
    this.work = join(dir, WORK);
    this.#lock = lock;
  }

  /** Errors: bundle_folder_taken, bundle_busy, file_unwritable. */
  static async open(dir: string): Promise<BuildFolder> {
    const there = existsSync(dir) ? readdirSync(dir) : [];
    if (there.length && !there.includes(MANIFEST) && !there.includes(WORK))
      throw new AppError('bundle_folder_taken', { path: dir });
    try {
      mkdirSync(join(dir, WORK), { recursive: true });
    } catch (error) {
      throw new AppError('file_unwritable', { path: dir, detail: (error as Error).message }, error);
    }
    return new BuildFolder(dir, await hold(dir));
  }

  /** Where a file may be written that changes nothing of a bundle that stands: it is not there yet, or is broken. Makes its folder. */
  place(path: string): string {
    return made(join(this.dir, path));
  }

  /** Where a file waits that replaces one of the same name at the end. Makes its folder. */
  stage(path: string): string {
    return made(join(this.work, 'new', path));
  }

  /** Where the file is now: waiting, else in its place. */
  find(path: string): string {
    const staged = join(this.work, 'new', path);
    return existsSync(staged) ? staged : join(this.dir, path);
  }

  /** An empty folder for work that begins anew each time. */
  scratch(name: string): string {
    const path = join(this.work, name);
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path);
    return path;
  }

  /** Bytes that may still be written here. */
  free(): number {
    const { bavail, bsize } = statfsSync(this.dir);
    return bavail * bsize;
  }

  /** Puts everything in its place, takes away what belongs to no set, and writes the manifest. */
  commit(manifest: BundleManifest): void {
    const wanted = new Set(manifest.files.map((f) => f.path));
    rmSync(join(this.dir, MANIFEST), { force: true });
    for (const path of wanted) {
      const staged = join(this.work, 'new', path);
      if (existsSync(staged)) renameSync(staged, this.place(path));
    }
    for (const folder of FOLDERS) {
      for (const name of filesBelow(join(this.dir, folder))) {
        if (!wanted.has(`${folder}/${name}`)) rmSync(join(this.dir, folder, name));
      }
      removeEmpty(join(this.dir, folder));
    }
    rmSync(this.work, { recursive: true, force: true });
    writeManifest(this.dir, manifest);
  }

  /** Lets another build begin. */
  async close(): Promise<void> {
    await this.#lock();
  }
}

/** Gives a file a second name, or copies it where the file system knows none, as on a stick. What has the name already goes. */
export function linkOrCopy(from: string, to: string): void {
  rmSync(to, { force: true });
  try {
    linkSync(from, to);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error;
    copyFileSync(from, to);
  }
}

function made(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  return path;
}

function removeEmpty(dir: string): void {
  if (!existsSync(dir)) return;
  for (const entry of readdirSync(dir, { withFileTypes: true }))
    if (entry.isDirectory()) removeEmpty(join(dir, entry.name));
  if (readdirSync(dir).length === 0) rmdirSync(dir);
}

/** Keeps other builds out; a holder that dies lets go, since flock's command ends with our end of its pipe. Errors: bundle_busy. */
async function hold(dir: string): Promise<() => Promise<void>> {
  const script = 'echo held; exec cat';
  const argv = ['--timeout', String(LOCK_SECONDS), join(dir, WORK), 'sh', '-c', script];
  const holder = spawn('flock', argv, { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = once(holder, 'close');
  const held = await Promise.race([once(holder.stdout, 'data').then(() => true), ended.then(() => false)]);
  if (!held) throw new AppError('bundle_busy', { path: dir });
  return async () => {
    holder.stdin.end();
    await ended;
  };
}
