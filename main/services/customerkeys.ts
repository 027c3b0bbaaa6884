/**
 * How far a login with the customer's keys is proven (spec W7). With the private half it is logged in; without it the box's sshd
 * is asked whether it would take the key, which is less, and is told as less.
 */
import { AppError } from '../../preload/contract/errors.ts';
import type { CustomerProof, Session } from '../../preload/contract/session.ts';
import type { App } from './app.ts';
import { chooseKey } from './keys.ts';
import { login, wouldTake } from './login.ts';
import { parsePublicKeys } from './publickeys.ts';
import type { Secrets } from './secrets.ts';
import { changeSession } from './sessions.ts';

/** Errors: usage where the key is none of the customer's; those of chooseKey and login. */
async function byLogin(app: App, session: Session, secrets: Secrets, path: string, known: readonly string[]) {
  const key = await chooseKey(app, session, secrets, { kind: 'file', path });
  const { fingerprint } = key;
  if (!known.includes(fingerprint)) {
    const what = `${path} is none of the customer's keys on ${session.name}: its fingerprint is ${fingerprint}.`;
    throw new AppError('usage', { what });
  }
  try {
    (await login(app, session, secrets, { key })).close();
    return [{ fingerprint, how: 'login' as const }];
  } catch (error) {
    if (error instanceof AppError && error.code === 'login_key_refused')
      return [{ fingerprint, how: 'refused' as const }];
    throw error;
  }
}

/** Null for a kind of key that the app cannot offer, as one on a security token: nothing is known of it then. */
async function asked(app: App, session: Session, line: string): Promise<boolean | null> {
  try {
    return await wouldTake(app, session, line);
  } catch (error) {
    if (error instanceof AppError && error.code === 'key_not_a_key') return null;
    throw error;
  }
}

/**
 * Proves what can be proven now, and keeps it with the box. `path`: the private half of one of the keys; null asks the box about all.
 * A connection a key: a box closes one that offers many. Errors: usage where no customer key is installed; those of login.
 */
export async function proveCustomerKeys(
  app: App,
  session: Session,
  secrets: Secrets,
  path: string | null,
): Promise<Session> {
  const lines = session.keys?.customerKeys ?? [];
  if (lines.length === 0)
    throw new AppError('usage', { what: `No key of the customer is installed on ${session.name}.` });
  const keys = lines.flatMap((line) => parsePublicKeys(line, 'A key of the customer'));
  const found: Omit<CustomerProof, 'at'>[] = [];
  if (path === null) {
    for (const { line, fingerprint } of keys) {
      const taken = await asked(app, session, line);
      if (taken !== null) found.push({ fingerprint, how: taken ? 'accepted' : 'refused' });
    }
  } else {
    const known = keys.map((k) => k.fingerprint);
    found.push(...(await byLogin(app, session, secrets, path, known)));
  }
  const at = new Date().toISOString();
  return changeSession(app, session.id, (s) => {
    if (!s.keys) return s;
    const before = (s.keys.customerProofs ?? []).filter((p) => {
      const now = found.find((f) => f.fingerprint === p.fingerprint);
      // A login says more than that the key would be taken, which takes nothing back.
      return !now || (p.how === 'login' && now.how === 'accepted');
    });
    const kept = new Set(before.map((p) => p.fingerprint));
    const added = found.filter((f) => !kept.has(f.fingerprint)).map((f) => ({ ...f, at }));
    return { ...s, keys: { ...s.keys, customerProofs: [...before, ...added] } };
  });
}
