/** The package as a customer's laptop has it: installed by dpkg, started by an ordinary user who is made for the test. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from '@playwright/test';
import type { Display } from './window.ts';
import { whyNoWindow } from './window.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NAME = 'vault-cube-provisioner';
const PACKAGES = join(ROOT, 'out/packages');
export const UNPACKED = join(PACKAGES, 'linux-unpacked');
export const FOLDER = '/opt/vault-cube-provisioner';
/** What the package puts outside of its folder, and dpkg does not know of. */
const MADE_BY_SCRIPTS = [`/usr/bin/${NAME}`, `/etc/alternatives/${NAME}`, `/etc/apparmor.d/${NAME}`];

/** The package that was built last; null where none was. */
export function builtDeb(): string | null {
  const file = existsSync(PACKAGES) ? readdirSync(PACKAGES).find((f) => f.endsWith('.deb')) : undefined;
  return file ? join(PACKAGES, file) : null;
}

const dpkg = (...args: string[]) => execFileSync('dpkg', args, { encoding: 'utf8', stdio: 'pipe' });

/** Whether dpkg knows the package in any state: also half installed, or with settings left. */
function isKnown(): boolean {
  try {
    return dpkg('--status', NAME) !== '';
  } catch {
    return false;
  }
}

/** Why it cannot be installed here; null where it can. A package that somebody uses here is left alone. */
export function whyNotInstalled(): string | null {
  const why = whyNoWindow();
  if (why) return why;
  if (process.getuid?.() !== 0) return 'installing needs root';
  if (!existsSync('/usr/bin/dpkg')) return 'this is no Debian or Ubuntu';
  if (builtDeb() === null) return 'the package was not built: npm run package -- deb';
  return existsSync(FOLDER) || isKnown() ? 'the app is installed here already' : null;
}

/** A process as /proc shows it. */
export interface Proc {
  pid: number;
  args: string[];
  /** The fields of its status. */
  status: Record<string, string>;
  namespaces: Record<'user' | 'pid' | 'net', string>;
}

export class InstalledApp {
  readonly user = `vault-cube-${process.pid}`;
  readonly home = join('/home', this.user);
  #ids = { uid: -1, gid: -1 };
  #process: ChildProcess | null = null;
  #browser: Browser | null = null;
  /** What it wrote to its terminal. */
  output = '';

  get uid(): number {
    return this.#ids.uid;
  }

  /** Installs the package and makes the user. Whatever comes of it, dispose() takes both away. */
  install(deb: string): void {
    execFileSync('useradd', ['--create-home', '--home-dir', this.home, '--shell', '/bin/sh', this.user]);
    const id = (which: string) => Number(execFileSync('id', [which, this.user], { encoding: 'utf8' }));
    this.#ids = { uid: id('-u'), gid: id('-g') };
    dpkg('--install', deb);
  }

  /** Starts it by the command that the package brings, as a desktop would. Chromium's own switch lets the test look on. */
  async start(display: Display, ...switches: string[]): Promise<Page> {
    this.output = '';
    const child = spawn(`/usr/bin/${NAME}`, ['--remote-debugging-port=0', ...switches], {
      ...this.#ids,
      cwd: this.home,
      env: {
        HOME: this.home,
        USER: this.user,
        LOGNAME: this.user,
        SHELL: '/bin/sh',
        PATH: '/usr/bin:/bin',
        LANG: 'C.UTF-8',
        DISPLAY: display.name,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    const address = await new Promise<string>((resolve, reject) => {
      const read = (chunk: Buffer) => {
        this.output += chunk.toString();
        const found = /DevTools listening on (ws:\S+)/.exec(this.output)?.[1];
        if (found) resolve(found);
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`the app ended with ${code}\n${this.output}`)));
    });
    this.#browser = await chromium.connectOverCDP(address);
    const [context] = this.#browser.contexts();
    if (!context) throw new Error('Chromium shows no context');
    const page = context.pages()[0] ?? (await context.waitForEvent('page'));
    page.setDefaultTimeout(20_000);
    return page;
  }

  /** The app's processes: all that this user has. */
  processes(): Proc[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        try {
          const text = readFileSync(`/proc/${name}/status`, 'utf8');
          const status = Object.fromEntries(
            text.split('\n').map((l) => l.split(/:\s+/, 2) as [string, string]),
          );
          if (status['Uid']?.split('\t')[0] !== String(this.uid)) return [];
          const args = readFileSync(`/proc/${name}/cmdline`, 'utf8').split(/[\0 ]/);
          const namespace = (kind: string) => readlinkSync(`/proc/${name}/ns/${kind}`);
          const namespaces = { user: namespace('user'), pid: namespace('pid'), net: namespace('net') };
          return [{ pid: Number(name), args, status, namespaces }];
        } catch {
          return []; // gone meanwhile
        }
      });
  }

  /** The process that everything else belongs to, and those that draw pages. */
  parts(): { main: Proc | undefined; pages: Proc[] } {
    const all = this.processes();
    return {
      main: all.find((p) => !p.args.some((arg) => arg.startsWith('--type='))),
      pages: all.filter((p) => p.args.includes('--type=renderer')),
    };
  }

  /** Ends the app as closing its window does. Resolves to its exit code. */
  async close(): Promise<number | null> {
    const child = this.#process;
    if (!child) return null;
    const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null;
    // In this order: with a terminal open, Playwright waits half a minute for a browser that it did not start.
    child.kill('SIGTERM');
    await gone;
    await this.#browser?.close();
    return child.exitCode;
  }

  /** Removes the package with all its settings. Gives what is left of it on the machine. */
  purge(): string[] {
    if (isKnown()) dpkg('--purge', NAME);
    return [FOLDER, ...MADE_BY_SCRIPTS].filter((path) => existsSync(path));
  }

  /** Leaves the machine as it was, whatever happened. */
  async dispose(): Promise<void> {
    try {
      for (const { pid } of this.processes()) process.kill(pid, 'SIGKILL');
      if (this.#process?.exitCode === null && this.#process.signalCode === null)
        await once(this.#process, 'exit');
      this.purge();
    } finally {
      if (this.uid >= 0) execFileSync('userdel', ['--remove', '--force', this.user], { stdio: 'pipe' });
    }
  }
}
