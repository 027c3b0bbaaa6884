/** The journey on the practice box without a mouse: from the first screen to a report, with everything else of the frame on the way. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LAYERS } from '../../preload/contract/standing.ts';
import { Hands } from './hands.ts';
import { Keys } from './keys.ts';
import { accessible } from './looks.ts';
import { Display, openApp, whyNoWindow, type OpenWindow } from './window.ts';

const why = whyNoWindow();
const SUDO = 'practice-Sudo 1';

describe.runIf(why === null)(`the keyboard alone${why ? ` (not run: ${why})` : ''}`, () => {
  let display: Display;
  let home: string;
  let open: OpenWindow;
  let h: Hands;
  const page = () => open.page;
  const keys = new Keys(page);
  const heading = (name: string) => page().getByRole('heading', { name, level: 2 }).waitFor();

  beforeAll(async () => {
    display = await Display.open();
    home = mkdtempSync(join(tmpdir(), 'vault-cube-keyboard-'));
    open = await openApp(display, home);
    h = new Hands(open.page);
    await page().evaluate(
      `window.pressed = 0; for (const kind of ['pointerdown', 'mousedown', 'touchstart'])
        addEventListener(kind, () => { window.pressed += 1; }, { capture: true });`,
    );
  });

  afterAll(async () => {
    await open?.app.close();
    display?.close();
    rmSync(home, { recursive: true, force: true });
  });

  it('a practice box is begun out of its menu', async () => {
    await page().getByText('No box is known to this laptop yet.').waitFor();
    expect(await keys.focus()).toMatchObject({ name: 'Name', shownBy: 'border' });
    await keys.act('Practice box');
    await page().getByRole('menuitem', { name: 'Everything works' }).waitFor();
    await keys.to('Everything works', 'ArrowDown');
    await keys.press('Enter');
    await page().getByRole('heading', { name: 'Console of the practice box' }).waitFor();
  });

  it('Connect: the password, the host key', async () => {
    const shown = await page()
      .locator('section', { hasText: 'Console of the practice box' })
      .last()
      .innerText();
    await keys.to('Password of installer', 'Shift+Tab');
    await keys.type(/password: (\S+)/.exec(shown)?.[1] ?? '');
    await keys.press('Enter');
    await page().getByRole('dialog', { name: 'Is this the box?' }).waitFor();
    await expect
      .poll(() => keys.focus())
      .toMatchObject({ name: 'It is the same: go on', shownBy: 'outline' });
    // Nothing behind the dialog can be reached.
    await keys.to('It differs: stop');
    await keys.to('It is the same: go on');
    await keys.press('Enter');
    await h.live();
  });

  it('Preflight: by its number, a group and a check opened', async () => {
    await keys.press('Control+2');
    await heading('Preflight');
    await keys.act('Look at the box');
    await page().getByText('Compared with profile').waitFor();
    const system = page().getByRole('button', { name: /^System/ });
    const open = await system.getAttribute('aria-expanded');
    await keys.to(/^System/);
    await keys.press('Space');
    expect(await system.getAttribute('aria-expanded')).not.toBe(open);
    if (open === 'true') await keys.press('Space');
    await keys.to(/^passClock/);
    await keys.press('Enter');
    await page().getByLabel('Evidence of Clock').waitFor();
    await keys.press('Enter');
    await page().getByLabel('Evidence of Clock').waitFor({ state: 'detached' });
  });

  it('Keys: both passwords, who keeps UID 1000', async () => {
    await keys.act('Next: Keys');
    await heading('Keys');
    await keys.to('New sudo password');
    await keys.type(SUDO);
    await keys.to('The same again');
    await keys.type(SUDO);
    await keys.to('Give it to vaultadmin');
    await keys.press('ArrowDown');
    expect((await keys.focus()).name).toBe('Leave it with installer');
    await keys.act('Set up keys');
    await page().getByText('Login with the key alone').waitFor();
  });

  it('Provision: a layer taken out, in and out again; Esc cancels nothing', async () => {
    await keys.press('Control+4');
    await heading('Provision');
    await keys.to('L1 Base system');
    await keys.press('Space');
    await h.button('Provision L0, L2, L3, L4, L5').waitFor();
    await keys.press('Space');
    await h.button('Provision L0, L1, L2, L3, L4, L5').waitFor();
    // All are put on a box by other walks; one is enough to look around meanwhile.
    for (const layer of LAYERS.filter((l) => !l.optional && l.layer > 0)) {
      await keys.to(layer.title);
      await keys.press('Space');
    }
    await keys.act('Provision L0');
    await page().getByRole('region', { name: 'L0 Bootstrap' }).getByText('running').first().waitFor();
    await keys.act('Cancel…');
    await page()
      .getByText(/^End ".+" on the box\?$/)
      .waitFor();
    await keys.press('Escape');
    await page()
      .getByText(/^End ".+" on the box\?$/)
      .waitFor({ state: 'detached' });
    await keys.press('Escape');
  });

  it('while it runs: from region to region, the dock, its tabs and its height', async () => {
    const region = () => page().evaluate(`document.activeElement.closest('[data-region]')?.dataset.region`);
    const seen: unknown[] = [];
    for (let n = 0; n < 4; n++) {
      await keys.press('F6');
      seen.push(await region());
      expect((await keys.focus()).shownBy).not.toBe('');
    }
    expect(new Set(seen)).toEqual(new Set(['top', 'steps', 'main', 'dock']));
    await keys.press('Shift+F6');
    expect(await region()).toBe(seen.at(-2));

    await keys.press('Control+Backquote');
    const dock = page().getByRole('region', { name: 'Dock' });
    await dock.getByRole('separator').waitFor();
    await keys.to('Height of the dock');
    const height = (await dock.boundingBox())?.height ?? 0;
    await keys.press('ArrowUp');
    await expect.poll(async () => (await dock.boundingBox())?.height).toBeGreaterThan(height);
    await keys.to('Events');
    await keys.to('Raw log', 'ArrowRight');
    await keys.press('Enter');
    await page().getByRole('tab', { name: 'Raw log', selected: true }).waitFor();
    await page().getByText('"kind":"started"').first().waitFor();
    await accessible(page());
    await keys.press('Control+Backquote');
    await dock.getByRole('separator').waitFor({ state: 'detached' });
  });

  it('while it runs: commands by their letters, the menu, About', async () => {
    await keys.command('about');
    await page().getByRole('dialog', { name: 'Vault Cube Provisioner' }).waitFor();
    await page().getByText('What is proven').waitFor();
    await accessible(page());
    await keys.press('Escape');
    await page().getByRole('dialog').waitFor({ state: 'detached' });
    await keys.act('Menu');
    await page().getByRole('menuitem', { name: 'Forget host key…' }).waitFor();
    await keys.to('Forget host key…', 'ArrowDown');
    await keys.press('Enter');
    await page()
      .getByRole('dialog', { name: /^Forget the host key/ })
      .waitFor();
    await accessible(page());
    await keys.act('Keep it');
    await page().getByRole('dialog').waitFor({ state: 'detached' });
    await keys.command('laptop');
    await page().getByText('No command has these letters.').waitFor();
    await accessible(page());
    await keys.press('Escape');
  });

  it('a shell of the laptop, and out of it again', async () => {
    await keys.command('terminal');
    // The box's shell takes what is typed, Tab as well; F6 leads out of it.
    await expect.poll(async () => (await keys.focus()).shownBy).toBe('cursor');
    await keys.press('F6', 'Shift+F6');
    expect((await keys.focus()).name).toBe('Terminal');
    await keys.to('Box');
    await keys.press('ArrowDown');
    const path = join(home, 'typed');
    await expect.poll(async () => (await keys.focus()).shownBy).toBe('cursor');
    await keys.type(`echo typed >${path}`);
    await keys.press('Enter');
    await expect.poll(() => existsSync(path)).toBe(true);
    await keys.press('F6');
    expect((await keys.focus()).shownBy).not.toBe('cursor');
    await keys.press('Control+Backquote');
  });

  it('all boxes and back, the job goes on', async () => {
    await keys.command('all boxes');
    await page().getByRole('heading', { name: 'Boxes on this laptop' }).waitFor();
    await accessible(page());
    await keys.act('Open PRACTICE-1');
    await heading('Provision');
    await h.passed('L0 Bootstrap', 60_000);
  });

  it('Validate: a number changed, charts zoomed', async () => {
    await keys.press('Control+5');
    await heading('Validate');
    await keys.to('Watch the GPUs after the last check');
    await keys.press('ArrowUp');
    expect(await h.field('Watch the GPUs after the last check').inputValue()).toBe('21 s');
    await keys.act('Validate');
    await page()
      .getByRole('figure', { name: /^Core temperature: GPU 0 \d/ })
      .waitFor({ timeout: 60_000 });
    await expect.poll(() => h.steps.innerText(), { timeout: 60_000 }).not.toMatch(/running/);
    await keys.to(/^GPU charts\./);
    await keys.press('+');
    await page()
      .getByText(/^\d+:\d\d to \d+:\d\d of \d+:\d\d$/)
      .waitFor();
    await keys.press('0');
    await page()
      .getByText(/^\d+:\d\d to \d+:\d\d$/)
      .waitFor();
  });

  it('Report: made, and no mouse was touched', async () => {
    await keys.act('Next: Report');
    await heading('Report');
    await keys.act('Make report');
    await page().getByText('The report is there.').waitFor();
    const main = await page().getByRole('main').innerText();
    expect(existsSync(/\/\S*vault-cube-report-PRACTICE-1-[\d-]+\.html/.exec(main)?.[0] ?? '')).toBe(true);
    expect(await page().evaluate('window.pressed')).toBe(0);
  });
});
