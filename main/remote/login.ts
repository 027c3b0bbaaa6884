/**
 * One authentication attempt by one method. A refusal is never answered by another try: repeated failures feed PAM's and
 * fail2ban's counters, and a laptop that bans itself is no help to anybody.
 */
import type {
  AnyAuthMethod,
  AuthHandlerMiddleware,
  AuthenticationType,
  BaseAgent,
  IdentityCallback,
  KeyboardInteractiveCallback,
  ParsedKey,
  Prompt,
  SignCallback,
  SigningRequestOptions,
} from 'ssh2';
import { AppError } from '../../preload/contract/errors.ts';
import { fingerprint } from './hostkeys.ts';
import { ssh2 } from './ssh2.ts';

export type Auth =
  | { kind: 'password'; password: string }
  | { kind: 'key'; privateKey: Buffer | string; passphrase?: string | undefined }
  /** `publicKey`: the one key of the agent that is offered, as in authorized_keys. */
  | { kind: 'agent'; socket: string; publicKey: string }
  /** Whether the box would take this key, whose private half is not here; it never logs in (see askKey). */
  | { kind: 'ask'; publicKey: string };

/** The box has said that it takes the key that it was asked about. */
export class KeyTaken extends Error {
  override readonly name = 'KeyTaken';
}

/** What a box says that demands a new password before anything else, over SSH or on an exec's output. */
export const PASSWORD_EXPIRED =
  /password has expired|password change required|change your password|required to change|new (unix )?password|current password/i;

/** What pam_nologin says while a box starts or shuts down; a user is then refused with right credentials too. */
const STARTING = /system is (booting up|going down)|not permitted to log in|shutting down/i;

export function parsePrivate(auth: Extract<Auth, { kind: 'key' }>): ParsedKey {
  const key: ParsedKey | Error = ssh2.utils.parseKey(auth.privateKey, auth.passphrase);
  if (key instanceof Error) {
    const code = /passphrase|decrypt|encrypted|integrity/i.test(key.message)
      ? 'key_passphrase_wrong'
      : 'key_not_a_key';
    throw new AppError(code, { path: 'the key' }, key);
  }
  if (!key.isPrivateKey()) throw new AppError('key_not_a_key', { path: 'the key' });
  return key;
}

export function parsePublic(text: string): ParsedKey {
  const key: ParsedKey | Error = ssh2.utils.parseKey(text);
  if (key instanceof Error) throw new AppError('key_not_a_key', { path: 'the public key' }, key);
  return key;
}

/** An agent that is asked for one key only, however many it holds: each further offer would count as a failure. */
function oneKeyAgent(socket: string, only: ParsedKey): BaseAgent<ParsedKey> {
  const agent = ssh2.createAgent(socket);
  return new (class extends ssh2.BaseAgent<ParsedKey> {
    override getIdentities(cb: IdentityCallback<ParsedKey>): void {
      cb(null, [only]);
    }

    override sign(
      key: ParsedKey,
      data: Buffer,
      options: SigningRequestOptions | SignCallback,
      cb?: SignCallback,
    ): void {
      if (typeof options === 'function') agent.sign(key, data, options);
      else agent.sign(key, data, options, cb);
    }
  })();
}

/** Offers a key. To be asked for its signature is the answer: the box takes the key (RFC 4252, SSH_MSG_USERAUTH_PK_OK). */
const askingAgent = (only: ParsedKey, taken: () => void): BaseAgent<ParsedKey> =>
  new (class extends ssh2.BaseAgent<ParsedKey> {
    override getIdentities(cb: IdentityCallback<ParsedKey>): void {
      cb(null, [only]);
    }

    override sign(): void {
      taken();
    }
  })();

/** Drives ssh2's authentication for one connection, and knows afterwards why it failed. */
export class Login {
  /** Set when the connection must end at once because the box asks for what the app does not answer. */
  onAbort: (error: Error) => void = () => undefined;
  readonly #user: string;
  readonly auth: Auth;
  readonly #first: AnyAuthMethod;
  #tried = false;
  #answered = false;
  #verdict: AppError | null = null;
  #starting: string | null = null;
  readonly #keyFingerprint: string;

