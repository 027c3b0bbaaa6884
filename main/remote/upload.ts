/** Files to the box, over an exec: sftp may be switched off on a customer's machine, a shell is needed anyhow. */
import { createHash } from 'node:crypto';
import { AppError } from '../../preload/contract/errors.ts';
import { shellQuote, type Connection } from './connection.ts';

/**
 * `$1` path (`~/` is the user's home), `$2` SHA-256, `$3` mode. Says `same PATH`, or `send PATH`, reads stdin, and ends
 * with `done` when what arrived has that hash. The file appears by rename.
 */
export const RECEIVE = `set -eu
umask 077
path=$1
case $path in "~/"*) path=$HOME/\${path#"~/"} ;; esac
mkdir -p "$(dirname "$path")"
hash() { sha256sum <"$1" | cut -d" " -f1; }
if [ -f "$path" ] && [ ! -L "$path" ] && [ "$(hash "$path")" = "$2" ]; then
  chmod "$3" "$path"
  echo "same $path"
  exit 0
fi
work=$(mktemp "$path.XXXXXX")
trap 'rm -f "$work"' EXIT
trap 'exit 1' HUP INT TERM PIPE
echo "send $path"
cat >"$work"
[ "$(hash "$work")" = "$2" ] || exit 9
chmod "$3" "$work"
sync "$work"
mv -fT "$work" "$path"
echo done`;

/** Bytes a second that a slow link may still have before an upload counts as stuck. */
const SLOWEST = 64 * 1024;
const BASE_MS = 60_000;

export interface Uploaded {
  /** Absolute path on the box. */
  path: string;
  /** True when the same bytes were there already. */
  skipped: boolean;
}

/** What a refused write means, from the words of the tool that met it. */
export function writeError(what: string, stderr: string): AppError {
  const said = stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
  return /no space left|disk quota exceeded/i.test(stderr)
    ? new AppError('box_disk_full', { detail: said })
    : new AppError('box_unreadable', { detail: `${what} could not be written${said ? `: ${said}` : '.'}` });
}

/**
 * Puts bytes at `remotePath` (absolute, or under the home with `~/`) with a mode such as 0o600: whole or not at all, the
 * hash taken on the box, nothing sent when it is there already. Errors: box_disk_full, box_unreadable, link_lost.
 */
export async function upload(
  conn: Connection,
  bytes: Buffer,
  remotePath: string,
  mode: number,
): Promise<Uploaded> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const argv = ['env', 'LC_ALL=C', 'sh', '-c', RECEIVE, 'sh', remotePath, sha256, mode.toString(8)];
  const run = await conn.stream(shellQuote(argv));
  let out = '';
  let err = '';
  let sent = false;
  run.stdout.on('data', (data: Buffer) => {
    out += data.toString('utf8');
    if (sent || !out.includes('\n')) return;
    sent = true;
    if (out.startsWith('send ')) run.stdin.end(bytes);
    else run.stdin.end();
  });
  run.stderr.on('data', (data: Buffer) => {
    err = (err + data.toString('utf8')).slice(-4096);
  });
  const ms = BASE_MS + (bytes.length / SLOWEST) * 1000;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const detail = `the upload of ${remotePath} did not end within ${Math.round(ms / 1000)} s.`;
    timer = setTimeout(() => reject(new AppError('box_unreadable', { detail })), ms);
  });
  try {
    const { code } = await Promise.race([run.exit, late]);
    const [first = '', last = ''] = out.split('\n');
    const path = first.slice(5);
    if (code === 0 && first.startsWith('same ')) return { path, skipped: true };
    if (code === 0 && first.startsWith('send ') && last === 'done') return { path, skipped: false };
    if (code === 9) {
      throw new AppError('box_unreadable', {
        detail: `${remotePath} arrived with another SHA-256 than it was sent with.`,
      });
    }
    throw writeError(remotePath, err);
  } finally {
    clearTimeout(timer);
    run.close();
  }
}
