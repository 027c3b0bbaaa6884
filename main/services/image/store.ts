/** The work folder of image builds: a cache of stages that passed, and the logs of every build. Nothing in it is ever written over. */
import {
  existsSync,
  linkSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../../preload/contract/errors.ts';
import { ImageStage, StageRecord } from '../../../preload/contract/image-build.ts';
import { replaceSynced } from '../../synced.ts';

const Meta = StageRecord.omit({ cached: true }).extend({
  build: z.uuid(),
  /** What a later stage needs to know of this one. */
  facts: z.record(z.string(), z.unknown()),
});
type Meta = z.infer<typeof Meta>;

export interface Entry {
  dir: string;
  meta: Meta;
}

const META = 'stage.json';
/** The log of the run that built it. */
export const STAGE_LOG = 'stage.log';

export class Store {
  readonly work: string;
  #locked = false;

  /** Errors: image_build_busy, output_unwritable. */
  constructor(work: string) {
    this.work = work;
    try {
      for (const name of ['cache', 'builds', 'packer'])
        mkdirSync(join(work, name), { recursive: true, mode: 0o700 });
    } catch (error) {
      throw new AppError('output_unwritable', { path: work, detail: (error as Error).message }, error);
    }
    this.#lock();
  }

  get #lockPath(): string {
    return join(this.work, 'lock');
  }

  #lock(): void {
    for (;;) {
      try {
        writeFileSync(this.#lockPath, String(process.pid), { flag: 'wx' });
        this.#locked = true;
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
          throw new AppError(
            'output_unwritable',
            { path: this.work, detail: (error as Error).message },
            error,
          );
        const holder = Number(readFileSync(this.#lockPath, 'utf8'));
        if (isAlive(holder)) throw new AppError('image_build_busy', { path: this.work });
        // Whoever held it was killed.
        unlinkSync(this.#lockPath);
      }
    }
  }

  close(): void {
    if (this.#locked) rmSync(this.#lockPath, { force: true });
    this.#locked = false;
  }

  /** Folder of a build's logs. */
  logs(build: string): string {
    const dir = join(this.work, 'builds', build);
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    return dir;
  }

  #at(stage: ImageStage, fingerprint: string): string {
    return join(this.work, 'cache', `${stage}-${fingerprint.slice(0, 24)}`);
  }

  find(stage: ImageStage, fingerprint: string): Entry | null {
    const dir = this.#at(stage, fingerprint);
    const path = join(dir, META);
    if (!existsSync(path)) return null;
    try {
      const meta = Meta.parse(JSON.parse(readFileSync(path, 'utf8')));
      return meta.fingerprint === fingerprint ? { dir, meta } : null;
    } catch {
      // Written by another version, or torn: it is built anew beside it.
      rmSync(dir, { recursive: true, force: true });
      return null;
    }
  }

  /** An empty folder for a stage that is being built. What an earlier run left half done goes. */
  begin(stage: ImageStage, fingerprint: string): string {
    const dir = `${this.#at(stage, fingerprint)}.new`;
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { mode: 0o700 });
    return dir;
  }

  /** The stage has passed: from now on it is in the cache. */
  keep(dir: string, meta: Meta, log: string): Entry {
    copyFileSync(log, join(dir, STAGE_LOG));
    replaceSynced(join(dir, META), `${JSON.stringify(Meta.parse(meta), null, 1)}\n`, 0o600);
    const at = this.#at(meta.id, meta.fingerprint);
    renameSync(dir, at);
    return { dir: at, meta };
  }

  drop(dir: string): void {
    rmSync(dir, { recursive: true, force: true });
  }

  /** Folders in the cache. */
  entries(): string[] {
    return readdirSync(join(this.work, 'cache')).sort();
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid < 1) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The same file at another place, without a copy where the file system allows that. */
export function place(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}
