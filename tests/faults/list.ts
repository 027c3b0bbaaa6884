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
import { FlashBoxBench, flashBoxApp, flashCable, flashReceiver } from './flashbox.ts';
import {
  flashApp,
  flashFull,
  flashGone,
  flashIo,
  flashSource,
  flashWriter,
  onBadDisk,
  onFileDisk,
  onFullFile,
} from './flashlocal.ts';
import { unconfirmed } from './harden.ts';
import { killAndRepeat } from './kill.ts';
import { twoLaptops } from './laptops.ts';
import { powerCut } from './power.ts';
import type { Random } from './random.ts';
import { ansibleKilled, runnerKilled } from './runner.ts';
import { Stage, type Place, type Told } from './stage.ts';
import { unsteady } from './unsteady.ts';
import { clockWrong, diskFullInBoot, diskFullInVenvs, laptopClockJumps } from './world.ts';

/** One run of a fault, at a place that stands ready. */
export interface Scene extends Place {
  /** Rejects when something did not hold. */
  befall: () => Promise<Told>;
}
export type Fault = (random: Random) => () => Promise<Scene>;

/** At any moment of apt's work on a calm machine, and the layer is brought to its end. */
const anywhere = { within: 12, mend: true };

const sceneAt = <P extends Place>(place: P, befall: (place: P) => Promise<Told>): Scene => ({
  befall: () => befall(place),
  keep: (folder) => place.keep(folder),
  close: () => place.close(),
});

const on =
  <P extends Place>(open: (random: Random) => Promise<P> | P) =>
  (befall: (place: P, random: Random) => Promise<Told>): Fault =>
  (random) =>
  async () =>
    sceneAt(await open(random), (place) => befall(place, random));
const fresh = on(() => Stage.open());

/** On a box that has what is below the layer that `pick` decides on. */
const onTop =
  <T extends { layer: Above }>(
    pick: (random: Random) => T,
    befall: (stage: Stage, random: Random, opts: T) => Promise<Told>,
  ): Fault =>
  (random) => {
    const opts = pick(random);
    return async () =>
      sceneAt(await Stage.provisioned(opts.layer), async (stage) => {
        const { counts, slowestMs } = await befall(stage, random, opts);
        return { counts: { ...counts, [`in L${opts.layer}`]: 1 }, slowestMs };
      });
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
  'flash-app': on(onFileDisk)(flashApp),
  'flash-writer': on(onFileDisk)(flashWriter),
  'flash-gone': on(onFileDisk)(flashGone),
  'flash-io': on(onBadDisk)(flashIo),
  'flash-source': on(onFileDisk)(flashSource),
  'flash-full': on(onFullFile)(flashFull),
  'flash-cable': on(() => FlashBoxBench.withDisk())((bench, random) =>
    flashCable(bench, random, { most: 3, longest: 20_000 }),
  ),
  'flash-receiver': on(() => FlashBoxBench.withDisk())(flashReceiver),
  'flash-box-app': on(() => FlashBoxBench.withDisk())(flashBoxApp),
};
