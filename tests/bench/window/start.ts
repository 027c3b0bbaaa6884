/**
 * How soon the app can be used, and what it weighs and uses on its first screen. The last line is a JSON object with times in ms.
 * Each start is of a process that did not run; the data folder is the same, as on any laptop after the first day.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Display } from '../../e2e/window.ts';
import { Started } from './cold.ts';
import { idleOf } from './processes.ts';
import { writeBox } from './synthetic.ts';

const STARTS = 11;

const home = mkdtempSync(join(tmpdir(), 'vault-cube-cold-'));
const display = await Display.open();
try {
  const first = await Started.open(display, home);
  await first.close();
  writeBox(home);
  const starts: { shown: number; used: number }[] = [];
  for (let i = 0; i < STARTS; i++) {
    const app = await Started.open(display, home);
    starts.push({ shown: app.shown, used: app.used });
    await app.close();
  }
  const app = await Started.open(display, home);
  const idle = await idleOf(app.child.pid ?? 0);
  await app.close();
  console.log(JSON.stringify({ first: first.used, starts, idle }));
} finally {
  display.close();
  rmSync(home, { recursive: true, force: true });
}
