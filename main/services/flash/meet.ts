/**
 * From a flashed disk to a box that is known (docs/adr/0014-first-boot.md): its live system is rebooted, the new one waited for and met by
 * the host key that was pinned before it ever ran, and the engineer's key and sudo password are proven, as Keys does.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError, asAppError } from '../../../preload/contract/errors.ts';
import type { Address, KeysState, NextSystem, Session } from '../../../preload/contract/session.ts';
import { LocalJob } from '../../journal/localjob.ts';
import type { Connection } from '../../remote/connection.ts';
import { isOfTheLink } from '../../remote/link.ts';
import { proveSudo, runAsRoot } from '../../remote/sudo.ts';
import { applyAdmin } from '../admin.ts';
import type { App } from '../app.ts';
import { ADMIN_USER } from '../inspect.ts';
import { chooseKey, type ChosenKey, type KeyChoice } from '../keys.ts';
import { login, withRoot } from '../login.ts';
import type { Secrets } from '../secrets.ts';
import { changeSession, pinNameOf } from '../sessions.ts';
import { GROWN_LOOK, firstBootChecks, readGrown } from './grown.ts';
import { renewed } from './renew.ts';

/** UID that vaultadmin is to have; layer 1 sees to it. */
const ADMIN_UID = 1000;
/** How long the question waits before it is taken for a yes, in s. */
const ASK_SECONDS = 60;
const PAUSE_MS = 1_000;
const LIMITS = { connectTimeoutMs: 2_000, loginTimeoutMs: 16_000 };
const WHY =
  'it starts from the disk that was flashed; take the stick of the live system out when its screen goes dark';

export interface MeetOptions {
  choice: KeyChoice;
  /** Where it will be, where that is known otherwise; null: where its settings say, or where its live system was. */
  address: Address | null;
  /** Whether its live system is rebooted from here; else somebody does it by hand meanwhile. */
  reboot: boolean;
  signal: AbortSignal;
  /** How long it may take to come up, in ms. */
  giveUpAfterMs: number;
}

export interface Met {
  session: Session;
  /** What was not as it should be, or could not be looked at, in words; empty when all is well. */
  faults: string[];
  outcome: 'passed' | 'failed' | 'incomplete';
}

/**
 * Errors: first_boot_nothing, first_boot_declined, first_boot_away, box_address_missing, key_*, those of login but for the link's, of
 * proveSudo and applyAdmin. Doing it again is safe.
 */
export async function meetFlashed(
  app: App,
  session: Session,
  secrets: Secrets,
  opts: MeetOptions,
): Promise<Met> {
  const { next, name } = session;
  if (next === null) throw new AppError('first_boot_nothing', { box: name });
  const address = opts.address ?? next.address ?? session.address;
  if (address === null) throw new AppError('box_address_missing', { box: name });
  const key = await chooseKey(app, session, secrets, opts.choice);
  const local = LocalJob.start(app.journal, {
    ...{ sessionId: session.id, kind: 'keys', title: 'First login', laptop: app.laptop, app: app.version },
    // Known once the box itself says so.
    evidence: session.practice ? 'practice' : 'real',
    params: { key: key.fingerprint, kind: key.reference.kind, hostname: next.hostname },
    job: randomUUID(),
  });
  try {
    const met = await new Meeting(app, session, secrets, opts, { key, local, next, address }).run();
    local.finish('passed');
    return met;
  } catch (error) {
    const known = asAppError(error);
    local.finish('failed', { code: known.code, detail: known.message });
    throw error;
  }
}

interface Parts {
  key: ChosenKey;
  local: LocalJob;
  next: NextSystem;
  address: Address;
}

class Meeting {
  readonly #app: App;
  readonly #session: Session;
  /** The box as it will be. */
  readonly #new: Session;
  readonly #secrets: Secrets;
  readonly #o: MeetOptions;
  readonly #p: Parts;
  /** Fingerprints of other systems that answered. */
  readonly #others = new Set<string>();

  constructor(app: App, session: Session, secrets: Secrets, opts: MeetOptions, parts: Parts) {
    this.#app = app;
    this.#session = session;
    this.#secrets = secrets;
    this.#o = opts;
    this.#p = parts;
    const { address } = parts;
    this.#new = { ...renewed(session), user: ADMIN_USER, firstUser: ADMIN_USER, address };
  }

