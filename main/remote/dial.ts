/** From an address to a logged-in SSH client: socket, banner, key exchange, host key, one login. Each failure has its code. */
import { connect as openTcp, type Socket } from 'node:net';
import type { Algorithms, Client, ServerHostKeyAlgorithm } from 'ssh2';
import { AppError } from '../../preload/contract/errors.ts';
import { algorithm, fingerprint, isPinned, type KnownHosts, type PinnedKey } from './hostkeys.ts';
import { Login, type Auth } from './login.ts';
import { ssh2 } from './ssh2.ts';

export interface HostKeyQuestion {
  host: string;
  algorithm: string;
  fingerprint: string;
}

export interface ConnectOptions {
  host: string;
  port: number;
  user: string;
  auth: Auth;
  knownHosts: KnownHosts;
  /** Pins under this name (a box id) instead of the address, like OpenSSH's HostKeyAlias: no port is added. */
  hostKeyName?: string | undefined;
  /** Asked once for a host whose key is unknown. Without it such a host is `host_key_unconfirmed`. */
  confirmHostKey?: ((key: HostKeyQuestion) => Promise<boolean>) | undefined;
  /** How long the TCP connection may take, in ms. */
  connectTimeoutMs?: number | undefined;
  /** How long each later answer of the server may take, in ms. A password's verdict has at least 30 s: PAM delays refusals. */
  loginTimeoutMs?: number | undefined;
  /** Time between keepalives in ms; three of them without any byte from the box mean a dead link. */
  keepaliveMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

export const CONNECT_TIMEOUT_MS = 10_000;
const LOGIN_TIMEOUT_MS = 15_000;
const PASSWORD_TIMEOUT_MS = 30_000;

/** No SHA-1, no CBC, no group below 2048 bits. AES-GCM first: Node's OpenSSL does it in hardware. */
const HOST_KEYS: ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];
const ALGORITHMS: Algorithms = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group18-sha512',
    'diffie-hellman-group-exchange-sha256',
    'diffie-hellman-group14-sha256',
  ],
  cipher: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'aes256-ctr', 'aes192-ctr', 'aes128-ctr'],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  compress: ['none'],
};

/** The pinned key's algorithm first, so that a box with several host keys presents the one we know. */
function hostKeyOrder(pins: readonly PinnedKey[]): ServerHostKeyAlgorithm[] {
  const known = (a: ServerHostKeyAlgorithm) =>
    pins.some((p) => p.algorithm === a || (p.algorithm === 'ssh-rsa' && a.startsWith('rsa-sha2-')));
  return [...HOST_KEYS.filter(known), ...HOST_KEYS.filter((a) => !known(a))];
}

const NO_ADDRESS = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NONAME',
  'EAI_NODATA',
  'ENODATA',
  'EINVAL',
]);

function tcpError(error: unknown, o: ConnectOptions, seconds: number): AppError {
  const all = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
  const codes = all.map((e) => (e as NodeJS.ErrnoException).code ?? '');
  if (codes.some((c) => NO_ADDRESS.has(c))) return new AppError('host_unknown', { host: o.host }, error);
  // With several addresses one that refuses says more than one that is silent.
  if (codes.includes('ECONNREFUSED'))
    return new AppError('port_refused', { host: o.host, port: o.port }, error);
  if (codes.includes('ECONNRESET')) return new AppError('ssh_banned', { host: o.host }, error);
  return new AppError('host_unreachable', { host: o.host, seconds }, error);
}

const inSeconds = (ms: number) => Math.round(ms / 100) / 10;

/** Why a signal was aborted, as something to throw. */
function aborted(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted');
}

