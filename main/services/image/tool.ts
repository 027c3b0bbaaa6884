/** Runs the programs of a build: each line goes into the stage's log, and none outlives this process. */
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { tied } from '../programs.ts';
import { causeOf, type Cause } from './cause.ts';

/** A stage that did not pass: why, and what to do. */
export class StageFailed extends Error {
  override readonly name = 'StageFailed';
  readonly action: string;
  constructor({ cause, action }: Cause) {
    super(cause);
    this.action = action;
  }
}

export class StageLog {
  readonly path: string;
  readonly #secrets = new Set<string>();
  readonly #onLine: (line: string) => void;

  constructor(path: string, onLine: (line: string) => void = () => undefined) {
    this.path = path;
    this.#onLine = onLine;
    appendFileSync(path, '', { mode: 0o600 });
  }

  /** From now on it stands in no line. */
  hide(secret: string): void {
    this.#secrets.add(secret);
  }

  line(text: string): void {
    let shown = text;
    for (const secret of this.#secrets) shown = shown.replaceAll(secret, '********');
    appendFileSync(this.path, `${shown}\n`);
    this.#onLine(shown);
  }

  text(): string {
    return readFileSync(this.path, 'utf8');
  }
}

export interface ToolOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** Called with each line as it comes. */
  onLine?: (line: string) => void;
}

/** How long Packer may clean up after it was told to end. */
const END_MS = 30_000;

/** Its exit code; 128 after a signal. Its output is in the log. Rejects where it cannot be started, and when `signal` ends it. */
export async function runTool(
  log: StageLog,
  file: string,
  args: readonly string[],
  opts: ToolOptions,
): Promise<number> {
  opts.signal.throwIfAborted();
  log.line(`$ ${file} ${args.join(' ')}`);
  // TERM, so that Packer ends its machine, too.
  const child = spawn(...tied(file, args, 'TERM'), {
    cwd: opts.cwd,
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...opts.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 128));
  });
  let last: NodeJS.Timeout | null = null;
  const stop = () => {
    child.kill('SIGTERM');
    last = setTimeout(() => child.kill('SIGKILL'), END_MS);
  };
  opts.signal.addEventListener('abort', stop, { once: true });
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => {
      log.line(line);
      opts.onLine?.(line);
    });
  try {
    const code = await ended;
    opts.signal.throwIfAborted();
    return code;
  } finally {
    opts.signal.removeEventListener('abort', stop);
    if (last) clearTimeout(last);
  }
}

/** The same, and a stage that fails unless it ends with 0. Errors: StageFailed. */
export async function mustTool(
  log: StageLog,
  file: string,
  args: readonly string[],
  opts: ToolOptions,
): Promise<void> {
  const before = log.text().length;
  let code: number;
  try {
    code = await runTool(log, file, args, opts);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new StageFailed({
      cause: `there is no program ${file} on this machine.`,
      action: `Install ${file}.`,
    });
  }
  if (code !== 0) throw new StageFailed(causeOf(file, log.text().slice(before), false));
}
