/**
 * A stream to a unix socket of a box, carried by this laptop's own OpenSSH client: it enciphers with a fraction of the work that ssh2
 * has with it. It logs in a second time, as a connection did that lives, to a box that has the very key which that one was shown. What it
 * knows lies in a folder of its own, for as long as it takes.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { serveAgent } from './agent.ts';
import type { Connection } from './connection.ts';
import { parsePrivate, parsePublic, type Auth } from './login.ts';

export interface Carried {
  socket: Socket;
  /** Settles when the stream has ended, with the last that the client said. */
  ended: Promise<{ code: number | null; stderr: string }>;
  kill: () => void;
}

const PROGRAM = 'ssh';
/** A name that stands for the box in a file of one line. */
const ALIAS = 'vault-cube-box';
/** In a path the client reads these as something else, and not in each version the same. */
const MEANS_MORE = /[%$":\s\\]/;
const LOGIN_MS = 15_000;
const LOOK_MS = 20;
const STDERR_KEPT = 1_000;
/** Ends with our end of its stdin, however this process ends, and the client with it. */
const LIVES_BY = 'cat';
/** As this app's own connections have them. */
const CIPHERS = 'aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr';

/** Whether there is such a way: a password is never handed on, and a named pipe of Windows is none that its agent has here. */
export const canCarry = ({ kind }: Auth, platform: NodeJS.Platform = process.platform): boolean =>
  kind !== 'password' && platform !== 'win32';

/** The client's whole command line: no file of the person's own settings is read, and nothing is ever asked. Pure. */
export function argumentsOf(
  { host, port, user }: { host: string; port: number; user: string },
  dir: string,
  agent: string,
  remote: string,
): string[] {
  const options = {
    BatchMode: 'yes',
    PreferredAuthentications: 'publickey',
    IdentitiesOnly: 'yes',
    IdentityFile: `"${join(dir, 'id.pub')}"`,
    IdentityAgent: `"${agent}"`,
    StrictHostKeyChecking: 'yes',
    UserKnownHostsFile: `"${join(dir, 'known_hosts')}"`,
    GlobalKnownHostsFile: '/dev/null',
    HostKeyAlias: ALIAS,
    UpdateHostKeys: 'no',
    CheckHostIP: 'no',
    ControlMaster: 'no',
    ControlPath: 'none',
    ProxyCommand: 'none',
    ForwardAgent: 'no',
    ForwardX11: 'no',
    Compression: 'no',
    Ciphers: CIPHERS,
    ConnectTimeout: '10',
    ExitOnForwardFailure: 'yes',
    StreamLocalBindMask: '0177',
    LogLevel: 'ERROR',
  };
  return [
    ...['-F', 'none', '-T', '-p', String(port), '-l', user],
    ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    ...['-L', `${join(dir, 'feed')}:${remote}`, '--', host, LIVES_BY],
  ];
}

/** A client that logs in by itself meanwhile. */
export interface Client {
  /** To be asked for once. Null where it did not get there. */
  stream: () => Promise<Carried | null>;
}

/**
 * Begins such a way; null where there can be none: no such client, or a login by password. Never asks a box twice. The socket on the box need
 * not be there yet. `auth`: where that of the connection itself is no key. Whoever does not want the stream closes the connection.
 */
export async function startClient(
  conn: Connection,
  remote: string,
  auth: Auth = conn.auth,
): Promise<Client | null> {
  const { hostKey } = conn;
  if (!canCarry(auth)) return null;
  const dir = mkdtempSync(join(tmpdir(), 'vcs-'));
  let agent: Server | null = null;
  const tidy = () => {
    agent?.close();
    try {
      rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
    } catch {
      // The system's own tidying finds it; there is no secret in it.
    }
  };
  try {
    const key =
      auth.kind === 'key' ? parsePrivate(auth) : auth.kind === 'agent' ? parsePublic(auth.publicKey) : null;
    if (!key) throw new Error('no key');
    const line = (type: string, bytes: Buffer) => `${type} ${bytes.toString('base64')}\n`;
    writeFileSync(join(dir, 'id.pub'), line(key.type, key.getPublicSSH()), { mode: 0o600 });
    writeFileSync(join(dir, 'known_hosts'), `${ALIAS} ${line(hostKey.algorithm, hostKey.key)}`, {
      mode: 0o600,
    });
    const at = auth.kind === 'agent' ? auth.socket : join(dir, 'agent');
    if ([dir, at, remote].some((path) => MEANS_MORE.test(path)))
      throw new Error('a path with more than one meaning');
    if (auth.kind === 'key') agent = await serveAgent(at, key);
    const stream = spawned(conn, argumentsOf(conn, dir, at, remote), join(dir, 'feed'));
    conn.onClose(tidy);
    return {
      // Once it has logged in and connected it needs nothing of it any more.
      stream: () =>
        stream()
          .catch(() => null)
          .finally(tidy),
    };
  } catch {
    tidy();
    return null;
  }
}

/** Starts it; what is answered waits for its stream. */
function spawned(conn: Connection, args: readonly string[], path: string): () => Promise<Carried> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', LC_ALL: 'C' };
  // In a session of its own: Ctrl+C on the terminal is the app's to understand.
  const child = spawn(PROGRAM, args, { stdio: ['pipe', 'ignore', 'pipe'], detached: true, env });
  child.stdin.on('error', () => undefined);
  let stderr = '';
  child.stderr.on('data', (piece: Buffer) => {
    stderr = (stderr + piece.toString('utf8')).slice(-STDERR_KEPT);
  });
  const gone = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', (code) => resolve(code));
  });
  let over = false;
  void gone.then(() => (over = true));
  // Asked to end it says goodbye first, and over a dead link it waits for that until TCP gives up, which takes a quarter of an hour.
  const end = () => child.kill('SIGKILL');
  conn.onClose(end);
  return async () => {
    try {
      const socket = await reached(path, () => over || !conn.alive);
      const kill = () => {
        socket.destroy();
        end();
      };
      conn.onClose(kill);
      socket.once('close', end);
      const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => {
        socket.once('close', () =>
          resolve({ code: null, stderr: stderr || 'the job on the box closed its socket' }),
        );
      });
      void gone.then(() => socket.destroy());
      return { socket, ended, kill };
    } catch (error) {
      end();
      throw error;
    }
  };
}

/** The client listens there once it has logged in. */
async function reached(path: string, lost: () => boolean): Promise<Socket> {
  const begun = performance.now();
  for (;;) {
    try {
      return await connected(path);
    } catch (error) {
      if (lost() || performance.now() - begun > LOGIN_MS) throw error;
      await delay(LOOK_MS);
    }
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.on('error', () => undefined);
      socket.on('end', () => socket.end());
      resolve(socket);
    });
  });
}
