/**
 * The window on a stand-in box: from an event there to the frame that shows it at 50 events/s, what the app weighs and uses while
 * it is connected and idle, and 100 MB through a shell on the box. The stand-in has this machine's clock, so both ends of a way are
 * read from one clock. The last line is a JSON object with times in ms.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { openApp as openCore } from '../../../main/services/app.ts';
import { linkTestRun, planRun } from '../../../main/services/runs.ts';
import { Display, openApp } from '../../e2e/window.ts';
import { Stage } from '../../faults/stage.ts';
import { expectedSum, flood, floodText, isWhole, WATCH_PORTS } from './flood.ts';
import { idleOf } from './processes.ts';

const COUNT = 1_000;
const RATE = 50;

/** Plans a link test on the box, which the window then goes on with. */
function plan(stage: Stage): void {
  const person = {
    confirmHostKey: async () => false,
    confirmReboot: async () => false,
    note: () => undefined,
    link: () => undefined,
  };
  const core = openCore(person, { home: stage.laptop.home });
  planRun(core, stage.session, linkTestRun(COUNT, RATE));
  core.close();
}

/**
 * In the page: notes when each event's line has been on the screen, which is the begin of the frame after the one that drew it.
 * Wall clock in ms, by the event's number.
 */
const WATCH_LINES = `(() => {
  const shown = (window.shown = {});
  const seen = new Set();
  let fresh = [];
  new MutationObserver(() => {
    for (const line of document.querySelectorAll('.lines .line')) {
      const number = /event (\\d+) of ${COUNT}/.exec(line.textContent)?.[1];
      if (!number || seen.has(number)) continue;
      seen.add(number);
      fresh.push(number);
      if (fresh.length > 1) continue;
      requestAnimationFrame(() => requestAnimationFrame(() => {
        for (const n of fresh) shown[n] = Date.now();
        fresh = [];
      }));
    }
  }).observe(document.body, { childList: true, subtree: true, characterData: true });
})()`;

/** Ms from each event's own time on the box to the window. */
async function toPixel(page: Page, stage: Stage): Promise<number[]> {
  await page.getByRole('button', { name: `Resume ${stage.name}` }).click();
  await page.getByRole('tab', { name: 'Events' }).click();
  await page.evaluate(WATCH_LINES);
  const dialog = page.getByRole('dialog', { name: 'A password is needed' });
  await dialog.getByRole('textbox').fill(stage.laptop.secrets.sudoPassword ?? '');
  await dialog.getByRole('button', { name: 'Go on' }).click();
  await page.locator('.line', { hasText: `event ${COUNT} of ${COUNT}` }).waitFor({ timeout: 90_000 });
  await page.locator('.line', { hasText: 'passed after' }).waitFor();
  const shown = await page.evaluate<Record<string, number>>('window.shown');
  const row = stage.journal.jobs(stage.session.id).at(-1);
  assert(row);
  const ms: number[] = [];
  for (const { event } of stage.journal.events(row.job, row.attempt)) {
    if (!event.known || event.kind !== 'log') continue;
    const at = shown[/event (\d+) of/.exec(event.body.text)?.[1] ?? ''];
    // A line that was scrolled past between two frames was never on the screen: it counts as the longest.
    ms.push(at === undefined ? Infinity : at - Date.parse(event.env.t));
  }
  return ms.sort((a, b) => a - b);
}

const stage = await Stage.open();
const display = await Display.open();
try {
  plan(stage);
  const { app, page } = await openApp(display, stage.laptop.home);
  try {
    const ms = await toPixel(page, stage);
    assert.equal(ms.length, COUNT);
    const at = (part: number) => ms[Math.min(ms.length - 1, Math.floor(ms.length * part))] ?? NaN;
    const pixel = { events: ms.length, median: at(0.5), p99: at(0.99), longest: at(1) };
    await page.locator('[data-region="top"] [data-link="live"]').waitFor();
    const connected = await idleOf(app.process().pid ?? 0);

    const text = floodText();
    writeFileSync(join(stage.box.root, 'var/tmp/flood'), text);
    await page.addInitScript(WATCH_PORTS);
    await page.reload();
    await page.getByRole('tab', { name: 'Terminal' }).click();
    await page.locator('.shell textarea').focus();
    const through = await flood(page, '/var/tmp/flood');
    console.log(
      JSON.stringify({ pixel, connected, flood: { ...through, whole: isWhole(through, expectedSum(text)) } }),
    );
  } finally {
    await app.close();
  }
} finally {
  display.close();
  await stage.close();
}
