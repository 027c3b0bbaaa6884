/**
 * Faults of a flash over the network, each anywhere in it: what is not whole starts nothing, the same order goes on with what the box has,
 * and its end is the bytes of the image.
 */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { FlashResult } from '../../main/services/flash/flash.ts';
import type { FlashProgress } from '../../preload/contract/flash.ts';
import { endOf, proofOf, startingChunks } from '../integration/flash.ts';
import { FlashRig } from '../integration/flashrig.ts';
import { STALE } from '../integration/stale.ts';
import { until } from '../rig/host.ts';
import { SEALED, SIZE, makeImage, standingOf, type Standing } from './flashimage.ts';
import { appKilled } from './flashlocal.ts';
import { anyPart, isThere, type Part, type Phase } from './moments.ts';
import type { Random } from './random.ts';
import { keepBox, type Place, type Told } from './stage.ts';

/** How long anything here may take, in ms. */
const NEVER_MS = 120_000;
/** Between the first byte that must not be there alone and the last one that must. */
const DEAD: readonly Phase[] = ['write', 'flush', 'verify'];
const SHORTEST_MS = 1_000;

export class FlashBoxBench implements Place {
  readonly rig: FlashRig;
  readonly image: string;
  readonly wanted: string;

  private constructor(rig: FlashRig) {
    this.rig = rig;
    ({ image: this.image, wanted: this.wanted } = makeImage(rig.dir, 'qcow2'));
  }

  /** A box without a disk. */
  static async open(): Promise<FlashBoxBench> {
    const rig = await FlashRig.open();
    try {
      return new FlashBoxBench(rig);
    } catch (error) {
      await rig.close();
      throw error;
    }
  }

  static async withDisk(): Promise<FlashBoxBench> {
    const bench = await FlashBoxBench.open();
    await bench.rig.plugIn(SIZE);
    return bench;
  }

  standing(): Standing {
    return standingOf(this.rig.flushed(), this.wanted, STALE);
  }

  /** The end of a flash that passed: the whole image. Returns how much of it was there already. */
  passed(result: FlashResult, attempt: number): Record<string, number> {
    const { keptChunks, mendedChunks } = proofOf(result);
    assert.equal(this.standing(), 'whole');
    const { state, attempt: found } = this.rig.newest() ?? {};
    assert.deepEqual([state, found], ['passed', attempt]);
    return { kept: keptChunks, mended: mendedChunks };
  }

  keep(folder: string): void {
    keepBox(folder, this.rig.laptop, this.rig.box);
  }

  close(): Promise<void> {
    return this.rig.close();
  }
}

/** A flash on its way, and how far it is. */
class Going {
  readonly result: Promise<FlashResult>;
  now: FlashProgress | null = null;
  over = false;
  #told: () => void = () => undefined;

  constructor({ rig, image }: FlashBoxBench) {
    this.result = rig.flash(image, {
      onProgress: (now) => {
        this.now = now;
        this.#told();
      },
    });
    this.result.then(
      () => this.#end(),
      () => this.#end(),
    );
  }

  #end(): void {
    this.over = true;
    this.#told();
  }

  /** Resolves at the first thing that it tells from now on, its end included. */
  next(): Promise<void> {
    if (this.over) return Promise.resolve();
    return new Promise((resolve) => (this.#told = resolve));
  }

  /** Whether it came there; false where it ended before. */
  async reached(at: Part): Promise<boolean> {
    while (!this.over && !(this.now && isThere(at, this.now))) await this.next();
    if (!this.over) await delay(at.moreMs);
    return !this.over;
  }
}

/** The cable is out for a while, once or more often, and the flash passes without being asked again. */
export async function flashCable(
  bench: FlashBoxBench,
  random: Random,
  { most, longest }: { most: number; longest: number },
): Promise<Told> {
  const { box, path } = bench.rig;
  const going = new Going(bench);
  const counts: Record<string, number> = { cuts: 0 };
  let slowestMs: number | null = null;
  const due = 1 + Math.floor(random.between(0, most));
  for (let cut = 0; cut < due; cut += 1) {
    const at = anyPart(random);
    if (!(await going.reached(at))) break;
    await box.cutLink(random.pick(['down', 'drop']));
    const phase = going.now?.phase ?? at.phase;
    await delay(random.scaled(SHORTEST_MS, longest));
    if (DEAD.some((one) => one === phase)) assert.deepEqual(startingChunks(path, SEALED), []);
    const since = performance.now();
    // It may have ended in the moment of the cut; then nothing was cut off.
    const late = going.over;
    const moving = going.next();
    await box.restoreLink();
    if (late) break;
    counts['cuts'] = (counts['cuts'] ?? 0) + 1;
    counts[`in ${phase}`] = (counts[`in ${phase}`] ?? 0) + 1;
    await moving;
    slowestMs = Math.max(slowestMs ?? 0, performance.now() - since);
  }
  return { counts: { ...counts, ...bench.passed(await going.result, 1) }, slowestMs };
}

/** The runner's number in the box, once the journal knows it. */
async function runnerOf({ rig }: FlashBoxBench): Promise<string> {
  let pid: number | null = null;
  const known = (): boolean => {
    const row = rig.newest();
    for (const { event } of row ? rig.app.journal.events(row.job, row.attempt) : [])
      if (event.known && event.kind === 'started') ({ pid } = event.body);
    return pid !== null;
  };
  await until('the start of the job', known, NEVER_MS);
  return String(pid);
}

/** `kill -9` of the job on the box: it is lost, and the next attempt goes on with what it wrote. */
export async function flashReceiver(bench: FlashBoxBench, random: Random): Promise<Told> {
  const at = anyPart(random);
  const going = new Going(bench);
  if (!(await going.reached(at)))
    assert.fail(`nothing came to ${at.part} of ${at.phase}: ${endOf(await going.result).join()}`);
  const killed = await bench.rig.box.run(['kill', '-9', await runnerOf(bench)]);
  const first = await going.result;
  const counts = { [`in ${at.phase}`]: 1 };
  if (first.state === 'verified') {
    // It had ended before it could be killed, or had proved all and only its number was left.
    assert.equal(at.phase, 'seal');
    return { counts: { ...counts, late: 1, ...bench.passed(first, 1) }, slowestMs: null };
  }
  assert.equal(killed.code, 0, killed.stderr);
  assert.deepEqual(endOf(first), ['interrupted', 'job_lost'], first.error.message);
  bench.standing();
  const again = await bench.rig.flash(bench.image);
  return { counts: { ...counts, kills: 1, ...bench.passed(again, 2) }, slowestMs: null };
}

/** `kill -9` of the app that feeds a box: the job there waits, and the same order goes on with it. */
export async function flashBoxApp(bench: FlashBoxBench, random: Random): Promise<Told> {
  const part = anyPart(random);
  const { rig, image } = bench;
  const killed = await appKilled({
    ...{ of: 'box', home: rig.laptop.home, image, target: rig.target, box: rig.name, part },
    loginPassword: rig.box.password,
  });
  const counts = { [`in ${part.phase}`]: 1, [killed ? 'kills' : 'late']: 1 };
  if (!killed) assert.equal(part.phase, 'seal', 'it was not killed');
  else if (DEAD.includes(part.phase)) assert.deepEqual(startingChunks(rig.path, SEALED), []);
  const again = await rig.flash(image);
  const attempt = rig.newest()?.attempt ?? 0;
  assert.equal(attempt, 1, 'the job did not outlive its feeder');
  return { counts: { ...counts, ...bench.passed(again, attempt) }, slowestMs: null };
}
