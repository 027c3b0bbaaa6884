/**
 * What can befall the layers above the first, on one box that has all of them in the end: each fault in one layer. The long runs
 * do each in any layer (docs/reliability.md). Of those that are done by hand CI has the same in layer 1: kill, cuts, bad-input/jobs, clock.
 */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { byHand } from '../integration/byhand.ts';
import { whyNoRig } from '../rig/box.ts';
import { installKernels } from '../rig/kernels.ts';
import { KERNELS } from '../rig/nvidia.ts';
import {
  ansibleKilledAbove,
  appKilledAbove,
  aptLockAbove,
  asleepAbove,
  cableOutAbove,
  powerCutAbove,
} from './above.ts';
import { cancelledContainer } from './cancel.ts';
import { Random } from './random.ts';
import { Stage } from './stage.ts';
import { clockWrong, diskFullInVenvs } from './world.ts';

const why = whyNoRig();

describe.runIf(why === null)(`the layers above, cut short${why ? ` (not run: ${why})` : ''}`, () => {
  const random = new Random(1);
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.provisioned();
    await installKernels(stage.box, KERNELS.slice(0, 1));
  });

  afterAll(() => stage?.close());

  it('cancelled with a container that hears nothing, and memory of the cards: all of it is gone in 15 s', async () => {
    await cancelledContainer(stage);
  });

  it('L2: the power cut while DKMS builds', async () => {
    await powerCutAbove(stage, random, {
      layer: 2,
      moment: { program: 'sbin/dkms (add|build|install)' },
      mend: false,
    });
  });

  it('L2: Ansible killed behind the packages; resume asks for the reboot that nobody noted', async () => {
    await ansibleKilledAbove(stage, random, { layer: 2, moment: { through: 0.75 } });
  });

  it('L3: the laptop asleep, and nothing is lost', async () => {
    await asleepAbove(stage, random, { layer: 3, moment: { through: 0.2 } });
  });

  byHand('L4: the disk full in the middle of an environment', async () => {
    await diskFullInVenvs(stage, random, { mend: false });
  });

  byHand('L4: the app killed in what resume does', async () => {
    await appKilledAbove(stage, random, { layer: 4, moment: { program: ' -m pip ' } });
  });

  byHand("L5: the box's clock behind by months, then right again", async () => {
    await clockWrong(stage, random, { layer: 5, mend: false });
  });

  byHand('L5: the locks of apt held by another', async () => {
    await aptLockAbove(stage, random, 5);
  });

  byHand('the cable out for longer than a connection lives, in a layer that is there already', async () => {
    await cableOutAbove(stage, random, { layer: 3, moment: { through: 0.1 } });
  });
});
