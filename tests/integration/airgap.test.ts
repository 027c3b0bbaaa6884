/**
 * A site without a network: default routes of IPv4 and IPv6 and DNS lead to a sink that drops and counts. All layers come from the
 * bundle, containers included, and count nothing; the cable is out while each installs. The run of layers 2 to 5 that is always
 * done is in all-layers.test.ts; all five on a fresh box with `MEND=all`.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PASSED, Stage, told } from '../faults/stage.ts';
import { whyNoRig } from '../rig/box.ts';
import { NOTHING, Sink } from '../rig/sink.ts';
import { SOME_OF_EACH, withoutCable } from './airgap.ts';
import { byHand } from './byhand.ts';

// All layers on a machine that runs another box beside it.
vi.setConfig({ testTimeout: 1_200_000 });

const why = whyNoRig();

describe.runIf(why === null)(`a site without a network${why ? ` (not run: ${why})` : ''}`, () => {
  let stage: Stage;
  let sink: Sink;

  beforeAll(async () => {
    stage = await Stage.open();
    sink = await Sink.open(stage.box);
  });
  afterAll(async () => {
    await sink?.close();
    await stage?.close();
  });

  it('what a fresh box tries is counted by its kind, and what only says itself on the link is not', async () => {
    expect(await sink.counts(), (await sink.seen()).join('\n')).toEqual(NOTHING);
    expect(await sink.control('box')).toEqual(SOME_OF_EACH);
  });

  byHand('all five layers from the bundle, the cable out while each installs, try nothing', async () => {
    const before = await sink.counts();
    const installing = stage.provision('0,1,2,3,4,5');
    const cable = await withoutCable(installing, stage.box);
    const ended = await installing.ended;
    expect(ended.code, told(ended)).toBe(PASSED);
    expect(Object.values(cable)).toEqual(['down', 'down', 'down', 'down', 'down', 'down']);
    expect(await sink.counts(), (await sink.seen()).join('\n')).toEqual(before);
    expect(await sink.control('box')).toEqual(SOME_OF_EACH);
    expect(await sink.control('container')).toEqual(SOME_OF_EACH);
  });
});
