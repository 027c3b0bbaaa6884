/** Fault: the box loses its power while apt works, and gets it back. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { holds } from './evidence.ts';
import { dpkgAtWork, enterInstall, mend } from './layer.ts';
import type { Random } from './random.ts';
import type { LayerFault } from './runner.ts';
import { told, type Stage, type Told } from './stage.ts';

/** The attempt is lost when the box is back, and the layer passes after resume. */
export async function powerCut(stage: Stage, random: Random, opts: LayerFault): Promise<Told> {
  const { run, row } = await enterInstall(stage);
  await dpkgAtWork(stage, run);
  await delay(random.between(0, opts.within) * 1000);
  await stage.box.powerCut();
  await delay(random.between(0, 5) * 1000);
  await stage.box.powerOn();
  const ended = await run.ended;
  assert.deepEqual([ended.code, ended.last['code']], [31, 'job_lost'], told(ended));
  assert.equal(stage.journal.attempt(row.job, row.attempt)?.state, 'lost');
  if (opts.mend) await mend(stage);
  return { counts: { cuts: 1, events: holds(stage) }, slowestMs: null };
}
