/** A flash over the network that is disturbed: on one box, with another disk each time. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { whyNoRig } from '../rig/box.ts';
import { FlashBoxBench, flashBoxApp, flashCable, flashReceiver } from './flashbox.ts';
import { SIZE } from './flashimage.ts';
import { Random } from './random.ts';

const why = whyNoRig();

describe.runIf(why === null)(`a flash of a box that is disturbed${why ? ` (not run: ${why})` : ''}`, () => {
  let bench: FlashBoxBench;

  beforeAll(async () => {
    bench = await FlashBoxBench.open();
  });
  afterAll(() => bench?.close());
  beforeEach(() => bench.rig.plugIn(SIZE));
  afterEach(() => bench.rig.unplug());

  it('by a cable that is out again and again', async () => {
    const { counts } = await flashCable(bench, new Random(20), { most: 2, longest: 4_000 });
    expect(counts['cuts']).toBeGreaterThan(0);
    expect(bench.rig.links.length).toBeGreaterThan(1);
  });

  it('by kill -9 of the job on the box', async () => {
    await flashReceiver(bench, new Random(5));
  });

  it('by kill -9 of the app that feeds it', async () => {
    await flashBoxApp(bench, new Random(18));
  });
});
