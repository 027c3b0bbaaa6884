/** The chunk map of an image, read as the flasher reads it: by our own reader of the format, whatever made the file. */
import { openImage } from '../flash/source/open.ts';
import { HOLE_HASH, chunkHash, diskRoot } from '../flash/source/disk-root.ts';
import { CHUNK_BYTES, refusalsOf } from '../flash/source/types.ts';

export interface ChunkMap {
  virtualSize: number;
  diskRoot: string;
  /** Hex, null for a hole. */
  chunks: (string | null)[];
  /** Bytes of chunks that are not all zeros. */
  allocated: number;
}

/** Errors: those of images. `onBytes` is told how far it is. */
export async function chunkMap(
  path: string,
  opts: { signal?: AbortSignal; onBytes?: (done: number, total: number) => void } = {},
): Promise<ChunkMap> {
  const source = await openImage(path, null);
  try {
    if (source.access !== 'random')
      throw refusalsOf(path).notSupported('it is compressed as a whole', 'Build a qcow2.');
    const { virtualSize } = source;
    const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    const hashes: Buffer[] = [];
    let allocated = 0;
    for (const { index, offset, length, state } of source.chunks()) {
      opts.signal?.throwIfAborted();
      opts.onBytes?.(offset, virtualSize);
      const data = state === 'data' && (await source.read(index, buffer)) === 'data';
      if (data) allocated += length;
      hashes.push(data ? await chunkHash(buffer.subarray(0, length)) : HOLE_HASH);
    }
    const chunks = hashes.map((hash) => (hash.equals(HOLE_HASH) ? null : hash.toString('hex')));
    return { virtualSize, diskRoot: diskRoot(virtualSize, hashes), chunks, allocated };
  } finally {
    await source.close();
  }
}
