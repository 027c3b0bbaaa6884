/**
 * The practice box: an SSH server on this laptop's loopback that stands for a box. It takes a password, then the installed key,
 * and answers what the app asks out of recordings of real runs. No machine is behind it, and no command is ever executed.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type {
  AuthContext,
  AuthenticationType,
  Connection as ServerClient,
  Server,
  ServerChannel,
  Session,
} from 'ssh2';
import { fingerprint } from '../hostkeys.ts';
import { newEd25519 } from '../newkey.ts';
import { Commands, type Programs } from './commands.ts';
import { Disk, keyBlob } from './disk.ts';
import { Jobs } from './jobs.ts';
import { Hangup, Process } from './process.ts';
import { Recordings } from './recordings.ts';
import { ssh2 } from '../ssh2.ts';

const LOOPBACK = '127.0.0.1';
/** The only one that may log in once the box is hardened. */
const ADMIN_USER = 'vaultadmin';
/** Ports it gives to forwards; nothing listens there, since only its own jobs connect. */
const FIRST_FORWARD = 40_001;
const INTERNAL = 125;
/** How long a box is away that reboots, at the pace of what was recorded: a machine with much memory takes minutes. */
const AWAY_MS = 20_000;

const MOTD = [
  'This is a practice box of the app: it replays what real machines told, and has no shell of its own.',
  'Ctrl+D ends it.',
  '',
].join('\r\n');

export interface PracticeOptions {
  /** The box's disk: a folder of its own. A box that is there already is opened as it was left. */
  folder: string;
  /** resources/practice. */
  recordings: string;
  programs: Programs;
  /** For a new box: the first user and its password, and which recorded fault it shows. */
  user: string;
  password: string;
  fault: string | null;
  /** How many times faster than recorded a job runs. */
  speed: number;
}

function hostKey(folder: string): string {
  const path = join(folder, 'host_key');
  if (!existsSync(path)) writeFileSync(path, newEd25519({ comment: 'practice box' }).text, { mode: 0o600 });
  return readFileSync(path, 'utf8');
}

/** What a practice box shows on its console: what an engineer would read there before the first login. */
export interface PracticeConsole {
  fingerprint: string;
  user: string;
  password: string;
}

function readConsole(disk: Disk): PracticeConsole {
  const key = ssh2.utils.parseKey(hostKey(disk.folder));
  if (key instanceof Error) throw key;
  return { ...disk.content.console, fingerprint: fingerprint(key.getPublicSSH()) };
}

/** Makes the box in this folder where there is none, without starting it, and reads its console. */
export function practiceConsole(
  o: Pick<PracticeOptions, 'folder' | 'user' | 'password' | 'fault'>,
): PracticeConsole {
  mkdirSync(o.folder, { recursive: true, mode: 0o700 });
  return readConsole(Disk.open(o.folder, o));
}

export class PracticeBox {
  readonly host = LOOPBACK;
  readonly port: number;
  readonly console: PracticeConsole;
  readonly #server: Server;
  readonly #disk: Disk;
  readonly #jobs: Jobs;
  readonly #commands: Commands;
  readonly #clients = new Set<ServerClient>();
  readonly #forwards: Map<number, ServerClient>;
  readonly #awayMs: number;
  /** Set while the box reboots. */
  #away: NodeJS.Timeout | null = null;

