/** A logged-in connection to a box: commands, streams, reverse forwards, and whether the link lives. */
import type { Socket } from 'node:net';
import type { Duplex, Readable, Writable } from 'node:stream';
import type { Client, ClientChannel, TcpConnectionDetails } from 'ssh2';
import { AppError } from '../../preload/contract/errors.ts';
import { dial, type ConnectOptions, type Dialled } from './dial.ts';
import type { PinnedKey } from './hostkeys.ts';
import { Liveness } from './liveness.ts';
import { PASSWORD_EXPIRED, type Auth } from './login.ts';
import { wrapShell, type Shell, type ShellEvents } from './shell.ts';

export type { ConnectOptions, HostKeyQuestion } from './dial.ts';
export type { Auth } from './login.ts';

const KEEPALIVE_MS = 1_000;
const GOODBYE_MS = 1_000;
const EXEC_TIMEOUT_MS = 60_000;
const PROBE_TIMEOUT_MS = 20_000;
const MAX_OUTPUT = 16 * 1024 * 1024;
const PROBE = 'vault-cube-shell-ok';
/** Two plain commands: what every login shell understands, csh and fish too. */
export const PROBE_COMMAND = `printf '%s\\n' ${PROBE}; id -u`;

export interface ExecResult {
  /** Null when a signal ended it. */
  code: number | null;
  signal: string | null;
  stdout: Buffer;
  stderr: string;
}

export interface ExecOptions {
  /** Sent, then end of file. Without it the command finds stdin at its end. */
  stdin?: Buffer | string | undefined;
  timeoutMs?: number | undefined;
  /** Bytes of stdout and of stderr, each; more is an error. */
  maxOutput?: number | undefined;
}

export interface ExecStream {
  stdout: Readable;
  stderr: Readable;
  stdin: Writable;
  /** Settles when both outputs were read to their end. Rejects with link_lost when the connection ended first. */
  exit: Promise<{ code: number | null; signal: string | null }>;
  /** Closes the channel; the command finds its stdin ended and its outputs broken. */
  close(): void;
}

