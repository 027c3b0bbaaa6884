/** What of a chunk is sent where the other end puts it together; clusters as QEMU stores them: qcow2-fuzz.test.ts. */
import { describe, expect, it } from 'vitest';
import { withoutZeros } from '../../../main/services/flash/packed.ts';
import { CHUNK_BYTES } from '../../../main/services/flash/source/types.ts';

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
