/** The image that flashes in faults are about, and what a disk that was cut off in the middle of one may hold. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { CHUNK_BYTES } from '../../main/services/flash/source/types.ts';
import { ESP, LINUX, MIB, writeDisk, type Made } from '../unit/flash/partitions.ts';
import type { Random } from './random.ts';

export const SIZE = 128 * MIB;
export const CHUNKS = SIZE / CHUNK_BYTES;
/** Enough for a flush on the way; the first chunk holds more than its tables, the ESP begins in the middle of another. */
export const MADE: Made = {
  size: SIZE,
  partitions: [
    { type: LINUX, first: MIB, length: 8 * MIB },
    { type: ESP, first: 9 * MIB, length: 16 * MIB },
    { type: LINUX, first: 32 * MIB, length: 94 * MIB },
  ],
  data: [
    { at: MIB, length: 5 * MIB, seed: 1 },
    { at: 9 * MIB, length: 6 * MIB, seed: 2 },
    { at: 20 * MIB, length: 66 * MIB + 512, seed: 3 },
    { at: 110 * MIB + 4096, length: 10 * MIB, seed: 4 },
  ],
};
/** Both tables and the ESP's first block. */
export const SEALED = [0, 2, CHUNKS - 1];
/** Chunks with data that are not sealed. */
export const DATA_CHUNKS = 23;
/** Bytes that a sparse file of it takes at least: what is sealed, and what data lies elsewhere. */
export const NEEDED = SEALED.length * CHUNK_BYTES + 81 * MIB;

export type Kind = 'qcow2' | 'raw' | 'raw.zst';

/** The image as a file of this kind in the folder, and the bytes that qemu-img makes of it as another. */
export function makeImage(
  folder: string,
  kind: Kind,
  sector: 512 | 4096 = 512,
): { image: string; wanted: string } {
  const raw = `${folder}/made.raw`;
  writeDisk(raw, { ...MADE, sector });
  const image = `${folder}/disk.${kind}`;
  // What befalls the image must not befall what it is held against.
  if (kind === 'raw') {
    execFileSync('cp', ['--sparse=always', raw, image]);
    return { image, wanted: raw };
  }
  if (kind === 'raw.zst') {
    execFileSync('zstd', ['-q', '-1', raw, '-o', image], { stdio: 'pipe' });
    return { image, wanted: raw };
  }
  execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, image]);
  const wanted = `${folder}/wanted.raw`;
  execFileSync('qemu-img', ['convert', '-O', 'raw', image, wanted]);
  return { image, wanted };
}

/** Streams are rarer: they are unpacked twice, and most of the time is spent there. */
export const anyKind = (random: Random): Kind => random.pick(['qcow2', 'raw', 'qcow2', 'raw', 'raw.zst']);

/**
 * `before`: as it was, but that what starts it may be gone; `dead`: it starts nothing; `sealing`: all is there but what starts it; `whole`:
 * every byte is the image's.
 */
export type Standing = 'before' | 'dead' | 'sealing' | 'whole';

/**
 * Judges a disk that had the byte `old` all over before. Rejects one that could start a machine without being the whole image, and one
 * that has partition tables of the image while something of it is missing.
 */
export function standingOf(disk: string, wanted: string, old: number): Standing {
  const [is, due] = [readFileSync(disk), readFileSync(wanted)];
  assert.equal(is.length, due.length, 'the disk has another size');
  if (is.equals(due)) return 'whole';
  const part = (bytes: Buffer, chunk: number): Buffer =>
    bytes.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES);
  const filled = (chunk: number, byte: number): boolean =>
    part(is, chunk).equals(Buffer.alloc(CHUNK_BYTES, byte));
  const others = Array.from({ length: CHUNKS }, (_, chunk) => chunk).filter((c) => !SEALED.includes(c));
  const ofOld = (bytes: Buffer): boolean => bytes.every((byte) => byte === old || byte === 0);
  if (old !== 0 && others.every((chunk) => filled(chunk, old))) {
    for (const chunk of SEALED) assert(ofOld(part(is, chunk)), `chunk ${chunk} is sealed before all others`);
    return 'before';
  }
  assert(filled(0, 0), 'a disk that is not whole has something in its first chunk');
  if (SEALED.every((chunk) => filled(chunk, 0))) return 'dead';
  for (const chunk of others)
    assert(part(is, chunk).equals(part(due, chunk)), `chunk ${chunk} is missing behind the seal`);
  return 'sealing';
}
