/** xterm.js alone, with the options and addons of the app's terminals, in the same runtime: what their throughput is compared with. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _electron, type ElectronApplication, type Page } from '@playwright/test';
import { build } from 'esbuild';
import type { Display } from '../../e2e/window.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const RUNTIME = join(ROOT, '.cache/electron/electron');

const MAIN = `
import { app, BrowserWindow } from 'electron';
app.whenReady().then(() => {
  const window = new BrowserWindow({ width: 1320, height: 720, webPreferences: { sandbox: true } });
  window.loadFile('page.html');
});
app.on('window-all-closed', () => app.quit());
`;

const PAGE = `
import '@fontsource/jetbrains-mono/400.css';
import '@xterm/xterm/css/xterm.css';
import { makeScreen } from '${join(ROOT, 'renderer/components/xterm.ts')}';
let text = '';
window.take = (part) => void (text += part);
/** Writes what was taken, with no more under way than the app has. Resolves when all of it is drawn. */
window.write = ({ width, height }, { piece, underWay }) => {
  const host = document.body.appendChild(document.createElement('div'));
  host.style.cssText = 'width:' + width + 'px;height:' + height + 'px';
  const screen = makeScreen(host, false);
  const { cols, rows } = screen.term;
  return new Promise((resolve) => {
    const from = performance.now();
    let at = 0;
    let drawn = 0;
    let sum = 0;
    const more = () => {
      while (at < text.length && at - drawn < underWay) {
        const part = text.slice(at, at + piece);
        at += part.length;
        // What the app's page is watched with, so that both pay for it.
        for (let i = 0; i < part.length; i++) sum = (Math.imul(sum, 31) + part.charCodeAt(i)) | 0;
        screen.term.write(part, () => {
          drawn += part.length;
          if (drawn < text.length) return more();
          const ms = performance.now() - from;
          const renderer = screen.renderer();
          screen.dispose();
          host.remove();
          text = '';
          resolve({ ms, sum, renderer, columns: cols, rows });
        });
      }
    };
    more();
  });
};
`;

/** Plenty: xterm is never without work, and far from the 50 MB at which it discards. */
const PIECE = { piece: 65_536, underWay: 1_000_000 };
const PART = 4_000_000;

export class Bare {
  readonly #app: ElectronApplication;
  readonly #page: Page;

  private constructor(app: ElectronApplication, page: Page) {
    this.#app = app;
    this.#page = page;
  }

  static async open(display: Display, folder: string): Promise<Bare> {
    const at = join(folder, 'bare');
    mkdirSync(at);
    await build({
      stdin: { contents: PAGE, resolveDir: ROOT, loader: 'js' },
      outfile: join(at, 'page.js'),
      bundle: true,
      format: 'iife',
      minify: true,
      loader: { '.woff': 'file', '.woff2': 'file' },
    });
    writeFileSync(join(at, 'main.mjs'), MAIN);
    writeFileSync(
      join(at, 'page.html'),
      '<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="page.css"><body style="margin:0"><script src="page.js"></script>',
    );
    writeFileSync(
      join(at, 'package.json'),
      '{"name":"bare","version":"1.0.0","main":"main.mjs","type":"module"}',
    );
    const app = await _electron.launch({
      executablePath: RUNTIME,
      args: [
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        `--user-data-dir=${join(at, 'chromium')}`,
        at,
      ],
      env: { ...(process.env as Record<string, string>), DISPLAY: display.name },
    });
    return new Bare(app, await app.firstWindow());
  }

  /** Writes the text as a terminal gets it, its newlines with carriage returns, to a terminal of this size in pixels. */
  async write(text: Buffer, size: { width: number; height: number }): Promise<Written> {
    for (let at = 0; at < text.length; at += PART) {
      const part = text
        .subarray(at, at + PART)
        .toString('latin1')
        .replaceAll('\n', '\r\n');
      await this.#page.evaluate(`void window.take(${JSON.stringify(part)})`);
    }
    return this.#page.evaluate<Written>(`window.write(${JSON.stringify(size)}, ${JSON.stringify(PIECE)})`);
  }

  close(): Promise<void> {
    return this.#app.close();
  }
}

export interface Written {
  ms: number;
  sum: number;
  renderer: 'webgl' | 'dom';
  columns: number;
  rows: number;
}
