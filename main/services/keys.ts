/**
 * Keys: a key of the engineer's, vaultadmin on the box with a sudo password, and both proven by fresh logins before
 * anything forbids passwords (spec W2). From its end on the app logs in as vaultadmin.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, asAppError } from '../../preload/contract/errors.ts';
import type { KeyReference, KeysState, Session } from '../../preload/contract/session.ts';
import { LocalJob } from '../journal/localjob.ts';
import type { Connection } from '../remote/connection.ts';
import { chooseAgentKey, defaultAgent, generateKey, loadKey, needsPassphrase } from '../remote/keyfiles.ts';
import { proveSudo } from '../remote/sudo.ts';
import { applyAdmin, lookAtAdmin } from './admin.ts';
import type { App } from './app.ts';
import { mustBeUnblocked } from './blocked.ts';
import { ADMIN_USER } from './inspect.ts';
import { login, withRoot, type LoginOptions } from './login.ts';
import { standingOf } from './runs.ts';
import type { Secrets } from './secrets.ts';
import { changeSession, evidenceOf, withDeviation } from './sessions.ts';

/** The UID that vaultadmin is to have. */
const ADMIN_UID = 1000;

export type KeyChoice =
  | { kind: 'generate'; path: string | null; withPassphrase: boolean }
  | { kind: 'file'; path: string }
  | { kind: 'agent'; fingerprint: string | null };

export interface KeysOptions {
  choice: KeyChoice;
  /** Public keys of the customer, lines as in authorized_keys. */
  customerKeys: readonly string[];
  /** What to do where another user has UID 1000; null asks by an error. */
  uid: 'keep' | 'swap' | null;
  /** A key for the login before vaultadmin exists. */
  loginKey?: LoginOptions['key'];
}

export interface KeysDone {
  session: Session;
  /** What was changed on the box, in words. */
  changed: string[];
  /** Who has to hand over UID 1000; null when nobody has. */
  swapWith: string | null;
}

export interface ChosenKey {
  reference: KeyReference;
  publicKey: string;
  fingerprint: string;
}

/** The key that is meant, made if it is to be. Errors: key_*, agent_*, secret_missing, laptop_disk_full. */
export async function chooseKey(
  app: App,
  session: Session,
  secrets: Secrets,
  choice: KeyChoice,
): Promise<ChosenKey> {
  switch (choice.kind) {
    case 'generate': {
      const path = choice.path ?? join(app.home, 'keys', `${session.name}-ed25519`);
      // The app's own key for this box, from a run that did not come to its end: made once.
      if (choice.path === null && existsSync(path)) {
        return chooseKey(app, session, secrets, { kind: 'file', path });
      }
      const passphrase = choice.withPassphrase ? await secrets.need('passphrase', path) : undefined;
      const comment = `vault-cube ${session.name} ${app.laptop.user}@${app.laptop.name}`;
      const made = await generateKey(path, { passphrase, comment });
      return { ...made, reference: { kind: 'file', path, encrypted: passphrase !== undefined } };
    }
    case 'file': {
      const { path } = choice;
      const passphrase = needsPassphrase(path) ? await secrets.need('passphrase', path) : undefined;
      try {
        const { publicKey, fingerprint, encrypted } = loadKey(path, passphrase);
        return { publicKey, fingerprint, reference: { kind: 'file', path, encrypted } };
      } catch (error) {
        if (error instanceof AppError && error.code === 'key_passphrase_wrong') secrets.forget('passphrase');
        throw error;
      }
    }
    case 'agent': {
      const socket = defaultAgent();
      const { publicKey, fingerprint } = await chooseAgentKey(socket, choice.fingerprint ?? undefined);
      return { publicKey, fingerprint, reference: { kind: 'agent', socket } };
    }
  }
}

/** Errors: preflight_blocked and its like, keys and login errors, uid_taken, sudo_*, host_key_unconfirmed for a box that was not inspected. */
export async function setUpKeys(
  app: App,
  session: Session,
  secrets: Secrets,
  opts: KeysOptions,
): Promise<KeysDone> {
  mustBeUnblocked(standingOf(app.journal, session), { user: session.user, profile: session.profile });
  // First what may be wrong on the laptop alone: no login is spent on it.
  const key = await chooseKey(app, session, secrets, opts.choice);
  const local = LocalJob.start(app.journal, {
    sessionId: session.id,
    kind: 'keys',
    title: 'Keys',
    laptop: app.laptop,
    app: app.version,
    evidence: evidenceOf(app, session),
    params: {
      key: key.fingerprint,
      kind: key.reference.kind,
      customerKeys: opts.customerKeys.length,
      uid: opts.uid,
    },
    job: randomUUID(),
  });
  try {
    const done = await new Keys(app, session, secrets, opts, key, local).run();
    const changed = done.changed.length;
    local.finish('passed', { counts: { ok: changed ? 0 : 1, changed, failed: 0, skipped: 0 } });
    return done;
  } catch (error) {
    const known = asAppError(error);
    local.finish('failed', { code: known.code, detail: known.message });
    throw error;
  }
}

