/** Fault: the command line is killed at random moments, and what it began is gone on with. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { CliRun, Ended } from '../integration/cli.ts';
import { holds } from './evidence.ts';
import { attemptOf, during, isOpen } from './layer.ts';
import type { Random } from './random.ts';
import { eventIn, isEvent, PASSED, told, type Stage, type Told } from './stage.ts';

/** The phases of `provision --layers 0,1` in order, and how long into each a kill may come, in s. */
const PHASES: readonly (readonly [string, number])[] = [
  ['l0-fetch', 2],
  ['l0-install', 8],
  ['l0-health', 1],
  ['l1-fetch', 2],
  ['l1-install', 25],
  ['l1-harden', 6],
  ['l1-health', 3],
];
const TEST = ['link-test', '--count', '400', '--rate', '50'];

/** Kills the command after a while, unless it has ended by then. Returns whether it was killed. */
async function killIn(run: CliRun, seconds: number): Promise<boolean> {
  const asleep = new AbortController();
  await Promise.race([
    run.ended,
    delay(seconds * 1000, undefined, { signal: asleep.signal }).catch(() => undefined),
  ]);
  asleep.abort();
  if (run.child.exitCode !== null) return false;
  await run.kill('SIGKILL');
  return true;
}

/** As an engineer goes on: with resume, or with the command again where the kill came before it was recorded. */
const goOn = (stage: Stage, command: 'link-test' | 'provision', args: readonly string[]): CliRun => {
  const { run } = stage.session;
  return run?.command === command && isOpen(stage.session) ? stage.start('resume') : stage.start(...args);
};

/** Link tests, each with one kill and a resume that is killed as well. */
async function killTests(stage: Stage, random: Random, tests: number): Promise<number> {
  let kills = 0;
  for (let n = 0; n < tests; n++) {
    const ran = stage.journal.jobs(stage.session.id).length;
    for (const longest of [5, 2]) {
      if (await killIn(goOn(stage, 'link-test', TEST), random.between(0, longest))) kills += 1;
    }
    const last = goOn(stage, 'link-test', TEST);
    const ended = await last.ended;
    assert.equal(ended.code, 0, told(ended));
    assert.equal(stage.journal.jobs(stage.session.id).length, ran + 1, 'one attempt, whatever was killed');
  }
  return kills;
}

/** Whether a phase has begun on the box. */
const began = (stage: Stage, phase: string): boolean => {
  const state = attemptOf(stage, phase)?.state;
  return state !== undefined && state !== 'starting';
};

/** A provision that is killed before, and in, each of its phases; resolves when it has passed. */
async function killProvision(stage: Stage, random: Random): Promise<{ kills: number; phases: number }> {
  const args = ['provision', '--layers', '0,1', '--bundle', stage.box.bundle];
  const ofThisRun = (): boolean => stage.session.run?.command === 'provision';
  let kills = 0;
  const hit = new Set<string>();
  for (const [phase, longest] of PHASES) {
    // While the phase is being started, or whatever is done then.
    if (random.chance(0.5) && (await killIn(goOn(stage, 'provision', args), random.between(0.1, 1.5))))
      kills += 1;
    if (ofThisRun() && !isOpen(stage.session)) break;
    const run = goOn(stage, 'provision', args);
    await during(run, `the start of ${phase}`, () => ofThisRun() && began(stage, phase));
    if (await killIn(run, random.between(0, longest))) {
      kills += 1;
      hit.add(phase);
    }
  }
  const last = isOpen(stage.session) ? await stage.start('resume').ended : await stage.commands.at(-1)?.ended;
  assert.equal(last?.code, PASSED, last && told(last));
  return { kills, phases: hit.size };
}

/** Every phase of the session's run passed at its first attempt. */
export function passedAtOnce(stage: Stage): void {
  for (const [phase] of PHASES) {
    const row = attemptOf(stage, phase);
    assert.deepEqual([row?.attempt, row?.state], [1, 'passed'], phase);
  }
}

/** A provision of a box that has everything: it changes nothing. */
export function changedNothing({ records }: Ended): void {
  const changed = records
    .filter(isEvent({ kind: 'task', state: 'changed' }))
    .map((r) => eventIn(r)?.['name']);
  assert.deepEqual(changed, []);
  const counts = records.filter(isEvent({ kind: 'finished' })).map((r) => eventIn(r)?.['counts']);
  assert.deepEqual(
    counts.map((c) => (c as { changed: number }).changed),
    PHASES.map(() => 0),
  );
}

/** Rejects when a kill cost an attempt, an event or a thing that was done already. The box is provisioned then. */
export async function kill(stage: Stage, random: Random, opts: { tests: number }): Promise<Told> {
  const inTests = await killTests(stage, random, opts.tests);
  const { kills, phases } = await killProvision(stage, random);
  passedAtOnce(stage);
  const events = holds(stage, { killed: true });
  await stage.must(0, 'verify');
  return { counts: { kills: inTests + kills, phases, events }, slowestMs: null };
}

/** The same, and a second provision, which changes nothing. */
export async function killAndRepeat(stage: Stage, random: Random, opts: { tests: number }): Promise<Told> {
  const done = await kill(stage, random, opts);
  const again = await stage.provision('0,1').ended;
  assert.equal(again.code, PASSED, told(again));
  changedNothing(again);
  return done;
}
