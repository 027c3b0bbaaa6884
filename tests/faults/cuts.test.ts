/** A cable that is cut a hundred times, and a second laptop: on one box, since neither changes anything on it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoRig } from '../rig/box.ts';
import { CATCH_UP_MS, cuts } from './cuts.ts';
import { twoLaptops } from './laptops.ts';
import { Random } from './random.ts';
import { Stage } from './stage.ts';

const why = whyNoRig();

describe.runIf(why === null)(`a cable that is cut${why ? ` (not run: ${why})` : ''}`, () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.open();
  });

  afterAll(() => stage?.close());

  it('100 cuts of 0.2 to 2 s: every event once and in order, caught up in less than 2 s', async () => {
    const told = await cuts(stage, new Random(1), { cuts: 100, longest: 2_000 });
    expect(told.counts['cuts']).toBe(100);
    expect(told.slowestMs).toBeLessThan(CATCH_UP_MS);
  }, 400_000);

  it('a second laptop is told who works on the box, and disturbs nothing', async () => {
    await twoLaptops(stage);
  });
});