  /** Errors: key_not_a_key, key_passphrase_wrong, before anything is sent. */
  constructor(user: string, auth: Auth) {
    this.#user = user;
    this.auth = auth;
    if (auth.kind === 'password') {
      // "none" costs nothing, and its refusal names the methods the box offers.
      this.#first = { type: 'none', username: user };
      this.#keyFingerprint = '';
      return;
    }
    const key = auth.kind === 'key' ? parsePrivate(auth) : parsePublic(auth.publicKey);
    this.#keyFingerprint = fingerprint(key.getPublicSSH());
    if (auth.kind === 'key') this.#first = { type: 'publickey', username: user, key };
    else {
      const taken = () => this.onAbort(new KeyTaken('the box takes the key'));
      const agent = auth.kind === 'ask' ? askingAgent(key, taken) : oneKeyAgent(auth.socket, key);
      this.#first = { type: 'agent', username: user, agent };
    }
  }

  /** Whether a credential has gone to the box. */
  get tried(): boolean {
    return this.#tried;
  }

  /** Whether the box said that it lets nobody in yet; its sshd then hangs up without a refusal. */
  get starting(): boolean {
    return this.#starting !== null;
  }

  noteBanner(text: string): void {
    if (STARTING.test(text)) this.#starting = text.trim().split('\n')[0] ?? '';
  }

  /** ssh2's authHandler: called first with null, then after each refusal with the methods the box names. */
  readonly next: AuthHandlerMiddleware = (methods, partial, send) => {
    // Its types lack what its documentation has: null on the first call, and false for giving up.
    send(this.#choose(methods, partial === true) as AnyAuthMethod);
  };

  #choose(methods: readonly AuthenticationType[] | null, partial: boolean): AnyAuthMethod | false {
    if (methods === null) {
      if (this.auth.kind !== 'password') this.#tried = true;
      return this.#first;
    }
    if (partial) {
      return this.#refuse('ssh_protocol', { detail: `the box wants ${methods.join(' or ')} besides.` });
    }
    if (this.#tried || this.auth.kind !== 'password') {
      this.#verdict ??= this.refused();
      return false;
    }
    this.#tried = true;
    const { password } = this.auth;
    if (methods.includes('password')) return { type: 'password', username: this.#user, password };
    if (methods.includes('keyboard-interactive')) {
      return { type: 'keyboard-interactive', username: this.#user, prompt: this.#prompt };
    }
    return this.#refuse('login_password_off', { methods: methods.join(', ') || 'none' });
  }

  #refuse(code: 'ssh_protocol' | 'login_password_off', facts: Record<string, string>): false {
    this.#verdict = new AppError(code, facts);
    return false;
  }

  /** Answers one round with one hidden prompt: the password. Anything else is not for the app to answer. */
  readonly #prompt = (
    name: string,
    instructions: string,
    _language: string,
    prompts: Prompt[],
    finish: KeyboardInteractiveCallback,
  ): void => {
    const text = [name, instructions, ...prompts.map((p) => p.prompt)].join(' ').trim();
    const [only] = prompts;
    if (PASSWORD_EXPIRED.test(text)) return this.onAbort(this.expired());
    if (this.#answered || !only || prompts.length > 1 || only.echo || this.auth.kind !== 'password') {
      const detail = `the box asks for more than a password: ${JSON.stringify(text.slice(0, 120))}.`;
      return this.onAbort(
        this.#answered && /^password/i.test(text) ? this.refused() : new AppError('ssh_protocol', { detail }),
      );
    }
    this.#answered = true;
    finish([this.auth.password]);
  };

  expired(): AppError {
    return new AppError('login_password_expired', { user: this.#user });
  }

  /**
   * The refusal of what was tried. sshd does not tell a wrong password of root from PermitRootLogin, on purpose; the second
   * is what Debian and Ubuntu ship, so that is what root is told.
   */
  refused(): AppError {
    if (this.#starting !== null)
      return new AppError('box_starting', { user: this.#user, detail: this.#starting });
    if (this.auth.kind !== 'password') {
      return new AppError('login_key_refused', { user: this.#user, fingerprint: this.#keyFingerprint });
    }
    return this.#user === 'root'
      ? new AppError('login_root_refused')
      : new AppError('login_password_wrong', { user: this.#user });
  }

  /** Why the login failed, once ssh2 says that it did. */
  verdict(): AppError {
    if (this.#starting !== null) return this.refused();
    return this.#verdict ?? this.refused();
  }
}
