/** Every fault by its name, as the long runs do it (docs/reliability.md). The tests beside do the same with other numbers. */
import { cancelled } from './cancel.ts';
import { cuts } from './cuts.ts';
import { unconfirmed } from './harden.ts';
import { killAndRepeat } from './kill.ts';
import { twoLaptops } from './laptops.ts';
import { powerCut } from './power.ts';
import type { Random } from './random.ts';
import { ansibleKilled, runnerKilled } from './runner.ts';
import type { Stage, Told } from './stage.ts';
import { unsteady } from './unsteady.ts';

/** Does the fault on a fresh box. Rejects when something did not hold. */
export type Fault = (stage: Stage, random: Random) => Promise<Told>;

/** At any moment of apt's work on a calm machine, and the layer is brought to its end. */
const anywhere = { within: 12, mend: true };

export const FAULTS: Record<string, Fault> = {
  cuts: (stage, random) => cuts(stage, random, { cuts: 100, longest: 10_000 }),
  kill: (stage, random) => killAndRepeat(stage, random, { tests: 4 }),
  unsteady: (stage, random) => unsteady(stage, random, { longest: 10_000, again: false }),
  runner: (stage, random) => runnerKilled(stage, random, anywhere),
  ansible: (stage, random) => ansibleKilled(stage, random, { ...anywhere, within: 25 }),
  cancel: (stage, random) => cancelled(stage, random, anywhere),
  power: (stage, random) => powerCut(stage, random, anywhere),
  'harden-cut': (stage, random) => unconfirmed(stage, random, { by: 'cut', confirmSeconds: 20 }),
  'harden-kill': (stage, random) => unconfirmed(stage, random, { by: 'kill', confirmSeconds: 120 }),
  laptops: (stage) => twoLaptops(stage),
};
