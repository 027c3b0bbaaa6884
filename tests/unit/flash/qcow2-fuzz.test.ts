/**
 * The reader against `qemu-img convert -O raw`: on whole images of many kinds all bytes and holes are the same; on images with
 * flipped bits in header and tables it never gives what QEMU would not give.
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../preload/contract/errors.ts';
import { packChunk } from '../../../main/services/flash/packed.ts';
import { inflateCluster } from '../../../main/services/flash/source/decompress.ts';
import { openImage } from '../../../main/services/flash/source/open.ts';
import {
  CHUNK_BYTES,
  type RandomSource,
  isZero,
  refusalsOf,
} from '../../../main/services/flash/source/types.ts';
import { bytesOf, folder, hasQemu, noise, qemu, qemuIo, random, readAll } from './images.ts';

const dir = folder();
const MIB = 1024 * 1024;
const file = (name: string): string => join(dir, name);

interface Kind {
  options: string;
  /** Bytes of a cluster. */
  cluster: number;
  /** `-c`: what is written may be compressed clusters. */
  packed?: boolean;
  /** Made by qemu-img convert -c of another image. */
  converted?: boolean;
}

const KINDS: readonly Kind[] = [
  { options: 'compat=0.10', cluster: 65536 },
  { options: 'compat=0.10,cluster_size=512', cluster: 512 },
  { options: 'compat=0.10', cluster: 65536, packed: true },
  { options: 'compat=1.1', cluster: 65536 },
  { options: 'compat=1.1,cluster_size=512', cluster: 512, packed: true },
  { options: 'compat=1.1,cluster_size=4096', cluster: 4096, packed: true },
  { options: 'compat=1.1,cluster_size=2M', cluster: 2 * MIB, packed: true },
  { options: 'compat=1.1,compression_type=zlib', cluster: 65536, packed: true },
  { options: 'compat=1.1,compression_type=zstd', cluster: 65536, packed: true },
  { options: 'compat=1.1,compression_type=zstd,cluster_size=4096', cluster: 4096, packed: true },
  { options: 'compat=1.1,compression_type=zstd,cluster_size=1M', cluster: MIB, packed: true },
  { options: 'compat=1.1,compression_type=zlib', cluster: 65536, converted: true },
  { options: 'compat=1.1,compression_type=zstd', cluster: 65536, converted: true },
  { options: 'compat=0.10,cluster_size=2M', cluster: 2 * MIB, converted: true },
  { options: 'compat=1.1,preallocation=metadata', cluster: 65536 },
  { options: 'compat=1.1,preallocation=falloc', cluster: 65536 },
  { options: 'compat=1.1,preallocation=full', cluster: 65536 },
  { options: 'compat=1.1,lazy_refcounts=on,refcount_bits=1', cluster: 65536 },
  { options: 'compat=1.1,extended_l2=on', cluster: 65536, packed: true },
  {
    options: 'compat=1.1,extended_l2=on,cluster_size=128k,compression_type=zstd',
    cluster: 131072,
    packed: true,
  },
  { options: 'compat=1.1,extended_l2=on,cluster_size=16k,preallocation=metadata', cluster: 16384 },
];

/** An image whose disk has no whole number of chunks or clusters, written in many ways, some of them over each other. */
async function make(seed: number, { options, cluster, packed, converted }: Kind): Promise<string> {
  const next = random(seed);
  const path = file(`${seed}.qcow2`);
  const size = (10 + next(10)) * MIB + next(2048) * 512;
  await qemu('create', '-q', '-f', 'qcow2', '-o', converted ? 'compat=1.1' : options, path, String(size));
  // Compressed ones first: QEMU does not write them over others.
  const first = new Map<number, string>();
  const commands: string[] = [];
  const noisePath = file('noise');
  writeFileSync(noisePath, noise(seed, 256 * 1024));
  for (let n = 0; n < 40; n += 1) {
    const at = next(size / 512 - 1) * 512;
    const length = Math.min(size - at, 512 * (1 + next(n % 5 === 0 ? 3000 : 300)));
    const whole = Math.floor(at / cluster) * cluster;
    switch (next(6)) {
      case 0:
        commands.push(`write -q -z ${at} ${length}`);
        break;
      case 1:
        commands.push(`write -q -s ${noisePath} ${at} ${length}`);
        break;
      case 2:
        commands.push(`discard -q ${at} ${length}`);
        break;
      case 3:
        if (packed && whole + cluster <= size)
          first.set(whole, `write -q -c -P ${1 + next(250)} ${whole} ${cluster}`);
        break;
      default:
        commands.push(`write -q -P ${next(256)} ${at} ${length}`);
    }
  }
  await qemuIo(path, [...first.values(), ...commands]);
  if (!converted) return path;
  const made = file(`${seed}-c.qcow2`);
  await qemu('convert', '-q', '-c', '-O', 'qcow2', '-o', options, path, made);
  return made;
}

