/** Sessions of boxes: found by name, made, changed and stored. A session is one document (preload/contract/session.ts). */
import { randomUUID } from 'node:crypto';
import { AppError } from '../../preload/contract/errors.ts';
import type { Evidence } from '../../preload/contract/outcome.ts';
import type { Address, FlashChoice, Session } from '../../preload/contract/session.ts';
import type { App } from './app.ts';

export interface NewBox {
  name: string;
  profile: string;
  path?: Session['path'];
  /** Null where it is not known before the disk is flashed. */
  address: Address | null;
  user: string;
  practice?: boolean;
  live?: boolean;
  flash?: FlashChoice | null;
}

/** The session of a known box. Without a name the only one there is. Errors: unknown_box, usage. */
export function requireSession(app: App, name: string | undefined): Session {
  const all = app.journal.sessions();
  if (name === undefined) {
    const [only] = all;
    if (all.length === 1 && only) return only;
    const what = all.length
      ? `Several boxes are known: ${all.map((s) => s.name).join(', ')}. Name one with --box.`
      : 'No box is known on this laptop yet. Begin with "vault-cube inspect --box NAME --host ADDRESS --user USER".';
    throw new AppError('usage', { what });
  }
  const found = app.journal.sessionByName(name);
  if (!found) throw new AppError('unknown_box', { name });
  return found;
}

/** Errors: box_address_missing where the box was only flashed so far. */
export function addressOf({ name, address }: Pick<Session, 'name' | 'address'>): Address {
  if (address === null) throw new AppError('box_address_missing', { box: name });
  return address;
}

/**
 * The name under which the host key of what answers now is pinned: the box's, and of its live system another one, which is no box's
 * name. So neither is ever taken for the other.
 */
export const pinNameOf = ({ name, live }: Pick<Session, 'name' | 'live'>): string =>
  live ? `${name}+live` : name;

/** A session that is not stored yet: it is when the box's host key was confirmed. */
export function newSession(box: NewBox): Session {
  return {
    v: 1,
    id: randomUUID(),
    name: box.name,
    profile: box.profile,
    path: box.path ?? 'provision',
    practice: box.practice ?? false,
    createdAt: new Date().toISOString(),
    live: box.live ?? false,
    next: null,
    address: box.address,
    user: box.user,
    firstUser: box.user,
    hostKey: null,
    identity: null,
    keys: null,
    boxCode: null,
    run: null,
    bundle: null,
    flash: box.flash ?? null,
    claims: null,
    firstBoot: null,
    supply: null,
    handover: null,
    waivers: [],
    deviations: [],
  };
}

/** What the last preflight was on; a job of the app's own measures nothing itself. Errors: preflight_missing. */
export function evidenceOf(app: App, session: Session): Evidence {
  const last = app.journal
    .jobs(session.id)
    .findLast((row) => row.kind === 'preflight' && row.state === 'passed');
  if (!last) throw new AppError('preflight_missing', { box: session.name });
  return app.journal.view(last.job, last.attempt).facts?.evidence ?? 'real';
}

/** A practice box marks all that it tells; what is not marked so never enters a practice session. Errors: box_unreadable. */
export function mustBeMarked({ name, practice }: Session, evidence: () => readonly Evidence[]): void {
  if (!practice || evidence().every((e) => e === 'practice')) return;
  throw new AppError('box_unreadable', { detail: `what ${name} told is not marked as practice.` });
}

/** Changes the stored session by what is stored now, not by what the caller read some time ago. */
export function changeSession(app: App, id: string, change: (session: Session) => Session): Session {
  return app.journal.together(() => {
    const before = app.journal.session(id);
    if (!before) throw new AppError('internal', { detail: 'a session vanished while it was in use' });
    const after = change(before);
    app.journal.saveSession(after);
    return after;
  });
}

/** The session with this deviation named, or without it for a null text. */
export function withDeviation(session: Session, id: string, text: string | null): Session {
  const others = session.deviations.filter((d) => d.id !== id);
  if (text === null) return { ...session, deviations: others };
  const known = session.deviations.find((d) => d.id === id && d.text === text);
  return { ...session, deviations: [...others, known ?? { id, text, at: new Date().toISOString() }] };
}
