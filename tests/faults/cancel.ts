/** Faults: the engineer cancels while apt works, or while a container holds the memory of a card. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { holds } from './evidence.ts';
import {
  attemptOf,
  dpkgAtWork,
  dpkgWhole,
  during,
  endedWell,
  enterInstall,
  mend,
  nothingLeft,
} from './layer.ts';
import type { Random } from './random.ts';
import type { LayerFault } from './runner.ts';
import { told, type Stage, type Told } from './stage.ts';

/** The bars of the specification, in ms: apt ends its package first. */
const IN_APT_MS = 120_000;
const CANCEL_MS = 15_000;
const IMAGE = 'vault-cube/busybox:stand-in';
/** What an image's own `true` becomes in which nothing can be ended but by force. */
const DEAF = '#!/bin/sh\ntrap "" TERM INT HUP\nwhile :; do sleep 1; done\n';

/** Rejects when something of the job is left in the box once it is called cancelled, or a package is half there. */
export async function cancelled(stage: Stage, random: Random, opts: LayerFault): Promise<Told> {
  const { run, row } = await enterInstall(stage);
  await dpkgAtWork(stage, run);
  await delay(random.between(0, opts.within) * 1000);
  const since = performance.now();
  const cancel = stage.laptop.start('cancel');
  const ended = await run.ended;
  const ms = performance.now() - since;
  const asked = await cancel.ended;
  assert.deepEqual([ended.code, ended.last['code']], [30, 'job_cancelled'], told(ended));
  assert.equal(asked.code, 0, told(asked));
  assert(ms < IN_APT_MS, `the job was cancelled ${Math.round(ms)} ms after it was asked for`);
  // The runner itself leaves within moments of its last word.
  await nothingLeft(stage, row);
  await dpkgWhole(stage);
  if (opts.mend) await mend(stage);
  return { counts: { cancels: 1, events: holds(stage) }, slowestMs: ms };
}

/** Runs a script in the box, which must end with 0; resolves to what it printed. */
async function sh(stage: Stage, script: string, input = ''): Promise<string> {
  const ran = await stage.box.sh(script, { input });
  assert.equal(ran.code, 0, `${script}: ${ran.stdout}${ran.stderr}`);
  return ran.stdout.trim();
}

/**
 * Layer 1's health check is cancelled while its container runs, which cannot be ended but by force; another one of the job would
 * be started again by Docker. Both hold a card's memory in the stand-in's sense. For a box that has layer 1.
 */
export async function cancelledContainer(stage: Stage): Promise<Told> {
  const memory = (): Promise<string> =>
    sh(stage, 'nvidia-smi --query-gpu=index,memory.used --format=csv,noheader,nounits');
  const before = await memory();
  const image = await sh(stage, `docker image inspect -f '{{.Id}}' ${IMAGE}`);
  const replace = 'rm /bin/true && cat >/bin/true && chmod 755 /bin/true';
  await sh(stage, `docker run -i --name deaf ${IMAGE} sh -c '${replace}'`, DEAF);
  await sh(stage, `docker commit deaf ${IMAGE} && docker rm deaf`);
  const run = stage.start('check', '--layers', '1');
  const job = (): string | undefined => attemptOf(stage, 'l1-health')?.job;
  const mine = async (all: '' | 'a'): Promise<string[]> =>
    (await sh(stage, `docker ps -q${all} --filter label=vault-cube.job=${job()}`))
      .split('\n')
      .filter(Boolean);
  await during(
    run,
    "the check's container",
    async () => job() !== undefined && (await mine('')).length === 1,
  );
  const again = `docker run -d --restart always --label vault-cube.job=${job()} --entrypoint /bin/true ${IMAGE}`;
  await sh(stage, again);
  // Each process says it of itself, by its number on the box.
  await sh(
    stage,
    `mkdir -p /run/vault-cube-stand-in; n=0; for id in $(docker ps -q --filter label=vault-cube.job=${job()}); do
    echo "$n 4096" >/run/vault-cube-stand-in/$(docker inspect -f '{{.State.Pid}}' $id); n=$((n+1)); done`,
  );
  assert.equal(await memory(), '0, 4096\n1, 4096');
  const row = attemptOf(stage, 'l1-health');
  assert(row);
  const since = performance.now();
  const cancel = stage.laptop.start('cancel');
  const ended = await run.ended;
  const ms = performance.now() - since;
  assert.deepEqual([ended.code, ended.last['code']], [30, 'job_cancelled'], told(ended));
  assert(ms < CANCEL_MS, `the job was cancelled ${Math.round(ms)} ms after it was asked for`);
  assert.deepEqual([await mine('a'), await memory()], [[], before]);
  const log = JSON.stringify(ended.records);
  for (const words of ['2 container(s) of this job removed', 'GPU memory is back at its baseline'])
    assert(log.includes(words), `the job did not say "${words}"`);
  await cancel.ended;
  await nothingLeft(stage, row);
  await sh(stage, `docker tag ${image} ${IMAGE}`);
  endedWell(await stage.run('check', '--layers', '1'));
  return { counts: { cancels: 1, containers: 2 }, slowestMs: ms };
}
