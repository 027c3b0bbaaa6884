/** Who can log in on a box, as its last preflight found it. */
import type { CallOutput } from '../../../preload/contract/calls.ts';
import type { BoxFacts } from '../../../preload/contract/facts.ts';
import type { Session } from '../../../preload/contract/session.ts';
import type { Journal } from '../../journal/journal.ts';
import { publicKeys } from './gather.ts';

const NO_LOGIN = /\/(nologin|false|sync|shutdown|halt)$/;

/** Users with a shell that lets them in. */
export const whoLogsIn = (facts: BoxFacts | null) =>
  (facts?.users ?? []).filter((u) => u.shell && !NO_LOGIN.test(u.shell));

export function accessOf(journal: Journal, session: Session): CallOutput<'box.access'> {
  const looked = journal.jobs(session.id).filter((row) => row.kind === 'preflight');
  const facts = looked.map((row) => journal.view(row.job, row.attempt).facts).findLast((f) => f !== null);
  const users = whoLogsIn(facts ?? null).map(({ name, uid, shell }) => ({ name, uid, shell: shell ?? '' }));
  return { users, keys: session.keys && publicKeys(session.keys) };
}
