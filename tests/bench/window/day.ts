/**
 * A day of synthetic telemetry in the window: how soon its charts are drawn, how soon they follow a zoom, what the page weighs.
 * The last line is a JSON object with times in ms and sizes in MB.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { Display, openApp } from '../../e2e/window.ts';
import { pss, rendererOf } from './processes.ts';
import { NAME, writeDay } from './synthetic.ts';

const ROUNDS = 9;

/** In the page: acts, then waits for the frame after the one in which `done` holds. Gives the ms between. */
const TIMED = `async (act, done) => {
  const frame = () => new Promise((go) => requestAnimationFrame(go));
  const from = performance.now();
  act();
  while (!done()) await frame();
  await frame();
  return performance.now() - from;
}`;

/** In the page: what the last chart shows, as a sum over its pixels; 0 while there is nothing. */
const PICTURE = `() => {
  const canvas = [...document.querySelectorAll('.charts-grid canvas')].at(-1);
  if (!canvas || canvas.width === 0) return 0;
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0;
  const dots = new Uint32Array(data.buffer);
  for (let i = 0; i < dots.length; i++) sum = (sum * 31 + dots[i]) | 0;
  return sum;
}`;

const median = (ms: readonly number[]) => ms.toSorted((a, b) => a - b)[ms.length >> 1] ?? NaN;

const tab = (name: string) =>
  `[...document.querySelectorAll('[role="tab"]')].find((t) => t.textContent === '${name}')`;

/** From the press on the tab to charts that are drawn. */
const open = (page: Page) =>
  page.evaluate<number>(
    `(${TIMED})(() => ${tab('GPU charts')}.click(), () => document.querySelectorAll('.charts-grid canvas').length >= 9 && (${PICTURE})() !== 0)`,
  );

interface Zoom {
  /** From a key to another picture of the same points. */
  zoom: number;
  /** On to the picture of every sample of the window; null for a key that shows what is there already. */
  detail: number | null;
}

const zoom = (page: Page, key: '+' | '-', hasDetail: boolean) =>
  page.evaluate<Zoom>(`(async () => {
    const picture = ${PICTURE};
    const timed = ${TIMED};
    let before = picture();
    const charts = document.querySelector('.charts');
    const press = () => charts.dispatchEvent(new KeyboardEvent('keydown', { key: '${key}', bubbles: true, cancelable: true }));
    const zoom = await timed(press, () => picture() !== before);
    before = picture();
    return { zoom, detail: ${hasDetail} ? zoom + (await timed(() => undefined, () => picture() !== before)) : null };
  })()`);

const home = mkdtempSync(join(tmpdir(), 'vault-cube-day-'));
const display = await Display.open();
try {
  writeDay(home);
  const { app, page } = await openApp(display, home);
  try {
    await page.getByRole('button', { name: `Open ${NAME}` }).waitFor();
    const box = await page.evaluate<number>(
      `(${TIMED})(() => document.querySelector('[aria-label="Open ${NAME}"]').click(), () => document.querySelector('.dock'))`,
    );
    const opens: number[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      opens.push(await open(page));
      await page.getByRole('tab', { name: 'Events' }).click();
      await page.locator('.charts').waitFor({ state: 'detached' });
    }
    await open(page);
    const zooms: Zoom[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      // Half a day is told in full from the beginning; what is nearer is asked for.
      for (const [key, hasDetail] of [
        ['+', false],
        ['+', true],
        ['-', false],
        ['-', false],
      ] as const) {
        zooms.push(await zoom(page, key, hasDetail));
        // Until the window is there in full, so that each key meets a page at rest.
        await page.waitForTimeout(700);
      }
    }
    const renderer = await rendererOf(app);
    assert.equal(zooms.length, 4 * ROUNDS);
    const result = {
      box,
      first: opens[0],
      opens,
      open: median(opens),
      zoom: median(zooms.map((z) => z.zoom)),
      worstZoom: Math.max(...zooms.map((z) => z.zoom)),
      detail: median(zooms.map((z) => z.detail).filter((ms) => ms !== null)),
      rendererMB: pss([renderer]),
    };
    console.log(JSON.stringify(result));
  } finally {
    await app.close();
  }
} finally {
  display.close();
  rmSync(home, { recursive: true, force: true });
}
