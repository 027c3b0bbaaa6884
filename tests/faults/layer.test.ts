/** What can befall the installation of a layer, one after another on one box, which is healthy in the end. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { whyNoRig } from '../rig/box.ts';
import { cancelled } from './cancel.ts';
import { unconfirmed } from './harden.ts';
import { powerCut } from './power.ts';
import { Random } from './random.ts';
import { ansibleKilled, runnerKilled } from './runner.ts';
import { Stage } from './stage.ts';

const why = whyNoRig();

describe.runIf(why === null)(`a layer that is cut short${why ? ` (not run: ${why})` : ''}`, () => {
  /** Early, so that the next one still finds apt at work. */
  const early = { within: 1, mend: false };
  const random = new Random(1);
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.open();
  });

  afterAll(() => stage?.close());

  it('cancelled while apt works: nothing of the job is left, and every package is whole', async () => {
    await cancelled(stage, random, early);
  });

  it('its runner killed: lost, and nothing of it goes on', async () => {
    await runnerKilled(stage, random, early);
  });

  it('its Ansible killed: failed, and nothing of it goes on', async () => {
    await ansibleKilled(stage, random, { ...early, within: 4 });
  });

  it('the power cut while apt works: lost, once the box is back', async () => {
    await powerCut(stage, random, early);
  });

  it('the cable out when hardening is to be confirmed: the box opens its door again; resume ends healthy', async () => {
    await unconfirmed(stage, random, { by: 'cut', confirmSeconds: 15 });
  }, 600_000);
});
