/** Images and targets for flashes, and a writer that is watched or ended at a given answer. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Journal } from '../../main/journal/journal.ts';
import {
  flash,
  type FlashOrder,
  type FlashResult,
  type FlashTarget,
} from '../../main/services/flash/flash.ts';
import { launchPlain } from '../../main/services/flash/launch.ts';
import { CHUNK_BYTES } from '../../main/services/flash/source/types.ts';
import { Decoder } from '../../main/services/flash/wire.ts';
import type { Launch } from '../../main/services/flash/writer.ts';
import { ESP, LINUX, MIB, writeDisk, type Made } from '../unit/flash/partitions.ts';

export const SIZE = 160 * MIB;
/** Enough for a flush on the way: ESP in the middle of a chunk, data in 33 of 40 chunks. */
export const DISK: Made = {
  size: SIZE,
  partitions: [
    { type: ESP, first: 9 * MIB, length: 16 * MIB },
    { type: LINUX, first: 32 * MIB, length: 120 * MIB },
  ],
  data: [
    { at: 9 * MIB, length: 6 * MIB, seed: 1 },
    { at: 20 * MIB, length: 102 * MIB + 512, seed: 2 },
    { at: 140 * MIB + 4096, length: 10 * MIB, seed: 3 },
  ],
};
/** Chunks with data that are not sealed. */
export const DATA_CHUNKS = 30;
/** Both tables and the ESP's first block. */
export const SEALED = [0, 2, 39];

/** The same in little: holes, data, the same places. */
export const SMALL: Made = {
  size: 48 * MIB,
  partitions: [
    { type: ESP, first: 9 * MIB, length: 4 * MIB },
    { type: LINUX, first: 16 * MIB, length: 24 * MIB },
  ],
  data: [
    { at: 9 * MIB, length: 4 * MIB, seed: 1 },
    { at: 16 * MIB, length: 13 * MIB, seed: 2 },
    { at: 37 * MIB + 512, length: 2 * MIB, seed: 3 },
  ],
};
export const SMALL_SEALED = [0, 2, 11];

/** A folder with a journal of its own. */
export class Desk {
  readonly dir = mkdtempSync(join(tmpdir(), 'vc-flash-'));
  readonly home = join(this.dir, 'home');
  readonly journal: Journal;

  constructor() {
    mkdirSync(this.home, { mode: 0o700 });
    this.journal = Journal.open(join(this.home, 'journal.db'));
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  file(name: string): FlashTarget {
    return { kind: 'file', path: this.path(name), name };
  }

  /** A raw image, and what of it qemu-img makes with these options. */
  raw(name: string, made: Made = DISK): string {
    writeDisk(this.path(name), made);
    return this.path(name);
  }

  qcow2(name: string, raw: string, ...options: string[]): string {
    execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', ...options, raw, this.path(name)]);
    return this.path(name);
  }

  /** Another copy, so that what is done to it concerns nobody else. */
  copyOf(name: string, from: string): string {
    const dir = this.path(name);
    mkdirSync(dir);
    copyFileSync(from, join(dir, basename(from)));
    return join(dir, basename(from));
  }

  async flash(image: string, target: FlashTarget, o: Partial<FlashOrder> = {}): Promise<FlashResult> {
    const laptop = { name: 'laptop', user: 'kim' };
    return flash(
      { home: this.home, journal: this.journal, laptop, version: 'test' },
      { image, target, launch: launchPlain(), signal: new AbortController().signal, ...o },
    );
  }

  close(): void {
    this.journal.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** The proof of a flash that has to have passed. */
export function proofOf(result: FlashResult) {
  if (result.state === 'verified') return result.proof;
  throw new Error(`${result.state}: ${result.error.code}: ${result.error.message}`, { cause: result.error });
}

/** How one that must not pass ended: its state and code. */
export const endOf = (result: FlashResult): string[] =>
  result.state === 'verified' ? ['verified'] : [result.state, result.error.code];

/** The real writer; `told` of each answer before the app is, with a way to kill it there and then. */
export function watched(told: (is: string, nth: number, kill: () => void) => void): Launch {
  return async (signal) => {
    const writer = await launchPlain()(signal);
    const stdout = new PassThrough();
    const decoder = new Decoder();
    const counts = new Map<string, number>();
    writer.stdout.on('data', (piece: Buffer) => {
      for (const { header } of decoder.push(piece)) {
        const is = String(header['is']);
        counts.set(is, (counts.get(is) ?? 0) + 1);
        told(is, counts.get(is) ?? 0, () => writer.kill());
      }
      stdout.write(piece);
    });
    return { ...writer, stdout };
  };
}

/** One chunk of a file or device. */
export function chunkOf(path: string, chunk: number): Buffer {
  const bytes = Buffer.alloc(CHUNK_BYTES);
  const fd = openSync(path, 'r');
  const n = readSync(fd, bytes, 0, CHUNK_BYTES, chunk * CHUNK_BYTES);
  closeSync(fd);
  return bytes.subarray(0, n);
}

/** Sealed chunks that have something in them: none, as long as it must not start. */
export const startingChunks = (path: string, sealed = SEALED): number[] =>
  sealed.filter((chunk) => chunkOf(path, chunk).some((byte) => byte !== 0));

/** As memory: a difference of two large files is not to be printed. */
export const sameBytes = (a: string, b: string): boolean => readFileSync(a).equals(readFileSync(b));
