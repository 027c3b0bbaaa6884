/** What is to be done for each chunk of an image whose chunks can be had in any order. Reads tables, never data. */
import type { RandomSource } from './source/types.ts';
import type { ChunkHash } from './tags.ts';
import type { Extent } from './wire.ts';

export type Action =
  /** The target should have it already. */
  | { do: 'keep'; chunk: number; hash: ChunkHash }
  | { do: 'zero'; chunk: number; count: number }
  /** The writer takes it from the image itself. */
  | { do: 'copy'; chunk: number; extents: readonly Extent[] }
  /** Unpacked in the app. Where the target should have `unless`, written only if the chunk is another. */
  | { do: 'data'; chunk: number; unless: ChunkHash | undefined };

export interface Known {
  /** Whether the writer can read the image itself: one on a box cannot, and all is sent as data. */
  copies: boolean;
  /** Never to be written here: they come last. */
  sealed: { has(chunk: number): boolean };
  /** Of this image, on the target. */
  written: ReadonlyMap<number, ChunkHash>;
  /** Of an image before it. */
  believed: ReadonlyMap<number, ChunkHash>;
}

/** Holes in one command: 1 GiB, so that progress is told and an end is soon. */
export const ZERO_RUN = 256;

export async function* planOf(source: RandomSource, known: Known): AsyncGenerator<Action> {
  let run: { do: 'zero'; chunk: number; count: number } | null = null;
  for (const { index: chunk, state } of source.chunks()) {
    const action = await actionFor(source, chunk, state === 'hole', known);
    const joins = action?.do === 'zero' && run && run.chunk + run.count === chunk && run.count < ZERO_RUN;
    if (joins && run) {
      run.count += 1;
      continue;
    }
    if (run) yield run;
    run = action?.do === 'zero' ? action : null;
    if (action && action.do !== 'zero') yield action;
  }
  if (run) yield run;
}

async function actionFor(
  source: RandomSource,
  chunk: number,
  hole: boolean,
  { copies, sealed, written, believed }: Known,
): Promise<Action | null> {
  if (sealed.has(chunk)) return null;
  const mine = written.get(chunk);
  if (mine !== undefined) return { do: 'keep', chunk, hash: mine };
  const old = believed.get(chunk);
  if (hole) return old === null ? { do: 'keep', chunk, hash: null } : { do: 'zero', chunk, count: 1 };
  // Where most chunks are as they were, hashing here saves writing them; else the writer's own copying is the fastest.
  if (old !== undefined) return { do: 'data', chunk, unless: old };
  const extents = copies ? await source.extents(chunk) : null;
  return extents === null ? { do: 'data', chunk, unless: undefined } : { do: 'copy', chunk, extents };
}

/** Of data, and of holes at the most, that are asked for at once where both are read. */
const DATA_RUN = 4;
const HOLE_RUN = 16;

/**
 * In which order chunks are read back, as [first, how many]. Data is as fast as the disk, and holes, which many disks answer without
 * looking, as fast as the processor that compares them with zeros: so each has the other beside it, from beginning to end.
 */
export function* readsOf(data: readonly number[], holes: readonly number[]): Generator<[number, number]> {
  const share = Math.round((DATA_RUN * holes.length) / Math.max(1, data.length));
  const both = [runsOf(data, DATA_RUN), runsOf(holes, Math.min(HOLE_RUN, Math.max(1, share)))];
  while (both.length)
    for (const runs of [...both]) {
      const next = runs.next();
      if (next.done) both.splice(both.indexOf(runs), 1);
      else yield next.value;
    }
}

/** Neighbours together, at most `most`: [first, how many]. */
export function* runsOf(chunks: readonly number[], most: number): Generator<[number, number]> {
  for (let i = 0; i < chunks.length;) {
    const first = chunks[i] as number;
    let n = 1;
    while (n < most && chunks[i + n] === first + n) n += 1;
    yield [first, n];
    i += n;
  }
}
