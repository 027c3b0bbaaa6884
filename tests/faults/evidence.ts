/** What must hold whatever broke: the journal holds the box's logs byte by byte, and each event was told once. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isLocalJob } from '../../preload/contract/job.ts';
import { eventIn, type Stage } from './stage.ts';

/**
 * Compares every attempt in the journal with its log on the box, and what was printed with both. `killed`: commands were
 * ended while they printed, so what was stored last may not have been printed. Returns how many events there are.
 */
export function holds(stage: Stage, opts: { killed?: boolean } = {}): number {
  const killed = opts.killed === true || stage.killed;
  const stored = new Map<string, number>();
  for (const row of stage.journal.jobs(stage.session.id)) {
    if (isLocalJob(row)) continue;
    const what = `${row.title}, attempt ${row.attempt}`;
    const events = [...stage.journal.events(row.job, row.attempt)];
    const text = events.map(({ line }) => `${line}\n`).join('');
    const log = readFileSync(stage.onBox(row.job, row.attempt, 'events.jsonl'), 'utf8');
    assert(text === log, `${what}: the journal holds ${text.length} characters, the box ${log.length}`);
    events.forEach(({ event }, at) => assert.equal(event.env.seq, at + 1, what));
    stored.set(`${row.job} ${row.attempt}`, events.length);
  }
  const printed = new Map<string, number>();
  for (const record of stage.commands.flatMap((command) => command.records)) {
    const event = eventIn(record);
    if (!event) continue;
    const key = `${String(record['job'])} ${String(record['attempt'])}`;
    const before = printed.get(key) ?? 0;
    const seq = Number(event['seq']);
    const next = killed ? seq > before : seq === before + 1;
    assert(next, `event ${seq} of ${key} was printed after event ${before}`);
    printed.set(key, seq);
  }
  for (const [key, count] of stored) {
    if (!killed && !stage.before.has(key)) assert.equal(printed.get(key), count, `printed of ${key}`);
  }
  return [...stored.values()].reduce((sum, n) => sum + n, 0);
}
