/** What of a chunk is sent where the other end puts it together; clusters as QEMU stores them: qcow2-fuzz.test.ts. */
import { describe, expect, it } from 'vitest';
import { whatDiffers, withoutZeros } from '../../../main/services/flash/packed.ts';
import { CHUNK_BYTES } from '../../../main/services/flash/source/types.ts';
import { tagOf } from '../../../main/services/flash/tags.ts';

const BLOCK = 64 * 1024;

/** The chunk that the other end makes of it. */
function received(length: number, { pieces, parts }: NonNullable<ReturnType<typeof withoutZeros>>): Buffer {
  const payload = Buffer.concat(pieces);
  const chunk = Buffer.alloc(length);
  for (const [at, gives, from, packed] of parts) {
    expect(packed).toBe(0);
    payload.copy(chunk, at, from, from + gives);
  }
  return chunk;
}

describe('a chunk without its zeros', () => {
  it.each([
    ['its first bytes', [0, 17 * 1024]],
    ['its last byte', [CHUNK_BYTES - 1]],
    ['a byte at both sides of a block', [BLOCK - 1, BLOCK]],
    ['bytes here and there', [5, 3 * BLOCK, 40 * BLOCK + 7, 41 * BLOCK]],
  ])('is %s', (_name, places) => {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (const at of places) chunk[at] = 1 + (at % 255);
    const found = withoutZeros(chunk);
    if (!found) throw new Error('all of it is sent');
    expect(received(CHUNK_BYTES, found).equals(chunk)).toBe(true);
    const blocks = new Set(places.map((at) => Math.floor(at / BLOCK))).size;
    expect(Buffer.concat(found.pieces).length).toBe(blocks * BLOCK);
  });

  it('of an odd length ends where it ends', () => {
    const chunk = Buffer.alloc(2 * BLOCK + 512);
    chunk[chunk.length - 1] = 9;
    const found = withoutZeros(chunk);
    expect(found?.parts).toEqual([[2 * BLOCK, 512, 0, 0]]);
  });

  it('is sent as it is where there are none, or nothing else', () => {
    expect(withoutZeros(Buffer.alloc(CHUNK_BYTES, 1))).toBeNull();
    expect(withoutZeros(Buffer.alloc(CHUNK_BYTES))).toBeNull();
  });
});

describe('a chunk beside what a disk has of it', () => {
  const key = 'ab'.repeat(16);
  const macs = (chunk: Buffer) =>
    Array.from({ length: Math.ceil(chunk.length / BLOCK) }, (_, n) =>
      tagOf(key, 9, chunk.subarray(n * BLOCK, (n + 1) * BLOCK), n),
    );
  const random = Buffer.from(Array.from({ length: 5 * BLOCK + 512 }, (_, n) => (n * 2654435761) >>> 24));

  it('is the blocks that are others, its odd end among them', () => {
    const there = Buffer.from(random);
    for (const at of [BLOCK, 2 * BLOCK - 1, 2 * BLOCK, random.length - 1])
      there[at] = random.readUInt8(at) ^ 1;
    const found = whatDiffers(key, 9, random, macs(there));
    expect(found?.parts).toEqual([
      [BLOCK, 2 * BLOCK, 0, 0],
      [5 * BLOCK, 512, 2 * BLOCK, 0],
    ]);
    const laid = Buffer.from(there);
    for (const [n, [at]] of (found?.parts ?? []).entries()) laid.set(found?.pieces[n] ?? [], at);
    expect(laid.equals(random)).toBe(true);
  });

  it('is sent as it is where all is another, nothing is, or the disk says less than it should', () => {
    expect(whatDiffers(key, 9, random, macs(Buffer.alloc(random.length)))).toBeNull();
    expect(whatDiffers(key, 9, random, macs(random))).toBeNull();
    expect(whatDiffers(key, 9, random, [])).toBeNull();
    expect(whatDiffers(key, 9, random, macs(random).slice(0, 2))?.parts).toEqual([
      [2 * BLOCK, 3 * BLOCK + 512, 0, 0],
    ]);
  });
});
