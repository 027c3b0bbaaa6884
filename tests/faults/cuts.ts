/** Fault: the cable is cut and put back at random moments of a run, again and again. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { CliRun } from '../integration/cli.ts';
import { holds } from './evidence.ts';
import type { Random } from './random.ts';
import { eventIn, isEvent, told, type Stage, type Told } from './stage.ts';

/** The bar of the specification, in ms. */
export const CATCH_UP_MS = 2_000;
/** How long a catch-up is waited for before it counts as never, in ms. */
const NEVER_MS = 30_000;
/** How long a command that has told its result may take to leave, whatever the cable does, in ms. */
const LEAVE_MS = 5_000;
const RATE = 50;
/** Events of one link test: 40 s of them, so that ends of jobs fall into cuts as well. */
const COUNT = 2_000;
const SHORTEST_MS = 200;
/** A cable that is put back does not always stay: one cut in so many is followed by another at once. */
const FLAPS = 1 / 6;

export interface CutsOptions {
  /** Cuts whose catch-up is measured; flaps come on top. */
  cuts: number;
  /** The longest cut in ms; the shortest is 200. */
  longest: number;
}

/** An attempt, as far as it matters here. */
export interface Job {
  job: string;
  attempt: number;
}

/** How many bytes of the attempt's log the box shows to readers now. */
export function shownByBox(stage: Stage, { job, attempt }: Job): number {
  return Number(readFileSync(stage.onBox(job, attempt, 'events.synced')).readBigUInt64LE());
}

/** Ms from `since` until the journal holds `bytes` of the log. */
export async function caughtUp(
  stage: Stage,
  { job, attempt }: Job,
  bytes: number,
  since: number,
): Promise<number> {
  for (;;) {
    const { offset } = stage.journal.position(job, attempt);
    const spent = performance.now() - since;
    if (offset >= bytes) return spent;
    assert(
      spent < NEVER_MS,
      `the journal has ${offset} of ${bytes} bytes ${NEVER_MS} ms after the link was back`,
    );
    await delay(5);
  }
}

/** Cuts the link once, for up to `longest` ms, and gives it back; resolves to the moment when it began to. */
export async function cutOnce(stage: Stage, random: Random, longest: number): Promise<number> {
  await stage.box.cutLink(random.pick(['down', 'drop']));
  await delay(random.scaled(SHORTEST_MS, longest));
  // Taken before the link is there: what giving it back takes counts, too.
  const since = performance.now();
  await stage.box.restoreLink();
  return since;
}

export const over = (run: CliRun): boolean => run.child.exitCode !== null || run.child.signalCode !== null;

/** Ms from a command's result to its end; NaN when it told none. */
async function leavingTime(run: CliRun): Promise<number> {
  let toldAt = NaN;
  run
    .until('its result', (r) => r.type === 'result')
    .then(
      () => (toldAt = performance.now()),
      () => undefined,
    );
  await run.ended;
  return performance.now() - toldAt;
}

/** Runs link tests until enough cuts were made in them. Rejects when an event is lost, doubled or out of order. */
export async function cuts(
  stage: Stage,
  random: Random,
  opts: CutsOptions,
): Promise<Told & { ms: number[] }> {
  const ms: number[] = [];
  let flaps = 0;
  let tests = 0;
  /** Seconds that a cut takes on average with all that belongs to it, so that the last test ends soon after the last cut. */
  const each = (opts.longest - SHORTEST_MS) / Math.log(opts.longest / SHORTEST_MS) / 1000 + 0.6;
  while (ms.length < opts.cuts) {
    const count = Math.min(COUNT, Math.max(200, Math.round((opts.cuts - ms.length) * each * RATE)));
    const run = stage.start('link-test', '--count', String(count), '--rate', String(RATE));
    const left = leavingTime(run);
    const first = await run.until('the first event', (r) => eventIn(r) !== null);
    const job = { job: String(first['job']), attempt: Number(first['attempt']) };
    while (ms.length < opts.cuts && !over(run)) {
      await delay(random.between(20, 300));
      if (over(run)) break;
      if (random.chance(FLAPS)) {
        await cutOnce(stage, random, opts.longest);
        flaps += 1;
        await delay(random.between(0, 700));
        if (over(run)) break;
      }
      const since = await cutOnce(stage, random, opts.longest);
      ms.push(await caughtUp(stage, job, shownByBox(stage, job), since));
    }
    const ended = await run.ended;
    assert.equal(ended.code, 0, told(ended));
    const leaving = await left;
    assert(leaving < LEAVE_MS, `the command was still there ${leaving} ms after its result`);
    const emitted = ended.records
      .filter(isEvent({ kind: 'log', step: 'emit' }))
      .map((r) => eventIn(r)?.['text']);
    const due = Array.from({ length: count }, (_, at) => `event ${at + 1} of ${count}`);
    assert.deepEqual(emitted, due);
    tests += 1;
  }
  const events = holds(stage);
  return { counts: { cuts: ms.length, flaps, tests, events }, slowestMs: Math.max(...ms), ms };
}
