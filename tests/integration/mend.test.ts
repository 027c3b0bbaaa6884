/**
 * Broken by hand, named by the health check, mended by one more run, and nothing else changed: each check of layer 1, which the
 * settings S1–S5 are among. Here the rows are broken together, as many in a round as are apart from each other, and only the
 * first rounds, which break every check; `npx tsx tests/integration/mend/run.ts` does every row alone.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { whyNoRig } from '../rig/box.ts';
import { byHand } from './byhand.ts';
import { ACCESS } from './mend/access.ts';
import { Bench, differences, layerChecks, mendRows, named, rounds } from './mend/mend.ts';
import { SYSTEM } from './mend/system.ts';
import { provisioned, type Provisioned } from './provisioned.ts';

// A run of the layer, a look and three snapshots of the whole box, on a machine that runs another box beside it.
vi.setConfig({ testTimeout: 420_000 });

const why = whyNoRig();
const ROWS = [...SYSTEM, ...ACCESS];
const FIRST = rounds(ROWS).slice(0, 2);
const about = (rows: readonly { finds: object }[]) =>
  new Set(rows.flatMap(({ finds }) => Object.keys(finds)));

it('every check of layer 1 is broken by a row, and in the first rounds', async () => {
  const checks = await layerChecks();
  expect([...about(ROWS)].sort()).toEqual([...checks].sort());
  expect([...about(FIRST.flat())].sort()).toEqual([...checks].sort());
});

it('every row has a name of its own', () => {
  expect(new Set(ROWS.map(({ what }) => what)).size).toBe(ROWS.length);
});

describe.runIf(why === null)(`broken by hand${why ? ` (not run: ${why})` : ''}`, () => {
  let kept: Provisioned;
  let bench: Bench;

  beforeAll(async () => {
    kept = await provisioned();
    bench = new Bench(kept);
  });

  afterAll(async () => {
    await kept?.end();
  });

  it('a box as it was left passes, drift sees nothing, and neither changes anything', async () => {
    const before = await bench.snapshot();
    expect(await bench.drift()).toMatchObject({ drift: [], findings: {} });
    expect(differences(before, await bench.snapshot())).toEqual([]);
  });

  // In CI a second run is looked at in road.test.ts.
  byHand('nor does a run', async () => {
    const before = await bench.snapshot();
    expect(await bench.provision()).toMatchObject({ findings: {}, changed: [], code: 0 });
    expect(differences(before, await bench.snapshot())).toEqual([]);
  });

  it.each(named(FIRST))('%s', async (_what, rows) => {
    const { wrong, tasks } = await mendRows(bench, rows);
    expect(wrong).toEqual([]);
    expect(tasks).not.toEqual([]);
  });
});
