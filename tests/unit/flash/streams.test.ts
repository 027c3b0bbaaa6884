/** Raw images, plain and compressed as a whole by the ordinary tools: the same chunks, and named errors for what is broken. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../preload/contract/errors.ts';
import { openImage } from '../../../main/services/flash/source/open.ts';
import { refusalsOf } from '../../../main/services/flash/source/types.ts';
import { FrameWalker } from '../../../main/services/flash/source/zstd-frames.ts';
import { bytesOf, folder, noise, random } from './images.ts';

const dir = folder();
const file = (name: string): string => join(dir, name);
const MIB = 1024 * 1024;

/** 10 MiB and a sector: data, a hole of more than a chunk, data to the end.  */
const DISK = Buffer.concat([noise(7, MIB / 2), Buffer.alloc(9 * MIB), noise(8, MIB / 2 + 512)]);
DISK.writeUInt16BE(0x55aa, 510);
writeFileSync(file('disk.raw'), DISK);
const SAID = ['data', 'hole', 'data'];

const tool = (name: string, ...args: string[]): Buffer =>
  execFileSync(name, args, { maxBuffer: 64 * MIB, stdio: ['ignore', 'pipe', 'pipe'] });
const RAW = file('disk.raw');
const ZST = tool('zstd', '-qc', '--check', RAW);
const GZ = gzipSync(DISK, { level: 1 });
const XZ = tool('xz', '-c', '-0', RAW);

const put = (name: string, bytes: Buffer): string => {
  writeFileSync(file(name), bytes);
  return file(name);
};
const refusal = async (path: string, virtualSize: number | null = null): Promise<AppError> => {
  const error: unknown = await bytesOf(path, virtualSize).then(
    () => null,
    (e: unknown) => e,
  );
  expect(error, 'it was taken').toBeInstanceOf(AppError);
  return error as AppError;
};
const flipped = (bytes: Buffer, at: number): Buffer => {
  const bad = Buffer.from(bytes);
  bad[at] = (bad[at] ?? 0) ^ 0x10;
  return bad;
};

