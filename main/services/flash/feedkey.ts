/**
 * A key of one flash, for the laptop's own SSH client: where a box was logged in to by a password, which is never handed on. It may forward
 * and do nothing else, lives in this process alone, and is taken away again at the end.
 */
import { randomUUID } from 'node:crypto';
import { shellQuote, type Connection } from '../../remote/connection.ts';
import type { Auth } from '../../remote/login.ts';
import { newEd25519 } from '../../remote/newkey.ts';

export interface FeedKey {
  auth: Auth;
  /** Takes it away over this connection; whether it is gone. */
  remove: (conn: Connection) => Promise<boolean>;
}

/** `cat` is what the client lives by (main/remote/openssh.ts). */
const MAY = 'restrict,port-forwarding,command="cat"';

const PREFIX = 'vault-cube-feed-';
/** Written in place: the file keeps its owner and mode. One that a killed app has left there goes as well. */
const REMOVE = `f=~/.ssh/authorized_keys; rest=$(grep -vF ${PREFIX} "$f"); printf "%s" "$rest" >"$f"; [ -z "$rest" ] || echo >>"$f"; ! grep -qF ${PREFIX} "$f"`;
const INSTALL = `umask 077; mkdir -p ~/.ssh && touch ~/.ssh/authorized_keys && { ${REMOVE}; } && printf "%s\\n" "$1" >>"$f"`;

const run = async (conn: Connection, script: string, word = ''): Promise<boolean> =>
  (await conn.exec(shellQuote(['sh', '-c', script, 'sh', word]))).code === 0;

/** Null where the login was none by password, or the box takes no such key; then the bulk goes another way. Errors: link_lost. */
export async function installFeedKey(conn: Connection): Promise<FeedKey | null> {
  if (conn.auth.kind !== 'password') return null;
  const name = `${PREFIX}${randomUUID()}`;
  const { text, key } = newEd25519({ comment: name });
  const line = `${MAY} ${key.type} ${key.getPublicSSH().toString('base64')} ${name}`;
  if (!(await run(conn, INSTALL, line))) return null;
  return {
    auth: { kind: 'key', privateKey: text, passphrase: undefined },
    remove: (at) => run(at, REMOVE),
  };
}
