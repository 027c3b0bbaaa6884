/** First logins as the window begins and ends them: one a box, with what is proven after it (meet.ts, prove.ts). */
import { AppError } from '../../../preload/contract/errors.ts';
import { ENDED, type JobRow } from '../../../preload/contract/job.ts';
import type { Address, Run, Session } from '../../../preload/contract/session.ts';
import type { App } from '../app.ts';
import type { KeyChoice } from '../keys.ts';
import type { LiveBox } from '../live.ts';
import { loadProfile } from '../profiles.ts';
import { changeSession } from '../sessions.ts';
import { meetFlashed } from './meet.ts';
import { lookAtFlashed, planText } from './prove.ts';

/** Memory may be trained anew at the first boot, and somebody has to walk to the stick. */
const GIVE_UP_MS = 1_800_000;

export interface MeetOrder {
  /** Null: the one of the first-boot settings. */
  key: KeyChoice | null;
  /** Null: where its settings say, or where its live system was. */
  address: Address | null;
}

/** What a meeting has of the window's desk. */
export interface Host {
  app: App;
  live(id: string): LiveBox;
  session(id: string): Session;
  start(id: string, run: Run): Promise<unknown>;
  changed(id: string): void;
  note(session: string, text: string): void;
}

export class Meetings {
  readonly #host: Host;
  readonly #on = new Map<string, AbortController>();

  constructor(host: Host) {
    this.#host = host;
  }

  has(session: string): boolean {
    return this.#on.has(session);
  }

  /** Its job while it is on its way; null else. */
  active(session: string): JobRow | null {
    if (!this.has(session)) return null;
    const newest = this.#host.app.journal.jobs(session).findLast(({ kind }) => kind === 'keys');
    return newest && !ENDED.includes(newest.state) ? newest : null;
  }

  close(): void {
    for (const abort of this.#on.values()) abort.abort(new AppError('left'));
  }

  stop(session: string): void {
    this.#on
      .get(session)
      ?.abort(new AppError('first_boot_stopped', { box: this.#host.session(session).name }));
  }

  /** Errors: run_open, key_missing, those of meetFlashed and of prove. Doing it again is safe. */
  async meet(id: string, { key, address }: MeetOrder): Promise<void> {
    const session = this.#host.session(id);
    const { name } = session;
    if (this.has(id))
      throw new AppError('run_open', { title: 'First login', box: name, detail: 'it is waited for.' });
    const choice = key ?? keyOf(session);
    if (choice === null) throw new AppError('key_missing', { path: 'of the first-boot settings' });
    const box = this.#host.live(id);
    // The held login is one of the live system, or of the system before.
    box.disconnect();
    const abort = new AbortController();
    this.#on.set(id, abort);
    this.#host.changed(id);
    try {
      await meetFlashed(box.app, session, box.secrets, {
        ...{ choice, address, reboot: session.live, signal: abort.signal, giveUpAfterMs: GIVE_UP_MS },
      });
    } finally {
      this.#on.delete(id);
      this.#host.changed(id);
    }
    await box.reconnect();
  }

  /** The machine looked at anew, and its layers' health checks. Errors: not_connected, those of lookAtFlashed and executeRun. */
  async prove(id: string): Promise<void> {
    const session = this.#host.session(id);
    const box = this.#host.live(id);
    const { profile } = loadProfile(session.profile);
    const plan = await lookAtFlashed(box.app, session, box.secrets, box.connection, profile);
    this.#host.note(id, planText(plan));
    if (plan.run) await this.#host.start(id, plan.run);
  }

  /** Logged in to by a person in another way than its settings say: nobody waits for it any more. */
  metOtherwise(id: string): void {
    changeSession(this.#host.app, id, (s) =>
      s.live || s.next === null ? s : { ...s, claims: s.next.layers, next: null },
    );
  }
}

/** The engineer's key that the first-boot settings were given; null where they were not given in the window. */
function keyOf({ firstBoot }: Session): KeyChoice | null {
  switch (firstBoot?.key.kind) {
    case 'file':
      return { kind: 'file', path: firstBoot.key.path };
    case 'agent':
      return { kind: 'agent', fingerprint: firstBoot.key.fingerprint };
    case 'generate':
      return { kind: 'generate', path: null, withPassphrase: false };
    case undefined:
    default:
      return null;
  }
}