  private constructor(parts: {
    server: Server;
    disk: Disk;
    jobs: Jobs;
    recordings: Recordings;
    programs: Programs;
    forwards: Map<number, ServerClient>;
    speed: number;
  }) {
    this.#server = parts.server;
    this.#disk = parts.disk;
    this.#jobs = parts.jobs;
    const { disk, jobs, recordings, programs } = parts;
    this.#commands = new Commands({ disk, jobs, recordings, programs, reboot: () => this.#reboot() });
    this.#awayMs = AWAY_MS / parts.speed;
    this.#forwards = parts.forwards;
    this.console = readConsole(parts.disk);
    this.port = (parts.server.address() as AddressInfo).port;
    parts.server.on('connection', (client: ServerClient) => this.#welcome(client));
  }

  /** Opens the box in its folder and listens on a free port of the loopback. */
  static async start(o: PracticeOptions): Promise<PracticeBox> {
    mkdirSync(o.folder, { recursive: true, mode: 0o700 });
    const disk = Disk.open(o.folder, o);
    const recordings = new Recordings(o.recordings, disk.content.fault);
    const forwards = new Map<number, ServerClient>();
    const jobs = new Jobs(disk, recordings, o.speed, (port) => openForward(forwards.get(port), port));
    const server = new ssh2.Server({ hostKeys: [hostKey(o.folder)], ident: 'vault-cube-practice' });
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, LOOPBACK, resolve);
      });
    } catch (error) {
      await jobs.stop();
      throw error;
    }
    const { programs, speed } = o;
    return new PracticeBox({ server, disk, jobs, recordings, programs, forwards, speed });
  }

  /** The commands that were asked so far, by name; `unknown` among them for one without an answer. */
  get asked(): ReadonlySet<string> {
    return this.#commands.seen;
  }

  /** Hangs up on everybody and closes the box; its jobs stay where they are until it is started again. */
  async stop(): Promise<void> {
    if (this.#away) clearTimeout(this.#away);
    await this.#jobs.stop();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const client of this.#clients) client.end();
    await closed;
  }

  /** Its port stays open, so that no other process of the app takes the box for one that nobody serves. */
  #reboot(): void {
    if (this.#away) return;
    this.#disk.boot();
    this.#away = setTimeout(() => (this.#away = null), this.#awayMs);
    // The command that asked for it is answered first.
    setImmediate(() => {
      for (const client of this.#clients) client.end();
    });
  }

  #welcome(client: ServerClient): void {
    let user = '';
    client.on('error', () => undefined);
    if (this.#away) return void client.end();
    this.#clients.add(client);
    client.on('close', () => {
      this.#clients.delete(client);
      for (const [port, owner] of this.#forwards) if (owner === client) this.#forwards.delete(port);
    });
    client.on('authentication', (ctx) => {
      user = ctx.username;
      this.#authenticate(ctx);
    });
    client.on('session', (accept) => this.#session(accept(), () => user));
    client.on('request', (accept, reject, name, info) => {
      if (name === 'tcpip-forward' && 'bindPort' in info) {
        const port = Math.max(FIRST_FORWARD - 1, ...this.#forwards.keys()) + 1;
        this.#forwards.set(port, client);
        return accept?.(port);
      }
      if (name === 'cancel-tcpip-forward' && 'bindPort' in info) {
        this.#forwards.delete(info.bindPort);
        return accept?.();
      }
      reject?.();
    });
  }

  #authenticate(ctx: AuthContext): void {
    const { hardened } = this.#disk.content;
    const left: AuthenticationType[] = hardened ? ['publickey'] : ['publickey', 'password'];
    const known = hardened && ctx.username !== ADMIN_USER ? null : this.#disk.account(ctx.username);
    if (ctx.method === 'password' && !hardened && this.#disk.isPassword(ctx.username, ctx.password))
      return ctx.accept();
    if (ctx.method !== 'publickey' || !known) return ctx.reject(left);
    const line = known.keys.find((k) => keyBlob(k)?.equals(ctx.key.data));
    if (line === undefined) return ctx.reject(left);
    if (!ctx.signature || !ctx.blob) return ctx.accept();
    const key = ssh2.utils.parseKey(line);
    if (key instanceof Error || !key.verify(ctx.blob, ctx.signature, ctx.hashAlgo)) return ctx.reject(left);
    ctx.accept();
  }

  #session(session: Session, user: () => string): void {
    session.on('exec', (accept, _reject, { command }) => void this.#exec(accept(), user(), command));
    session.on('pty', (accept) => accept?.());
    session.on('window-change', (accept) => accept?.());
    session.on('shell', (accept) => shell(accept(), user()));
  }

  async #exec(channel: ServerChannel, user: string, command: string): Promise<void> {
    const process = new Process(channel, user);
    try {
      process.exit(await this.#commands.run(command, process));
    } catch (error) {
      if (error instanceof Hangup) return;
      process.err(`practice box: ${String(error)}\n`);
      process.exit(INTERNAL);
    }
  }
}

function openForward(client: ServerClient | undefined, port: number): Promise<Duplex> | null {
  if (!client) return null;
  return new Promise((resolve, reject) => {
    client.forwardOut(LOOPBACK, port, LOOPBACK, 1, (error, channel) => {
      if (error) return reject(error);
      channel.on('error', () => undefined);
      resolve(channel);
    });
  });
}

/** A terminal that says what this is, and echoes. */
function shell(channel: ServerChannel, user: string): void {
  const prompt = `${user}@practice:~$ `;
  channel.on('error', () => undefined);
  channel.write(`${MOTD}\r\n${prompt}`);
  channel.on('data', (data: Buffer) => {
    const text = data.toString('utf8');
    if (text.includes('\x04')) {
      channel.write('logout\r\n');
      channel.exit(0);
      channel.end();
      return;
    }
    channel.write(text.replaceAll('\r', `\r\n${prompt}`));
  });
}
