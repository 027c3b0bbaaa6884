/** SHA-256 of files, several at a time, each once as long as it stays as it is. */
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';

/** Files that are read at the same time: enough to keep a disk busy. */
export const AT_ONCE = 4;
const CHUNK_BYTES = 1024 * 1024;

/** Does `work` for all items, at most `atOnce` at the same time; answers in their order. The first error ends it. */
export async function inParallel<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const done: R[] = [];
  let next = 0;
  let failed = false;
  async function lane(): Promise<void> {
    while (!failed && next < items.length) {
      const at = next;
      next += 1;
      try {
        done[at] = await work(items[at] as T, at);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  }
  // Nobody is left behind who still writes when this has failed.
  const ends = await Promise.allSettled(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  const bad = ends.find((end) => end.status === 'rejected');
  if (bad) throw bad.reason;
  return done;
}

/** Hash in hex. `onBytes` is told how many more were read. Rejects with the system's error for a file that cannot be read. */
export async function sha256Of(
  path: string,
  opts: { onBytes?: ((bytes: number) => void) | undefined; signal?: AbortSignal | undefined } = {},
): Promise<string> {
  const hash = createHash('sha256');
  const stream = createReadStream(path, { highWaterMark: CHUNK_BYTES, signal: opts.signal });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    hash.update(chunk);
    opts.onBytes?.(chunk.length);
  }
  return hash.digest('hex');
}

/** Remembers hashes by file, size and time of the last change, for one run: what arrives is hashed once, not again for the manifest. */
export class Hashes {
  readonly #known = new Map<string, string>();

  async of(path: string, signal?: AbortSignal): Promise<string> {
    const { ino, size, mtimeMs } = statSync(path);
    // By inode, so that a file keeps its hash when it is renamed.
    const key = `${ino} ${size} ${mtimeMs}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const sha256 = await sha256Of(path, { signal });
    this.#known.set(key, sha256);
    return sha256;
  }
}
