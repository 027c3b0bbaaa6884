/** What an engineer's hands do in the window, by the names that the window gives to its parts. */
import type { Locator, Page } from '@playwright/test';
import { LAYERS } from '../../preload/contract/standing.ts';

export class Hands {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  field(label: string): Locator {
    return this.page.getByLabel(label, { exact: true });
  }

  /** The list of steps, each with its state as a word. */
  get steps(): Locator {
    return this.page.getByRole('navigation', { name: 'Steps' });
  }

  /** In Provision: takes out the layers above this one. */
  async upToLayer(last: number): Promise<void> {
    for (const { title } of LAYERS.filter((l) => !l.optional && l.layer > last))
      await this.page.getByRole('checkbox', { name: title }).uncheck();
  }

  async next(step: string): Promise<void> {
    await this.button(`Next: ${step}`).click();
    await this.page.getByRole('heading', { name: step, level: 2 }).waitFor();
  }

  /** To any step that can be reached, by the list. */
  async goTo(step: string): Promise<void> {
    await this.steps.getByRole('button', { name: new RegExp(`^${step}`) }).click();
    await this.page.getByRole('heading', { name: step, level: 2 }).waitFor();
  }

  /** Resolves when the top bar says that the link is live. */
  live(): Promise<void> {
    return this.page.locator('[data-region="top"] [data-link="live"]').waitFor();
  }

  /** Resolves when this layer says that it passed, within `ms`. */
  passed(layer: string, ms = 20_000): Promise<void> {
    const head = this.page.getByRole('region', { name: layer }).locator('.part-head');
    return head.getByText(/\bpassed\b/).waitFor({ timeout: ms });
  }

  /** Gives a secret once main asks for it, within `ms`. */
  async give(secret: string, ms = 20_000): Promise<void> {
    const dialog = this.page.getByRole('dialog', { name: 'A password is needed' });
    await dialog.getByRole('textbox').fill(secret, { timeout: ms });
    await dialog.getByRole('button', { name: 'Go on' }).click();
  }

  /** The fields of a new box on the first screen. */
  async fillNewBox(box: { name: string; profile: RegExp; host: string; user: string }): Promise<void> {
    await this.field('Name').fill(box.name);
    await this.page.getByRole('combobox', { name: 'Profile' }).click();
    await this.page.getByRole('option', { name: box.profile }).click();
    await this.field('Address').fill(box.host);
    await this.field('User').fill(box.user);
  }

  /** The first login on a practice box; its password stands on its console. Once more where it was lost. */
  async connectPractice(): Promise<void> {
    await this.goTo('Connect');
    const shown = this.page.locator('section', { hasText: 'Console of the practice box' }).last();
    const password = /password: (\S+)/.exec(await shown.innerText())?.[1] ?? '';
    await this.field('Password of installer').fill(password);
    await this.button('Connect').click();
    const same = this.button('It is the same: go on');
    await same.or(this.page.locator('[data-region="top"] [data-link="live"]')).waitFor();
    if (await same.isVisible()) await same.click();
    await this.live();
  }

  /** Fills in the step Keys, with a new key, and begins. */
  async setUpKeys(sudo: string): Promise<void> {
    await this.field('New sudo password').fill(sudo);
    await this.field('The same again').last().fill(sudo);
    await this.page.getByRole('radio', { name: /^Leave it with/ }).check();
    await this.button('Set up keys').click();
  }

  /** Another address for the box that is open, in the step Connect. */
  async changeAddress(host: string): Promise<void> {
    await this.button('Change…').click();
    await this.field('Address').fill(host);
    await this.button('Save').click();
    await this.button('Change…').waitFor();
  }
}
