/** What a box is known by after another system was put on its disk: the machine is the same, what was on the disk is not. Pure. */
import type { Session } from '../../../preload/contract/session.ts';

/**
 * Its host key, its accounts, the app's code and what ran there went with the old system; the next login is a first one, and compares the
 * new host key. A practice box stays as it is: its disk is none.
 */
export function renewed(session: Session): Session {
  if (session.practice) return session;
  const { identity, firstUser } = session;
  return {
    ...session,
    ...{ user: firstUser, hostKey: null, keys: null, boxCode: null, run: null, live: false, next: null },
    claims: null,
    identity: identity && { ...identity, boxId: null, machineId: null, diskSerials: [], hostname: null },
    // That another user kept UID 1000 is told of the old system.
    deviations: session.deviations.filter((d) => d.id !== 'uid'),
  };
}
