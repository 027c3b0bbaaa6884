/** The command line killed in each phase of a provision, and gone on with; then the same again over a cable that breaks. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { byHand } from '../integration/byhand.ts';
import { whyNoRig } from '../rig/box.ts';
import { kill } from './kill.ts';
import { Random } from './random.ts';
import { Stage } from './stage.ts';
import { unsteady } from './unsteady.ts';

const why = whyNoRig();

describe.runIf(why === null)(`a laptop that dies${why ? ` (not run: ${why})` : ''}`, () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.open();
  });

  afterAll(() => stage?.close());

  it('everything stands where it stood: one attempt each, every event once, nothing done twice', async () => {
    const told = await kill(stage, new Random(1), { tests: 1 });
    expect(told.counts['kills']).toBeGreaterThanOrEqual(5);
  }, 600_000);

  // In CI the cable is cut in link tests (cuts.test.ts), and out during whole installations (all-layers.test.ts).
  byHand(
    'a second provision over a cable that breaks changes nothing, and loses nothing',
    async () => {
      const told = await unsteady(stage, new Random(1), { longest: 2_000, again: true });
      expect(told.counts['cuts']).toBeGreaterThanOrEqual(5);
    },
    600_000,
  );
});
