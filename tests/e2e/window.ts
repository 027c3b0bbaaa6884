/** The real app in a real window, under an X server of the test's own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _electron, type ElectronApplication, type Page } from '@playwright/test';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const RUNTIME = join(ROOT, '.cache/electron/electron');

function onPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Why the window cannot be tested here; null where it can. */
export function whyNoWindow(): string | null {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return 'the development runtime is for Linux x64';
  if (!onPath('Xvfb')) return 'Xvfb is not installed';
  return existsSync(RUNTIME) ? null : 'the Electron runtime was not built';
}

export class Display {
  readonly name: string;
  readonly #server: ChildProcess;

  private constructor(name: string, server: ChildProcess) {
    this.name = name;
    this.#server = server;
  }

  /** A screen of a laptop: 1366 × 768. The server names its own display on a descriptor. */
  static async open(): Promise<Display> {
    const server = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1366x768x24', '-nolisten', 'tcp'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    const pipe = server.stdio[3] as NodeJS.ReadableStream;
    const number = await new Promise<string>((resolve, reject) => {
      server.once('error', reject);
      server.once('exit', (code) => reject(new Error(`Xvfb ended with ${code}`)));
      pipe.once('data', (data: Buffer) => resolve(data.toString().trim()));
    });
    return new Display(`:${number}`, server);
  }

  close(): void {
    this.#server.kill();
  }
}

export interface OpenWindow {
  app: ElectronApplication;
  page: Page;
}

/** Starts the built app on a data folder. As root Chromium's own sandbox cannot start; the installed app has it on. */
export async function openApp(display: Display, home: string): Promise<OpenWindow> {
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const app = await _electron.launch({
    executablePath: RUNTIME,
    args: [...sandbox, ROOT],
    env: { ...(process.env as Record<string, string>), DISPLAY: display.name, VAULT_CUBE_HOME: home },
    timeout: 30_000,
  });
  const page = await app.firstWindow();
  page.setDefaultTimeout(20_000);
  return { app, page };
}
