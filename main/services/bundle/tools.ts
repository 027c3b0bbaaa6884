/** Programs that a bundle is built and looked at with: apt, gpg, pip. None outlives this process. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { AppError } from '../../../preload/contract/errors.ts';
import { has, tied } from '../programs.ts';

/** How much of what a program said is kept for an error. */
const SAID_CHARS = 1500;

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  /** Added to this process's environment. */
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal | undefined;
  /** Takes each line of file descriptor 3. */
  onStatus?: ((line: string) => void) | undefined;
}

/**
 * Runs a program to its end. Rejects when it cannot be started, and with AbortError when `signal` ends it. On Linux it dies with
 * this process.
 */
export async function run(file: string, args: readonly string[], opts: RunOptions = {}): Promise<Ran> {
  const child = spawn(...tied(file, args, 'KILL'), {
    cwd: opts.cwd,
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...opts.env },
    signal: opts.signal,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const [, stdout, stderr, status] = child.stdio;
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 128));
  });
  if (status && 'read' in status) {
    const lines = createInterface({ input: status });
    lines.on('line', (line) => opts.onStatus?.(line));
  }
  const read = (stream: typeof stdout) => (stream && 'read' in stream ? text(stream) : Promise.resolve(''));
  const [code, out, err] = await Promise.all([ended, read(stdout), read(stderr)]);
  return { code, stdout: out, stderr: err };
}

/** The end of what a program said, errors first, for the folded part of an error. */
export function said({ code, stdout, stderr }: Ran): string {
  const words = (stderr.trim() || stdout.trim()).slice(-SAID_CHARS);
  return words || `it ended with ${code} and said nothing`;
}

export interface Tool {
  name: string;
  /** Debian package that has it. */
  from: string;
}

const BUILD: readonly Tool[] = [
  { name: 'apt-get', from: 'apt' },
  { name: 'apt-ftparchive', from: 'apt-utils' },
  { name: 'gpg', from: 'gnupg' },
  { name: 'flock', from: 'util-linux' },
  { name: 'setpriv', from: 'util-linux' },
];

/** Errors: bundle_tools_missing, for a machine on which no bundle can be built. `python`: interpreter with pip, null where none is needed. */
export async function requireTools(python: string | null): Promise<void> {
  if (process.platform !== 'linux') {
    const detail = 'apt and dpkg, which resolve the packages, run on Linux only.';
    throw new AppError('bundle_tools_missing', { detail, packages: 'apt' });
  }
  const missing = BUILD.filter(({ name }) => !has(name));
  const complain = (what: string, packages: string[]): never => {
    throw new AppError('bundle_tools_missing', { detail: `${what}.`, packages: packages.join(' ') });
  };
  if (missing.length)
    complain(
      `there is no ${missing.map((t) => t.name).join(', ')}`,
      missing.map((t) => t.from),
    );
  if (python === null) return;
  if (!has(python)) complain(`there is no ${python}`, ['python3', 'python3-pip']);
  const pip = await run(python, ['-m', 'pip', '--version']);
  if (pip.code !== 0) complain(`${python} has no pip`, ['python3-pip']);
}
