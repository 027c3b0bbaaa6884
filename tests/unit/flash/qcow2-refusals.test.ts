/** What of a qcow2 image is refused, and by which words: each row changes one thing of a whole image made by hand. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../preload/contract/errors.ts';
import { openFile } from '../../../main/services/flash/source/file.ts';
import { openImage } from '../../../main/services/flash/source/open.ts';
import { qcow2Source } from '../../../main/services/flash/source/qcow2.ts';
import { CLUSTER, bytesOf, folder, handMade, hasQemu, qemu } from './images.ts';

const dir = folder();
const path = join(dir, 'image.qcow2');
const put = (image: Buffer): string => {
  writeFileSync(path, image);
  return path;
};
const refusal = async (image: Buffer): Promise<AppError> => {
  const error: unknown = await openImage(put(image)).then(
    async (source) => {
      await source.close();
      return null;
    },
    (e: unknown) => e,
  );
  expect(error, 'it was taken').toBeInstanceOf(AppError);
  return error as AppError;
};

type Change = (image: Buffer) => Buffer | void;
const u32 =
  (at: number, value: number): Change =>
  (image) =>
    void image.writeUInt32BE(value >>> 0, at);
const u64 =
  (at: number, value: bigint): Change =>
  (image) =>
    void image.writeBigUInt64BE(value, at);
const both =
  (...changes: Change[]): Change =>
  (image) => {
    for (const change of changes) change(image);
  };
const L1 = CLUSTER;
const L2 = 2 * CLUSTER;
const DATA = 3n * BigInt(CLUSTER);
const COPIED = 1n << 63n;
const PACKED = 1n << 62n;
const BIT = (n: number): Change => u32(76, 1 << n);

const ROWS: readonly (readonly [string, Change, string, RegExp])[] = [
  ['cut off in the header', (i) => i.subarray(0, 50), 'image_truncated', /ends in the header/],
  ['cut off in a header of version 3', (i) => i.subarray(0, 90), 'image_truncated', /ends in the header/],
  ['cut off before L1', (i) => i.subarray(0, L1), 'image_truncated', /L1 table ends/],
  ['cut off in L2', (i) => i.subarray(0, L2 + 8), 'image_truncated', /L2 table ends/],
  ['cut off in a cluster', (i) => i.subarray(0, i.length - 1), 'image_truncated', /a cluster ends/],
  ['version 1', u32(4, 1), 'image_not_supported', /qcow version 1/],
  ['version 4', u32(4, 4), 'image_not_supported', /qcow version 4/],
  ['clusters of 256 bytes', u32(20, 8), 'image_corrupt', /2\^8/],
  ['clusters of 4 MiB', u32(20, 22), 'image_corrupt', /2\^22/],
  ['clusters of 2^4294967295', u32(20, 0xffffffff), 'image_corrupt', /impossible/],
  ['no disk', u64(24, 0n), 'image_corrupt', /no bytes/],
  ['a disk of 2^64 - 1 bytes', u64(24, 2n ** 64n - 1n), 'image_not_supported', /are allowed/],
  ['a disk of 16 TiB and a sector', u64(24, 2n ** 44n + 512n), 'image_not_supported', /are allowed/],
  ['half a sector', u64(24, 1048576n + 256n), 'image_not_supported', /whole number of sectors/],
  [
    'a disk that its L1 is too small for',
    u64(24, 2n ** 30n),
    'image_corrupt',
    /L1 table has 1 entries, and the disk needs 2/,
  ],
  ['an L1 of 2^32 - 1 entries', u32(36, 0xffffffff), 'image_not_supported', /L1 table has 4294967295/],
  ['an L1 beyond the end', u64(40, 2n ** 40n), 'image_truncated', /L1 table ends/],
  ['an L1 at the very end of numbers', u64(40, 2n ** 64n - 65536n), 'image_truncated', /L1 table ends/],
  ['an L1 larger than the file', u32(36, 200_000), 'image_truncated', /L1 table ends/],
  ['an L1 in the header', u64(40, 0n), 'image_corrupt', /in the header/],
  ['an L1 in the middle of a cluster', u64(40, 65536n + 512n), 'image_corrupt', /middle of a cluster/],
  ['dirty', BIT(0), 'image_not_supported', /not closed in order/],
  ['corrupt', BIT(1), 'image_not_supported', /marked as corrupt/],
  ['an external data file', BIT(2), 'image_not_supported', /another file/],
  ['a compression bit without a type', BIT(3), 'image_corrupt', /contradicts/],
  [
    'a compression type without its bit',
    both(u32(100, 112), u32(104, 0x01000000)),
    'image_corrupt',
    /contradicts/,
  ],
  [
    'a compression type to come',
    both(BIT(3), u32(100, 112), u32(104, 0x02000000)),
    'image_not_supported',
    /type 2/,
  ],
  ['subclusters in small clusters', both(BIT(4), u32(20, 12)), 'image_corrupt', /too small for subclusters/],
  ['a feature to come', BIT(5), 'image_not_supported', /bit 5\)/],
  ['many features to come', both(u32(72, 1 << 31), BIT(31)), 'image_not_supported', /bit 31, 63\)/],
  ['a short header', u32(100, 96), 'image_corrupt', /header of 96/],
  ['a header of odd length', u32(100, 105), 'image_corrupt', /header of 105/],
  ['a header longer than its cluster', u32(100, 65544), 'image_corrupt', /longer than a cluster/],
  ['reference counts of 128 bits', u32(96, 7), 'image_corrupt', /reference counts/],
  ['AES', u32(32, 1), 'image_not_supported', /encrypted/],
  ['LUKS', u32(32, 2), 'image_not_supported', /encrypted/],
  ['LUKS by its extension', both(u32(104, 0x0537be77), u32(108, 16)), 'image_not_supported', /encrypted/],
  [
    'a data file by its extension',
    both(u32(104, 0x44415441), u32(108, 8)),
    'image_not_supported',
    /another file/,
  ],
  [
    'an extension beyond its cluster',
    both(u32(104, 0x6803f857), u32(108, 65536)),
    'image_corrupt',
    /extension/,
  ],
  ['snapshots', u32(60, 2), 'image_not_supported', /2 internal snapshots/],
  [
    'a backing file',
    both(u64(8, 1024n), u32(16, 8), (i) => void i.write('base.img', 1024)),
    'image_not_supported',
    /the backing file base\.img/,
  ],
  [
    'a backing file without a name',
    both(u64(8, 1024n), u32(16, 2000)),
    'image_corrupt',
    /name of its backing/,
  ],
  [
    'a backing file named out there',
    both(u64(8, 2n ** 50n), u32(16, 8)),
    'image_corrupt',
    /name of its backing/,
  ],
  ['an L2 in the header', u64(L1, COPIED | 512n), 'image_corrupt', /reserved bits|middle/],
  ['an L2 that is the L1', u64(L1, COPIED | BigInt(L1)), 'image_corrupt', /tables overlap/],
  ['an L2 beyond the end', u64(L1, COPIED | (1n << 40n)), 'image_truncated', /L2 table ends/],
  ['an L1 entry with reserved bits', u64(L1, COPIED | (1n << 60n) | BigInt(L2)), 'image_corrupt', /reserved/],
  [
    'one L2 twice',
    both(u32(36, 2), u64(24, 2n ** 30n), u64(L1 + 8, COPIED | BigInt(L2))),
    'image_corrupt',
    /tables overlap/,
  ],
  ['a cluster that is the L2', u64(L2, COPIED | BigInt(L2)), 'image_corrupt', /two things/],
  ['a cluster that is the L1', u64(L2, COPIED | BigInt(L1)), 'image_corrupt', /two things/],
  ['one cluster twice', u64(L2 + 8, COPIED | DATA), 'image_corrupt', /two things/],
  ['a cluster at 0', u64(L2, COPIED), 'image_corrupt', /header/],
  ['a cluster out of line', u64(L2, COPIED | (DATA + 512n)), 'image_corrupt', /middle of one/],
  ['a cluster beyond the end', u64(L2, COPIED | (DATA + 65536n)), 'image_truncated', /a cluster ends/],
  ['an L2 entry with reserved bits', u64(L2, COPIED | DATA | (1n << 57n)), 'image_corrupt', /reserved/],
  ['the zero bit in version 2', both(u32(4, 2), u64(L2, DATA | 1n)), 'image_corrupt', /another version/],
  ['a compressed cluster in the header', u64(L2, PACKED | 8n), 'image_corrupt', /header/],
  ['a compressed cluster in the L1', u64(L2, PACKED | BigInt(L1)), 'image_corrupt', /two things/],
  ['a compressed cluster in the L2', u64(L2, PACKED | BigInt(L2 + 4096)), 'image_corrupt', /two things/],
  ['a compressed cluster over a plain one', u64(L2 + 8, PACKED | DATA), 'image_corrupt', /two things/],
  [
    'a compressed cluster beyond the end',
    u64(L2, PACKED | (1n << 40n)),
    'image_truncated',
    /compressed cluster ends/,
  ],
  [
    'a compressed cluster over the end',
    u64(L2, PACKED | (5n << 54n) | (DATA + 65000n)),
    'image_truncated',
    /compressed/,
  ],
];

describe('a qcow2 image', () => {
  it('as the rows below begin with is taken, and read', async () => {
    const { bytes, told } = await bytesOf(put(handMade()));
    expect(told).toEqual(['data data']);
    const wanted = Buffer.concat([Buffer.alloc(CLUSTER, 0x11), Buffer.alloc(1048576 - CLUSTER)]);
    expect(bytes.equals(wanted)).toBe(true);
  });

  it.each(ROWS)('%s: refused', async (_name, change, code, words) => {
    const image = handMade();
    const error = await refusal(change(image) ?? image);
    expect({ code: error.code, message: error.message }).toEqual({
      code,
      message: expect.stringMatching(words),
    });
    expect(error.message).toContain(path);
    expect(`${error.message} ${error.nextAction}`).not.toMatch(/unknown\)|NaN|undefined/);
  });

  it('is refused before a byte of its data is read, in bounded memory', async () => {
    for (const [name, change] of ROWS) {
      const image = handMade();
      const file = await openFile(put(change(image) ?? image));
      const read: [number, number][] = [];
      const watched = {
        ...file,
        read: (into: Uint8Array, at: number) => {
          read.push([at, into.length]);
          return file.read(into, at);
        },
      };
      await qcow2Source(watched).then(
        () => expect.unreachable(name),
        () => undefined,
      );
      await file.close();
      // The first reading is for the header, whatever the size of clusters; no other goes where the data lie.
      for (const [at, length] of read.slice(1)) expect(at + length, name).toBeLessThanOrEqual(Number(DATA));
      expect(
        read.reduce((sum, [, length]) => sum + length, 0),
        name,
      ).toBeLessThan(4 * 1024 * 1024);
    }
  });

  it('whose data are cut off after the opening says so', async () => {
    const source = await openImage(put(handMade()));
    writeFileSync(path, handMade().subarray(0, Number(DATA) + 100));
    await expect(source.access === 'random' && source.read(0, Buffer.alloc(1048576))).rejects.toMatchObject({
      code: 'image_truncated',
    });
    await source.close();
  });

  it('may have compressed clusters in one place: neighbours share sectors, and QEMU reads what begins at one byte twice, too', async () => {
    // With a table of reference counts, which QEMU wants and does not look into for reading.
    const image = Buffer.concat([handMade(), Buffer.alloc(CLUSTER)]);
    both(u64(48, 4n * BigInt(CLUSTER)), u32(56, 1))(image);
    const one = deflateRawSync(Buffer.alloc(CLUSTER, 0x22), { windowBits: 12 });
    const other = deflateRawSync(Buffer.alloc(CLUSTER, 0x33), { windowBits: 12 });
    expect(one.length + other.length).toBeLessThan(512);
    Buffer.concat([one, other]).copy(image, Number(DATA));
    const at = [DATA, DATA + BigInt(one.length), DATA];
    both(...at.map((offset, k) => u64(L2 + 8 * k, PACKED | offset)))(image);
    const { bytes } = await bytesOf(put(image));
    const wanted = [0x22, 0x33, 0x22].map((byte) => Buffer.alloc(CLUSTER, byte));
    expect(bytes.subarray(0, 3 * CLUSTER).equals(Buffer.concat(wanted))).toBe(true);
    if (!hasQemu) return;
    await qemu('convert', '-O', 'raw', path, `${path}.raw`);
    expect(readFileSync(`${path}.raw`).equals(bytes)).toBe(true);
  });

  it.each(['deflate', 'zstd'])('with a broken cluster of %s says so when it is read', async (algorithm) => {
    const image = handMade();
    if (algorithm === 'zstd') both(BIT(3), u32(100, 112), u32(104, 0x01000000))(image);
    u64(L2, PACKED | (8n << 54n) | DATA)(image);
    const source = await openImage(put(image));
    await expect(source.access === 'random' && source.read(0, Buffer.alloc(1048576))).rejects.toMatchObject({
      code: 'image_corrupt',
    });
    await source.close();
  });
});
