/**
 * What tells whether two contents of a chunk are the same (ADR 11): its SHA-256, or its tag by AES-GMAC under the key of the target's
 * record, which takes a fifth of the time. A tag is shorter, so either says by itself which it is.
 */
import { createCipheriv, randomBytes } from 'node:crypto';

/** SHA-256 of 64, or a tag of 32 hexadecimal digits; null for a chunk of zeros. */
export type ChunkHash = string | null;

/** Of a chunk that was read back: its SHA-256, and its tag where the writer gives tags. */
export interface ReadBack {
  sha256: ChunkHash;
  mac: string | null;
}

const TAG_DIGITS = 32;
export const KEY = /^[0-9a-f]{32}$/;

export const newKey = (): string => randomBytes(16).toString('hex');

export const isTag = (hash: ChunkHash): hash is string => hash?.length === TAG_DIGITS;

/** `key` of 32 hexadecimal digits; of a chunk, or of one of its blocks. 0.6 ms for 4 MiB. */
export function tagOf(key: string, chunk: number, bytes: Uint8Array, block?: number): string {
  const nonce = Buffer.alloc(12);
  if (block !== undefined) nonce.writeUInt32BE(block + 1, 4);
  nonce.writeUInt32BE(chunk, 8);
  const cipher = createCipheriv('aes-128-gcm', Buffer.from(key, 'hex'), nonce).setAAD(bytes);
  cipher.final();
  return cipher.getAuthTag().toString('hex');
}

/** Of what was read back, the part that `wanted` can be compared with. */
export const likeThat = (found: ReadBack, wanted: ChunkHash | undefined): ChunkHash =>
  isTag(wanted ?? null) && found.sha256 !== null ? found.mac : found.sha256;
