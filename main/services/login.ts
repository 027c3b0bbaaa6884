/** From a session and its secrets to a connection: which credential is offered, and under which name the host key is pinned. */
import { AppError } from '../../preload/contract/errors.ts';
import type { KeyReference, Session } from '../../preload/contract/session.ts';
import { askKey } from '../remote/askkey.ts';
import { connect, type Auth, type Connection } from '../remote/connection.ts';
import type { DialLimits } from '../remote/follower.ts';
import { loadKey, needsPassphrase } from '../remote/keyfiles.ts';
import { probeSudo, type SudoWay } from '../remote/sudo.ts';
import type { App } from './app.ts';
import type { Secrets } from './secrets.ts';
import { addressOf, pinNameOf } from './sessions.ts';

export interface LoginOptions {
  /** Another user than the session's, as when vaultadmin's login is proven. */
  user?: string | undefined;
  /** A key to use instead of the session's state: before Keys, where passwords are off. */
  key?: { reference: KeyReference; publicKey: string } | undefined;
  limits?: DialLimits | undefined;
  signal?: AbortSignal | undefined;
  /** Only for a box whose key is not pinned yet. */
  mayConfirm?: boolean;
  /** The link worked a moment ago: a closed port is then a box that restarts. */
  hadLink?: boolean;
}

/** What is offered for a key reference. The passphrase is asked for once a session. Errors: key_*, secret_missing. */
export async function keyAuth(reference: KeyReference, publicKey: string, secrets: Secrets): Promise<Auth> {
  if (reference.kind === 'agent') return { kind: 'agent', socket: reference.socket, publicKey };
  const { path } = reference;
  const passphrase = needsPassphrase(path) ? await secrets.need('passphrase', path) : undefined;
  try {
    const key = loadKey(path, passphrase);
    return { kind: 'key', privateKey: key.privateKey, passphrase: key.passphrase };
  } catch (error) {
    if (error instanceof AppError && error.code === 'key_passphrase_wrong') secrets.forget('passphrase');
    throw error;
  }
}

async function authOf(session: Session, secrets: Secrets, opts: LoginOptions): Promise<Auth> {
  const key = opts.key ?? session.keys;
  if (key) return keyAuth(key.reference, key.publicKey, secrets);
  const user = opts.user ?? session.user;
  return { kind: 'password', password: await secrets.need('loginPassword', `${user} on ${session.name}`) };
}

/** Since layer 1 fail2ban runs on the box, and an address that it bans finds a closed port. */
const bansAddresses = (app: App, session: Session): boolean =>
  app.journal.jobs(session.id).some((row) => row.kind === 'layer' && row.state === 'passed');

async function targetOf(app: App, session: Session, { user }: LoginOptions) {
  const { host, port } = session.practice ? await app.practice.address(session.name) : addressOf(session);
  return {
    ...{ host, port, user: user ?? session.user, knownHosts: app.knownHosts },
    // By name and not by address: a box that comes back under another address is the same box.
    hostKeyName: pinNameOf(session),
  };
}

/** Whether the box would take this public key, whose private half is not here, for the session's user. Errors: those of askKey. */
export const wouldTake = async (app: App, session: Session, publicKey: string): Promise<boolean> =>
  askKey(await targetOf(app, session, {}), publicKey);

/**
 * Logs in once. Errors: those of connect, key_*, secret_missing. A refused password is forgotten, so that a person is
 * asked again and nothing repeats it.
 */
export async function login(
  app: App,
  session: Session,
  secrets: Secrets,
  opts: LoginOptions = {},
): Promise<Connection> {
  const target = await targetOf(app, session, opts);
  const { host } = target;
  const auth = await authOf(session, secrets, opts);
  try {
    return await connect({
      ...target,
      auth,
      ...(opts.mayConfirm ? { confirmHostKey: (q) => app.person.confirmHostKey(q) } : {}),
      ...opts.limits,
      signal: opts.signal,
    });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === 'login_password_wrong') secrets.forget('loginPassword');
    if (error.code === 'port_refused' && !opts.hadLink && bansAddresses(app, session)) {
      throw new AppError('ssh_banned', { host }, error);
    }
    throw error;
  }
}

/** The sudo password for the user the session logs in as: vaultadmin's; before Keys, and in a live system, the login password. */
async function sudoPassword(session: Session, secrets: Secrets): Promise<string> {
  // `sudoPassword` may be that of the system on its disk.
  if (session.live) return secrets.need('loginPassword', `${session.user} on ${session.name}`);
  const first = session.keys === null;
  const login = first ? secrets.peek('loginPassword') : undefined;
  if (login !== undefined && !secrets.has('sudoPassword')) return login;
  return secrets.need('sudoPassword', `${session.user} on ${session.name}`);
}

/**
 * Runs `fn` with what root needs on this connection. A refused sudo password is forgotten.
 * Errors: sudo_missing, sudo_wants_tty, secret_missing, and those of `fn`.
 */
export async function withRoot<T>(
  conn: Connection,
  session: Session,
  secrets: Secrets,
  fn: (root: { way: SudoWay; password: string | undefined }) => Promise<T>,
): Promise<T> {
  const way = await probeSudo(conn);
  const password = way === 'password' ? await sudoPassword(session, secrets) : undefined;
  try {
    return await fn({ way, password });
  } catch (error) {
    if (error instanceof AppError && error.code === 'sudo_password_wrong') secrets.forget('sudoPassword');
    throw error;
  }
}
