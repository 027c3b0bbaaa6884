/** Images for tests: by hand, and by QEMU's own tools. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll } from 'vitest';
import { openImage } from '../../../main/services/flash/source/open.ts';
import { CHUNK_BYTES, type ImageSource } from '../../../main/services/flash/source/types.ts';

const exec = promisify(execFile);

export const hasQemu = (() => {
  try {
    execFileSync('qemu-img', ['--version']);
    return true;
  } catch {
    return false;
  }
})();

/** A folder for the tests of one file. */
export function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'vc-image-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export const qemu = async (...args: string[]): Promise<string> =>
  (await exec('qemu-img', args, { timeout: 20_000, maxBuffer: 64 * 1024 * 1024 })).stdout;

/** Several commands on one open image. */
export async function qemuIo(path: string, commands: readonly string[]): Promise<void> {
  await exec('qemu-io', ['-f', 'qcow2', ...commands.flatMap((c) => ['-c', c]), path], { timeout: 20_000 });
}

/** Numbers from 0 to below n, the same for the same seed (mulberry32). */
export function random(seed: number): (n: number) => number {
  let a = seed;
  return (n) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}

/** Bytes that neither compress nor repeat. */
export function noise(seed: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const next = random(seed);
  for (let at = 0; at < length; at += 4) bytes.writeInt32LE(next(2 ** 32) | 0, at);
  return bytes;
}

/** Node's types know the name only. Its memory is aligned to pages, as writing past the cache wants it. */
const { Memory } = (
  globalThis as unknown as {
    WebAssembly: { Memory: new (options: { initial: number }) => { buffer: ArrayBuffer } };
  }
).WebAssembly;

export interface Whole {
  bytes: Buffer;
  /** What the source said of each chunk before and when reading it. */
  told: string[];
}

/** All bytes of an image, read into memory that was full of something else. */
export async function readAll(source: ImageSource): Promise<Whole> {
  const memory = Buffer.from(new Memory({ initial: CHUNK_BYTES / 65536 }).buffer);
  const parts: Buffer[] = [];
  const told: string[] = [];
  const take = (index: number, length: number, what: string): void => {
    if (index !== parts.length) throw new Error(`chunk ${index} came after ${parts.length - 1}`);
    parts.push(Buffer.from(memory.subarray(0, length)));
    told.push(what);
  };
  if (source.access === 'random') {
    for (const { index, length, state } of source.chunks()) {
      memory.fill(0xa5);
      take(index, length, `${state} ${await source.read(index, memory)}`);
    }
  } else {
    for (;;) {
      memory.fill(0xa5);
      const chunk = await source.next(memory);
      if (!chunk) break;
      take(chunk.index, chunk.length, chunk.state);
    }
  }
  return { bytes: Buffer.concat(parts), told };
}

/** Opens, reads and closes. */
export async function bytesOf(path: string, virtualSize: number | null = null): Promise<Whole> {
  const source = await openImage(path, virtualSize);
  try {
    return await readAll(source);
  } finally {
    await source.close();
  }
}

export const CLUSTER = 65536;

/** A whole version 3 image of 1 MiB by hand: header, L1, L2 and one cluster of 0x11 at the disk's beginning. */
export function handMade(): Buffer {
  const image = Buffer.alloc(4 * CLUSTER);
  image.write('QFI\xfb', 'latin1');
  image.writeUInt32BE(3, 4);
  image.writeUInt32BE(16, 20);
  image.writeBigUInt64BE(1048576n, 24);
  image.writeUInt32BE(1, 36);
  image.writeBigUInt64BE(BigInt(CLUSTER), 40);
  image.writeUInt32BE(4, 96);
  image.writeUInt32BE(104, 100);
  image.writeBigUInt64BE((1n << 63n) | BigInt(2 * CLUSTER), CLUSTER);
  image.writeBigUInt64BE((1n << 63n) | BigInt(3 * CLUSTER), 2 * CLUSTER);
  image.fill(0x11, 3 * CLUSTER);
  return image;
}
