/** What the app tells a running job: files in the attempt's control folder (docs/adr/0002-job-mechanism.md). */
import { shellQuote, type Connection } from './connection.ts';
import { writeError } from './upload.ts';

/** Where the box's fetch job finds the app's bundle server: a port on the box's loopback, and the token of this job. */
export interface Source {
  port: number;
  token: string;
}

/** `$1` file: stdin becomes its content, by rename, so that the runner reads all of it or none. */
export const PUT =
  'set -eu; umask 027; work=$(mktemp "$1.XXXXXX"); cat >"$work"; chmod 0640 "$work"; mv -fT "$work" "$1"';
export const TOUCH = 'umask 007; : >>"$1"';

async function put(conn: Connection, script: string, path: string, stdin: string): Promise<void> {
  const run = await conn.exec(shellQuote(['env', 'LC_ALL=C', 'sh', '-c', script, 'sh', path]), { stdin });
  if (run.code !== 0) throw writeError(path, run.stderr);
}

/** Asks the job to end; its supervisor sees to it. Asking twice is asking once. Errors: box_disk_full, box_unreadable, link_lost. */
export const requestCancel = (conn: Connection, dir: string): Promise<void> =>
  put(conn, TOUCH, `${dir}/control/cancel`, '');

/** Tells a hardening job that a fresh login proved the new rules. Errors as requestCancel. */
export const confirm = (conn: Connection, dir: string): Promise<void> =>
  put(conn, TOUCH, `${dir}/control/confirm`, '');

/** Tells a validation suite what the laptop found from outside, as JSON. Errors as requestCancel. */
export const writeFinding = (conn: Connection, dir: string, finding: unknown): Promise<void> =>
  put(conn, PUT, `${dir}/control/finding.json`, JSON.stringify(finding));

/** Says where the bundle is served now; after each reconnect anew. The token goes over stdin, never in an argument. */
export const writeSource = (conn: Connection, dir: string, source: Source): Promise<void> =>
  put(conn, PUT, `${dir}/control/source.json`, JSON.stringify(source));
