/**
 * One part of `npm run bench:layers`: `tsx tests/bench/layers/run.ts veth|slow|cut|all RUNS`. Runs that are compared take turns, each
 * on a box of its own from the same state, since a machine's speed changes within minutes. The last line is a JSON object, times in s.
 */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { PASSED, Stage, told } from '../../faults/stage.ts';
import { holdTo, whyNoLess } from './less.ts';
import { byAnsible, byApp, type Took } from './runs.ts';
import { SlowLink } from './slow.ts';
import { Start, type Fork } from './start.ts';

const LINK = { ms: 25, mbit: 100 };
const CUT = {
  /** Of a core: layer 1's installation then takes longer than the cut. */
  core: 0.35,
  afterMs: 10_000,
  ms: 60_000,
};
const INSTALL = 'Install L1 Base system';

/** Each kind of run in turn, as often as wanted. */
async function inTurns(
  runs: number,
  kinds: Record<string, (start: Start, fork: Fork) => Promise<Took>>,
): Promise<Record<string, Took[]>> {
  const start = await Start.make();
  const found: Record<string, Took[]> = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]));
  try {
    for (let n = 0; n < runs; n++)
      for (const [kind, measured] of Object.entries(kinds)) {
        const fork = await start.fork();
        try {
          found[kind]?.push(await measured(start, fork));
        } finally {
          await fork.end();
        }
      }
  } finally {
    await start.remove();
  }
  return found;
}

const app = (start: Start, fork: Fork) => byApp(start, fork);

async function slow(runs: number): Promise<object> {
  const links: object[] = [];
  const over =
    (measured: (start: Start, fork: Fork) => Promise<Took>) =>
    async (start: Start, fork: Fork): Promise<Took> => {
      const link = await SlowLink.put(fork.box, LINK.ms, LINK.mbit);
      try {
        links.push(await SlowLink.measure(fork.box));
        return await measured(start, fork);
      } finally {
        await fork.box.stop();
        await link.end();
      }
    };
  const found = await inTurns(runs, { app: over(app), ansible: over(byAnsible) });
  return { ...found, links };
}

async function cut(runs: number): Promise<object> {
  const why = whyNoLess();
  if (why !== null) return { why };
  const held = async (start: Start, fork: Fork, during: () => void): Promise<Took> => {
    const release = holdTo(CUT.core, fork.box);
    try {
      return await byApp(start, fork, (title) => {
        if (title === INSTALL) during();
      });
    } finally {
      await fork.end();
      await release();
    }
  };
  /** The cable is out in the middle: the installation began before and ends after. */
  const withCut = async (start: Start, fork: Fork): Promise<Took> => {
    let out = Promise.resolve();
    const took = await held(start, fork, () => {
      out = delay(CUT.afterMs)
        .then(() => fork.box.cutLink('down'))
        .then(() => delay(CUT.ms))
        .then(() => fork.box.restoreLink());
      out.catch(() => undefined); // told below
    });
    await out;
    const installed = took.parts[INSTALL] ?? 0;
    const least = (CUT.afterMs + CUT.ms) / 1000;
    assert(installed > least, `the installation took ${installed} s, the cut was over after ${least} s`);
    return took;
  };
  const start = await Start.make();
  const found: Record<'whole' | 'cut', Took[]> = { whole: [], cut: [] };
  try {
    // Both at once, as each has its part of the machine: they see the same moments of it.
    for (let n = 0; n < runs; n++) {
      const whole = await start.fork();
      const broken = await start.fork();
      const ended = await Promise.allSettled([held(start, whole, () => undefined), withCut(start, broken)]);
      const [first, second] = ended.map((one) => {
        if (one.status === 'fulfilled') return one.value;
        throw one.reason;
      });
      assert(first && second);
      found.whole.push(first);
      found.cut.push(second);
    }
  } finally {
    await start.remove();
  }
  return found;
}

/** All layers that are not optional, on a fresh box with keys: nothing of the bundle is there yet. */
async function all(runs: number): Promise<object> {
  const found: number[] = [];
  for (let n = 0; n < runs; n++) {
    const stage = await Stage.open();
    try {
      const t0 = performance.now();
      const ended = await stage.run('provision', '--bundle', stage.box.bundle);
      found.push((performance.now() - t0) / 1000);
      assert.equal(ended.code, PASSED, told(ended));
    } finally {
      await stage.close();
    }
  }
  return { all: found };
}

const veth = (runs: number) => inTurns(runs, { app, ansible: byAnsible });
const PARTS: Record<string, (runs: number) => Promise<object>> = { veth, slow, cut, all };

const [name = '', runs = '3'] = process.argv.slice(2);
const part = PARTS[name];
if (!part) throw new Error(`usage: run.ts ${Object.keys(PARTS).join('|')} RUNS`);
console.log(JSON.stringify(await part(Number(runs))));
