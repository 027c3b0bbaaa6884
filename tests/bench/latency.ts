/**
 * How soon the laptop knows: from an event on the box to the journal at 50 events/s, and from a cable that is back to a journal
 * that is up to date. The stand-in box has this machine's monotonic clock, so both ends of a way are read from one clock. The
 * last line is a JSON object with times in ms.
 */
import assert from 'node:assert/strict';
import { openApp } from '../../main/services/app.ts';
import { executeRun, linkTestRun, planRun } from '../../main/services/runs.ts';
import { Secrets } from '../../main/services/secrets.ts';
import { cuts } from '../faults/cuts.ts';
import { Random } from '../faults/random.ts';
import { Stage } from '../faults/stage.ts';

const COUNT = 1_000;
const RATE = 50;
const CUTS = 20;

/** Ms from each event of a link test to the end of the transaction that stored it. */
async function latencies(stage: Stage): Promise<number[]> {
  const person = {
    confirmHostKey: async () => false,
    confirmReboot: async () => false,
    note: () => undefined,
    link: () => undefined,
  };
  const app = openApp(person, { home: stage.laptop.home });
  try {
    const { session } = stage;
    const ms: number[] = [];
    app.journal.onAppend((_job, _attempt, events) => {
      // Called when the transaction is on the disk.
      const now = Number(process.hrtime.bigint()) / 1e6;
      for (const { kind, env } of events) if (kind === 'log') ms.push(now - env.mono * 1000);
    });
    planRun(app, session, linkTestRun(COUNT, RATE));
    const secrets = new Secrets(async () => null, stage.laptop.secrets);
    const signal = new AbortController().signal;
    await executeRun(app, session.id, secrets, { signal, giveUpAfterMs: 60_000 });
    return ms;
  } finally {
    app.close();
  }
}

const stage = await Stage.open();
try {
  const { slowestMs } = await cuts(stage, new Random(1), { cuts: CUTS, longest: 2_000 });
  const ms = (await latencies(stage)).sort((a, b) => a - b);
  assert.equal(ms.length, COUNT);
  const at = (part: number): number => ms[Math.min(ms.length - 1, Math.floor(ms.length * part))] ?? NaN;
  const latency = { events: COUNT, median: at(0.5), p99: at(0.99), max: at(1) };
  console.log(JSON.stringify({ latency, catchUp: { cuts: CUTS, worst: slowestMs } }));
} finally {
  await stage.close();
}
