/** What is flashed in faults: disks that vanish, break or fill up at a moment that a test chooses. Linux, as root. */
import {
  closeSync,
  copyFileSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { FlashTarget } from '../../main/services/flash/flash.ts';
import { STALE, fillStale, tool } from '../integration/stale.ts';
import { MIB } from '../unit/flash/partitions.ts';
import { until } from '../rig/host.ts';
import { SIZE } from './flashimage.ts';

const ZRAM = '/sys/class/zram-control';

/** Why no disk can be made here; null when one can. */
export function whyNoDisk(): string | null {
  if (process.platform !== 'linux') return 'not Linux';
  if (process.getuid?.() !== 0) return 'not root: no loop device can be made';
  return existsSync('/dev/loop-control') ? null : 'no loop devices';
}

export interface FaultDisk {
  readonly target: FlashTarget;
  /** Every byte of it before; 0 for a file that was not there. */
  readonly old: number;
  /** What is on it now, past the caches. */
  readonly path: string;
  /** To be called before it is looked at from outside. */
  settle(): Promise<void>;
  close(): void;
}

/** Whether a process has this file or device open. */
function held(path: string): boolean {
  const fds = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`);
      } catch {
        // It has ended meanwhile.
        return [];
      }
    });
  return fds.some((fd) => {
    try {
      return readlinkSync(fd) === path;
    } catch {
      return false;
    }
  });
}

class Loop implements FaultDisk {
  readonly path: string;
  readonly old: number = STALE;

  constructor(backing: string, ...options: string[]) {
    this.path = tool('losetup', '--find', '--show', ...options, backing);
  }

  get target(): Extract<FlashTarget, { kind: 'disk' }> {
    return { kind: 'disk', path: this.path, serial: null, size: SIZE, name: 'the disk' };
  }

  /** Nobody writes any more, and the cache has nothing of it. */
  async settle(): Promise<void> {
    await until(`the end of whoever has ${this.path}`, () => !held(this.path), 60_000);
    tool('blockdev', '--flushbufs', this.path);
  }

  close(): void {
    tool('losetup', '--detach', this.path);
  }
}

/** A disk that can vanish, and one of which a part becomes unreadable: a loop device over a file. */
export class FileDisk extends Loop {
  readonly #file: string;

  constructor(folder: string) {
    const file = join(folder, 'disk');
    fillStale(file, SIZE, 'w');
    super(file, '--direct-io=on');
    this.#file = file;
  }

  /** As the kernel shows a drive that was pulled out: of the size 0. What it had by then, it keeps. */
  vanish(): void {
    copyFileSync(this.#file, `${this.#file}.kept`);
    truncateSync(this.#file);
    tool('losetup', '--set-capacity', this.path);
  }

  comeBack(): void {
    const fd = openSync(this.#file, 'r+');
    writeSync(fd, readFileSync(`${this.#file}.kept`));
    ftruncateSync(fd, SIZE);
    closeSync(fd);
    tool('losetup', '--set-capacity', this.path);
  }

  /** From this byte on nothing can be read until it was written anew: the kernel answers EIO. */
  breakFrom(at: number): void {
    truncateSync(this.#file, at);
  }

  /** Zeros are where it was broken. */
  repair(): void {
    truncateSync(this.#file, SIZE);
  }
}

/** A disk that takes no more data from a moment on, with EIO: zram that may have no more memory, which zeros do not need. */
export class WornDisk extends Loop {
  readonly #number: string;
  readonly #folder: string;

  /** Sectors are 4096 bytes. */
  constructor() {
    const number = readFileSync(join(ZRAM, 'hot_add'), 'utf8').trim();
    const folder = `/sys/block/zram${number}`;
    try {
      writeFileSync(join(folder, 'disksize'), String(SIZE));
      fillStale(`/dev/zram${number}`, SIZE, 'r+');
      super(`/dev/zram${number}`, '--sector-size', '4096', '--direct-io=on');
    } catch (error) {
      WornDisk.#remove(folder, number);
      throw error;
    }
    this.#number = number;
    this.#folder = folder;
  }

  /** Why there is none here; null where there is one. */
  static whyNot(): string | null {
    return existsSync(ZRAM) ? null : 'no zram: no write can be made to fail';
  }

  wear(): void {
    const used = readFileSync(join(this.#folder, 'mm_stat'), 'utf8').trim().split(/\s+/)[2];
    // 0 would be no limit.
    writeFileSync(join(this.#folder, 'mem_limit'), String(Math.max(4096, Number(used))));
  }

  repair(): void {
    writeFileSync(join(this.#folder, 'mem_limit'), '0');
  }

  static #remove(folder: string, number: string): void {
    writeFileSync(join(folder, 'reset'), '1');
    writeFileSync(join(ZRAM, 'hot_remove'), number);
  }

  override close(): void {
    super.close();
    WornDisk.#remove(this.#folder, this.#number);
  }
}

/** A file on a file system of its own that has too little room for it. */
export class FullFile implements FaultDisk {
  readonly old = 0;
  readonly path: string;
  /** Bytes. */
  readonly room: number;
  readonly #mount: string;

  constructor(folder: string, room: number) {
    this.#mount = join(folder, 'small');
    this.room = room;
    mkdirSync(this.#mount);
    tool('mount', '-t', 'tmpfs', '-o', `size=${Math.ceil(room / 4096) * 4}k`, 'tmpfs', this.#mount);
    this.path = join(this.#mount, 'disk.img');
  }

  get target(): FlashTarget {
    return { kind: 'file', path: this.path, name: 'disk.img' };
  }

  makeRoom(): void {
    tool('mount', '-o', `remount,size=${SIZE + 16 * MIB}`, this.#mount);
  }

  settle(): Promise<void> {
    return until(`the end of whoever has ${this.path}`, () => !held(this.path), 60_000);
  }

  close(): void {
    tool('umount', this.#mount);
  }
}
