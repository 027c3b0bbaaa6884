/**
 * Commands as root. sudo prompts with a random word, and the password is sent when that word arrives and not before: so a
 * sudo that wants none (NOPASSWD) never leaves a password lying on the command's stdin. The root side prints a second
 * random word before it becomes the command, and the command's input is sent after that: so sudo never reads it.
 */
import { randomBytes } from 'node:crypto';
import { AppError } from '../../preload/contract/errors.ts';
import { shellQuote, type Connection, type ExecResult, type ExecStream } from './connection.ts';

export type SudoWay = 'root' | 'passwordless' | 'password' | 'none';

export interface RootOptions {
  /** Sent once, and only when sudo asks for it. */
  sudoPassword?: string | undefined;
  input?: Buffer | string | undefined;
  timeoutMs?: number | undefined;
  /** Bytes of stdout and of stderr, each. */
  maxOutput?: number | undefined;
}

const ROOT_TIMEOUT_MS = 60_000;
const MAX_OUTPUT = 16 * 1024 * 1024;
/** `$0` is the word to print; the rest is the command. */
export const ANNOUNCE = 'printf "%s\\n" "$0" && exec "$@"';

const WRONG = /sorry, try again|incorrect password attempt|no password was provided/i;
const NOT_ALLOWED = /is not in the sudoers file|may not run|is not allowed to (run|execute)/i;
const WANTS_TTY = /must have a tty/i;
const EXPIRED = /password expired|required to change your password|account or password is expired/i;
const MISSING = /sudo['’:]?:? (command )?not found|sudo['’]?: No such file/i;

/** -k: not what a cached login allows, but what the rules say. /bin/sh, because rules may name commands. */
export const SUDO_PROBE = 'env LC_ALL=C sudo -n -k -- /bin/sh -c :';

/** The error that sudo's own words stand for. */
function sudoError(conn: Connection, run: { code: number | null; stderr: string }): AppError {
  const user = conn.user;
  const text = run.stderr;
  if (WANTS_TTY.test(text)) return new AppError('sudo_wants_tty', { user });
  if (NOT_ALLOWED.test(text)) return new AppError('sudo_not_allowed', { user });
  if (WRONG.test(text)) return new AppError('sudo_password_wrong', { user });
  if (EXPIRED.test(text)) return new AppError('login_password_expired', { user });
  if (run.code === 127 && MISSING.test(text)) return new AppError('sudo_missing', { user });
  const said = text.trim().split('\n').at(-1) || `it ended with status ${run.code ?? 'none'}`;
  return new AppError('box_unreadable', { detail: `sudo: ${said.slice(0, 300)}` });
}

/**
 * How this user becomes root, without any password. `none` is seen only where sudo says so unasked: mostly it asks for
 * the password first and tells afterwards. Errors: sudo_missing, sudo_wants_tty, link_lost.
 */
export async function probeSudo(conn: Connection): Promise<SudoWay> {
  if (conn.uid === 0) return 'root';
  const run = await conn.exec(SUDO_PROBE);
  if (run.code === 0) return 'passwordless';
  if (/a password is required/i.test(run.stderr)) return 'password';
  const error = sudoError(conn, run);
  if (error.code === 'sudo_not_allowed') return 'none';
  throw error;
}

interface Driven extends ExecResult {
  /** Whether sudo asked for the password, and whether the command began. */
  asked: boolean;
  began: boolean;
}

/** One sudo process: answers its prompt once, waits for the command's own word, passes the input on. */
class SudoRun {
  readonly #run: ExecStream;
  readonly #prompt: string;
  /** Null where no command announces itself (`sudo -v`). */
  readonly #word: string | null;
  readonly #o: RootOptions;
  readonly #out: Buffer[] = [];
  readonly #max: number;
  #size = 0;
  #head = Buffer.alloc(0);
  #err = '';
  #prompts = 0;
  #began = false;
  #failure: AppError | null = null;

  constructor(run: ExecStream, prompt: string, word: string | null, options: RootOptions) {
    this.#run = run;
    this.#prompt = prompt;
    this.#word = word;
    this.#o = options;
    this.#max = options.maxOutput ?? MAX_OUTPUT;
    run.stdout.on('data', (data: Buffer) => this.#onOut(data));
    run.stderr.on('data', (data: Buffer) => this.#onErr(data.toString('utf8')));
  }

  #fail(error: AppError): void {
    this.#failure ??= error;
    this.#run.close();
  }

  #count(bytes: number): void {
    this.#size += bytes;
    if (this.#size > this.#max) {
      this.#fail(new AppError('box_unreadable', { detail: `an answer is longer than ${this.#max} bytes.` }));
    }
  }

