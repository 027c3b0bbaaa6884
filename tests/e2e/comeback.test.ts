/**
 * The app is killed in each step and in the middle of what it does there. Each time it comes back to the same box and step, follows
 * what is on its way, and has every event once.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Hands } from './hands.ts';
import { killApp } from './looks.ts';
import { recordOf } from './record.ts';
import { Display, openApp, whyNoWindow, type OpenWindow } from './window.ts';

const why = whyNoWindow();
const NAME = 'PRACTICE-1';
const SUDO = 'practice-Sudo 1';

describe.runIf(why === null)(`a killed app${why ? ` (not run: ${why})` : ''}`, () => {
  let display: Display;
  let home: string;
  let open: OpenWindow;
  let h: Hands;
  const page = () => open.page;
  const record = () => recordOf(home, NAME, join(home, 'practice', NAME, 'jobs'));
  const running = () => page().locator('.phase[data-state="running"]').first();

  const start = async () => {
    open = await openApp(display, home);
    h = new Hands(open.page);
  };

  /** Killed, and there again: the same box, the same step. */
  async function comesBack(step: string): Promise<void> {
    await killApp(open);
    await start();
    // A dialog that asks for the password may be before it already.
    await page().locator('#step-title', { hasText: step }).waitFor();
    await page().locator('h1', { hasText: NAME }).waitFor();
    await page().getByText('PRACTICE', { exact: true }).first().waitFor();
  }

  const ended = (step: string) =>
    h.steps
      .getByRole('button', { name: new RegExp(`^${step} running`) })
      .waitFor({ state: 'detached', timeout: 60_000 });

  beforeAll(async () => {
    display = await Display.open();
    home = mkdtempSync(join(tmpdir(), 'vault-cube-comeback-'));
    await start();
  });

  afterAll(async () => {
    await open?.app.close();
    display?.close();
    rmSync(home, { recursive: true, force: true });
  });

  it('in Connect, while the host key is compared, and once it is connected', async () => {
    await h.button('Practice box').click();
    await page().getByRole('menuitem', { name: 'Everything works' }).click();
    await page().getByRole('heading', { name: 'Connect', level: 2 }).waitFor();
    await h.field('Password of installer').fill('anything');
    await h.button('Connect').click();
    await h.button('It is the same: go on').waitFor();
    await comesBack('Connect');
    // What was not confirmed is not pinned.
    expect(await h.steps.innerText()).toMatch(/Preflight\s+blocked/);
    await h.connectPractice();
    await comesBack('Connect');
    expect(await h.steps.innerText()).toMatch(/Connect\s+done/);
  });

  it('in Preflight, while it looks, and once it has looked', async () => {
    await h.connectPractice();
    await h.next('Preflight');
    await h.button('Look at the box').click();
    await comesBack('Preflight');
    await h.connectPractice();
    await h.next('Preflight');
    await h.button('Look at the box').or(h.button('Look again')).click();
    await page().getByText('passed with deviations').first().waitFor();
    await comesBack('Preflight');
    await page().getByText('Compared with profile').waitFor();
    expect(record().wrong).toEqual([]);
  });

  it('in Keys, while they are set up, and once they are proven', async () => {
    await h.connectPractice();
    await h.goTo('Keys');
    const setUp = () => h.setUpKeys(SUDO);
    await setUp();
    await comesBack('Keys');
    const proven = () => page().getByText('Login with the key alone');
    await proven().or(h.field('New sudo password')).waitFor();
    if (!(await proven().isVisible())) {
      await h.connectPractice();
      await h.goTo('Keys');
      await setUp();
      await proven().waitFor();
    }
    await comesBack('Keys');
    await proven().waitFor();
    expect(record().wrong).toEqual([]);
  });

  it('in Provision, in two of its jobs', async () => {
    await h.goTo('Connect');
    await h.button('Connect').click();
    await h.live();
    await h.goTo('Provision');
    // One layer is enough to be killed in.
    await h.upToLayer(0);
    await h.button('Provision L0').click();
    await h.give(SUDO);
    await running().waitFor();
    for (let kills = 0; kills < 2; kills++) {
      await comesBack('Provision');
      await running().waitFor();
      await h.live();
      await h.give(SUDO, 60_000);
    }
    await h.passed('L0 Bootstrap', 60_000);
    await comesBack('Provision');
    await h.passed('L0 Bootstrap');
  });

  it('in Validate, while it watches the GPUs', async () => {
    await h.goTo('Connect');
    await h.button('Connect').click();
    await h.live();
    await h.goTo('Validate');
    await h.button('Validate').click();
    await h.give(SUDO);
    await page()
      .getByRole('figure', { name: /^Core temperature: GPU 0 \d/ })
      .waitFor({ timeout: 60_000 });
    await comesBack('Validate');
    await page()
      .getByRole('figure', { name: /^Core temperature: GPU 0 \d/ })
      .waitFor();
    await ended('Validate');
  });

  it('in Report, which is there afterwards', async () => {
    await h.goTo('Report');
    await h.button('Make report').click();
    await page().getByText('The report is there.').waitFor();
    await comesBack('Report');
    await page().getByText('Earlier reports of this box').waitFor();
  });

  it('on the first screen, which does not go into a box by itself', async () => {
    await page().keyboard.press('Control+K');
    await page().getByRole('option', { name: 'All boxes' }).click();
    await h.button(`Open ${NAME}`).waitFor();
    await killApp(open);
    await start();
    await h.button(`Open ${NAME}`).waitFor();
    expect(await page().getByRole('alert').count()).toBe(0);
  });

  it('cost no event and no attempt: the journal holds what the box wrote', () => {
    const { rows, wrong, compared } = record();
    expect(wrong).toEqual([]);
    expect(compared).toBeGreaterThan(100);
    const onBox = rows.filter((r) => !['preflight', 'keys'].includes(r.kind));
    expect(onBox.map((r) => [r.title, r.attempt, r.state])).toEqual(onBox.map((r) => [r.title, 1, 'passed']));
    expect(new Set(onBox.map((r) => r.kind))).toEqual(new Set(['fetch', 'bootstrap', 'checks']));
  });
});
