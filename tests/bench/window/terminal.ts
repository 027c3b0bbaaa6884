/**
 * 100 MB through a shell of this laptop in the window, beside the same text written to xterm.js alone: the same runtime, options,
 * addons and size. The last line is a JSON object with times in ms.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Display, openApp } from '../../e2e/window.ts';
import { Bare, type Written } from './bare.ts';
import { expectedSum, flood, floodText, isWhole, WATCH_PORTS, type Flood } from './flood.ts';
import { NAME, writeBox } from './synthetic.ts';

/** Each round has both, one right after the other: this machine's speed changes by a third within minutes. */
const ROUNDS = 5;

const home = mkdtempSync(join(tmpdir(), 'vault-cube-flood-'));
const display = await Display.open();
try {
  const text = floodText();
  const path = join(home, 'flood');
  writeFileSync(path, text);
  const expected = expectedSum(text);
  writeBox(home);
  const { app, page } = await openApp(display, home);
  const bare = await Bare.open(display, home);
  try {
    await page.addInitScript(WATCH_PORTS);
    await page.reload();
    await page.getByRole('button', { name: `Open ${NAME}` }).click();
    await page.getByRole('tab', { name: 'Terminal' }).click();
    await page.getByText('Laptop', { exact: true }).click();
    await page.locator('.shell .xterm-screen').waitFor();
    const size = await page.locator('.shell .xterm').locator('..').boundingBox();
    if (!size) throw new Error('the terminal has no size');
    const ours: (Flood & { whole: boolean })[] = [];
    const alone: Written[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      alone.push(await bare.write(text, size));
      await page.locator('.shell textarea').focus();
      const through = await flood(page, path);
      ours.push({ ...through, whole: isWhole(through, expected) });
    }
    console.log(JSON.stringify({ ours, alone }));
  } finally {
    await bare.close();
    await app.close();
  }
} finally {
  display.close();
  rmSync(home, { recursive: true, force: true });
}
