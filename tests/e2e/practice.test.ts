/** The wizard from its first screen to a report, in the real window on the practice box, as an engineer clicks through it. */
import AxeBuilder from '@axe-core/playwright';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Display, openApp, whyNoWindow, type OpenWindow } from './window.ts';

const why = whyNoWindow();
const SUDO = 'practice-Sudo 1';

describe.runIf(why === null)(`the wizard${why ? ` (not run: ${why})` : ''}`, () => {
  let display: Display;
  let home: string;
  let open: OpenWindow;
  const page = () => open.page;
  const button = (name: string | RegExp) =>
    page().getByRole('button', { name, exact: typeof name === 'string' });
  const next = (step: string) => button(`Next: ${step}`).click();

  beforeAll(async () => {
    display = await Display.open();
    home = mkdtempSync(join(tmpdir(), 'vault-cube-window-'));
    open = await openApp(display, home);
  });

  afterAll(async () => {
    await open?.app.close();
    display?.close();
    rmSync(home, { recursive: true, force: true });
  });

  /** Nothing serious in light and dark. */
  async function accessible(): Promise<void> {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page().emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page().locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor({ state: 'attached' });
      const { violations } = await new AxeBuilder({ page: page() }).setLegacyMode(true).analyze();
      const serious = violations.filter((v) => v.impact === 'serious' || v.impact === 'critical');
      const told = serious.map(
        (v) =>
          `${colorScheme} ${v.id}: ${v.nodes
            .map((n) => n.html)
            .join(' ')
            .slice(0, 300)}`,
      );
      expect(told).toEqual([]);
    }
    await page().emulateMedia({ colorScheme: 'light' });
  }

  it('the first screen offers a practice box', async () => {
    await page().getByRole('heading', { name: 'Vault Cube Provisioner' }).waitFor();
    await accessible();
    await button('Practice box').click();
    await page().getByRole('menuitem', { name: 'Everything works' }).click();
    await page().getByRole('heading', { name: 'Console of the practice box' }).waitFor();
    await page().getByText('PRACTICE', { exact: true }).first().waitFor();
  });

  it('Connect refuses a wrong password with a sentence, and takes the right one', async () => {
    const shown = await page()
      .locator('section', { hasText: 'Console of the practice box' })
      .last()
      .innerText();
    const password = /password: (\S+)/.exec(shown)?.[1] ?? '';
    const fingerprint = /SHA256:\S+/.exec(shown)?.[0] ?? 'none';
    await accessible();
    await page().getByRole('textbox', { name: 'Password of installer' }).fill('wrong');
    await button('Connect').click();
    const dialog = page().getByRole('dialog');
    expect(await dialog.innerText()).toContain(fingerprint);
    await button('It is the same: go on').click();
    await page().getByRole('alert').getByText('The box refused the password of installer.').waitFor();
    await page().getByRole('textbox', { name: 'Password of installer' }).fill(password);
    await button('Connect').click();
    await page().getByText(/^live/).first().waitFor();
  });

  it('Preflight compares the box with its profile', async () => {
    await next('Preflight');
    await button('Look at the box').click();
    await page().getByText('Compared with profile').waitFor();
    await page().getByText('passed with deviations').first().waitFor();
    await accessible();
  });

  it('Keys makes vaultadmin and proves key and password', async () => {
    await next('Keys');
    await page().getByLabel('New sudo password').fill(SUDO);
    await page().getByLabel('The same again').last().fill(SUDO);
    await page()
      .getByRole('radio', { name: /Leave it with/ })
      .check();
    await accessible();
    await button('Set up keys').click();
    await page().getByText('Login with the key alone').waitFor();
    await page().getByText('vaultadmin has UID 1001; 1000 belongs to installer').first().waitFor();
  });

  it('Provision puts both layers on the box', async () => {
    await next('Provision');
    await accessible();
    await button('Provision L0, L1').click();
    await page().getByText('L1 Base system').first().waitFor();
    await button('Next: Validate').and(page().locator(':enabled')).waitFor({ timeout: 120_000 });
    await expect
      .poll(() => page().getByRole('navigation').innerText(), { timeout: 120_000 })
      .toMatch(/Provision\s+done/);
    await accessible();
  });

  it('the window comes back to the same box after a kill, with nothing lost', async () => {
    const pid = open.app.process().pid ?? 0;
    const gone = new Promise((resolve) => open.app.process().once('exit', resolve));
    process.kill(pid, 'SIGKILL');
    await gone;
    open = await openApp(display, home);
    await page().getByText('PRACTICE-1').first().waitFor();
    const card = page().getByRole('button', { name: /^Open/ }).first();
    if (await card.isVisible()) await card.click();
    await expect.poll(() => page().getByRole('navigation').innerText()).toMatch(/Provision\s+done/);
  });

  it('Report is one file that says PRACTICE', async () => {
    await page()
      .getByRole('navigation')
      .getByRole('button', { name: /Report/ })
      .click();
    await button('Make report').click();
    await page()
      .getByText(/vault-cube-report-PRACTICE-1.*\.html/)
      .first()
      .waitFor();
    const text = await page().getByRole('main').innerText();
    const path = /\/\S*vault-cube-report-PRACTICE-1-[\d-]+\.html/.exec(text)?.[0] ?? '';
    expect(existsSync(path), text).toBe(true);
    expect(readFileSync(path, 'utf8')).toContain('PRACTICE');
    await accessible();
  });
});
