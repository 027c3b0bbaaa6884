/**
 * `npm start` in a fresh clone of the commit at hand, with an empty npm cache and an empty home folder, then once more. Debian
 * packages are those of this machine. Seen from outside: the time until the X server's screen holds a picture of the app. The last
 * line is a JSON object with times in ms.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const LONGEST_MS = 600_000;
const LOOK_MS = 50;
/** Of the screen's pixels every so many are looked at; with fewer colours it is empty, or a window without content. */
const EVERY = 7;
const COLOURS = 24;
/** An xwd file begins with its header's length, and the number of colours that follow it is word 19. */
const HEADER_WORD = 0;
const COLOURS_WORD = 19;
const COLOUR_BYTES = 12;

/** An X server that keeps its screen in a file. */
class Screen {
  readonly display: string;
  readonly #server: ChildProcess;
  readonly #file: string;

  private constructor(display: string, server: ChildProcess, file: string) {
    this.display = display;
    this.#server = server;
    this.#file = file;
  }

  static async open(folder: string): Promise<Screen> {
    mkdirSync(folder);
    const server = spawn(
      'Xvfb',
      ['-displayfd', '3', '-screen', '0', '1366x768x24', '-nolisten', 'tcp', '-fbdir', folder],
      { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] },
    );
    const number = await new Promise<string>((resolve, reject) => {
      server.once('error', reject);
      server.once('exit', (code) => reject(new Error(`Xvfb ended with ${code}`)));
      server.stdio[3]?.once('data', (data: Buffer) => resolve(data.toString().trim()));
    });
    return new Screen(`:${number}`, server, join(folder, 'Xvfb_screen0'));
  }

  /** Whether there is a picture: letters have many shades. */
  get filled(): boolean {
    const xwd = readFileSync(this.#file);
    const from = xwd.readUInt32BE(HEADER_WORD) + xwd.readUInt32BE(4 * COLOURS_WORD) * COLOUR_BYTES;
    const colours = new Set<number>();
    for (let at = from; at + 4 <= xwd.length && colours.size < COLOURS; at += 4 * EVERY)
      colours.add(xwd.readUInt32LE(at) & 0xffffff);
    return colours.size >= COLOURS;
  }

  close(): void {
    this.#server.kill();
  }
}

/** Starts it, and gives the ms until its picture stands. Ends it and all that it started. */
async function start(clone: string, folder: string, name: string): Promise<number> {
  const screen = await Screen.open(join(folder, name));
  const from = performance.now();
  const child = spawn('npm', ['start'], {
    cwd: clone,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      DISPLAY: screen.display,
      HOME: join(folder, 'home'),
      VAULT_CUBE_HOME: join(folder, 'data'),
      npm_config_cache: join(folder, 'npm'),
      // Which registry there is and how it is reached is this machine's own.
      npm_config_userconfig: join(homedir(), '.npmrc'),
    },
  });
  let said = '';
  child.stderr.on('data', (data: Buffer) => (said = (said + data.toString()).slice(-4000)));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    while (!screen.filled) {
      if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}: ${said}`);
      if (performance.now() - from > LONGEST_MS) throw new Error(`no picture came: ${said}`);
      await delay(LOOK_MS);
    }
    return performance.now() - from;
  } finally {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
    await ended;
    screen.close();
  }
}

const folder = mkdtempSync(join(tmpdir(), 'vault-cube-fresh-'));
try {
  const clone = join(folder, 'clone');
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', ROOT, clone]);
  for (const name of ['home', 'npm']) mkdirSync(join(folder, name));
  if (existsSync(join(clone, 'node_modules'))) throw new Error('the clone is not fresh');
  const fresh = await start(clone, folder, 'first');
  const warm: number[] = [];
  for (const name of ['second', 'third', 'fourth']) warm.push(await start(clone, folder, name));
  console.log(JSON.stringify({ fresh, warm }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