describe('an image', () => {
  it('raw: any chunk in any order', async () => {
    const source = await openImage(RAW, DISK.length);
    if (source.access !== 'random') throw new Error(source.kind);
    expect(source.kind).toBe('raw');
    const into = Buffer.alloc(4 * MIB, 1);
    expect(await source.read(2, into)).toBe('data');
    expect(into.subarray(0, 2 * MIB + 512).equals(DISK.subarray(8 * MIB))).toBe(true);
    expect(await source.read(1, into)).toBe('hole');
    expect(into.equals(Buffer.alloc(4 * MIB))).toBe(true);
    expect(await source.stored(0)).toBeNull();
    await source.close();
  });

  it.each([
    ['raw', 'plain', DISK],
    ['raw.zst', 'with a check', ZST],
    ['raw.zst', 'without', tool('zstd', '-qc', '--no-check', RAW)],
    ['raw.zst', 'at level 19', tool('zstd', '-qc', '-19', '-T1', RAW)],
    ['raw.zst', 'without its size', execFileSync('zstd', ['-qc'], { input: DISK, maxBuffer: 64 * MIB })],
    [
      'raw.zst',
      'of many frames, some empty and some to be skipped',
      Buffer.concat([
        Buffer.from('502a4d180300000001020304', 'hex').subarray(0, 11),
        ...[...Array(11).keys()].flatMap((i) => [
          execFileSync('zstd', ['-qc', i % 2 ? '--check' : '--no-check'], {
            input: DISK.subarray(i * MIB, (i + 1) * MIB),
            maxBuffer: 64 * MIB,
          }),
          execFileSync('zstd', ['-qc'], { input: '' }),
          Buffer.from('5f2a4d1800000000', 'hex'),
        ]),
      ]),
    ],
    ['raw.gz', 'of one member', GZ],
    [
      'raw.gz',
      'of two',
      Buffer.concat([gzipSync(DISK.subarray(0, 5 * MIB)), gzipSync(DISK.subarray(5 * MIB))]),
    ],
    ['raw.xz', 'of one block', XZ],
    ['raw.xz', 'of many blocks', tool('xz', '-c', '-0', '--block-size=1MiB', RAW)],
    ['raw.xz', 'at level 9', tool('xz', '-c', '-9', RAW)],
    ['raw.xz', 'with crc32', tool('xz', '-c', '-0', '-Ccrc32', RAW)],
  ] as const)('%s %s: bytes and holes', async (kind, _how, bytes) => {
    const path = put('whole', bytes);
    const source = await openImage(path);
    expect(source.kind).toBe(kind);
    await source.close();
    for (const virtualSize of [null, DISK.length]) {
      const { bytes: found, told } = await bytesOf(path, virtualSize);
      expect(found.equals(DISK)).toBe(true);
      expect(told.map((t) => t.split(' ').at(-1))).toEqual(SAID);
    }
  });

  it.each([
    ['raw.zst', ZST],
    ['raw.gz', GZ],
    ['raw.xz', XZ],
  ] as const)('%s cut off anywhere is not whole, never an image', async (_kind, bytes) => {
    const next = random(bytes.length);
    const cuts = [
      20,
      bytes.length - 1,
      bytes.length - 5,
      ...[1, 2, 3].map(() => 24 + next(bytes.length - 24)),
    ];
    for (const cut of cuts)
      expect(await refusal(put('cut', bytes.subarray(0, cut))), `at ${cut}`).toMatchObject({
        code: 'image_truncated',
      });
  });

  it.each([
    ['raw.zst', ZST],
    ['raw.gz', GZ],
    ['raw.xz', XZ],
  ] as const)('%s with a flipped bit is damaged, never other bytes', async (_kind, bytes) => {
    const next = random(bytes.length + 1);
    for (const at of [1, 2, 3, 4].map(() => 100 + next(bytes.length - 200)))
      expect((await refusal(put('flip', flipped(bytes, at)))).code, `at ${at}`).toMatch(
        /^image_(corrupt|truncated)$/,
      );
  });

  it('that is whole again can be read after a broken one, and after one that was left', async () => {
    for (const bytes of [ZST, GZ, XZ]) {
      await refusal(put('broken', bytes.subarray(0, 5000)));
      const left = await openImage(put('whole', bytes));
      if (left.access !== 'forward') throw new Error(left.kind);
      await left.next(Buffer.alloc(4 * MIB));
      await left.close();
      expect((await bytesOf(file('whole'))).bytes.equals(DISK)).toBe(true);
    }
  });

  const named = (hex: string): Buffer => Buffer.concat([Buffer.from(hex, 'hex'), noise(3, 64 * 1024)]);
  it.each([
    ['missing', null, 'image_missing', /no image/],
    ['empty', Buffer.alloc(0), 'image_truncated', /empty/],
    ['VMDK', named('4b444d56'), 'image_not_supported', /VMDK/],
    ['VHDX', named(Buffer.from('vhdxfile').toString('hex')), 'image_not_supported', /VHDX/],
    ['zip', named('504b0304'), 'image_not_supported', /zip/],
    ['bzip2', named('425a68'), 'image_not_supported', /bzip2/],
    ['text', Buffer.from('%PDF-1.7 '.repeat(9000)), 'image_not_supported', /neither a partition table/],
    ['zeros', Buffer.alloc(MIB), 'image_not_supported', /neither a partition table/],
    ['half a sector', DISK.subarray(0, 5 * MIB + 100), 'image_truncated', /whole number of sectors/],
    ['text in gzip', gzipSync(Buffer.alloc(MIB, 'text')), 'image_not_supported', /neither a partition/],
    ['qcow2 in gzip', gzipSync(named('514649fb00000003')), 'image_not_supported', /qcow2 inside/],
    ['nothing in gzip', gzipSync(''), 'image_truncated', /nothing comes out/],
    ['half a sector in gzip', gzipSync(DISK.subarray(0, 1000)), 'image_truncated', /whole number/],
    ['zstd and something', Buffer.concat([ZST, Buffer.from('something')]), 'image_corrupt', /zstd/],
    [
      'xz and something',
      Buffer.concat([XZ, Buffer.from('something else')]),
      'image_corrupt|image_truncated',
      /./,
    ],
    [
      'a window of 128 MiB',
      Buffer.from('28b52ffd0488000000', 'hex'),
      'image_not_supported',
      /128 MiB of memory/,
    ],
    ['a window of 3.75 TiB', Buffer.from('28b52ffd04ff000000', 'hex'), 'image_not_supported', /of memory/],
    [
      'a size of 2^64',
      Buffer.from(`28b52ffde4${'ff'.repeat(8)}000000`, 'hex'),
      'image_not_supported',
      /of memory/,
    ],
    ['a zstd dictionary', Buffer.from('28b52ffd2107000100', 'hex'), 'image_not_supported', /dictionary/],
    ['a sha256 check of xz', tool('xz', '-c', '-0', '-Csha256', RAW), 'image_not_supported', /rare option/],
  ] as const)('%s: refused by name', async (name, bytes, code, words) => {
    const error = await refusal(bytes ? put('bad', bytes) : file(name));
    expect(error.code).toMatch(new RegExp(`^(${code})$`));
    expect(error.message).toMatch(words);
  });

  it('that is a folder: refused', async () => {
    mkdirSync(file('folder'));
    expect(await refusal(file('folder'))).toMatchObject({ code: 'image_not_supported' });
  });

  it.each([DISK, ZST, GZ, XZ].map((bytes) => [bytes]))(
    'of another size than its manifest says: refused',
    async (bytes) => {
      const path = put('other', bytes);
      expect(await refusal(path, DISK.length + 512)).toMatchObject({ code: 'image_truncated' });
      expect(await refusal(path, DISK.length - 512)).toMatchObject({ code: 'image_corrupt' });
    },
  );
});

describe('the frames of zstd', () => {
  it('end where they end, whatever pieces they come in', () => {
    const stream = Buffer.concat([ZST, Buffer.from('5f2a4d180200000007', 'hex'), Buffer.from([7]), ZST]);
    const ends = [ZST.length, ZST.length + 10, stream.length];
    for (const size of [1, 7, 4096, stream.length]) {
      const walker = new FrameWalker(refusalsOf('stream'));
      const found: number[] = [];
      for (let from = 0; from < stream.length; from += size) {
        const piece = stream.subarray(from, from + size);
        for (let at = 0; at < piece.length;) {
          const step = walker.advance(piece, at);
          at = step.at;
          if (step.ended) found.push(from + at);
          if (walker.between !== step.ended) throw new Error(`at ${from + at} of pieces of ${size}`);
        }
      }
      expect(found).toEqual(ends);
    }
  });
});
