/** Fault: the engineer cancels while apt works. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { holds } from './evidence.ts';
import { dpkgAtWork, dpkgWhole, enterInstall, mend, nothingLeft } from './layer.ts';
import type { Random } from './random.ts';
import type { LayerFault } from './runner.ts';
import { told, type Stage, type Told } from './stage.ts';

/** Rejects when something of the job is left in the box once it is called cancelled, or a package is half there. */
export async function cancelled(stage: Stage, random: Random, opts: LayerFault): Promise<Told> {
  const { run, row } = await enterInstall(stage);
  await dpkgAtWork(stage, run);
  await delay(random.between(0, opts.within) * 1000);
  const cancel = stage.laptop.start('cancel');
  const ended = await run.ended;
  const asked = await cancel.ended;
  assert.deepEqual([ended.code, ended.last['code']], [30, 'job_cancelled'], told(ended));
  assert.equal(asked.code, 0, told(asked));
  // The runner itself leaves within moments of its last word.
  await nothingLeft(stage, row);
  await dpkgWhole(stage);
  if (opts.mend) await mend(stage);
  return { counts: { cancels: 1, events: holds(stage) }, worstCatchUpMs: null };
}
