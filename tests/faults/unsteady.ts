/** Fault: the cable breaks again and again through a whole provision: in fetches, starts, installations and the confirmation. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { activeJob } from '../../main/services/runs.ts';
import { caughtUp, cutOnce, over, shownByBox } from './cuts.ts';
import { holds } from './evidence.ts';
import { changedNothing, passedAtOnce } from './kill.ts';
import type { Random } from './random.ts';
import { eventIn, PASSED, told, type Stage, type Told } from './stage.ts';

export interface UnsteadyOptions {
  /** The longest cut in ms; the shortest is 200. */
  longest: number;
  /** True for a box that has its layers: nothing may be changed then. */
  again: boolean;
}

/** One command, from its first event to its end. Rejects when a cut cost an attempt, an event or the outcome. */
export async function unsteady(stage: Stage, random: Random, opts: UnsteadyOptions): Promise<Told> {
  const run = stage.provision('0,1');
  await run.until('the first event', (r) => eventIn(r) !== null);
  let cuts = 0;
  let worst: number | null = null;
  while (!over(run)) {
    await Promise.race([run.ended, delay(random.between(300, 4_000))]);
    if (over(run)) break;
    const since = await cutOnce(stage, random, opts.longest);
    cuts += 1;
    // Between two jobs there is nothing to catch up with.
    const job = activeJob(stage.journal, stage.session);
    if (job?.state !== 'running') continue;
    worst = Math.max(worst ?? 0, await caughtUp(stage, job, shownByBox(stage, job), since));
  }
  const ended = await run.ended;
  assert.equal(ended.code, PASSED, told(ended));
  passedAtOnce(stage);
  if (opts.again) changedNothing(ended);
  const events = holds(stage, { killed: opts.again });
  await stage.must(0, 'verify');
  return { counts: { cuts, events }, slowestMs: worst };
}
