/** A chunk as its image stores it, made ready to be sent: so what is compressed goes over a cable as it is, and is unpacked by who writes it. */
import { CHUNK_BYTES, chunkAt, isZero, type RandomSource } from './source/types.ts';
import { tagOf } from './tags.ts';
import { BLOCK_BYTES, type Part } from './wire.ts';

export interface Packed {
  /** The beginning of the memory that was given. */
  bytes: Uint8Array;
  /** In order; what none covers is zeros. */
  parts: Part[];
}

/**
 * Null where it is to be sent as it is: none of it is compressed, or by another algorithm than zstd, or it is not smaller so. `into` has room
 * for a chunk. What lies there nobody has looked at. Errors as for `read`.
 */
export async function packChunk(
  source: RandomSource,
  index: number,
  into: Uint8Array,
): Promise<Packed | null> {
  const { offset, length } = chunkAt(index, source.virtualSize, 'data');
  // A cluster that goes beyond the disk's end gives more than there is room for.
  if (length < CHUNK_BYTES) return null;
  const stored = await source.stored(index);
  if (!stored || stored.some(({ algorithm }) => algorithm === 'deflate')) return null;
  /** What lies together in the file is read at once; compressed clusters share the sectors at their ends. */
  const regions: { from: number; end: number; at: number }[] = [];
  const parts: Part[] = [];
  for (const { offset: where, length: gives, fileOffset, storedLength, algorithm } of stored) {
    let region = regions.at(-1);
    if (!region || fileOffset < region.from || fileOffset > region.end) {
      region = { from: fileOffset, end: fileOffset, at: region ? region.at + region.end - region.from : 0 };
      regions.push(region);
    }
    region.end = Math.max(region.end, fileOffset + storedLength);
    const packed = algorithm === 'none' ? 0 : storedLength;
    parts.push([where - offset, gives, region.at + fileOffset - region.from, packed]);
  }
  const last = regions.at(-1);
  const bytes = last ? last.at + last.end - last.from : 0;
  if (bytes === 0 || bytes >= length) return null;
  for (const { from, end, at } of regions) await source.bytes(from, into.subarray(at, at + end - from));
  return { bytes: into.subarray(0, bytes), parts };
}

/** Parts of a chunk, in its own memory. */
export interface Pieces {
  pieces: readonly Uint8Array[];
  parts: readonly Part[];
}

/** What of a chunk is no zeros. Null where all of it is to be sent. */
export const withoutZeros = (chunk: Uint8Array): Pieces | null => only(chunk, (block) => !isZero(block));

/** What of a chunk is another than on a disk that has blocks of these tags. Null where all of it is to be sent. */
export const whatDiffers = (
  key: string,
  chunk: number,
  bytes: Uint8Array,
  macs: readonly string[],
): Pieces | null => only(bytes, (block, n) => tagOf(key, chunk, block, n) !== macs[n]);

/** Those blocks that are `wanted`, neighbours in one piece. Null where it is none, or all. */
function only(chunk: Uint8Array, wanted: (block: Uint8Array, n: number) => boolean): Pieces | null {
  const pieces: Uint8Array[] = [];
  const parts: Part[] = [];
  const isWanted = (at: number) => wanted(chunk.subarray(at, at + BLOCK_BYTES), at / BLOCK_BYTES);
  let sent = 0;
  for (let at = 0; at < chunk.length;) {
    let end = at;
    while (end < chunk.length && isWanted(end)) end += BLOCK_BYTES;
    const piece = chunk.subarray(at, end);
    if (piece.length) {
      pieces.push(piece);
      parts.push([at, piece.length, sent, 0]);
      sent += piece.length;
    }
    at = end + BLOCK_BYTES;
  }
  return sent === 0 || sent === chunk.length ? null : { pieces, parts };
}
