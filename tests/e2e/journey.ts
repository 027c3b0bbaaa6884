/** The practice journey as an engineer clicks through it, step by step: from the first screen to a report that is written. */
import type { Page } from '@playwright/test';
import { expect } from 'vitest';
import { Hands } from './hands.ts';

const SUDO = 'practice-Sudo 1';

export class Journey {
  readonly #page: () => Page;
  readonly #look: () => Promise<void>;

  /** `page`: the window as it is now; `look`: done wherever there is something new to see. */
  constructor(page: () => Page, look: () => Promise<void> = () => Promise.resolve()) {
    this.#page = page;
    this.#look = look;
  }

  #button(name: string) {
    return this.#page().getByRole('button', { name, exact: true });
  }

  #next(step: string) {
    return this.#button(`Next: ${step}`).click();
  }

  async #done(step: string): Promise<void> {
    await expect
      .poll(() => this.#page().getByRole('navigation').innerText(), { timeout: 120_000 })
      .toMatch(new RegExp(`${step}\\s+done`));
  }

  /** A practice box is begun; it is marked. */
  async begin(): Promise<void> {
    const page = this.#page();
    await page.getByRole('heading', { name: 'Vault Cube Provisioner' }).waitFor();
    await this.#look();
    await this.#button('Practice box').click();
    await page.getByRole('menuitem', { name: 'Everything works' }).click();
    await page.getByRole('heading', { name: 'Console of the practice box' }).waitFor();
    await page.getByText('PRACTICE', { exact: true }).first().waitFor();
  }

  /** A wrong password is refused with a sentence; the host key is compared; the right one is taken. */
  async connect(): Promise<void> {
    const page = this.#page();
    const shown = await page
      .locator('section', { hasText: 'Console of the practice box' })
      .last()
      .innerText();
    const password = /password: (\S+)/.exec(shown)?.[1] ?? '';
    const fingerprint = /SHA256:\S+/.exec(shown)?.[0] ?? 'none';
    await this.#look();
    const field = page.getByRole('textbox', { name: 'Password of installer' });
    await field.fill('wrong');
    await this.#button('Connect').click();
    expect(await page.getByRole('dialog').innerText()).toContain(fingerprint);
    await this.#button('It is the same: go on').click();
    await page.getByRole('alert').getByText('The box refused the password of installer.').waitFor();
    await field.fill(password);
    await this.#button('Connect').click();
    await page.getByText(/^live/).first().waitFor();
  }

  async preflight(): Promise<void> {
    const page = this.#page();
    await this.#next('Preflight');
    await this.#button('Look at the box').click();
    await page.getByText('Compared with profile').waitFor();
    await page.getByText('passed with deviations').first().waitFor();
    await this.#look();
  }

  async keys(): Promise<void> {
    const page = this.#page();
    await this.#next('Keys');
    await page.getByLabel('New sudo password').fill(SUDO);
    await page.getByLabel('The same again').last().fill(SUDO);
    await page.getByRole('radio', { name: /Leave it with/ }).check();
    await this.#look();
    await this.#button('Set up keys').click();
    await page.getByText('Login with the key alone').waitFor();
    await page.getByText('vaultadmin has UID 1001; 1000 belongs to installer').first().waitFor();
  }

  /** All layers, or L0 alone, which is much quicker. */
  async provision(only?: 'L0'): Promise<void> {
    const page = this.#page();
    await this.#next('Provision');
    await this.#look();
    if (only) {
      await new Hands(page).upToLayer(0);
      await this.#button('Provision L0').click();
      await page
        .getByRole('region', { name: 'L0 Bootstrap' })
        .getByText('passed')
        .first()
        .waitFor({ timeout: 120_000 });
      return;
    }
    await this.#button('Provision L0, L1, L2, L3, L4, L5').click();
    await page.getByText('L1 Base system').first().waitFor();
    // Between the jobs of layer 2; the box is away for a moment, and the run goes on by itself.
    const dialog = page.getByRole('dialog', { name: 'Reboot PRACTICE-1' });
    await dialog.waitFor({ timeout: 120_000 });
    expect(await dialog.innerText()).toMatch(/the new driver is loaded at boot[\s\S]*Reboots in \d+ s/);
    await this.#look();
    await dialog.getByRole('button', { name: 'Reboot now' }).click();
    await this.#button('Next: Validate').and(page.locator(':enabled')).waitFor({ timeout: 120_000 });
    await this.#done('Provision');
    await this.#look();
  }

  async validate(): Promise<void> {
    const page = this.#page();
    await this.#next('Validate');
    await this.#button('Validate').click();
    await page.getByRole('figure', { name: /^Core temperature: GPU 0 \d/ }).waitFor({ timeout: 60_000 });
    await this.#button('Next: Report').and(page.locator(':enabled')).waitFor({ timeout: 60_000 });
    await expect
      .poll(() => page.getByRole('navigation').innerText(), { timeout: 60_000 })
      .not.toMatch(/running/);
    await this.#look();
  }

  /** Resolves to the path of the page that was written. */
  async report(): Promise<string> {
    const page = this.#page();
    await page
      .getByRole('navigation')
      .getByRole('button', { name: /Report/ })
      .click();
    await this.#button('Make report').click();
    await page
      .getByText(/vault-cube-report-PRACTICE-1.*\.html/)
      .first()
      .waitFor();
    const text = await page.getByRole('main').innerText();
    const path = /\/\S*vault-cube-report-PRACTICE-1-[\d-]+\.html/.exec(text)?.[0];
    if (!path) throw new Error(`no path of a report is shown: ${text}`);
    await this.#look();
    return path;
  }
}
