/** What each chunk of a target should hold by now, and what was found there: the judgement of the reading back. No files. */
import { AppError } from '../../../preload/contract/errors.ts';
import type { Sealed } from './sealed.ts';
import { HOLE_HASH, diskRoot } from './source/disk-root.ts';
import { chunkCount } from './source/types.ts';
import { isTag, likeThat, type ChunkHash, type ReadBack } from './tags.ts';

/** `lost`: it was not written in this run, and is not as it was believed to be. */
export type Verdict =
  { is: 'same' } | { is: 'lost' } | { is: 'broken'; found: ChunkHash; wanted: ChunkHash | undefined };

export class Contents {
  readonly #size: number;
  readonly #sealed: Sealed;
  /** What each chunk was written as, or should be there as. */
  readonly #expected = new Map<number, ChunkHash>();
  /** Not written in this run. */
  readonly #kept = new Set<number>();
  /** SHA-256 of what was read back, of which the disk's hash is made. */
  readonly #found = new Map<number, ChunkHash>();

  /** `size`: bytes of the virtual disk. */
  constructor(size: number, sealed: Sealed) {
    this.#size = size;
    this.#sealed = sealed;
  }

  wrote(chunk: number, hash: ChunkHash): void {
    this.#expected.set(chunk, hash);
    this.#kept.delete(chunk);
  }

  keep(chunk: number, hash: ChunkHash): void {
    this.#expected.set(chunk, hash);
    this.#kept.add(chunk);
  }

  isKept(chunk: number): boolean {
    return this.#kept.has(chunk);
  }

  /** Whether zeros are expected there; those that come last were zeroed. */
  isHole(chunk: number): boolean {
    return this.#sealed.has(chunk) || this.#expected.get(chunk) === null;
  }

  /** How many were not written, but for those that come last. */
  get keptCount(): number {
    return [...this.#kept].filter((chunk) => !this.#sealed.has(chunk)).length;
  }

  /** To be told of each chunk that is read back. */
  judge(chunk: number, found: ReadBack): Verdict {
    // Those that come last were zeroed, and nothing may have been written there since.
    const wanted = this.isHole(chunk) ? null : this.#expected.get(chunk);
    const like = likeThat(found, wanted);
    this.#found.set(chunk, found.sha256);
    if (like === wanted) return { is: 'same' };
    return this.#kept.has(chunk) ? { is: 'lost' } : { is: 'broken', found: like, wanted };
  }

  /** The disk's hash over all chunks, of those that come last over what they will be. */
  root(): string {
    const hashes = Array.from({ length: chunkCount(this.#size) }, (_, chunk) => {
      const hash = this.#hashOf(chunk);
      if (hash === undefined || isTag(hash))
        throw new AppError('internal', { detail: `chunk ${chunk} was never looked at` });
      return hash === null ? HOLE_HASH : Buffer.from(hash, 'hex');
    });
    return diskRoot(this.#size, hashes);
  }

  #hashOf(chunk: number): ChunkHash | undefined {
    if (this.#sealed.has(chunk)) return this.#sealed.hashOf(chunk);
    // A job on a box has read some back by itself, and tells them by their SHA-256.
    return this.#found.has(chunk) ? this.#found.get(chunk) : this.#expected.get(chunk);
  }
}