class Keys {
  readonly #app: App;
  readonly #session: Session;
  readonly #secrets: Secrets;
  readonly #o: KeysOptions;
  readonly #key: ChosenKey;
  readonly #local: LocalJob;

  constructor(
    app: App,
    session: Session,
    secrets: Secrets,
    opts: KeysOptions,
    key: ChosenKey,
    local: LocalJob,
  ) {
    this.#app = app;
    this.#session = session;
    this.#secrets = secrets;
    this.#o = opts;
    this.#key = key;
    this.#local = local;
  }

  async run(): Promise<KeysDone> {
    const conn = await this.#local.step('login', `Log in as ${this.#session.user}`, () =>
      login(this.#app, this.#session, this.#secrets, { key: this.#o.loginKey }),
    );
    try {
      const { state, deviation } = await withRoot(conn, this.#session, this.#secrets, ({ password }) =>
        this.#account(conn, password),
      );
      const proven = await this.#prove();
      return this.#keep(state, deviation, proven);
    } finally {
      conn.close();
    }
  }

  /** vaultadmin, its groups, keys and password. Nothing is changed when its UID is somebody else's and nobody chose. */
  async #account(conn: Connection, sudoPassword: string | undefined) {
    const { admin: source } = await this.#app.boxCode();
    const before = await this.#local.step('look', 'Look at the accounts', () =>
      lookAtAdmin(conn, source, sudoPassword, ADMIN_USER),
    );
    const taken = before.uidHolder !== null && before.uidHolder !== ADMIN_USER;
    const rightUid = before.exists && before.uid === ADMIN_UID;
    if (!rightUid && taken && this.#o.uid === null) {
      throw new AppError('uid_taken', { holder: before.uidHolder ?? 'another user' });
    }
    // Until Keys has come to its end once, a password that is there may be anybody's.
    const keep = before.hasPassword && this.#session.keys !== null && !this.#secrets.has('newSudoPassword');
    const subject = `${ADMIN_USER} on ${this.#session.name}`;
    const password = keep ? null : await this.#secrets.need('newSudoPassword', subject);
    const state = await this.#local.step('account', `Set up ${ADMIN_USER}`, () =>
      applyAdmin(conn, source, sudoPassword, {
        user: ADMIN_USER,
        uid: before.exists || taken ? null : ADMIN_UID,
        keys: [this.#key.publicKey, ...this.#o.customerKeys],
        password,
        boxId: this.#session.id,
      }),
    );
    this.#local.log(`changed: ${state.changed.join(', ') || 'nothing'}`);
    const swap = state.uid !== ADMIN_UID && taken && this.#o.uid === 'swap';
    const deviation =
      state.uid === ADMIN_UID || swap
        ? null
        : `${ADMIN_USER} has UID ${state.uid ?? 'unknown'}; 1000 belongs to ${before.uidHolder ?? 'nobody'}`;
    return { state: { ...state, swapWith: swap ? before.uidHolder : null }, deviation };
  }

  /** Two fresh logins, each with nothing but what it proves: the key alone, then the password alone for sudo. */
  async #prove(): Promise<{ keyLoginProvenAt: string; sudoProvenAt: string | null }> {
    const key = { reference: this.#key.reference, publicKey: this.#key.publicKey };
    const conn = await this.#local.step('key-login', `Log in anew as ${ADMIN_USER} with the key alone`, () =>
      login(this.#app, this.#session, this.#secrets, { user: ADMIN_USER, key }),
    );
    try {
      const keyLoginProvenAt = new Date().toISOString();
      const password = await this.#secrets.need(
        this.#secrets.has('newSudoPassword') ? 'newSudoPassword' : 'sudoPassword',
        `${ADMIN_USER} on ${this.#session.name}`,
      );
      const how = await this.#local.step('sudo', 'Prove the sudo password', () => proveSudo(conn, password));
      // From here on sudo means vaultadmin's.
      this.#secrets.set('sudoPassword', password);
      if (how === 'passwordless') {
        this.#local.log(
          'sudo did not ask for the password, so it is not proven; hardening takes such rules away.',
        );
      }
      return { keyLoginProvenAt, sudoProvenAt: how === 'password' ? new Date().toISOString() : null };
    } finally {
      conn.close();
    }
  }

  #keep(
    state: { uid: number | null; boxId: string | null; changed: string[]; swapWith: string | null },
    deviation: string | null,
    proven: Pick<KeysState, 'keyLoginProvenAt' | 'sudoProvenAt'>,
  ): KeysDone {
    const { reference, publicKey, fingerprint } = this.#key;
    const session = changeSession(this.#app, this.#session.id, (s) => {
      const customerKeys = [...new Set([...(s.keys?.customerKeys ?? []), ...this.#o.customerKeys])];
      const keys: KeysState = {
        reference,
        publicKey,
        fingerprint,
        ...proven,
        customerKeys,
        adminUid: state.uid ?? -1,
        uidDeviation: deviation,
      };
      const identity = s.identity && { ...s.identity, boxId: state.boxId };
      return withDeviation({ ...s, user: ADMIN_USER, keys, identity, next: null }, 'uid', deviation);
    });
    return { session, changed: state.changed, swapWith: state.swapWith };
  }
}
