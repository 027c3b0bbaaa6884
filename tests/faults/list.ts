/** Every fault by its name, as the long runs do it (docs/reliability.md). The tests beside do the same with other numbers. */
import {
  anywhere as anyLayer,
  appKilledAbove,
  aptLockAbove,
  asleepAbove,
  cableOutAbove,
  ansibleKilledAbove,
  powerCutAbove,
  type AboveFault,
} from './above.ts';
import type { Above } from '../integration/provisioned.ts';
import { cancelled, cancelledContainer } from './cancel.ts';
import { cuts } from './cuts.ts';
import { unconfirmed } from './harden.ts';
import { killAndRepeat } from './kill.ts';
import { twoLaptops } from './laptops.ts';
import { powerCut } from './power.ts';
import type { Random } from './random.ts';
import { ansibleKilled, runnerKilled } from './runner.ts';
import { Stage, type Told } from './stage.ts';
import { unsteady } from './unsteady.ts';
import { clockWrong, diskFullInBoot, diskFullInVenvs, laptopClockJumps } from './world.ts';

type Befall = (stage: Stage, random: Random) => Promise<Told>;

/** One run of a fault. */
export interface Run {
  /** The box that it begins with. */
  open: () => Promise<Stage>;
  /** Rejects when something did not hold. */
  befall: (stage: Stage) => Promise<Told>;
}
export type Fault = (random: Random) => Run;

/** At any moment of apt's work on a calm machine, and the layer is brought to its end. */
const anywhere = { within: 12, mend: true };

const on =
  (open: Run['open']) =>
  (befall: Befall): Fault =>
  (random) => ({ open, befall: (stage) => befall(stage, random) });
const fresh = on(() => Stage.open());

/** On a box that has what is below the layer that `pick` decides on. */
const onTop =
  <T extends { layer: Above }>(
    pick: (random: Random) => T,
    befall: (stage: Stage, random: Random, opts: T) => Promise<Told>,
  ): Fault =>
  (random) => {
    const opts = pick(random);
    return {
      open: () => Stage.provisioned(opts.layer),
      befall: async (stage) => {
        const { counts, slowestMs } = await befall(stage, random, opts);
        return { counts: { ...counts, [`in L${opts.layer}`]: 1 }, slowestMs };
      },
    };
  };

/** Somewhere in one of the layers 2 to 5. */
const above = (befall: (stage: Stage, random: Random, opts: AboveFault) => Promise<Told>): Fault =>
  onTop(anyLayer, befall);

/** What befalls these layers alone, at a moment of its own. */
const aboveIn = (
  layers: readonly [Above, ...Above[]],
  befall: (stage: Stage, random: Random, layer: Above) => Promise<Told>,
): Fault =>
  onTop(
    (random) => ({ layer: random.pick(layers) }),
    (stage, random, { layer }) => befall(stage, random, layer),
  );

export const FAULTS: Record<string, Fault> = {
  cuts: fresh((stage, random) => cuts(stage, random, { cuts: 100, longest: 10_000 })),
  kill: fresh((stage, random) => killAndRepeat(stage, random, { tests: 4 })),
  unsteady: fresh((stage, random) => unsteady(stage, random, { longest: 10_000, again: false })),
  runner: fresh((stage, random) => runnerKilled(stage, random, anywhere)),
  ansible: fresh((stage, random) => ansibleKilled(stage, random, { ...anywhere, within: 25 })),
  cancel: fresh((stage, random) => cancelled(stage, random, anywhere)),
  power: fresh((stage, random) => powerCut(stage, random, anywhere)),
  'harden-cut': fresh((stage, random) => unconfirmed(stage, random, { by: 'cut', confirmSeconds: 20 })),
  'harden-kill': fresh((stage, random) => unconfirmed(stage, random, { by: 'kill', confirmSeconds: 120 })),
  laptops: fresh((stage) => twoLaptops(stage)),
  'cancel-container': on(() => Stage.provisioned())((stage) => cancelledContainer(stage)),
  'above-cable': above(cableOutAbove),
  'above-sleep': above(asleepAbove),
  'above-app': above(appKilledAbove),
  'above-ansible': above(ansibleKilledAbove),
  'above-power': above(powerCutAbove),
  'above-lock': aboveIn([2, 3, 5], aptLockAbove),
  'above-disk': aboveIn([2, 4], (stage, random, layer) =>
    layer === 2 ? diskFullInBoot(stage, random) : diskFullInVenvs(stage, random, { mend: true }),
  ),
  'above-clock': aboveIn([2, 3, 5], (stage, random, layer) =>
    clockWrong(stage, random, { layer, mend: true }),
  ),
  'above-laptop-clock': aboveIn([2, 3, 4, 5], laptopClockJumps),
};