/** Unpacks what is stored of a chunk, as a sender's other end would. */
async function unpack(source: RandomSource, index: number, path: string): Promise<Buffer | null> {
  const stored = await source.stored(index);
  if (!stored) return null;
  const image = readFileSync(path);
  const start = index * CHUNK_BYTES;
  const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, source.virtualSize - start));
  const info = JSON.parse(await qemu('info', '--output=json', path)) as { 'cluster-size': number };
  for (const { offset, fileOffset, storedLength, length, algorithm } of stored) {
    const whole = Buffer.alloc(info['cluster-size']);
    const stays = image.subarray(fileOffset, fileOffset + storedLength);
    if (algorithm === 'none') stays.copy(chunk, offset - start);
    else {
      inflateCluster(stays, algorithm, whole, refusalsOf(path));
      whole.copy(chunk, offset - start, 0, length);
    }
  }
  return chunk;
}

/** What the other end makes of a chunk that is sent as it is stored. */
async function received(source: RandomSource, index: number, clusterSize: number): Promise<Buffer | null> {
  const packed = await packChunk(source, index, Buffer.alloc(CHUNK_BYTES));
  if (!packed) return null;
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (const [at, length, from, bytes] of packed.parts) {
    const there = Buffer.from(packed.bytes.subarray(from, from + (bytes || length)));
    expect(there.length).toBe(bytes || length);
    if (bytes === 0) there.copy(chunk, at);
    else {
      const whole = Buffer.alloc(clusterSize);
      inflateCluster(there, 'zstd', whole, refusalsOf(source.path));
      whole.copy(chunk, at, 0, length);
    }
  }
  return chunk;
}

interface Extent {
  start: number;
  length: number;
  present: boolean;
  zero: boolean;
}

