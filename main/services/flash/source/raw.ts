/** Images without a format: every byte is the disk's. Holes are found by reading: Node has no SEEK_HOLE. */
import type { ImageFile } from './file.ts';
import { HEAD_BYTES, mustBeDisk } from './detect.ts';
import {
  CHUNK_BYTES,
  type Chunk,
  type ForwardSource,
  type RandomSource,
  type Refusals,
  chunkAt,
  chunkCount,
  isZero,
} from './types.ts';

export const SECTOR = 512;

/** Errors: image_truncated, image_not_supported for what is no disk. */
export async function rawSource(file: ImageFile): Promise<RandomSource> {
  const { path, size, refuse } = file;
  const head = Buffer.alloc(Math.min(HEAD_BYTES, size));
  await file.read(head, 0);
  mustBeDisk(head, refuse);
  if (size % SECTOR !== 0)
    throw refuse.truncated(`its ${size} bytes are no whole number of sectors of ${SECTOR} bytes`);
  return {
    access: 'random',
    kind: 'raw',
    path,
    virtualSize: size,
    *chunks() {
      for (let i = 0; i < chunkCount(size); i += 1) yield chunkAt(i, size, 'data');
    },
    async read(index, into) {
      const { offset, length } = chunkAt(index, size, 'data');
      const part = into.subarray(0, length);
      await file.read(part, offset);
      return isZero(part) ? 'hole' : 'data';
    },
    async extents(index) {
      const { offset, length } = chunkAt(index, size, 'data');
      return [[0, length, offset]];
    },
    stored: () => Promise.resolve(null),
    bytes: (fileOffset, into) => file.read(into, fileOffset),
    close: () => file.close(),
  };
}

/** Chunks out of pieces of any size, as a decompressor gives them. `virtualSize`: what the manifest says. */
export function forwardSource(
  file: { path: string; refuse: Refusals },
  kind: ForwardSource['kind'],
  pieces: AsyncGenerator<Uint8Array, void>,
  virtualSize: number | null,
): ForwardSource {
  const { path, refuse } = file;
  let rest: Uint8Array = new Uint8Array(0);
  let offset = 0;

  function checkEnd(end: number): void {
    if (end === 0) throw refuse.truncated('nothing comes out of it');
    if (end % SECTOR !== 0)
      throw refuse.truncated(`the ${end} bytes in it are no whole number of sectors of ${SECTOR} bytes`);
    if (virtualSize !== null && end < virtualSize)
      throw refuse.truncated(`it has ${end} bytes, and its manifest says ${virtualSize}`);
  }

  async function next(into: Uint8Array): Promise<Chunk | null> {
    let length = 0;
    let ended = false;
    while (length < CHUNK_BYTES) {
      if (rest.length === 0) {
        const piece = await pieces.next();
        if (piece.done) {
          ended = true;
          break;
        }
        rest = piece.value;
      }
      const part = rest.subarray(0, CHUNK_BYTES - length);
      into.set(part, length);
      length += part.length;
      rest = rest.subarray(part.length);
    }
    const end = offset + length;
    if (virtualSize !== null && end > virtualSize)
      throw refuse.corrupt(`it has more than the ${virtualSize} bytes that its manifest says`);
    const bytes = into.subarray(0, length);
    if (offset === 0 && length > 0) mustBeDisk(bytes.subarray(0, HEAD_BYTES), refuse);
    if (ended) checkEnd(end);
    if (length === 0) return null;
    const state = isZero(bytes) ? 'hole' : 'data';
    const chunk: Chunk = { index: offset / CHUNK_BYTES, offset, length, state };
    offset = end;
    return chunk;
  }
  return {
    access: 'forward',
    kind,
    path,
    virtualSize,
    next,
    close: async () => {
      await pieces.return();
    },
  };
}