function openSocket(o: ConnectOptions): Promise<Socket> {
  const ms = o.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  return new Promise((resolve, reject) => {
    if (o.signal?.aborted) return reject(aborted(o.signal));
    const socket = openTcp({ host: o.host, port: o.port, noDelay: true, keepAlive: true });
    const stop = (error: Error) => {
      done();
      // A late error of a socket nobody waits for is no news.
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const onAbort = () => stop(aborted(o.signal as AbortSignal));
    const onError = (error: Error) => stop(tcpError(error, o, inSeconds(ms)));
    const timer = setTimeout(
      () => stop(new AppError('host_unreachable', { host: o.host, seconds: inSeconds(ms) })),
      ms,
    );
    const done = () => {
      clearTimeout(timer);
      socket.off('error', onError);
      o.signal?.removeEventListener('abort', onAbort);
    };
    o.signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('error', onError);
    socket.once('connect', () => {
      done();
      socket.pause();
      resolve(socket);
    });
  });
}

export interface Dialled {
  client: Client;
  socket: Socket;
  hostKey: PinnedKey;
  login: Login;
}

type Phase = 'banner' | 'kex' | 'auth' | 'done';
type Ssh2Error = Error & { level?: string; code?: string | number };

/** A link that ended while a person compared the fingerprint; no credential was sent, so it may be dialled again. */
class LostWhileAsking extends Error {}

/** One connection, up to the proven login. */
class Attempt {
  readonly #o: ConnectOptions;
  readonly #confirmed: Set<string>;
  readonly #login: Login;
  readonly #client = new ssh2.Client();
  readonly #socket: Socket;
  readonly #settle: { resolve: (d: Dialled) => void; reject: (e: Error) => void };
  #phase: Phase = 'banner';
  #heard = '';
  #timer: NodeJS.Timeout | null = null;
  #hostKey: PinnedKey | null = null;
  #asking = false;
  #answered = false;
  #lost = false;

  constructor(
    o: ConnectOptions,
    socket: Socket,
    confirmed: Set<string>,
    settle: { resolve: (d: Dialled) => void; reject: (e: Error) => void },
  ) {
    this.#o = o;
    this.#socket = socket;
    this.#confirmed = confirmed;
    this.#settle = settle;
    this.#login = new Login(o.user, o.auth);
    this.#login.onAbort = (error) => this.#fail(error);
  }

  start(): void {
    const { host, signal } = this.#o;
    const pins = this.#pins();
    const client = this.#client;
    this.#socket.on('data', this.#tap);
    client.on('error', (error: Ssh2Error) => this.#fail(this.#map(error), true));
    client.on('close', () => this.#fail(this.#map(null), true));
    client.on('banner', (text: string) => this.#login.noteBanner(text));
    client.on('change password', () => this.#fail(this.#login.expired()));
    client.on('handshake', () => this.#afterKeyExchange());
    client.on('ready', () => this.#succeed());
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.#arm();
    try {
      client.connect({
        sock: this.#socket,
        host,
        username: this.#o.user,
        authHandler: this.#login.next,
        hostVerifier: (key: Buffer, verify: (ok: boolean) => void) => this.#verify(key, verify),
        algorithms: { ...ALGORITHMS, serverHostKey: hostKeyOrder(pins) },
        // Both are done here: a person may take minutes to compare a fingerprint, and a busy link is no dead one.
        readyTimeout: 0,
        keepaliveInterval: 0,
      });
    } catch (error) {
      this.#fail(new AppError('ssh_protocol', { detail: (error as Error).message }, error));
    }
  }

  readonly #onAbort = () => this.#fail(aborted(this.#o.signal as AbortSignal));

  #pins(): PinnedKey[] {
    const { hostKeyName, host, port, knownHosts } = this.#o;
    return hostKeyName ? knownHosts.lookup(hostKeyName) : knownHosts.lookup(host, port);
  }

  /** Sees the first bytes beside ssh2, to tell a web server and a penalty notice from SSH. */
  readonly #tap = (data: Buffer) => {
    if (this.#phase !== 'banner' || this.#heard.length > 4096) return;
    this.#heard += data.toString('latin1');
    if (/^SSH-[^\n]*\n/m.test(this.#heard)) this.#enter('kex');
  };

  /** Whether what was heard is no banner of something else: it may be the beginning of SSH's, or nothing yet. */
  get #maybeSsh(): boolean {
    return 'SSH-'.startsWith(this.#heard) || /^SSH-/m.test(this.#heard);
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#arm();
  }

  #arm(): void {
    if (this.#timer) clearTimeout(this.#timer);
    const given = this.#o.loginTimeoutMs ?? LOGIN_TIMEOUT_MS;
    const slow = this.#phase === 'auth' && this.#o.auth.kind !== 'key';
    const ms = slow ? Math.max(given, PASSWORD_TIMEOUT_MS) : given;
    this.#timer = setTimeout(() => {
      const silent = this.#phase !== 'banner' || this.#maybeSsh;
      const { host, port } = this.#o;
      this.#fail(
        silent
          ? new AppError('host_unreachable', { host, seconds: inSeconds(ms), phase: 'login' })
          : new AppError('not_ssh', { host, port }),
      );
    }, ms);
  }

  /** Says yes, or ends the connection: ssh2 is never told no, since it may be gone by the time a person answers. */
  #verify(key: Buffer, verify: (ok: boolean) => void): void {
    const { host, confirmHostKey, hostKeyName } = this.#o;
    const shown = { algorithm: algorithm(key), fingerprint: fingerprint(key) };
    const pins = this.#pins();
    this.#hostKey ??= { ...shown, key };
    if (isPinned(pins, key) || (pins.length === 0 && this.#confirmed.has(shown.fingerprint)))
      return verify(true);
    if (pins.length > 0) {
      const pinned = pins.map((p) => p.fingerprint).join(', ');
      return this.#fail(
        new AppError('host_key_changed', {
          host,
          pinned,
          fingerprint: shown.fingerprint,
          box: hostKeyName ?? host,
        }),
      );
    }
    const unconfirmed = () => this.#fail(new AppError('host_key_unconfirmed', { host, ...shown }));
    if (!confirmHostKey) return unconfirmed();
    if (this.#timer) clearTimeout(this.#timer);
    this.#asking = true;
    confirmHostKey({ host, ...shown }).then(
      (yes) => {
        this.#asking = false;
        if (!yes) return unconfirmed();
        this.#confirmed.add(shown.fingerprint);
        this.#answered = true;
        if (this.#lost) return this.#fail(new LostWhileAsking('the link ended while the key was compared'));
        this.#arm();
        verify(true);
      },
      (error: Error) => {
        this.#asking = false;
        this.#fail(error);
      },
    );
  }

  /** The server has proven that it holds the key it showed: only now may it be pinned. */
  #afterKeyExchange(): void {
    if (this.#phase !== 'kex' || !this.#hostKey) return;
    const { hostKeyName, host, port, knownHosts } = this.#o;
    try {
      if (!isPinned(this.#pins(), this.#hostKey.key)) {
        knownHosts.pin(hostKeyName ?? host, hostKeyName ? 22 : port, this.#hostKey.key);
      }
    } catch (error) {
      return this.#fail(error as Error);
    }
    this.#enter('auth');
  }

  #succeed(): void {
    if (this.#phase !== 'auth' || !this.#hostKey) return;
    this.#finish();
    this.#settle.resolve({
      client: this.#client,
      socket: this.#socket,
      hostKey: this.#hostKey,
      login: this.#login,
    });
  }

  #finish(): void {
    this.#phase = 'done';
    if (this.#timer) clearTimeout(this.#timer);
    this.#socket.off('data', this.#tap);
    this.#o.signal?.removeEventListener('abort', this.#onAbort);
    this.#client.removeAllListeners();
    // ssh2 may still report how a dropped connection ended; without a listener that would be an uncaught error.
    this.#client.on('error', () => undefined);
  }

  /** The first failure counts. While a person is being asked, the end of the link waits for the answer. */
  #fail(error: Error, ofLink = false): void {
    if (this.#phase === 'done') return;
    if (ofLink && this.#asking) {
      this.#lost = true;
      return;
    }
    this.#finish();
    this.#socket.destroy();
    // It may have ended while the person looked, and only now be noticed.
    const late = ofLink && this.#answered && !this.#login.tried;
    this.#settle.reject(late ? new LostWhileAsking(error.message) : error);
  }

  /** ssh2's error, or null for a connection that closed, as this app's. */
  #map(error: Ssh2Error | null): AppError {
    const { host, port } = this.#o;
    const text = error?.message ?? 'closed';
    switch (this.#phase) {
      case 'banner': {
        const turnedAway =
          this.#maybeSsh || /not allowed at this time|exceeded maxstartups/i.test(this.#heard);
        return new AppError(turnedAway ? 'ssh_banned' : 'not_ssh', { host, port }, error ?? undefined);
      }
      case 'kex':
        // A server that hangs up between banner and keys does so to this laptop; one that names a reason speaks of methods.
        return error && error.level !== 'client-socket'
          ? new AppError('ssh_protocol', { detail: text }, error)
          : new AppError('ssh_banned', { host }, error ?? undefined);
      case 'auth':
        if (error?.level === 'client-authentication' || this.#login.starting) return this.#login.verdict();
        if (error?.level === 'agent') {
          return new AppError(/connect/i.test(text) ? 'agent_missing' : 'agent_empty', {}, error);
        }
        // A numeric code is the reason of a DISCONNECT: with MaxAuthTries 1 the refusal comes as one.
        if (typeof error?.code === 'number' && this.#login.tried) return this.#login.refused();
        if (!this.#login.tried) return new AppError('ssh_banned', { host }, error ?? undefined);
        return new AppError('link_lost', { host, seconds: 0 }, error ?? undefined);
      case 'done':
        return new AppError('link_lost', { host, seconds: 0 }, error ?? undefined);
    }
  }
}

/** Opens one connection and logs in once. Dials again only when the link ended while a person was asked about the key. */
export async function dial(o: ConnectOptions): Promise<Dialled> {
  const confirmed = new Set<string>();
  for (;;) {
    const socket = await openSocket(o);
    try {
      return await new Promise<Dialled>((resolve, reject) => {
        new Attempt(o, socket, confirmed, { resolve, reject }).start();
      });
    } catch (error) {
      socket.destroy();
      if (!(error instanceof LostWhileAsking)) throw error;
    }
  }
}
