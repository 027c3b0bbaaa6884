/** The box that is to start from a flashed disk: made known beforehand, and the host key that it will have pinned for it. */
import type { FirstBoot } from '../../../../preload/contract/firstboot.ts';
import { AppError } from '../../../../preload/contract/errors.ts';
import { Session as SessionSchema, type Session } from '../../../../preload/contract/session.ts';
import type { App } from '../../app.ts';
import { ADMIN_USER } from '../../inspect.ts';
import { DEFAULT_PROFILE } from '../../profiles.ts';
import { changeSession, newSession } from '../../sessions.ts';
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

/**
 * What the box was known by went with its old system; the new one is known by this key alone. The session has it from the first login on,
 * since it says of each key that somebody met it. Errors: file_unwritable, laptop_disk_full.
 */
export function expectHostKey(app: App, { id, name }: Session, settings: FirstBoot, hostKey: HostKey): void {
  app.knownHosts.forget(name);
  app.knownHosts.pin(name, 22, hostKey.key);
  const [host] = settings.address?.address.split('/') ?? [];
  changeSession(app, id, (session) => ({
    ...renewed(session),
    ...{ user: ADMIN_USER, firstUser: ADMIN_USER },
    ...(host === undefined ? {} : { address: { host, port: 22 } }),
  }));
}
