/** A stream from here to the job's socket on a box, in the shape of a started writer. */
import type { Duplex } from 'node:stream';
import { AppError } from '../../../preload/contract/errors.ts';
import { shellQuote, type Connection } from '../../remote/connection.ts';
import type { WriterProcess } from './writer.ts';

/** In the attempt's folder (resources/box/vcbox/flash/door.py). */
const SOCKET = 'feed.sock';

/**
 * Over a forwarded socket; where the box's sshd forwards none, over a small program beside it. `relay`: its text.
 * Errors: link_lost; box_unreadable where not even a program can be started.
 */
export async function openSocket(conn: Connection, dir: string, relay: string): Promise<WriterProcess> {
  const path = `${dir}/${SOCKET}`;
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
