/**
 * A second process of the app, for tests: opens a journal and stores the lines it is told to. stdin: one JSON line of
 * orders, then an empty line as the word to begin. stdout: `ready`, then the number of events that were new.
 */
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Journal } from '../../../main/journal/journal.ts';

/**
 * Followers store what has come every tenth of a second. Without a pause one process can keep the other out for longer than that waits:
 * SQLite looks at a lock every 100 ms at most, and each commit waits for the disk.
 */
const PAUSE_MS = 120;

export interface Orders {
  path: string;
  job: string;
  /** Base64, so that they arrive as the bytes they are. */
  lines: string[];
  /** How many go into one append. */
  batch: number;
  /** Opens the file only at the word to begin. */
  openLate: boolean;
}

const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const orders = JSON.parse((await input.next()).value as string) as Orders;
const lines = orders.lines.map((l) => Buffer.from(l, 'base64'));
let journal = orders.openLate ? null : Journal.open(orders.path);
process.stdout.write('ready\n');
await input.next();
journal ??= Journal.open(orders.path);
let stored = 0;
for (let at = 0; at < lines.length; at += orders.batch) {
  stored += journal.append(orders.job, 1, lines.slice(at, at + orders.batch)).length;
  await delay(PAUSE_MS);
}
journal.close();
process.stdout.write(`${stored}\n`);
