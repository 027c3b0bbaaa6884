/** Several processes of the app at one journal: a window and a command line, or two windows that follow one job. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { DatabaseSync } from '@photostructure/sqlite';
import { describe, expect, it } from 'vitest';
import { benchForEach } from './bench.ts';
import type { LogWriter } from './log.ts';
import type { Orders } from './writer.ts';

const bench = benchForEach();
const WRITER = fileURLToPath(new URL('./writer.ts', import.meta.url));

/** Starts a process that waits for its word. `result` is the number of events it found new. */
async function writer(orders: Omit<Orders, 'path' | 'lines'> & { lines: Buffer[] }) {
  const child = spawn(process.execPath, ['--import', 'tsx', WRITER], { stdio: 'pipe' });
  const failed = text(child.stderr);
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await said.next();
    if (done) throw new Error(`the writer ended: ${await failed}`);
    return value;
  };
  const lines = orders.lines.map((l) => l.toString('base64'));
  child.stdin.write(`${JSON.stringify({ ...orders, lines, path: bench().path } satisfies Orders)}\n`);
  expect(await next()).toBe('ready');
  const exit = once(child, 'exit');
  return {
    go: () => child.stdin.end('\n'),
    result: async () => {
      const count = Number(await next());
      expect(await exit).toEqual([0, null]);
      return count;
    },
  };
}

const run = async (writers: Awaited<ReturnType<typeof writer>>[]): Promise<number[]> => {
  for (const w of writers) w.go();
  return Promise.all(writers.map((w) => w.result()));
};

const write = (log: LogWriter, count: number) => [
  log.started(),
  ...Array.from({ length: count - 2 }, (_, i) => log.log(`line ${i}`)),
  log.finished(),
];

describe('two processes', () => {
  it('store two jobs at once, and a third reads whole records meanwhile', async () => {
    const jobs = [bench().begin(), bench().begin()];
    // More than a page each, so that reading one takes long enough for the other process to write in the middle of it.
    const before = 1_500;
    const lines = jobs.map(({ log }) => write(log, before + 400));
    jobs.forEach(({ job }, i) => bench().journal.append(job, 1, lines[i]?.slice(0, before) ?? []));
    const writers = await Promise.all(
      jobs.map(({ job }, i) =>
        writer({ job, lines: lines[i]?.slice(before) ?? [], batch: 20, openLate: false }),
      ),
    );
    let done = false;
    const results = run(writers).finally(() => (done = true));
    const seen = new Set<number>();
    while (!done) {
      for (const { job } of jobs) {
        const found = bench().journal.verify(job, 1);
        expect(found).toMatchObject({ ok: true });
        if (found.ok) seen.add(found.events);
      }
      await new Promise(setImmediate);
    }
    expect(await results).toEqual([400, 400]);
    // It did read while they wrote.
    expect(seen.size).toBeGreaterThan(2);
    for (const { job } of jobs) {
      expect(bench().journal.verify(job, 1)).toEqual({ ok: true, events: before + 400 });
      expect(bench().journal.view(job, 1)).toMatchObject({ state: 'passed', lastSeq: before + 400 });
    }
  });

  it('that follow one job store each event once, and are told of it once each at most', async () => {
    const { job, log } = bench().begin();
    const lines = write(log, 300);
    const writers = await Promise.all([
      writer({ job, lines, batch: 15, openLate: false }),
      writer({ job, lines, batch: 25, openLate: false }),
    ]);
    const [a = 0, b = 0] = await run(writers);
    expect(Math.max(a, b)).toBeLessThanOrEqual(300);
    expect(a + b).toBeGreaterThanOrEqual(300);
    expect(bench().journal.verify(job, 1)).toEqual({ ok: true, events: 300 });
    expect([...bench().journal.events(job, 1)].map((e) => e.line)).toEqual(lines.map(String));
  });

  it('that open an older file at once bring it forward once', async () => {
    const { job, log } = bench().begin();
    const lines = write(log, 40);
    bench().journal.append(job, 1, lines.slice(0, 10));
    bench().closeAll();
    const db = new DatabaseSync(bench().path);
    db.exec('drop table sample_blocks; drop table sample_sets; pragma user_version = 1');
    db.close();
    const orders = { job, batch: 2, openLate: true };
    const writers = await Promise.all([1, 2].map(() => writer({ ...orders, lines })));
    const [a = 0, b = 0] = await run(writers);
    expect(Math.max(a, b)).toBeLessThanOrEqual(30);
    expect(a + b).toBeGreaterThanOrEqual(30);
    expect(bench().journal.verify(job, 1)).toEqual({ ok: true, events: 40 });
    const copies = readdirSync(bench().dir).filter((name) => name.includes('.bak'));
    expect(copies).toEqual(['journal.db.v1.bak']);
    expect(readFileSync(`${bench().path}.v1.bak`).readUInt32BE(60)).toBe(1);
  });
});
