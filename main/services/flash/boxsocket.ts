/** A stream from here to the job's socket on a box, in the shape of a started writer. */
import type { Duplex } from 'node:stream';
import { AppError, asAppError } from '../../../preload/contract/errors.ts';
import { shellQuote, type Connection } from '../../remote/connection.ts';
import type { Auth } from '../../remote/login.ts';
import { isOfTheLink } from '../../remote/link.ts';
import { startClient, type Client } from '../../remote/openssh.ts';
import type { WriterProcess } from './writer.ts';

/** In the attempt's folder (resources/box/vcbox/flash/door.py). */
const socketOf = (dir: string) => `${dir}/feed.sock`;

/** A job takes its disk before it listens; who sees the socket can connect (door.py). Tells by its end after 5 s that it is not there. */
const LISTENS = 'n=0; until [ -S "$1" ]; do [ $n -lt 100 ] || exit 1; n=$((n + 1)); sleep 0.05; done';

/** Connections beside which the laptop's own client has not brought a byte from the box: with those it is not tried again. */
const notCarried = new WeakSet<Connection>();

/** Clients that log in while the job is being started, by its socket's path. */
const ahead = new WeakMap<Connection, { path: string; client: Promise<Client | null> }>();

/** One that cannot be begun, for whatever reason, is none; nobody may ask for it, or late. */
const clientOf = (conn: Connection, path: string, auth: Auth | undefined): Promise<Client | null> =>
  startClient(conn, path, auth).catch(() => null);

/** Lets the laptop's own client log in beside a connection while the job in that folder is being started; `openSocket` takes it from there. */
export function logInAhead(conn: Connection, dir: string, auth?: Auth): void {
  const path = socketOf(dir);
  ahead.set(conn, { path, client: clientOf(conn, path, auth) });
}

/** Over the laptop's OpenSSH client; null where that has no way. */
async function overClient(
  conn: Connection,
  path: string,
  auth: Auth | undefined,
): Promise<WriterProcess | null> {
  if (notCarried.has(conn)) return null;
  notCarried.add(conn);
  const begun = ahead.get(conn);
  ahead.delete(conn);
  const client = await (begun?.path === path ? begun.client : clientOf(conn, path, auth));
  const carried = await client?.stream();
  if (!carried) return null;
  const { socket, ended, kill } = carried;
  // It listens here whatever the box says to it: that forwarding is allowed there shows by the first answer only.
  socket.once('data', () => notCarried.delete(conn));
  return { stdin: socket, stdout: socket, ended, kill };
}

/**
 * By the laptop's own SSH client where there is one, else over a forwarded socket of this connection; where the box's sshd forwards none, over a small program beside it. `relay`: its text;
 * `auth`: for the client, where the connection's own is a password.
 * Errors: link_lost; box_unreadable where not even a program can be started.
 */
export async function openSocket(
  conn: Connection,
  dir: string,
  relay: string,
  auth?: Auth,
): Promise<WriterProcess> {
  const path = socketOf(dir);
  // Else the client's first try would be its last: it takes a socket that is not there yet for a box that forbids it.
  await conn.exec(shellQuote(['sh', '-c', LISTENS, 'sh', path])).catch((error: unknown) => {
    if (isOfTheLink(asAppError(error))) throw error;
  });
  const carried = await overClient(conn, path, auth);
  if (carried) return carried;
  try {
    return overChannel(conn, await conn.streamLocal(path));
  } catch (error) {
    // Also where nobody listens yet; then the program says so by its end.
    if (!(error instanceof AppError) || error.code !== 'box_unreadable') throw error;
  }
  const run = await conn.stream(shellQuote(['python3', '-I', '-c', relay, path]));
  let stderr = '';
  run.stderr.on('data', (piece: Buffer) => {
    stderr = (stderr + piece.toString('utf8')).slice(-1_000);
  });
  const ended = run.exit.then(
    ({ code }) => ({ code, stderr }),
    (error: Error) => ({ code: null, stderr: error.message }),
  );
  return { stdin: run.stdin, stdout: run.stdout, ended, kill: () => run.close() };
}

function overChannel(conn: Connection, channel: Duplex): WriterProcess {
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    channel.on('close', () => resolve({ code: null, stderr: 'the job on the box closed its socket' }));
    // A connection that is given up may not say so of each of its channels.
    conn.onClose((error) => resolve({ code: null, stderr: error?.message ?? 'the connection was closed' }));
  });
  return { stdin: channel, stdout: channel, ended, kill: () => channel.destroy() };
}
