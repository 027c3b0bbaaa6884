/** What an image is to whoever writes it to a disk (docs/adr/0009-image-sources.md). */
import { AppError } from '../../../../preload/contract/errors.ts';

/** Everything is told, hashed, sent and verified in pieces of this size of the virtual disk. */
export const CHUNK_BYTES = 4 * 1024 * 1024;

/** A `hole` reads as zeros, whether nothing is stored for it or zeros are. */
export type ChunkState = 'hole' | 'data';

export interface Chunk {
  index: number;
  /** Where it lies on the virtual disk. */
  offset: number;
  /** CHUNK_BYTES; the last one may be shorter. */
  length: number;
  state: ChunkState;
}

/** One compressed cluster as it lies in the image file, or bytes beside it that lie there as they are (`none`). */
export interface StoredCluster {
  /** Where it lies on the virtual disk; what no cluster of the chunk covers reads as zeros. */
  offset: number;
  /** How many bytes it gives. */
  length: number;
  fileOffset: number;
  /** Counted in sectors, so bytes of what comes after may be at its end: both algorithms say themselves where they end. */
  storedLength: number;
  algorithm: 'zstd' | 'deflate' | 'none';
}

interface Source {
  readonly path: string;
  /** Ends what is read; to be called once, also after an error. */
  close(): Promise<void>;
}

/** Any chunk in any order, several at a time. */
export interface RandomSource extends Source {
  readonly access: 'random';
  readonly kind: 'qcow2' | 'raw';
  readonly virtualSize: number;
  /** In order. `data` may turn out to be zeros when it is read; a `hole` needs no reading. */
  chunks(): Iterable<Chunk>;
  /**
   * Puts the chunk at the beginning of `into`, which must be large enough and may be memory of any kind. Answers `hole` where
   * all of it is zeros. Errors: image_truncated, image_corrupt, image_unreadable.
   */
  read(index: number, into: Uint8Array): Promise<ChunkState>;
  /**
   * Where its bytes lie in the image file as they are, as [offset within the chunk, length, offset in the file], in order; what none
   * covers reads as zeros. Null where some of it is compressed. Whether what lies there is zeros, nobody has looked. Errors as for `read`.
   */
  extents(index: number): Promise<(readonly [at: number, length: number, fileOffset: number])[] | null>;
  /** The chunk as it is stored, in order, where some of it is compressed; null otherwise, and for holes. */
  stored(index: number): Promise<StoredCluster[] | null>;
  /** Bytes of the image file as they are. Errors as for `read`. */
  bytes(fileOffset: number, into: Uint8Array): Promise<void>;
}

/** One chunk after another, once: what is compressed as a whole has no other way. */
export interface ForwardSource extends Source {
  readonly access: 'forward';
  readonly kind: 'raw.zst' | 'raw.gz' | 'raw.xz';
  /** What the manifest says, held to at the end; null without one: then only the end of the stream tells. */
  readonly virtualSize: number | null;
  /**
   * Puts the next chunk at the beginning of `into`; null after the last one. One call at a time. Errors as for `read`; an image
   * that is not whole is known only at its end.
   */
  next(into: Uint8Array): Promise<Chunk | null>;
}

export type ImageSource = RandomSource | ForwardSource;

/** The end of a switch over a union: a kind that is added does not compile until it is thought of. */
export function assertNever(value: never): never {
  throw new AppError('internal', { detail: `not foreseen: ${String(value)}` });
}

/** The errors of one image. A parser gets this instead of a path, so that it stays a function of bytes. */
export interface Refusals {
  notSupported(reason: string, action: string): AppError;
  corrupt(detail: string, cause?: unknown): AppError;
  truncated(detail: string, cause?: unknown): AppError;
  unreadable(cause: unknown): AppError;
}

export function refusalsOf(path: string): Refusals {
  return {
    notSupported: (reason, action) => new AppError('image_not_supported', { path, reason, action }),
    corrupt: (detail, cause) => new AppError('image_corrupt', { path, detail }, cause),
    truncated: (detail, cause) => new AppError('image_truncated', { path, detail }, cause),
    unreadable: (cause) => {
      const detail = cause instanceof Error ? cause.message : String(cause);
      return new AppError('image_unreadable', { path, detail }, cause);
    },
  };
}

export const chunkCount = (virtualSize: number): number => Math.ceil(virtualSize / CHUNK_BYTES);

/** The chunk with this number; `state` is the caller's to know. */
export function chunkAt(index: number, virtualSize: number, state: ChunkState): Chunk {
  const offset = index * CHUNK_BYTES;
  return { index, offset, length: Math.min(CHUNK_BYTES, virtualSize - offset), state };
}

const ZEROS = Buffer.alloc(CHUNK_BYTES);

/** Compared as memory: it ends at the first byte that differs, and an empty chunk costs less than its reading did. */
export function isZero(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, ZEROS.subarray(0, bytes.length)) === 0;
}
