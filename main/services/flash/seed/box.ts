/** The box that is to start from a flashed disk: made known beforehand, and the host key that it will have pinned for it. */
import type { FirstBoot } from '../../../../preload/contract/firstboot.ts';
import { AppError } from '../../../../preload/contract/errors.ts';
import {
  Session as SessionSchema,
  type NextSystem,
  type Session,
} from '../../../../preload/contract/session.ts';
import type { App } from '../../app.ts';
import { ADMIN_USER } from '../../inspect.ts';
import { DEFAULT_PROFILE } from '../../profiles.ts';
import { changeSession, newSession, pinNameOf } from '../../sessions.ts';
import { renewed } from '../renew.ts';
import type { HostKey } from './make.ts';

/** Errors: usage. */
export function mustBeBox(app: App, name: string): void {
  const known = app.journal.sessionByName(name);
  if (known?.practice)
    throw new AppError('usage', { what: `${name} is a practice box; it starts from no disk.` });
  if (known) return;
  if (!SessionSchema.shape.name.safeParse(name).success)
    throw new AppError('usage', {
      what: `"${name}" is no box name: letters, digits, dot, dash, underscore.`,
    });
}

/** The session of this name, made and stored where there is none. */
export function boxToBe(app: App, name: string): Session {
  const known = app.journal.sessionByName(name);
  if (known) return known;
  const made = newSession({
    ...{ name, profile: DEFAULT_PROFILE, path: 'flash' as const },
    ...{ address: null, user: ADMIN_USER },
  });
  app.journal.saveSession(made);
  return made;
}

const nextOf = (
  { hostname, address }: FirstBoot,
  { fingerprint }: HostKey,
  layers: readonly number[] | null,
): NextSystem => {
  const [host] = address?.address.split('/') ?? [];
  const at = host === undefined ? null : { host, port: 22 };
  return { hostname, address: at, fingerprint, layers: layers && [...layers] };
};

/**
 * What the box was known by went with its old system; the new one is known by this key alone. The session has it from the first login on,
 * since it says of each key that somebody met it. In a live system the box goes on as that, by that one's key, until the new one is met.
 * Errors: file_unwritable, laptop_disk_full.
 */
export function expectHostKey(
  app: App,
  { id, name }: Session,
  settings: FirstBoot,
  hostKey: HostKey,
  layers: readonly number[] | null = null,
): void {
  app.knownHosts.forget(name);
  app.knownHosts.pin(name, 22, hostKey.key);
  const next = nextOf(settings, hostKey, layers);
  changeSession(app, id, (session) =>
    session.live
      ? { ...session, next }
      : {
          ...renewed(session),
          ...{ user: ADMIN_USER, firstUser: ADMIN_USER, next },
          address: next.address ?? session.address,
        },
  );
}

/**
 * Whoever has a disk of the box flashed over the network runs from something else: a live system. Its host key is kept under a name of its
 * own from here on. Safe to repeat. Errors: file_unwritable, laptop_disk_full.
 */
export function becomeLive(app: App, session: Session): Session {
  if (session.live) return session;
  const { id, name } = session;
  const { knownHosts } = app;
  for (const { key } of knownHosts.lookup(name)) knownHosts.pin(pinNameOf({ name, live: true }), 22, key);
  const now = changeSession(app, id, (s) => ({ ...s, live: true, next: null }));
  knownHosts.forget(name);
  return now;
}

/** The system on the disk of a box in a live system is destroyed: nobody is to wait for it, or to take another one for it. */
export function nothingNext(app: App, { id, name }: Session): void {
  changeSession(app, id, (s) => ({ ...s, next: null }));
  app.knownHosts.forget(name);
}
