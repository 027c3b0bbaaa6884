/** Looks of the tests at the window: whether everybody can use what it shows, what lies on the clipboard, pictures for the guide. */
import AxeBuilder from '@axe-core/playwright';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ElectronApplication, Page } from '@playwright/test';
import { expect } from 'vitest';
import type { OpenWindow } from './window.ts';

const SCHEMES = ['light', 'dark'] as const;
type Scheme = (typeof SCHEMES)[number];

async function inScheme(page: Page, colorScheme: Scheme): Promise<void> {
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
  // The app's page follows in a moment; a report has its colours by itself.
  const follows = `html[data-mantine-color-scheme="${colorScheme}"], html:not([data-mantine-color-scheme])`;
  await page.locator(follows).waitFor({ state: 'attached' });
}

/** What axe finds that keeps somebody from using the page, in light and dark; empty when nothing does. */
export async function barriers(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const scheme of SCHEMES) {
    await inScheme(page, scheme);
    const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
    for (const { id, impact, nodes } of violations) {
      if (impact !== 'serious' && impact !== 'critical') continue;
      found.push(...nodes.map((n) => `${scheme} ${id}: ${n.html.slice(0, 300)}`));
    }
  }
  await inScheme(page, 'light');
  return found;
}

/** Nothing serious, light and dark. */
export async function accessible(page: Page): Promise<void> {
  expect(await barriers(page)).toEqual([]);
}

/** The inspector's promise is collected as garbage now and then, in a process that does much at its start: asked again. */
async function asking<T>(ask: () => Promise<T>): Promise<T> {
  for (let left = 3; ; left--) {
    try {
      return await ask();
    } catch (error) {
      if (left === 0 || !String(error).includes('was garbage collected')) throw error;
    }
  }
}

export const clipboard = (app: ElectronApplication): Promise<string> =>
  asking(() => app.evaluate(({ clipboard: c }) => c.readText()));

export const setClipboard = (app: ElectronApplication, text: string): Promise<void> =>
  asking(() => app.evaluate(({ clipboard: c }, t) => c.writeText(t), text));

/** The system's own dialog for files and folders answers with this path, from now on. */
export const answerPicker = ({ app }: OpenWindow, path: string): Promise<void> =>
  asking(() =>
    app.evaluate(({ dialog }, picked) => {
      dialog.showOpenDialog = () => Promise.resolve({ canceled: false, filePaths: [picked] });
    }, path),
  );

/** The system's own question is answered by its button number `response`, from now on, and kept to be looked at. */
export const answerMessageBox = ({ app }: OpenWindow, response: number): Promise<void> =>
  asking(() =>
    app.evaluate(({ dialog }, answer) => {
      const asked: unknown[] = ((globalThis as Record<string, unknown>)['asked'] = []);
      dialog.showMessageBox = (...args: unknown[]) => {
        asked.push(args.at(-1));
        return Promise.resolve({ response: answer, checkboxChecked: false });
      };
    }, response),
  );

/** What was asked since it was last said how to answer. */
export const messageBoxes = ({ app }: OpenWindow): Promise<{ message: string; detail: string }[]> =>
  asking(() =>
    app.evaluate(
      () => (globalThis as Record<string, unknown>)['asked'] as { message: string; detail: string }[],
    ),
  );

/** Folder for the guide's pictures, where they are wanted: `VAULT_CUBE_SHOTS=docs/images`. */
const SHOTS = process.env['VAULT_CUBE_SHOTS'];

/** Makes the window fill the screen of a laptop, as in the guide's pictures. */
export const fillScreen = ({ app }: OpenWindow): Promise<void> =>
  asking(() =>
    app.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows()[0]?.setBounds({ x: 0, y: 0, width: 1366, height: 768 }),
    ),
  );

/** The smallest that the window can be made. */
export const shrink = ({ app }: OpenWindow): Promise<void> =>
  asking(() =>
    app.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows()[0]?.setBounds({ x: 0, y: 0, width: 960, height: 600 }),
    ),
  );

/** A picture for the guide, named after what it shows; nothing where none are wanted. */
export async function shot(page: Page, name: string, scheme: Scheme = 'light'): Promise<void> {
  if (!SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  await inScheme(page, scheme);
  // What belongs to the moment and not to the picture: a pointer over a button, the focus on a title.
  await page.evaluate(`document.activeElement.id === 'step-title' && document.activeElement.blur()`);
  await page.mouse.move(700, 4);
  await page.screenshot({ path: join(SHOTS, `${name}.png`), animations: 'disabled', caret: 'hide' });
  await inScheme(page, 'light');
}

/** Kills the app as a crash or an empty battery would. Resolves when its process is gone. */
export async function killApp({ app }: OpenWindow): Promise<void> {
  const child = app.process();
  const gone = new Promise((resolve) => child.once('exit', resolve));
  process.kill(child.pid ?? 0, 'SIGKILL');
  await gone;
}
