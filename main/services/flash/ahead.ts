/**
 * Tags of an image's chunks, taken before anything can be written: while a job is started on a box and the laptop logs in, the laptop has
 * nothing else to do. Only of chunks that the target may have already, of an image before this one. What comes of it saves reading them
 * again; whatever goes wrong here is met again, and told, by whoever reads them then.
 */
import type { FlashImage } from './image.ts';
import { Buffers, Lanes } from './lanes.ts';
import type { ChunkRecord } from './record.ts';
import { CHUNK_BYTES, chunkAt, type RandomSource } from './source/types.ts';
import { isTag, tagOf } from './tags.ts';

/** Reading one chunk while the tag of another is taken. */
const AT_ONCE = 2;

export class TagsAhead {
  readonly #tags = new Map<number, string>();
  readonly #ended: Promise<void>;
  #stopped = false;

  constructor({ random, virtualSize }: FlashImage, { key, believed }: ChunkRecord) {
    const chunks = [...believed].flatMap(([chunk, hash]) => (isTag(hash) ? [chunk] : []));
    this.#ended = random && key !== null ? this.#run(random, virtualSize, key, chunks) : Promise.resolve();
  }

  /** Undefined where it was not taken, or the image has a hole there. */
  of(chunk: number): string | undefined {
    return this.#tags.get(chunk);
  }

  /** Takes no more of them; resolves when the image is not read from here any more. */
  stop(): Promise<void> {
    this.#stopped = true;
    return this.#ended;
  }

  async #run(source: RandomSource, size: number, key: string, chunks: readonly number[]): Promise<void> {
    const buffers = new Buffers(AT_ONCE, CHUNK_BYTES);
    const lanes = new Lanes(AT_ONCE);
    const take = (chunk: number) =>
      buffers.with(async (buffer) => {
        if (this.#stopped) return;
        const bytes = buffer.subarray(0, chunkAt(chunk, size, 'data').length);
        if ((await source.read(chunk, bytes)) === 'data') this.#tags.set(chunk, tagOf(key, chunk, bytes));
      });
    try {
      for (const chunk of chunks.toSorted((a, b) => a - b)) {
        if (this.#stopped) break;
        await lanes.add(() => take(chunk));
      }
    } catch {
      // Told by whoever reads it next.
    } finally {
      await lanes.drained().catch(() => undefined);
    }
  }
}
