/** Builds out of the journal: what runs, what is from the cache, with which stage one goes on, and what is said of its layers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IMAGE_STAGES, NOT_PROVEN, type ImageStage } from '../../../preload/contract/image-build.ts';
import { BuildRun, type FromCache } from '../../../preload/contract/image-desk.ts';
import type { ShownOrder } from '../../../preload/contract/image-order.ts';
import type { Evidence } from '../../../preload/contract/outcome.ts';
import { Journal, LAPTOP } from '../../../main/journal/journal.ts';
import { LocalJob } from '../../../main/journal/localjob.ts';
import { imageBuilds } from '../../../main/services/image/history.ts';

const ORDER: ShownOrder = {
  ...{ source: { kind: 'disk', path: '/base.qcow2', sha256: null }, profile: 'vault-cube', layers: [1, 2] },
  ...{ bundle: null, name: 'box', version: '1.0', work: '/work', out: '/set', project: '/p', signerId: null },
  ...{ accel: 'tcg', memoryMiB: 1024, cpus: 2, diskSize: '2G', secondRun: true },
};

let dir: string;
let journal: Journal;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vc-history-'));
  journal = Journal.open(join(dir, 'journal.db'));
});
afterEach(() => {
  journal.close();
  rmSync(dir, { recursive: true, force: true });
});

interface Stage {
  build: string;
  stage: ImageStage;
  cache?: FromCache;
  evidence?: Evidence;
}

function begin({ build, stage, cache, evidence = 'real' }: Stage): LocalJob {
  const before = journal
    .jobs(LAPTOP)
    .findLast(({ spec }) => spec.params['build'] === build && spec.params['stage'] === stage);
  return LocalJob.start(journal, {
    ...{
      sessionId: LAPTOP,
      kind: 'image',
      title: stage,
      laptop: { name: 'a', user: 'b' },
      app: '1',
      evidence,
    },
    params: { build, stage, work: '/work', image: 'box-v1.0', order: ORDER, cache: cache ?? null },
    ...(before ? { job: before.job } : {}),
  });
}
const pass = (stage: Stage, outcome = 'passed') => begin(stage).finish('passed', { detail: outcome });

/** As the contract has it: what does not fit would not reach the window. */
const first = (): BuildRun => BuildRun.parse(imageBuilds(journal)[0]);

describe('a build', () => {
  it('runs while a stage does, and its labels say nothing of layers that are not there yet', () => {
    const build = randomUUID();
    pass({ build, stage: 'P1' });
    begin({ build, stage: 'P2' });
    expect(first()).toMatchObject({
      state: 'running',
      goesOnWith: null,
      outcome: null,
      labels: ['layers 1, 2'],
    });
    expect(first().order).toEqual(ORDER);
  });

  it('goes on with the stage that failed, whose own words are its error', () => {
    const build = randomUUID();
    pass({ build, stage: 'P1' });
    begin({ build, stage: 'P2' }).finish('failed', {
      ...{ code: 'image_stage_failed', detail: 'Stage P2 (Base image) of the image failed: no room.' },
      nextAction: 'Make room.',
    });
    expect(first()).toMatchObject({ state: 'failed', goesOnWith: 'P2' });
    expect(first().stages[1]?.error).toMatchObject({
      code: 'image_stage_failed',
      message: 'Stage P2 (Base image) of the image failed: no room.',
      nextAction: 'Make room.',
    });
  });

  it('that is begun again forgets where it stood: each stage is recorded anew', () => {
    const build = randomUUID();
    pass({ build, stage: 'P1' });
    begin({ build, stage: 'P2' }).finish('failed');
    pass({ build, stage: 'P1', cache: { build, seconds: 12, outcome: 'passed' } });
    expect(first().stages.map(({ stage, attempt, cache }) => [stage, attempt, cache?.seconds])).toEqual([
      ['P1', 2, 12],
    ]);
    expect(first()).toMatchObject({ state: 'cancelled', goesOnWith: 'P2', seconds: 0 });
  });

  it('is built with its set, by the worst of its stages; what is from the cache took no time', () => {
    const build = randomUUID();
    const cache = { build: randomUUID(), seconds: 100, outcome: 'passed_with_deviations' as const };
    for (const stage of IMAGE_STAGES)
      pass({ build, stage, ...(stage === 'P3' ? { cache, evidence: 'stand-in' as const } : {}) });
    pass({ build, stage: 'P6' }, 'passed');
    expect(first()).toMatchObject({
      ...{ state: 'built', outcome: 'passed_with_deviations', evidence: 'stand-in', goesOnWith: null },
      labels: ['layers 1, 2', NOT_PROVEN, 'stand-in'],
    });
    expect(first().seconds).toBeLessThan(10);
    expect(first().stages.find(({ stage }) => stage === 'P3')).toMatchObject({
      ...{ cache, outcome: 'passed_with_deviations' },
    });
  });

  it('whose process is gone says why', () => {
    const build = randomUUID();
    const { job, attempt } = begin({ build, stage: 'P1' });
    journal.markLost(job, attempt, 'the app was closed.');
    expect(first()).toMatchObject({ state: 'lost', goesOnWith: 'P1' });
    expect(first().stages[0]?.error?.message).toBe(
      'The building process ended before the build did: the app was closed.',
    );
  });

  it('of an older version, without order, is shown; the newest comes first', () => {
    const old = randomUUID();
    LocalJob.start(journal, {
      ...{ sessionId: LAPTOP, kind: 'image', title: 'P1', laptop: { name: 'a', user: 'b' }, app: '1' },
      ...{ evidence: 'real', params: { build: old, stage: 'P1', work: '/work', image: 'old-v1' } },
    }).finish('failed', { detail: 'x' });
    const build = randomUUID();
    begin({ build, stage: 'P1' });
    const all = imageBuilds(journal).map((one) => BuildRun.parse(one));
    expect(all.map((one) => [one.image, one.order === null])).toEqual([
      ['box-v1.0', false],
      ['old-v1', true],
    ]);
  });
});
