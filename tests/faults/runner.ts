/** Faults: what works in the box is killed there, the runner itself or the Ansible below it. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { holds } from './evidence.ts';
import { dpkgAtWork, enterInstall, killAnsible, mend, nothingLeft } from './layer.ts';
import type { Random } from './random.ts';
import { told, type Stage, type Told } from './stage.ts';

export interface LayerFault {
  /** How long into the work the fault may come, in s. */
  within: number;
  /** Whether the layer is brought to its end afterwards. */
  mend: boolean;
}

/** The runner is killed while apt works: the attempt is lost, and nothing of it goes on. */
export async function runnerKilled(stage: Stage, random: Random, opts: LayerFault): Promise<Told> {
  const { run, row } = await enterInstall(stage);
  await dpkgAtWork(stage, run);
  await delay(random.between(0, opts.within) * 1000);
  const [first] = stage.journal.events(row.job, row.attempt);
  assert(first?.event.known && first.event.kind === 'started');
  const killed = await stage.box.run(['kill', '-9', String(first.event.body.pid)]);
  assert.equal(killed.code, 0, killed.stderr);
  const ended = await run.ended;
  assert.deepEqual([ended.code, ended.last['code']], [31, 'job_lost'], told(ended));
  assert.equal(stage.journal.attempt(row.job, row.attempt)?.state, 'lost');
  await nothingLeft(stage, row);
  if (opts.mend) await mend(stage);
  return { counts: { kills: 1, events: holds(stage) }, slowestMs: null };
}

/** Ansible is killed: the job has failed, says so, and nothing of it goes on. */
export async function ansibleKilled(stage: Stage, random: Random, opts: LayerFault): Promise<Told> {
  const { run, row } = await enterInstall(stage);
  await delay(random.between(0, opts.within) * 1000);
  await killAnsible(stage, random);
  const ended = await run.ended;
  assert.deepEqual([ended.code, ended.last['code']], [8, 'job_failed'], told(ended));
  assert.equal(stage.journal.attempt(row.job, row.attempt)?.state, 'failed');
  await nothingLeft(stage, row);
  if (opts.mend) await mend(stage);
  return { counts: { kills: 1, events: holds(stage) }, slowestMs: null };
}
