/** The wizard from its first screen to a report, in the real window on the practice box, as an engineer clicks through it. */
import AxeBuilder from '@axe-core/playwright';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Journey } from './journey.ts';
import { Display, openApp, whyNoWindow, type OpenWindow } from './window.ts';

const why = whyNoWindow();

describe.runIf(why === null)(`the wizard${why ? ` (not run: ${why})` : ''}`, () => {
  let display: Display;
  let home: string;
  let open: OpenWindow;
  const page = () => open.page;
  const journey = new Journey(page, accessible);

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

  it('the first screen offers a practice box', () => journey.begin());
  it('Connect refuses a wrong password with a sentence, and takes the right one', () => journey.connect());
  it('Preflight compares the box with its profile', () => journey.preflight());
  it('Keys makes vaultadmin and proves key and password', () => journey.keys());
  it('Provision puts every layer on the box, with a reboot between', () => journey.provision());
  it('Validate watches the GPUs', () => journey.validate());

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
    const path = await journey.report();
    expect(readFileSync(path, 'utf8')).toContain('PRACTICE');
  });
});
