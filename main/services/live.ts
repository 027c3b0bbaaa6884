/** What the window holds of one box while it is open: its secrets, one held connection, and the run that is on its way. */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError, asAppError } from '../../preload/contract/errors.ts';
import type { Link } from '../../preload/contract/calls.ts';
import type { Session } from '../../preload/contract/session.ts';
import type { Connection } from '../remote/connection.ts';
import { isOfTheLink } from '../remote/link.ts';
import type { App } from './app.ts';
import { connectBox } from './inspect.ts';
import { login, type LoginOptions } from './login.ts';
import type { Secrets } from './secrets.ts';

const RTT_MS = 2_000;
const RETRY_MS = 1_500;
const NOT_CONNECTED: Link = { state: null, detail: 'not connected', rttMs: null };

/** Whether the round trip has become another one: told at each millisecond's change, an idle window would be drawn again all the time. */
function isOther(now: number | null, before: number | null): boolean {
  if (now === null || before === null) return now !== before;
  return Math.abs(now - before) > Math.max(5, before / 5);
}

export class LiveBox {
  readonly app: App;
  readonly secrets: Secrets;
  readonly #id: string;
  readonly #onLink: (link: Link) => void;
  #link: Link = NOT_CONNECTED;
  #conn: Connection | null = null;
  #key: LoginOptions['key'];
  #closing = new AbortController();
  #timer: NodeJS.Timeout | null = null;
  /** Set while a run is on its way; aborting it leaves the job on the box alone. */
  run: AbortController | null = null;

  constructor(app: App, id: string, secrets: Secrets, onLink: (link: Link) => void) {
    this.app = app;
    this.#id = id;
    this.secrets = secrets;
    this.#onLink = onLink;
  }

  get link(): Link {
    return this.#link;
  }

  /** The key of the first login, where that was by a key; the step Keys logs in with it once more. */
  get loginKey(): LoginOptions['key'] {
    return this.#session().keys ? undefined : this.#key;
  }

  /** The connection that is held. Errors: not_connected. */
  get connection(): Connection {
    if (!this.#conn?.alive) throw new AppError('not_connected');
    return this.#conn;
  }

  #session(): Session {
    const session = this.app.journal.session(this.#id);
    if (!session) throw new AppError('internal', { detail: 'a session vanished while it was in use' });
    return session;
  }

  /** Logs in and holds the connection; a broken one is taken up again until `disconnect`. Errors: those of connectBox. */
  async connect(key: LoginOptions['key']): Promise<Session> {
    this.disconnect();
    this.#key = key;
    this.#closing = new AbortController();
    const { conn, session } = await connectBox(this.app, this.#session(), this.secrets, { key });
    this.#hold(conn);
    return session;
  }

  /** From Keys on the app logs in as vaultadmin: the held connection is of the old user, and is replaced. */
  async reconnect(): Promise<void> {
    this.disconnect();
    this.#key = undefined;
    this.#closing = new AbortController();
    this.#hold(await login(this.app, this.#session(), this.secrets));
  }

  #hold(conn: Connection): void {
    this.#conn = conn;
    this.#tell({ state: 'live', detail: `connected to ${conn.host}`, rttMs: conn.rttMs() });
    this.#timer = setInterval(() => {
      const rttMs = conn.rttMs();
      if (isOther(rttMs, this.#link.rttMs)) this.#tell({ ...this.#link, rttMs });
    }, RTT_MS);
    const { signal } = this.#closing;
    conn.onClose((error) => {
      if (this.#timer) clearInterval(this.#timer);
      if (signal.aborted || error === null) return;
      const silent = error.facts['silent'] !== undefined;
      this.#tell({ state: silent ? 'silent' : 'reconnecting', detail: error.message, rttMs: null });
      void this.#takeUp(signal);
    });
  }

  /** Tries to log in again until it works, is told to stop, or meets what another try cannot mend. */
  async #takeUp(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.#hold(await login(this.app, this.#session(), this.secrets, { key: this.#key, signal }));
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!isOfTheLink(error)) return this.#tell({ ...NOT_CONNECTED, detail: asAppError(error).message });
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  disconnect(): void {
    this.#closing.abort();
    if (this.#timer) clearInterval(this.#timer);
    this.#conn?.close();
    this.#conn = null;
    this.#tell(NOT_CONNECTED);
  }

  /** Leaves the box: the run goes on there, nothing of it is ended. */
  close(): void {
    this.run?.abort(new AppError('left'));
    this.disconnect();
  }

  #tell(link: Link): void {
    this.#link = link;
    this.#onLink(link);
  }
}
