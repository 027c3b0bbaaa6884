/**
 * The chunks that are destroyed first and written last: what makes a disk start and, with first-boot settings, the partition that holds
 * them. They are kept in memory from the reading of the image to the end.
 */
import { AppError } from '../../../preload/contract/errors.ts';
import { chunkHash } from './source/disk-root.ts';
import { CHUNK_BYTES, isZero } from './source/types.ts';
import { isTag, likeThat, tagOf, type ChunkHash } from './tags.ts';
import type { Writer } from './writer.ts';

/** Bytes that come in place of the image's; they hold secrets, so they go to the disk and nowhere else. */
export interface Seed {
  /** Of the disk. */
  offset: number;
  bytes: Uint8Array;
  /** They were read back, but for what lies in one chunk with a table, and the disk cannot start yet. What it throws ends the flash there. */
  onWritten: () => void;
}

type Differs = (chunk: number, found: ChunkHash, wanted: ChunkHash) => AppError;

export const sha256 = async (bytes: Uint8Array): Promise<string> => (await chunkHash(bytes)).toString('hex');

const hashOf = async (bytes: Uint8Array): Promise<ChunkHash> => (isZero(bytes) ? null : sha256(bytes));

function chunksOf({ offset, bytes }: Seed): number[] {
  const first = Math.floor(offset / CHUNK_BYTES);
  const last = Math.floor((offset + bytes.length - 1) / CHUNK_BYTES);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

export class Sealed {
  readonly ascending: readonly number[];
  /** Chunks that a seed lies in, if only in a part. What they hold in the end is recorded nowhere. */
  readonly seeded: readonly number[];
  /** Those of them without which a disk does not start all the same. */
  readonly seedOnly: readonly number[];
  readonly ofTables: readonly number[];
  readonly #seed: Seed | null;
  readonly #all: ReadonlySet<number>;
  readonly #bytes = new Map<number, Buffer>();
  readonly #hashes = new Map<number, ChunkHash>();

  /** `tables`: chunks, of which 0 is one. */
  constructor(tables: readonly number[], seed: Seed | null) {
    this.#seed = seed;
    this.ofTables = tables;
    this.seeded = seed ? chunksOf(seed) : [];
    this.seedOnly = this.seeded.filter((chunk) => !tables.includes(chunk));
    this.ascending = [...tables, ...this.seedOnly].sort((a, b) => a - b);
    this.#all = new Set(this.ascending);
  }

  has(chunk: number): boolean {
    return this.#all.has(chunk);
  }

  /** The image's bytes of one; copied. */
  keep(chunk: number, bytes: Uint8Array): void {
    this.#bytes.set(chunk, Buffer.from(bytes));
  }

  /** Computes the hashes of what is kept. */
  async hash(): Promise<void> {
    for (const chunk of this.ascending) this.#hashes.set(chunk, await hashOf(this.#bytesOf(chunk)));
  }

  /** Of the image's bytes where a seed comes; to be asked for before `lay`. */
  underSeed(): Map<number, ChunkHash> {
    return new Map(this.seeded.map((chunk) => [chunk, this.#hashes.get(chunk) ?? null]));
  }

  /** Of the image's bytes, and from `lay` on of those with the seed. */
  hashOf(chunk: number): ChunkHash | undefined {
    return this.#hashes.get(chunk);
  }

  /** Puts the seed over the image's bytes. */
  async lay(): Promise<void> {
    if (!this.#seed) return;
    const { offset, bytes } = this.#seed;
    for (const chunk of this.seeded) {
      const kept = this.#bytesOf(chunk);
      const at = chunk * CHUNK_BYTES - offset;
      kept.set(bytes.subarray(Math.max(0, at), at + kept.length), Math.max(0, -at));
      this.#hashes.set(chunk, await hashOf(kept));
    }
  }

  /** The last first, and chunk 0 after all others are on the disk: with it the disk starts. Each is read back. */
  async write(
    writer: Writer,
    chunks: readonly number[],
    key: string | null,
    differs: Differs,
  ): Promise<void> {
    const order = [...chunks].sort((a, b) => b - a);
    for (const chunk of order) {
      if (chunk === 0) await writer.flush();
      const wanted = this.#hashes.get(chunk) ?? null;
      if (wanted === null) await writer.zero(chunk, 1);
      else {
        const bytes = this.#bytesOf(chunk);
        const written = await writer.data(chunk, bytes);
        const like = isTag(written) && key !== null ? tagOf(key, chunk, bytes) : wanted;
        if (written !== like) throw differs(chunk, written, like);
      }
    }
    await writer.flush();
    for (const chunk of order)
      await writer.read(chunk, 1, (one, found) => {
        const wanted = this.#hashes.get(one) ?? null;
        const like = likeThat(found, wanted);
        if (like !== wanted) throw differs(one, like, wanted);
      });
  }

  /** What may be recorded of them: those that are the image's. */
  lasting(): Map<number, ChunkHash> {
    const lasting = this.ascending.filter((chunk) => !this.seeded.includes(chunk));
    return new Map(lasting.map((chunk) => [chunk, this.#hashes.get(chunk) ?? null]));
  }

  #bytesOf(chunk: number): Buffer {
    const bytes = this.#bytes.get(chunk);
    if (!bytes) throw new AppError('internal', { detail: `chunk ${chunk} that comes last was not kept` });
    return bytes;
  }
}