describe.skipIf(!hasQemu)('a qcow2 image of QEMU', () => {
  it.each(
    KINDS.map(
      (kind, i) => [`${kind.options}${kind.packed || kind.converted ? ' -c' : ''}`, kind, 1000 + i] as const,
    ),
  )('%s: the same bytes and holes', async (_name, kind, seed) => {
    const path = await make(seed, kind);
    const rawPath = file(`${seed}.raw`);
    await qemu('convert', '-O', 'raw', path, rawPath);
    const raw = readFileSync(rawPath);
    const extents = JSON.parse(await qemu('map', '--output=json', path)) as Extent[];
    const source = await openImage(path);
    if (source.access !== 'random') throw new Error(source.kind);
    expect({ kind: source.kind, size: source.virtualSize }).toEqual({ kind: 'qcow2', size: raw.length });
    const { bytes, told } = await readAll(source);
    expect(bytes.equals(raw)).toBe(true);
    let storedChunks = 0;
    let sentChunks = 0;
    const info = JSON.parse(await qemu('info', '--output=json', path)) as { 'cluster-size': number };
    for (const [index, said] of told.entries()) {
      const [from, to] = [index * CHUNK_BYTES, Math.min((index + 1) * CHUNK_BYTES, raw.length)];
      const zeros = isZero(raw.subarray(from, to));
      // Nothing is read of what QEMU knows to be zeros without reading.
      const hole = extents.every((e) => e.zero || e.start >= to || e.start + e.length <= from);
      expect(said).toBe(`${hole ? 'hole' : 'data'} ${zeros ? 'hole' : 'data'}`);
      const sent = await received(source, index, info['cluster-size']);
      if (sent) {
        sentChunks += 1;
        expect(sent.equals(raw.subarray(from, to))).toBe(true);
      }
      const unpacked = await unpack(source, index, path);
      if (!unpacked) continue;
      storedChunks += 1;
      expect(unpacked.equals(raw.subarray(from, to))).toBe(true);
    }
    if (kind.converted) expect(storedChunks).toBeGreaterThan(0);
    // Whether one is smaller so is chance; with deflate none is sent.
    if (!kind.options.includes('zstd')) expect(sentChunks).toBe(0);
    else if (kind.converted) expect(sentChunks).toBeGreaterThan(0);
    await source.close();
  });

  /** Where the tables are: most of a flip elsewhere is in data. */
  function tablesOf(image: Buffer): [number, number][] {
    const clusterSize = 2 ** image.readUInt32BE(20);
    const l1 = Number(image.readBigUInt64BE(40));
    const l1Size = image.readUInt32BE(36);
    const l2 = [...Array(l1Size).keys()].map((i) =>
      Number(image.readBigUInt64BE(l1 + 8 * i) & 0xfffffffffffe00n),
    );
    return [
      [0, 120],
      [l1, l1Size * 8],
      ...l2.filter(Boolean).map((at): [number, number] => [at, Math.min(clusterSize, 512)]),
    ];
  }

  const seen = { refused: 0, same: 0, asQemu: 0 };
  it.each([
    ['compat=0.10', 1],
    ['compat=1.1,cluster_size=4096', 2],
    ['compat=1.1,compression_type=zstd', 3],
    ['compat=1.1,extended_l2=on', 4],
  ])(
    '%s with flipped bits: refused by name, or read as QEMU reads it',
    { timeout: 60_000 },
    async (options, seed) => {
      const path = file(`flip-${seed}.qcow2`);
      const rawPath = file(`flip-${seed}.raw`);
      await qemu('create', '-q', '-f', 'qcow2', '-o', options, path, '1M');
      await qemuIo(path, [
        'write -q -P 1 0 128k',
        'write -q -c -P 2 256k 64k',
        'write -q -c -P 3 384k 64k',
        'write -q -P 4 640k 4k',
        ...(options.includes('0.10') ? [] : ['write -q -z 768k 64k']),
      ]);
      const good = readFileSync(path);
      const { bytes: whole } = await bytesOf(path);
      const places = tablesOf(good);
      const next = random(seed);
      for (let n = 0; n < 150; n += 1) {
        const bad = Buffer.from(good);
        const flips: string[] = [];
        for (let k = 0; k < 1 + next(2); k += 1) {
          const [from, length] = places[n % 3 === 0 ? 0 : next(places.length)] ?? [0, 120];
          const at = from + next(length);
          // Reference counts are no business of a reader; QEMU minds them when it opens an image.
          if (at >= 48 && at < 60) continue;
          const bit = next(8);
          bad[at] = (bad[at] ?? 0) ^ (1 << bit);
          flips.push(`${at}:${bit}`);
        }
        // Without its magic it is another kind of file.
        if (bad.subarray(0, 4).compare(good, 0, 4) !== 0) continue;
        writeFileSync(path, bad);
        let found: Buffer;
        try {
          found = (await bytesOf(path)).bytes;
        } catch (error) {
          expect(error, flips.join()).toBeInstanceOf(AppError);
          expect((error as AppError).code, flips.join()).toMatch(/^image_(corrupt|truncated|not_supported)$/);
          seen.refused += 1;
          continue;
        }
        if (found.equals(whole)) {
          seen.same += 1;
          continue;
        }
        // Other bytes than before: only if they are what QEMU makes of this file.
        await qemu('convert', '-f', 'qcow2', '-O', 'raw', path, rawPath);
        const same = statSync(rawPath).size === found.length && readFileSync(rawPath).equals(found);
        expect(same, `flipped ${flips.join()}`).toBe(true);
        seen.asQemu += 1;
      }
    },
  );

  it('with flipped bits: all three happened, or the flips did not go where they should', () => {
    expect(seen.refused).toBeGreaterThan(80);
    expect(seen.same).toBeGreaterThan(50);
    expect(seen.asQemu).toBeGreaterThan(5);
  });
});
