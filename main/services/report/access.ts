/** Who can log in on a box, as its last preflight found it. */
import type { CallOutput } from '../../../preload/contract/calls.ts';
import type { BoxFacts } from '../../../preload/contract/facts.ts';
import type { Session } from '../../../preload/contract/session.ts';
import type { Journal } from '../../journal/journal.ts';
import { publicKeys } from './gather.ts';
import { T } from './texts.ts';

const NO_LOGIN = /\/(nologin|false|sync|shutdown|halt)$/;

interface WithShell {
  name: string;
  uid: number;
  shell: string | null;
  home: string | null;
}

/**
 * Users with a shell that lets them in, as the last preflight found them. `admin`: whom the step Keys set up and the app logs in as; preflight mostly
 * comes before it, and then its shell was not looked at and is null.
 */
export function whoLogsIn(facts: BoxFacts | null, admin: { name: string; uid: number } | null): WithShell[] {
  const found = (facts?.users ?? [])
    .filter((u) => u.shell && !NO_LOGIN.test(u.shell))
    .map(({ name, uid, shell, home }) => ({ name, uid, shell: shell ?? null, home: home ?? null }));
  if (!admin || found.some((u) => u.name === admin.name)) return found;
  return [...found, { name: admin.name, uid: admin.uid, shell: null, home: null }];
}

export function accessOf(journal: Journal, session: Session): CallOutput<'box.access'> {
  const looked = journal.jobs(session.id).filter((row) => row.kind === 'preflight');
  const facts = looked.map((row) => journal.view(row.job, row.attempt).facts).findLast((f) => f !== null);
  const admin = session.keys && { name: session.user, uid: session.keys.adminUid };
  const users = whoLogsIn(facts ?? null, admin).map(({ name, uid, shell }) => ({
    ...{ name, uid, shell: shell ?? T.access.setUp },
  }));
  return { users, keys: session.keys && publicKeys(session.keys) };
}
