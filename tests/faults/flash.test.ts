/** A flash at this laptop that is disturbed, each time at the moment of a seed at which it once went wrong, or where most is at stake. */
import { describe, it } from 'vitest';
import { whyNoDisk } from './flashdisks.ts';
import { FAULTS } from './list.ts';
import { Random } from './random.ts';

const why = whyNoDisk();

describe.runIf(why === null)(`a flash that is disturbed${why ? ` (not run: ${why})` : ''}`, () => {
  it.each([
    ['kill -9 of the app, and the next attempt comes at once', 'flash-app', 28],
    ['kill -9 of the writer', 'flash-writer', 10],
    ['the disk vanishes', 'flash-gone', 3],
    ['an I/O error', 'flash-io', 2],
    ['the image is cut off', 'flash-source', 19],
    ['the file system gets full', 'flash-full', 28],
  ])('%s', async (_what, fault, seed) => {
    const scene = await FAULTS[fault]?.(new Random(seed))();
    if (!scene) throw new Error(`no fault ${fault}`);
    try {
      await scene.befall();
    } finally {
      await scene.close();
    }
  });
});