/** Words of a command line for a POSIX shell, each meaning itself. */
export function shellQuote(args: readonly string[]): string {
  return args
    .map((a) => (/^[A-Za-z0-9_/:.,@+-]+$/.test(a) ? a : `'${a.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}

function wrapChannel(channel: ClientChannel, lost: () => AppError): ExecStream {
  let code: number | null = null;
  let signal: string | null = null;
  let known = false;
  const exit = new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
    channel.on('exit', (c: number | null, s?: string) => {
      known = true;
      code = c;
      signal = s ?? null;
    });
    channel.on('close', () => {
      if (known) resolve({ code, signal });
      else reject(lost());
    });
  });
  exit.catch(() => undefined);
  channel.on('error', () => undefined);
  return { stdout: channel, stderr: channel.stderr, stdin: channel, exit, close: () => channel.close() };
}

/** Bytes a turn: some 10 ms of deciphering. */
const TURN_BYTES = 64 * 1024;

/** Without it a box that sends without end would be read 2 MB at a time, and nothing else of this process have its turn. */
function takeTurns(socket: Socket): void {
  let taken = 0;
  socket.on('data', ({ length }: Buffer) => {
    taken += length;
    if (taken < TURN_BYTES) return;
    taken = 0;
    socket.pause();
    setImmediate(() => socket.resume());
  });
}

export class Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** That the box has proven to hold. */
  readonly hostKey: PinnedKey;
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #login: Dialled['login'];
  readonly #liveness: Liveness;
  readonly #closed = new Set<(error: AppError | null) => void>();
  readonly #forwards = new Map<number, (channel: Duplex) => void>();
  #uid: number | null = null;
  #alive = true;
  #error: AppError | null = null;

  constructor(options: ConnectOptions, { client, socket, hostKey, login }: Dialled) {
    this.host = options.host;
    this.port = options.port;
    this.user = options.user;
    this.hostKey = hostKey;
    this.#client = client;
    this.#socket = socket;
    this.#login = login;
    const every = options.keepaliveMs ?? KEEPALIVE_MS;
    this.#liveness = new Liveness(client, socket, every, (ms) => this.#end(this.#lost(ms, 'no answer')));
    client.on('error', (error) => this.#end(this.#lost(0, error)));
    client.on('end', () => this.#end(this.#lost(0, 'ended by the box')));
    client.on('close', () => this.#end(this.#lost(0, 'closed')));
    client.on('tcp connection', (to, accept, reject) => this.#accept(to, accept, reject));
    takeTurns(socket);
    // The socket may have closed between login and now.
    if (socket.destroyed) this.#end(this.#lost(0, 'closed'));
  }

  /** True while nothing says that the link is gone; a dead one is noticed within three keepalives. */
  get alive(): boolean {
    return this.#alive;
  }

  /** The login user's id on the box. */
  get uid(): number {
    if (this.#uid === null)
      throw new AppError('internal', { detail: 'a connection was used before its shell was probed' });
    return this.#uid;
  }

  /** What it has logged in with: another way to the same box may do so, too. */
  get auth(): Auth {
    return this.#login.auth;
  }

  /** The last measured round trip in ms; null before the first keepalive was answered. */
  rttMs(): number | null {
    return this.#liveness.rttMs;
  }

  /** For how long the box has sent nothing at all while it owes an answer, in ms; 0 when it owes none. */
  owedMs(): number {
    return this.#liveness.owedMs;
  }

  /** Called once when the connection ends; with null when `close` ended it. At once when it has ended already. */
  onClose(listener: (error: AppError | null) => void): void {
    if (this.#alive) this.#closed.add(listener);
    else listener(this.#error);
  }

  close(): void {
    this.#end(null);
  }

  #lost(ms: number, cause: unknown): AppError {
    const seconds = Math.round(ms / 100) / 10;
    const error = cause instanceof Error ? cause : new Error(String(cause));
    return new AppError('link_lost', { host: this.host, seconds, ...(ms > 0 ? { silent: 1 } : {}) }, error);
  }

  #end(error: AppError | null): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#error = error;
    this.#liveness.stop();
    this.#forwards.clear();
    if (error) this.#client.destroy();
    else this.#goodbye();
    for (const listener of this.#closed) listener(error);
    this.#closed.clear();
  }

  /** Ends it in order, but waits for no answer: where the link is gone, TCP would do so for a quarter of an hour. */
  #goodbye(): void {
    this.#client.end();
    this.#socket.unref();
    setTimeout(() => this.#client.destroy(), GOODBYE_MS).unref();
  }

  /** ssh2 throws where its socket is closed already, an instant before it says so. */
  #request(reject: (error: Error) => void, ask: (client: Client) => unknown): void {
    try {
      ask(this.#client);
    } catch (error) {
      reject(this.#error ?? this.#lost(0, error));
    }
  }

  /** Starts a command. Both outputs must be read, else it stalls. Errors: link_lost, box_unreadable. */
  stream(command: string): Promise<ExecStream> {
    const lost = () => this.#error ?? this.#lost(0, 'closed');
    return new Promise((resolve, reject) => {
      if (!this.#alive) return reject(lost());
      this.#request(reject, (client) =>
        client.exec(command, (error: Error | true | undefined, channel) => {
          if (!error) return resolve(wrapChannel(channel, lost));
          const detail = `it refused to start a command${error instanceof Error ? `: ${error.message}` : ''}.`;
          // A broken link also ends what waits to be opened; its close event may come after this.
          setImmediate(() => reject(this.#alive ? new AppError('box_unreadable', { detail }) : lost()));
        }),
      );
    });
  }

  /**
   * A login shell on a terminal of the given size in characters. Errors: link_lost, box_unreadable when the box refuses one.
   */
  shell(size: { columns: number; rows: number }, on: ShellEvents): Promise<Shell> {
    const lost = () => this.#error ?? this.#lost(0, 'closed');
    return new Promise((resolve, reject) => {
      if (!this.#alive) return reject(lost());
      const window = { term: 'xterm-256color', cols: size.columns, rows: size.rows, width: 0, height: 0 };
      this.#request(reject, (client) =>
        client.shell(window, (error: Error | undefined, channel) => {
          if (!error) return resolve(wrapShell(channel, on));
          const detail = `it refused a terminal: ${error.message}`;
          setImmediate(() =>
            reject(this.#alive ? new AppError('box_unreadable', { detail }, error) : lost()),
          );
        }),
      );
    });
  }

  /** Runs a command to its end. Errors: link_lost, box_unreadable (no end within the time, too much output). */
  async exec(command: string, opts: ExecOptions = {}): Promise<ExecResult> {
    const { timeoutMs = EXEC_TIMEOUT_MS, maxOutput = MAX_OUTPUT } = opts;
    const run = await this.stream(command);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let fail: (error: AppError) => void = () => undefined;
    const failed = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const collect = (into: Buffer[]) => {
      let size = 0;
      return (data: Buffer) => {
        size += data.length;
        if (size > maxOutput)
          fail(new AppError('box_unreadable', { detail: `an answer is longer than ${maxOutput} bytes.` }));
        else into.push(data);
      };
    };
    run.stdout.on('data', collect(out));
    run.stderr.on('data', collect(err));
    const shown = command.length > 60 ? `${command.slice(0, 60)}…` : command;
    const timer = setTimeout(
      () =>
        fail(
          new AppError('box_unreadable', { detail: `"${shown}" did not end within ${timeoutMs / 1000} s.` }),
        ),
      timeoutMs,
    );
    run.stdin.end(opts.stdin ?? '');
    try {
      const exit = await Promise.race([run.exit, failed]);
      return { ...exit, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString('utf8') };
    } catch (error) {
      run.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Listens on a free port of the box's loopback; each connection there is handed to `onConnection`.
   * Errors: box_unreadable when the box's sshd forbids forwarding, link_lost.
   */
  async reverseForward(onConnection: (channel: Duplex) => void): Promise<{ port: number; close(): void }> {
    const port = await new Promise<number>((resolve, reject) => {
      if (!this.#alive) return reject(this.#error ?? this.#lost(0, 'closed'));
      this.#request(reject, (client) =>
        client.forwardIn('127.0.0.1', 0, (error: Error | undefined, bound: number) => {
          if (!error) {
            // Registered here: a connection may follow in the same packet.
            this.#forwards.set(bound, onConnection);
            return resolve(bound);
          }
          const detail = 'its SSH server forbids port forwarding (AllowTcpForwarding).';
          setImmediate(() =>
            reject(this.#alive ? new AppError('box_unreadable', { detail }, error) : (this.#error ?? error)),
          );
        }),
      );
    });
    return {
      port,
      close: () => {
        if (this.#forwards.delete(port) && this.#alive)
          this.#client.unforwardIn('127.0.0.1', port, () => undefined);
      },
    };
  }

  /**
   * A stream to a unix socket on the box, as the login user. Errors: box_unreadable when its sshd forbids it or nobody listens there,
   * link_lost.
   */
  streamLocal(path: string): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      if (!this.#alive) return reject(this.#error ?? this.#lost(0, 'closed'));
      this.#request(reject, (client) =>
        client.openssh_forwardOutStreamLocal(path, (error: Error | undefined, channel) => {
          if (!error) {
            channel.on('error', () => undefined);
            return resolve(channel);
          }
          const detail = `it opened no way to ${path}: ${error.message}.`;
          setImmediate(() =>
            reject(this.#alive ? new AppError('box_unreadable', { detail }, error) : (this.#error ?? error)),
          );
        }),
      );
    });
  }

  #accept(to: TcpConnectionDetails, accept: () => ClientChannel, reject: () => void): void {
    const take = this.#forwards.get(to.destPort);
    if (!take) return reject();
    const channel = accept();
    channel.on('error', () => undefined);
    take(channel);
  }

  /**
   * Sees that the shell runs commands and prints nothing of its own, and learns the user's id.
   * Errors: login_password_expired, login_shell_nologin, login_shell_noisy.
   */
  async probeShell(): Promise<void> {
    let run: ExecResult;
    try {
      run = await this.exec(PROBE_COMMAND, {
        timeoutMs: PROBE_TIMEOUT_MS,
        maxOutput: 256 * 1024,
      });
    } catch (error) {
      if (!this.#alive || !(error instanceof AppError)) throw error;
      throw new AppError(
        'login_shell_noisy',
        { user: this.user, detail: String(error.facts['detail'] ?? '') },
        error,
      );
    }
    const out = run.stdout.toString('utf8');
    const match = new RegExp(`^${PROBE}\\n(\\d+)\\n$`).exec(out);
    if (match && run.code === 0) {
      this.#uid = Number(match[1]);
      return;
    }
    const all = `${out}\n${run.stderr}`;
    if (!match && PASSWORD_EXPIRED.test(all)) throw this.#login.expired();
    if (/this account is currently not available/i.test(all)) {
      throw new AppError('login_shell_nologin', { user: this.user, shell: 'nologin' });
    }
    if (out === '' && run.stderr.trim() === '') {
      throw new AppError('login_shell_nologin', {
        user: this.user,
        shell: 'it ends at once, like /bin/false',
      });
    }
    const extra = out.replace(new RegExp(`^${PROBE}\\n\\d+\\n`, 'm'), '').trim() || run.stderr.trim();
    const detail = extra
      ? JSON.stringify(extra.slice(0, 200))
      : `it ends with status ${run.code ?? run.signal ?? 'none'}`;
    throw new AppError('login_shell_noisy', { user: this.user, detail });
  }
}

/**
 * Connects and logs in: one attempt, one method. Errors: host_unknown, host_unreachable, port_refused, not_ssh, ssh_banned,
 * ssh_protocol, host_key_unconfirmed, host_key_changed, login_*, key_*, agent_missing, agent_empty, box_starting, link_lost.
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const connection = new Connection(options, await dial(options));
  const onAbort = () => connection.close();
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await connection.probeShell();
    options.signal?.throwIfAborted();
    return connection;
  } catch (error) {
    connection.close();
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', onAbort);
  }
}
