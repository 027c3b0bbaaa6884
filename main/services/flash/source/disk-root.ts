/** The one hash over a whole disk, however its image is stored (docs/adr/0009-image-sources.md). */
import { createHash, webcrypto } from 'node:crypto';
import { CHUNK_BYTES, chunkCount } from './types.ts';

/** In place of the hash of a chunk of zeros: holes need neither reading nor hashing. */
export const HOLE_HASH: Buffer = Buffer.alloc(32);

/** Of a chunk that is not all zeros; computed in a thread of the library, so that several go on at a time. */
export async function chunkHash(bytes: Uint8Array): Promise<Buffer> {
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes));
}

/**
 * `hashes`: one for each chunk of CHUNK_BYTES in order, HOLE_HASH for those that are all zeros. The size stands in it, so that
 * a disk and the same disk with zeros behind it differ. Throws where there are more or fewer hashes than chunks.
 */
export function diskRoot(virtualSize: number, hashes: Iterable<Uint8Array>): string {
  const root = createHash('sha256').update(`vault-cube disk 1 sha256 ${CHUNK_BYTES} ${virtualSize}\n`);
  let count = 0;
  for (const hash of hashes) {
    if (hash.length !== 32) throw new Error(`the hash of chunk ${count} has ${hash.length} bytes`);
    root.update(hash);
    count += 1;
  }
  if (count !== chunkCount(virtualSize))
    throw new Error(`${count} hashes for ${chunkCount(virtualSize)} chunks`);
  return root.digest('hex');
}
