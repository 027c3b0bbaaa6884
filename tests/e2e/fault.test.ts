/** A practice box with a recorded fault: what a failed check shows, how it is waived, and what the report then says. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Hands } from './hands.ts';
import { accessible, fillScreen, shot } from './looks.ts';
import { Display, openApp, whyNoWindow, type OpenWindow } from './window.ts';

const why = whyNoWindow();

describe.runIf(why === null)(`a practice box with a fault${why ? ` (not run: ${why})` : ''}`, () => {
  let display: Display;
  let home: string;
  let open: OpenWindow;
  let h: Hands;
  const page = () => open.page;
  const suite = () => page().getByRole('region', { name: 'T1 GPU detection' });
  const failed = () => suite().locator('.check', { hasText: 'fail' }).first();

  beforeAll(async () => {
    display = await Display.open();
    home = mkdtempSync(join(tmpdir(), 'vault-cube-fault-'));
    open = await openApp(display, home);
    await fillScreen(open);
    h = new Hands(open.page);
  });

  afterAll(async () => {
    await open?.app.close();
    display?.close();
    rmSync(home, { recursive: true, force: true });
  });

  it('is begun out of the menu and set up as any other', async () => {
    await h.button('Practice box').click();
    await page()
      .getByRole('menuitem', { name: /^With a fault/ })
      .first()
      .click();
    await page().getByRole('heading', { name: 'Connect', level: 2 }).waitFor();
    await h.connectPractice();
    await h.next('Preflight');
    await h.button('Look at the box').click();
    await page().getByText('Compared with profile').waitFor();
    await h.next('Keys');
    await h.setUpKeys('practice-Sudo 1');
    await page().getByText('Login with the key alone').waitFor();
  });

  it('Validate says what failed, and each failed check what to do now', async () => {
    await h.goTo('Validate');
    await h.field('Watch the GPUs after the last check').fill('2');
    await h.button('Validate').click();
    await suite()
      .locator('.part-head')
      .getByText(/\bfailed\b/)
      .waitFor({ timeout: 60_000 });
    await suite()
      .getByRole('button', { name: /^Show \d+ checks?$/ })
      .click();
    await failed().getByRole('button').first().click();
    await failed().getByText('Do now').waitFor();
    expect(await h.steps.innerText()).toMatch(/Validate\s+failed/);
    await accessible(page());
    await shot(page(), 'failed-check');
  });

  it('a fail is waived with a name and a reason, and stays a fail', async () => {
    await failed().getByRole('button', { name: 'Waive…' }).click();
    const dialog = page().getByRole('dialog', { name: /^Waive/ });
    await accessible(page());
    await dialog.getByRole('textbox').first().fill('N. N., on site');
    await dialog.getByRole('textbox').last().fill('The card is on its way.');
    await dialog.getByRole('button', { name: /^Waive/ }).click();
    await dialog.waitFor({ state: 'detached' });
    await failed().getByText('waived', { exact: true }).waitFor();
    await failed()
      .getByText(/by N\. N\., on site/)
      .waitFor();
    await accessible(page());
  });

  it('the step Report names it, before the report is made', async () => {
    await h.goTo('Report');
    await page()
      .getByRole('region', { name: 'What it will say' })
      .getByText(/^Failed \(\d+\)$|^Deviations \(\d+\)$/)
      .first()
      .waitFor();
    await accessible(page());
  });
});
