/**
 * A real sshd with throw-away users, for tests of the connection. As root it runs in a network namespace of its own behind a
 * veth pair, so that a test can pull the cable, and so that nothing of it is reachable from outside.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../../preload/contract/errors.ts';

/** Why these tests cannot run here; null when they can. */
export function whyNotSshd(): string | null {
  if (process.platform !== 'linux') return 'not Linux';
  if (process.getuid?.() !== 0) return 'not root: users and a network namespace cannot be made';
  if (!existsSync('/usr/sbin/sshd')) return 'no sshd: apt install openssh-server';
  if (!existsSync('/usr/bin/sudo')) return 'no sudo: apt install sudo';
  if (!existsSync('/sbin/ip') && !existsSync('/usr/sbin/ip')) return 'no ip: apt install iproute2';
  return null;
}

const run = (file: string, args: readonly string[], input?: string): string =>
  execFileSync(file, args, {
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(input === undefined ? {} : { input }),
  });

const quietly = (file: string, args: readonly string[]): void => {
  try {
    run(file, args);
  } catch {
    // What is to be removed may be gone already.
  }
};

/** Waits until `ready` is true; throws with `what` after `ms`. */
export async function until(
  what: string,
  ready: () => boolean | Promise<boolean>,
  ms = 10_000,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await ready())) {
    if (performance.now() > end) throw new Error(`${what} did not happen within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What the promise was refused with; throws when it was not, or by something else than an AppError. */
export async function refusal(promise: Promise<unknown>): Promise<AppError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it succeeded');
}

const answers = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.setTimeout(500, () => socket.destroy());
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => socket.destroy());
    socket.once('close', () => resolve(false));
  });

/** A process's title or arguments; empty when it is gone. */
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

export interface TestUser {
  name: string;
  password: string;
  home: string;
}

export interface DaemonOptions {
  /** Names of the host keys it has; all of the bench's first ones when left out. */
  hostKeys?: readonly string[];
  /** Shell commands before it, in a mount namespace of its own: what they mount is seen by this daemon's sessions only. */
  prepare?: string;
}

export interface Daemon {
  host: string;
  port: number;
  /** What this daemon logged so far. */
  log(): string;
  stop(): Promise<void>;
}

let serial = 0;

/** A network namespace with its users and its daemons; `close` removes all of it. */
export class SshBench {
  readonly dir: string;
  /** Address of the namespace, and of this side of the cable. */
  readonly host: string;
  readonly laptop: string;
  readonly tag: string;
  readonly #users: string[] = [];
  readonly #daemons: Daemon[] = [];
  readonly #sudoers: string[] = [];
  readonly #mounts: string[] = [];

  constructor() {
    // Interface names have 15 characters at most, user names 32.
    this.tag = `vcr${process.pid.toString(36)}${(serial++).toString(36)}`;
    this.dir = mkdtempSync(join(tmpdir(), 'vcr-ssh-'));
    chmodSync(this.dir, 0o755);
    // Two test processes side by side must not meet on one address.
    const net = `10.${192 + ((process.pid >> 8) % 60)}.${process.pid % 256}`;
    const base = (serial * 4) % 252;
    this.laptop = `${net}.${base + 1}`;
    this.host = `${net}.${base + 2}`;
    mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    for (const type of ['ed25519', 'rsa']) this.newHostKey(type, type);
    const { tag } = this;
    run('ip', ['netns', 'add', tag]);
    run('ip', ['link', 'add', `${tag}a`, 'type', 'veth', 'peer', 'name', `${tag}b`, 'netns', tag]);
    run('ip', ['addr', 'add', `${this.laptop}/30`, 'dev', `${tag}a`]);
    run('ip', ['link', 'set', `${tag}a`, 'up']);
    run('ip', ['-n', tag, 'addr', 'add', `${this.host}/30`, 'dev', `${tag}b`]);
    run('ip', ['-n', tag, 'link', 'set', 'lo', 'up']);
    this.cable(true);
  }

  /** Plugs the box's end of the cable in or out; this side sees a lost carrier and nothing else. */
  cable(plugged: boolean): void {
    run('ip', ['-n', this.tag, 'link', 'set', `${this.tag}b`, plugged ? 'up' : 'down']);
  }

  /** Plugs the cable in and waits until the box on the other end answers. */
  async plugIn(daemon: Daemon): Promise<void> {
    this.cable(true);
    await until('the link', () => answers(daemon.host, daemon.port));
  }

  /** Slows what goes to the box down to so many megabits a second; null for as fast as it goes. */
  slow(megabits: number | null): void {
    const device = `${this.tag}a`;
    quietly('tc', ['qdisc', 'del', 'dev', device, 'root']);
    if (megabits === null) return;
    // A packet of 64 KiB with its head has to fit, or each is cut into small ones; at a gigabit that halves the rate (measured).
    const burst = megabits < 500 ? '64kb' : '256kb';
    const rate = ['rate', `${megabits}mbit`, 'burst', burst, 'latency', '50ms'];
    run('tc', ['qdisc', 'add', 'dev', device, 'root', 'tbf', ...rate]);
  }

  /** Connections to this port that the box's end holds open. */
  open(port: number): number {
    const list = run('ip', [
      'netns',
      'exec',
      this.tag,
      'ss',
      '-Htn',
      'state',
      'established',
      'sport',
      '=',
      `:${port}`,
    ]);
    return list.split('\n').filter(Boolean).length;
  }

  /** Kills every session of this user, as a crash or a firewall would; what it left running in the background stays. */
  dropSessions(user: TestUser): number {
    const session = new RegExp(`^sshd(-session)?: ${user.name}( \\[priv\\]|@)`);
    const found = this.#pids().filter((pid) => session.test(commandOf(pid)));
    for (const pid of found) quietly('kill', ['-KILL', pid]);
    return found.length;
  }

  newHostKey(name: string, type: string): string {
    const path = join(this.dir, `host_${name}`);
    rmSync(path, { force: true });
    rmSync(`${path}.pub`, { force: true });
    run('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', path]);
    return path;
  }

  /** Fingerprint of a host key as ssh-keygen prints it. */
  hostFingerprint(name = 'ed25519'): string {
    return run('ssh-keygen', ['-lf', join(this.dir, `host_${name}.pub`)]).split(' ')[1] ?? '';
  }

  addUser(label: string, opts: { shell?: string; password?: string; groups?: string[] } = {}): TestUser {
    const name = `${this.tag}${label}`;
    const password = opts.password ?? `Pw-${label}-${Math.random().toString(36).slice(2)}`;
    const groups = opts.groups ? ['-G', opts.groups.join(',')] : [];
    run('useradd', [
      '-m',
      '-d',
      join(this.dir, 'home', label),
      '-s',
      opts.shell ?? '/bin/bash',
      ...groups,
      name,
    ]);
    this.#users.push(name);
    run('chpasswd', [], `${name}:${password}\n`);
    return { name, password, home: join(this.dir, 'home', label) };
  }

  /** Lets the user log in with this public key. */
  authorize(user: string, publicKey: string): void {
    mkdirSync(join(this.dir, 'keys'), { recursive: true, mode: 0o755 });
    appendFileSync(join(this.dir, 'keys', user), `${publicKey}\n`);
  }

  writeHome(user: TestUser, file: string, text: string): void {
    const path = join(user.home, file);
    writeFileSync(path, text);
    chownSync(path, Number(run('id', ['-u', user.name])), Number(run('id', ['-g', user.name])));
  }

  /** A rules file for sudo, checked by visudo first: a broken one would lock everybody out of sudo. */
  sudoers(label: string, text: string): void {
    const path = `/etc/sudoers.d/${this.tag}${label}`;
    const draft = join(this.dir, `sudoers-${label}`);
    writeFileSync(draft, text, { mode: 0o440 });
    run('visudo', ['-cqf', draft]);
    this.#sudoers.push(path);
    writeFileSync(path, text, { mode: 0o440 });
  }

  /** A small tmpfs that everybody may write to. Before the first daemon: a session sees only what was mounted by then. */
  tmpfs(label: string, size: string): string {
    if (this.#daemons.length) throw new Error('a daemon runs already and would not see it');
    const path = join(this.dir, label);
    mkdirSync(path);
    run('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0777`, 'tmpfs', path]);
    this.#mounts.push(path);
    return path;
  }

  /** Starts an sshd in the namespace. Later lines of `config` do not override its first ones. */
  async start(
    port: number,
    config: readonly string[] = [],
    { hostKeys = ['ed25519', 'rsa'], prepare = ':' }: DaemonOptions = {},
  ): Promise<Daemon> {
    const file = join(this.dir, `sshd_config_${port}`);
    const log = join(this.dir, `sshd_${port}.log`);
    writeFileSync(log, '');
    const lines = [
      ...config,
      `Port ${port}`,
      `ListenAddress 0.0.0.0`,
      ...hostKeys.map((name) => `HostKey ${join(this.dir, `host_${name}`)}`),
      `AuthorizedKeysFile ${join(this.dir, 'keys')}/%u`,
      `PidFile none`,
      'StrictModes no',
      'UsePAM yes',
      'PrintMotd no',
      'LogLevel VERBOSE',
      'PasswordAuthentication yes',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin prohibit-password',
      'MaxStartups 100',
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const script = `set -e; ${prepare}; exec /usr/sbin/sshd -D -f "$1" -E "$2"`;
    const child: ChildProcess = spawn(
      'ip',
      ['netns', 'exec', this.tag, 'sh', '-c', script, 'sh', file, log],
      { stdio: 'ignore' },
    );
    const daemon: Daemon = {
      host: this.host,
      port,
      log: () => readFileSync(log, 'utf8'),
      stop: async () => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill('SIGTERM');
        await once(child, 'exit');
      },
    };
    this.#daemons.push(daemon);
    await until(`sshd on port ${port} (${daemon.log()})`, () => answers(this.host, port));
    return daemon;
  }

  /** What the daemon on this port logged so far. */
  log(port: number): string {
    return readFileSync(join(this.dir, `sshd_${port}.log`), 'utf8');
  }

  async close(): Promise<void> {
    for (const daemon of this.#daemons) await daemon.stop();
    // Sessions outlive their daemon.
    for (const pid of this.#pids()) quietly('kill', ['-KILL', pid]);
    await until('the end of every session', () => this.#pids().length === 0);
    quietly('ip', ['link', 'del', `${this.tag}a`]);
    quietly('ip', ['netns', 'del', this.tag]);
    for (const path of this.#sudoers) rmSync(path, { force: true });
    for (const name of this.#users) quietly('userdel', ['-rf', name]);
    for (const path of this.#mounts) quietly('umount', ['-l', path]);
    rmSync(this.dir, { recursive: true, force: true });
  }

  #pids(): string[] {
    return run('ip', ['netns', 'pids', this.tag]).split('\n').filter(Boolean);
  }
}