  async run(): Promise<Met> {
    const { local } = this.#p;
    if (this.#session.live && this.#o.reboot)
      await local.step('reboot', 'Reboot the box out of its live system', () => this.#leave());
    const conn = await local.step('wait', `Log in as ${ADMIN_USER} with the key alone`, () =>
      local.waiting('reboot', 'the box starts from its flashed disk', () => this.#meet()),
    );
    try {
      return await this.#look(conn, new Date().toISOString());
    } finally {
      conn.close();
    }
  }

  /** A live system that is gone already was rebooted by somebody. */
  async #leave(): Promise<void> {
    const { name } = this.#session;
    const { signal } = this.#o;
    let conn: Connection;
    try {
      conn = await login(this.#app, this.#session, this.#secrets, { limits: LIMITS, signal, hadLink: true });
    } catch (error) {
      signal.throwIfAborted();
      const other = error instanceof AppError && error.code === 'host_key_changed';
      if (!other && !isOfTheLink(error)) throw error;
      return this.#note(`The live system of ${name} does not answer any more.`);
    }
    try {
      const yes = await this.#app.person.confirmReboot({ box: name, why: WHY, seconds: ASK_SECONDS });
      signal.throwIfAborted();
      if (!yes) throw new AppError('first_boot_declined', { box: name });
      const run = await withRoot(conn, this.#session, this.#secrets, ({ password }) =>
        runAsRoot(conn, ['systemctl', 'reboot'], { sudoPassword: password }),
      );
      if (run.code !== null && run.code !== 0)
        throw new AppError('reboot_failed', { box: name, detail: run.stderr.trim().slice(-300) });
    } catch (error) {
      // The link may go before the command has answered.
      if (!(error instanceof AppError) || error.code !== 'link_lost') throw error;
    } finally {
      conn.close();
    }
  }

  async #meet(): Promise<Connection> {
    const { key } = this.#p;
    const { signal, giveUpAfterMs } = this.#o;
    const begun = performance.now();
    for (;;) {
      signal.throwIfAborted();
      try {
        return await login(this.#app, this.#new, this.#secrets, {
          key,
          limits: LIMITS,
          signal,
          hadLink: true,
        });
      } catch (error) {
        signal.throwIfAborted();
        this.#mayWait(error);
        if (performance.now() - begun > giveUpAfterMs) {
          const minutes = Math.round(giveUpAfterMs / 60_000);
          const detail = (error as Error).message;
          throw new AppError('first_boot_away', { box: this.#new.name, minutes, detail }, error);
        }
      }
      await delay(PAUSE_MS, undefined, { signal });
    }
  }

  /** Returns where it can still come. Nothing is sent to what shows another host key: it is the live system once more, or a stranger. */
  #mayWait(error: unknown): void {
    if (isOfTheLink(error)) {
      this.#app.person.link('silent', `${this.#new.name} is away: ${error.message}`);
      return;
    }
    if (!(error instanceof AppError) || error.code !== 'host_key_changed') throw error;
    const found = String(error.facts['fingerprint']);
    const live = this.#app.knownHosts.lookup(pinNameOf({ ...this.#session, live: true }));
    if (this.#session.live && live.some(({ fingerprint }) => fingerprint === found)) {
      this.#app.person.link('silent', `${this.#new.name} is still in its live system`);
      return;
    }
    if (this.#others.has(found)) return;
    this.#others.add(found);
    this.#note(
      `At ${this.#p.address.host} answers another system, with the host key ${found}: if it is the live one, take its stick out and start the box again.`,
    );
  }

  async #look(conn: Connection, keyLoginProvenAt: string): Promise<Met> {
    const { local, next } = this.#p;
    const secrets = this.#secrets;
    const grown = readGrown((await conn.exec(GROWN_LOOK)).stdout.toString('utf8'));
    local.evidence = grown.evidence;
    const password = await secrets.need('sudoPassword', `${ADMIN_USER} on ${this.#new.name}`);
    const how = await local.step('sudo', 'Prove the sudo password', () => proveSudo(conn, password));
    const { admin: source } = await this.#app.boxCode();
    const state = await local.step('account', `Complete ${ADMIN_USER}`, () =>
      withRoot(conn, this.#new, secrets, ({ password: sudo }) =>
        applyAdmin(conn, source, sudo, {
          ...{ user: ADMIN_USER, uid: null, keys: [this.#p.key.publicKey], password: null },
          boxId: this.#session.id,
        }),
      ),
    );
    const checks = firstBootChecks(grown, next.hostname);
    for (const check of checks) local.check(check);
    const sudoProvenAt = how === 'password' ? new Date().toISOString() : null;
    const session = this.#keep(conn, state, { keyLoginProvenAt, sudoProvenAt });
    const faults = checks.filter(({ verdict }) => verdict !== 'pass');
    const failed = faults.some(({ verdict }) => verdict === 'fail');
    return {
      session,
      faults: faults.map((c) => `${c.title}: ${c.reason ?? String(c.value)}`),
      outcome: failed ? 'failed' : faults.length ? 'incomplete' : 'passed',
    };
  }

  #keep(
    conn: Connection,
    state: { uid: number | null; boxId: string | null },
    proven: Pick<KeysState, 'keyLoginProvenAt' | 'sudoProvenAt'>,
  ): Session {
    const { key, address, next } = this.#p;
    const { uid, boxId } = state;
    const uidDeviation =
      uid === ADMIN_UID ? null : `${ADMIN_USER} has UID ${uid ?? 'unknown'}; layer 1 wants ${ADMIN_UID}`;
    const keys: KeysState = {
      ...{ reference: key.reference, publicKey: key.publicKey, fingerprint: key.fingerprint },
      ...{ ...proven, customerKeys: [], adminUid: uid ?? -1, uidDeviation },
    };
    const { algorithm, fingerprint } = conn.hostKey;
    return changeSession(this.#app, this.#session.id, (s) => {
      const after = renewed(s);
      return {
        ...after,
        ...{ user: ADMIN_USER, firstUser: ADMIN_USER, address, keys, claims: next.layers },
        hostKey: { algorithm, fingerprint, confirmedAt: new Date().toISOString() },
        identity: after.identity && { ...after.identity, boxId, hostname: next.hostname },
      };
    });
  }

  #note(text: string): void {
    this.#p.local.log(text);
    this.#app.person.note(text);
  }
}