  #onOut(data: Buffer): void {
    this.#count(data.length);
    if (this.#began || this.#word === null) {
      this.#out.push(data);
      return;
    }
    this.#head = Buffer.concat([this.#head, data]);
    const line = Buffer.from(`${this.#word}\n`);
    const at = this.#head.indexOf(line);
    if (at < 0) return;
    this.#began = true;
    this.#out.push(this.#head.subarray(at + line.length));
    this.#run.stdin.end(this.#o.input ?? '');
  }

  #onErr(text: string): void {
    this.#count(text.length);
    this.#err += text;
    if (this.#began) return;
    const prompts = this.#err.split(this.#prompt).length - 1;
    if (prompts <= this.#prompts) return;
    this.#prompts = prompts;
    const { sudoPassword } = this.#o;
    if (prompts === 1 && sudoPassword !== undefined) this.#run.stdin.write(`${sudoPassword}\n`);
    // Asked again, or nothing to say: end of file makes sudo give up without counting another attempt.
    else this.#run.stdin.end();
  }

  async result(): Promise<Driven> {
    const ms = this.#o.timeoutMs ?? ROOT_TIMEOUT_MS;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const said = this.#stderr().trim().slice(-200);
        const detail = `a command as root did not end within ${ms / 1000} s${said ? `: ${said}` : '.'}`;
        reject(new AppError('box_unreadable', { detail }));
      }, ms);
    });
    try {
      const exit = await Promise.race([this.#run.exit, late]);
      if (this.#failure) throw this.#failure;
      return {
        ...exit,
        stdout: Buffer.concat(this.#out),
        stderr: this.#stderr(),
        asked: this.#prompts > 0,
        began: this.#began,
      };
    } catch (error) {
      this.#run.close();
      throw this.#failure ?? error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Without the prompts, and once the command began without the lecture that sudo prints before them. */
  #stderr(): string {
    const parts = this.#err.split(this.#prompt);
    return this.#began ? (parts.at(-1) ?? '') : parts.join('');
  }
}

const randomWord = () => `vc${randomBytes(12).toString('hex')}`;

function requireOneLine(conn: Connection, password: string | undefined): void {
  // A line break would end the password early and hand the rest to the command.
  if (password !== undefined && /[\r\n\0]/.test(password))
    throw new AppError('sudo_password_wrong', { user: conn.user });
}

/**
 * Runs argv as root and returns what it returned, also when that is not 0. Nothing secret may be in argv.
 * Errors: sudo_missing, sudo_password_wrong, sudo_not_allowed, sudo_wants_tty, secret_missing (sudo asks and no password is
 * given), login_password_expired, python_missing, box_unreadable, link_lost.
 */
export async function runAsRoot(
  conn: Connection,
  argv: readonly string[],
  opts: RootOptions = {},
): Promise<ExecResult> {
  const { input: stdin, timeoutMs = ROOT_TIMEOUT_MS, maxOutput } = opts;
  requireOneLine(conn, opts.sudoPassword);
  if (conn.uid === 0) {
    const run = await conn.exec(`env LC_ALL=C ${shellQuote(argv)}`, { stdin, timeoutMs, maxOutput });
    return requirePython(argv, run);
  }
  const prompt = randomWord();
  const word = randomWord();
  const command = [
    'env',
    'LC_ALL=C',
    'sudo',
    '-S',
    '-k',
    '-p',
    prompt,
    '--',
    '/bin/sh',
    '-c',
    ANNOUNCE,
    word,
    ...argv,
  ];
  const run = await new SudoRun(await conn.stream(shellQuote(command)), prompt, word, opts).result();
  if (!run.began) {
    if (run.asked && opts.sudoPassword === undefined)
      throw new AppError('secret_missing', { secret: 'sudo password' });
    throw sudoError(conn, run);
  }
  const { code, signal, stdout, stderr } = run;
  return requirePython(argv, { code, signal, stdout, stderr });
}

function requirePython(argv: readonly string[], run: ExecResult): ExecResult {
  if (argv[0] === 'python3' && run.code === 127) throw new AppError('python_missing');
  return run;
}

/**
 * Proves by a fresh sudo, without cached login, that this password makes this user root. `passwordless` when sudo did not
 * ask: then the password is not proven. Errors as runAsRoot.
 */
export async function proveSudo(
  conn: Connection,
  sudoPassword: string,
): Promise<'password' | 'passwordless'> {
  requireOneLine(conn, sudoPassword);
  const prompt = randomWord();
  const command = shellQuote(['env', 'LC_ALL=C', 'sudo', '-S', '-k', '-p', prompt, '-v']);
  const run = await new SudoRun(await conn.stream(command), prompt, null, { sudoPassword }).result();
  if (run.code !== 0) throw sudoError(conn, run);
  return run.asked ? 'password' : 'passwordless';
}
