/** Tags that are taken before anything is written: of what a target may have already, and never in anybody's way. */
import { describe, expect, it } from 'vitest';
import { TagsAhead } from '../../../main/services/flash/ahead.ts';
import type { FlashImage } from '../../../main/services/flash/image.ts';
import type { ChunkRecord } from '../../../main/services/flash/record.ts';
import { CHUNK_BYTES } from '../../../main/services/flash/source/types.ts';
import { newKey, tagOf, type ChunkHash } from '../../../main/services/flash/tags.ts';

const SIZE = 6 * CHUNK_BYTES + 512;
const TAG = 'a'.repeat(32);

/** An image whose chunks are filled with their numbers; `read` is told of each that is read, and may throw. */
const imageOf = (read: (chunk: number) => void | Promise<void>, holes: readonly number[] = []): FlashImage =>
  ({
    virtualSize: SIZE,
    random: {
      read: async (chunk: number, into: Uint8Array) => {
        await read(chunk);
        into.fill(chunk);
        return holes.includes(chunk) ? 'hole' : 'data';
      },
    },
  }) as unknown as FlashImage;
const recordOf = (key: string | null, believed: [number, ChunkHash][]): ChunkRecord =>
  ({ key, believed: new Map(believed) }) as unknown as ChunkRecord;

/** Resolves when all of it was taken. */
async function all(ahead: TagsAhead, chunks: readonly number[]): Promise<void> {
  while (chunks.some((chunk) => ahead.of(chunk) === undefined)) await new Promise(setImmediate);
}

describe('tags of chunks before a flash', () => {
  it('are those of what the target may have, the last of an odd length among them', async () => {
    const key = newKey();
    const seen: number[] = [];
    const believed: [number, ChunkHash][] = [
      [6, TAG],
      [2, TAG],
      [3, null],
      [4, 'b'.repeat(64)],
      [5, TAG],
    ];
    const image = imageOf((chunk) => void seen.push(chunk), [5]);
    const ahead = new TagsAhead(image, recordOf(key, believed));
    await all(ahead, [2, 6]);
    await ahead.stop();
    expect(ahead.of(2)).toBe(tagOf(key, 2, Buffer.alloc(CHUNK_BYTES, 2)));
    expect(ahead.of(6)).toBe(tagOf(key, 6, Buffer.alloc(512, 6)));
    // Of a hole, of zeros, of a hash of another kind and of what is not known there is nothing.
    expect([5, 3, 4, 1].map((chunk) => ahead.of(chunk))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(seen.toSorted()).toEqual([2, 5, 6]);
  });

  it('are no more taken once nobody wants them, and what is being read is waited for', async () => {
    let reading = 0;
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const image = imageOf(async () => {
      reading += 1;
      await gate;
    });
    const ahead = new TagsAhead(
      image,
      recordOf(
        newKey(),
        Array.from({ length: 7 }, (_, n) => [n, TAG]),
      ),
    );
    await new Promise(setImmediate);
    let stopped = false;
    const end = ahead.stop().then(() => (stopped = true));
    await new Promise(setImmediate);
    expect([reading, stopped]).toEqual([2, false]);
    go();
    await end;
    expect(reading).toBe(2);
  });

  it('are left to the flash where the image cannot be read, or there is no key', async () => {
    const key = newKey();
    const broken = imageOf((chunk) => {
      if (chunk === 1) throw new Error('the cable is gone');
    });
    const ahead = new TagsAhead(
      broken,
      recordOf(key, [
        [0, TAG],
        [1, TAG],
      ]),
    );
    await all(ahead, [0]);
    await expect(ahead.stop()).resolves.toBeUndefined();
    expect(ahead.of(1)).toBeUndefined();
    const keyless = new TagsAhead(
      imageOf(() => {
        throw new Error('nobody may read');
      }),
      recordOf(null, [[0, TAG]]),
    );
    await expect(keyless.stop()).resolves.toBeUndefined();
  });
});
