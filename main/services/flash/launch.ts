/**
 * Starts the program that writes: as it is for a file, as root for a disk. The app itself is never root for it. sudo's prompt is a
 * random word and the password is sent when that word comes, not before; the program announces itself by a second one before a frame
 * is sent. So a sudo that wants no password never leaves one on the wire, and sudo never reads a frame.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../../preload/contract/errors.ts';
import { productRoot } from '../paths.ts';
import { has } from '../programs.ts';
import type { Launch, WriterProcess } from './writer.ts';

export type RootWay = 'plain' | 'pkexec' | 'sudo';

/** `$0` is the word; the rest is the command. On stderr: stdout is the wire. */
const ANNOUNCE = 'printf "%s\\n" "$0" >&2 && exec "$@"';
const ROOTS_PYTHON = '/usr/bin/python3';
const STDERR_KEPT = 4_000;
const SYSTEMS: Partial<Record<NodeJS.Platform, string>> = { win32: 'Windows', darwin: 'macOS' };
/** pkexec: the dialog was closed, or the person may not. */
const REFUSED_BY_POLKIT = [126, 127];

/** In a package the program lies beside the archive: Python reads no archive of Electron. */
const writerFile = (): string =>
  join(productRoot().replace(/app\.asar$/, 'app.asar.unpacked'), 'resources/box/vcflash/__main__.py');

/**
 * Isolated, without the machine's own additions to Python, and without files beside the program: it may run as root.
 * Errors: flash_needs_linux, flash_python_missing.
 */
export function writerCommand(
  privileged: boolean,
  {
    platform = process.platform,
    env = process.env,
  }: { platform?: NodeJS.Platform; env?: NodeJS.ProcessEnv } = {},
): string[] {
  if (platform !== 'linux')
    throw new AppError('flash_needs_linux', { system: SYSTEMS[platform] ?? platform });
  // As root never what a user's PATH has under this name.
  const python = privileged && existsSync(ROOTS_PYTHON) ? ROOTS_PYTHON : 'python3';
  // Before anybody is asked for a password.
  if (!has(python, env)) throw new AppError('flash_python_missing', { detail: `there is no ${python}.` });
  return [python, '-I', '-S', '-B', writerFile()];
}

/** How a disk can be written here. Errors: flash_root_missing. */
export function rootWay(env: NodeJS.ProcessEnv = process.env, uid = process.getuid?.()): RootWay {
  if (uid === 0) return 'plain';
  const display = Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY']);
  if (display && has('pkexec', env)) return 'pkexec';
  if (has('sudo', env)) return 'sudo';
  throw new AppError('flash_root_missing');
}

/** Its own session: Ctrl+C on the terminal is the app's to understand, and the writer must end in order. */
function start(argv: readonly string[]): ChildProcessWithoutNullStreams {
  const [program = '', ...args] = argv;
  return spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
}

interface Started {
  child: ChildProcessWithoutNullStreams;
  process: WriterProcess;
  /** What came on stderr so far, and who is told when there is more. */
  stderr: () => string;
  onStderr: (told: () => void) => void;
}

function watch(child: ChildProcessWithoutNullStreams): Started {
  let stderr = '';
  let told: () => void = () => undefined;
  child.stderr.on('data', (piece: Buffer) => {
    stderr = (stderr + piece.toString('utf8')).slice(-STDERR_KEPT);
    told();
  });
  child.stdin.on('error', () => undefined);
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.once('error', (error) => resolve({ code: null, stderr: error.message }));
    child.once('close', (code) => resolve({ code, stderr }));
  });
  const kill = () => {
    child.stdin.destroy();
    child.kill('SIGKILL');
  };
  return {
    ...{ child, process: { stdin: child.stdin, stdout: child.stdout, ended, kill } },
    ...{ stderr: () => stderr, onStderr: (tell: () => void) => (told = tell) },
  };
}

/** Without privileges: for a file, or where the app is root already. Errors: flash_needs_linux, flash_python_missing. */
export function launchPlain(argv = writerCommand(process.getuid?.() === 0)): Launch {
  const launch = async () => {
    const child = start(argv);
    const { process: started } = watch(child);
    // A program that is not there is told of before its first command.
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) =>
        reject(new AppError('flash_python_missing', { detail: error.message }, error)),
      );
    });
    return started;
  };
  return Object.assign(launch, { asksNobody: true as const });
}

/** With polkit's own dialog. Errors: flash_needs_linux, flash_python_missing, flash_root_refused. */
export function launchPkexec(argv = writerCommand(true)): Launch {
  return (signal) => announced(['pkexec'], argv, { signal, password: null });
}

/** `password` is asked only when sudo wants one; null where nobody knows any. Errors: those of launchPkexec. */
export function launchSudo(password: () => Promise<string | null>, argv = writerCommand(true)): Launch {
  const prompt = `${randomBytes(12).toString('hex')}:`;
  // -k: what the rules say, not what an earlier login allows; one try, since a repeated one may lock the account.
  return (signal) => announced(['sudo', '-S', '-k', '-p', prompt, '--'], argv, { signal, password, prompt });
}

/** As root for a disk, and never the app itself. `password` is asked only where sudo wants one. Errors: flash_root_missing, those of launchPkexec. */
export function launchFor(kind: 'disk' | 'file', password: () => Promise<string | null>): Launch {
  if (kind === 'file') return launchPlain();
  const way = rootWay();
  switch (way) {
    case 'plain':
      return launchPlain();
    case 'pkexec':
      return launchPkexec();
    case 'sudo':
      return launchSudo(password);
  }
}

/** `become` makes root of what comes after it. Resolves when the program itself runs. */
async function announced(
  become: readonly string[],
  argv: readonly string[],
  o: { signal: AbortSignal; password: (() => Promise<string | null>) | null; prompt?: string },
): Promise<WriterProcess> {
  const word = randomBytes(12).toString('hex');
  const started = watch(start([...become, '/bin/sh', '-c', ANNOUNCE, word, ...argv]));
  const { process: writer, stderr } = started;
  const refused = (detail: string): AppError => new AppError('flash_root_refused', { detail });
  const running = new Promise<void>((resolve, reject) => {
    let asked = false;
    started.onStderr(() => {
      if (stderr().includes(`${word}\n`)) return resolve();
      const { prompt, password } = o;
      if (prompt === undefined || password === null || !stderr().includes(prompt)) return;
      if (asked && stderr().split(prompt).length > 2) return reject(refused('sudo refused the password.'));
      if (asked) return;
      asked = true;
      void password().then((given) => {
        if (given === null)
          return reject(refused('sudo wants a password, and nobody could be asked for it.'));
        writer.stdin.write(`${given}\n`);
      }, reject);
    });
    void writer.ended.then(({ code, stderr: said }) => {
      const polkit = o.password === null && code !== null && REFUSED_BY_POLKIT.includes(code);
      const words = said
        .replace(o.prompt ?? '', '')
        .trim()
        .split('\n')
        .at(-1);
      reject(
        refused(
          polkit
            ? 'the dialog for the password was closed, or it was wrong.'
            : `${words || `it ended with ${code}`}.`,
        ),
      );
    });
    o.signal.addEventListener('abort', () => reject(o.signal.reason as Error), { once: true });
  });
  try {
    await running;
    // Our own words are no last words of the writer.
    const own = (text: string) => text.replaceAll(`${word}\n`, '').replaceAll(o.prompt ?? word, '');
    const ended = writer.ended.then(({ code, stderr: said }) => ({ code, stderr: own(said) }));
    return { ...writer, ended };
  } catch (error) {
    writer.kill();
    throw error;
  }
}
