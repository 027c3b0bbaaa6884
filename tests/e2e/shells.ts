/** The window's two shells: whose they are, and what a terminal must do there. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect } from 'vitest';
import type { RigBox } from '../rig/box.ts';
import { clipboard, setClipboard } from './looks.ts';
import type { OpenWindow } from './window.ts';

const terminal = (page: Page, whose: 'box' | 'laptop') =>
  page.getByRole('region', { name: new RegExp(`^Terminal: ${whose}`) });

/** Opens the dock at this shell. Resolves when it takes what is typed. */
export async function openShell(page: Page, whose: 'Box' | 'Laptop'): Promise<void> {
  const tab = page.getByRole('tab', { name: 'Terminal' });
  if ((await tab.getAttribute('aria-selected')) !== 'true') await tab.click();
  await page.getByRole('radiogroup', { name: 'Whose shell' }).getByText(whose, { exact: true }).click();
  await terminal(page, whose.toLowerCase() as 'box' | 'laptop')
    .locator('textarea')
    .focus();
}

export const typeLine = async (page: Page, line: string): Promise<void> => {
  await page.keyboard.type(line);
  await page.keyboard.press('Enter');
};

/** Looks for the text in the terminal as an engineer does, and copies what was found; empty when it is not there. */
export async function searchAndCopy({ app, page }: OpenWindow, text: string): Promise<string> {
  await setClipboard(app, '');
  await page.keyboard.press('Control+Shift+F');
  const field = page.getByRole('textbox', { name: 'Search in the terminal' });
  await field.fill(text);
  await field.press('Enter');
  await field.press('Escape');
  await page.keyboard.press('Control+Shift+C');
  return clipboard(app);
}

/** Resolves when the text is in the terminal. */
export const shows = (open: OpenWindow, text: string) =>
  expect.poll(() => searchAndCopy(open, text), { timeout: 15_000 }).toBe(text);

/** In the page: the WebGL context of each canvas of the terminal that shows is lost. Gives how many were. */
const LOSE = `(() => {
  const canvases = [...document.querySelectorAll('.shell:not([hidden]) .xterm-screen canvas')];
  const contexts = canvases.map((canvas) => canvas.getContext('webgl2')?.getExtension('WEBGL_lose_context'));
  return contexts.filter((c) => c && (c.loseContext(), true)).length;
})()`;

/**
 * In the page: what draws in software here says that it is a graphics chip, with which alone terminals are drawn by WebGL. A
 * stand-in's word; the drawing is real.
 */
const AS_A_CHIP = `(() => {
  const UNMASKED_RENDERER = 0x9246;
  const context = HTMLCanvasElement.prototype.getContext;
  const parameter = WebGL2RenderingContext.prototype.getParameter;
  HTMLCanvasElement.prototype.getContext = function (kind, options) {
    return context.call(this, kind, { ...options, failIfMajorPerformanceCaveat: false });
  };
  WebGL2RenderingContext.prototype.getParameter = function (name) {
    return name === UNMASKED_RENDERER ? 'a chip, says the test' : parameter.call(this, name);
  };
  window.asItIs = () => {
    HTMLCanvasElement.prototype.getContext = context;
    WebGL2RenderingContext.prototype.getParameter = parameter;
  };
})()`;

/** The size of the box's terminal, as the shell there is told. */
async function sizeOnBox(open: OpenWindow, box: RigBox): Promise<number[]> {
  const path = '/home/vaultadmin/size';
  await box.run(['rm', '-f', path]);
  await typeLine(open.page, `stty size >size.new && mv size.new ${path}`);
  let text = '';
  await expect.poll(async () => (text = (await box.run(['cat', path])).stdout.trim())).not.toBe('');
  return text.split(' ').map(Number);
}

/** A shell on the box through the held connection: who, how large, search, copy, a lost WebGL context. */
export async function boxShellWorks(open: OpenWindow, box: RigBox): Promise<void> {
  const { page } = open;
  await page.evaluate(AS_A_CHIP);
  await openShell(page, 'Box');
  await typeLine(page, 'echo "I am $(id -un)."');
  await shows(open, 'I am vaultadmin.');
  const [rows = 0, columns = 0] = await sizeOnBox(open, box);
  expect(rows).toBeGreaterThan(5);
  expect(columns).toBeGreaterThan(80);
  // The dock's upper edge, two steps higher by the keyboard.
  const edge = page.getByRole('separator');
  await edge.focus();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  await openShell(page, 'Box');
  await expect.poll(async () => (await sizeOnBox(open, box))[0]).toBeGreaterThan(rows);
  await typeLine(page, 'clear; echo "drawn by $((40 + 2))"');
  await shows(open, 'drawn by 42');
  // As when a laptop wakes up, or its driver starts anew.
  expect(await page.evaluate(LOSE)).toBeGreaterThan(0);
  // From here on the page itself draws, and shows what was there.
  await page
    .locator('.shell:not([hidden]) .xterm-rows')
    .getByText('drawn by 42')
    .waitFor({ timeout: 15_000 });
  await typeLine(page, 'echo "and $((42 + 1))"');
  await page.locator('.shell:not([hidden]) .xterm-rows').getByText('and 43', { exact: true }).waitFor();
}

/** A shell on this laptop, whose terminal no chip draws. */
export async function laptopShellWorks(open: OpenWindow, folder: string): Promise<void> {
  const { page } = open;
  await page.evaluate('window.asItIs()');
  await openShell(page, 'Laptop');
  await page.locator('.shell:not([hidden]) .xterm-rows').waitFor();
  const path = join(folder, 'from-the-laptops-shell');
  await typeLine(page, `id -u >${path}`);
  await expect
    .poll(() => (existsSync(path) ? readFileSync(path, 'utf8') : ''))
    .toBe(`${process.getuid?.()}\n`);
}
