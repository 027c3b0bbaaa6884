/** How far a login with the customer's keys is proven, by a real sshd. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApp, type App } from '../../main/services/app.ts';
import { proveCustomerKeys } from '../../main/services/customerkeys.ts';
import { Secrets } from '../../main/services/secrets.ts';
import { connect } from '../../main/remote/connection.ts';
import { generateKey } from '../../main/remote/keyfiles.ts';
import { publicKeys } from '../../main/services/report/gather.ts';
import type { Session } from '../../preload/contract/session.ts';
import { boxSession } from '../unit/report/box.ts';
import { Dialling } from './dialling.ts';
import { whyNotSshd } from './sshd.ts';

const why = whyNotSshd();

describe.runIf(why === null)(`the customer's keys${why ? ` (not run: ${why})` : ''}`, () => {
  let d: Dialling;
  let app: App;
  let known: { publicKey: string; fingerprint: string };
  let other: { publicKey: string; fingerprint: string };
  const session = boxSession();
  const person = {
    confirmHostKey: async () => false,
    confirmReboot: async () => false,
    note: () => undefined,
    link: () => undefined,
  };
  const secrets = () => new Secrets(() => Promise.resolve(null));
  const key = (name: string) => join(d.bench.dir, name);

  /** The box of the session, at a port, with these keys of the customer. */
  function at(port: number, customerKeys: string[]): Session {
    if (!session.keys) throw new Error('the session has no keys');
    const now: Session = {
      ...session,
      address: { host: d.bench.host, port },
      user: d.user.name,
      keys: { ...session.keys, customerKeys, customerProofs: [] },
    };
    app.journal.saveSession(now);
    return now;
  }

  const hows = (s: Session) => s.keys?.customerProofs?.map(({ fingerprint, how }) => [fingerprint, how]);

  beforeAll(async () => {
    d = await Dialling.open();
    known = await generateKey(key('customer'), { comment: 'ops@customer.example' });
    other = await generateKey(key('other'), { comment: 'left@customer.example' });
    d.bench.authorize(d.user.name, known.publicKey);
    await d.bench.start(2301, ['AllowUsers nobody']);
    app = openApp(person, { home: key('app') });
    // The box is known: its host key was pinned at the first login.
    (await connect(d.options({ knownHosts: app.knownHosts, hostKeyName: session.name }))).close();
  });
  afterAll(async () => {
    app?.close();
    await d?.close();
  });

  it('without their private halves: the box is asked, says which it takes, and nobody logs in', async () => {
    const logins = () => d.usual.log().match(/Accepted (publickey|password)/g)?.length;
    const before = logins();
    const now = await proveCustomerKeys(app, at(22, [known.publicKey, other.publicKey]), secrets(), null);
    expect(hows(now)).toEqual([
      [known.fingerprint, 'accepted'],
      [other.fingerprint, 'refused'],
    ]);
    expect(logins()).toBe(before);
    const told = now.keys && publicKeys(now.keys).customer.map((k) => k.proof?.how);
    expect(told).toEqual(['accepted', 'refused']);
  });

  it('with the private half: a login, which a question afterwards does not make less', async () => {
    const start = at(22, [known.publicKey, other.publicKey]);
    const after = await proveCustomerKeys(app, start, secrets(), key('customer'));
    expect(hows(after)).toEqual([[known.fingerprint, 'login']]);
    const again = await proveCustomerKeys(app, after, secrets(), null);
    expect(hows(again)).toEqual([
      [known.fingerprint, 'login'],
      [other.fingerprint, 'refused'],
    ]);
    const refused = await proveCustomerKeys(app, again, secrets(), key('other'));
    expect(hows(refused)).toContainEqual([other.fingerprint, 'refused']);
  });

  it('what sshd itself forbids is refused, though the key is among the authorized ones', async () => {
    const now = await proveCustomerKeys(app, at(2301, [known.publicKey]), secrets(), null);
    expect(hows(now)).toEqual([[known.fingerprint, 'refused']]);
  });

  it('a key that is none of theirs, and a box without any, are told of', async () => {
    await expect(
      proveCustomerKeys(app, at(22, [known.publicKey]), secrets(), key('other')),
    ).rejects.toMatchObject({ code: 'usage' });
    await expect(proveCustomerKeys(app, at(22, []), secrets(), null)).rejects.toMatchObject({
      code: 'usage',
    });
  });
});
