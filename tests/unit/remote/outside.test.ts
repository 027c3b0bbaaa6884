import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../../main/services/app.ts';
import { lookFromOutside } from '../../../main/services/outside.ts';
import { Secrets } from '../../../main/services/secrets.ts';
import { KEYS } from '../contract/plans.ts';
import { makeSession } from '../journal/log.ts';

const portOf = (server: Server) => (server.address() as AddressInfo).port;

/** Something that listens and is no sshd: whoever logs in there finds that out at its first line. */
const server = createServer((socket) => {
  socket.on('error', () => undefined);
  socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
});

describe('a look from outside', () => {
  let closed: number;

  beforeAll(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    closed = portOf(other);
    await once(other.close(), 'close');
  });
  afterAll(() => void server.close());

  // Of the app only what a login asks.
  const app = {
    journal: { jobs: () => [] },
    knownHosts: { lookup: () => [] },
    person: { confirmHostKey: async () => false },
  } as unknown as App;
  const secrets = new Secrets(async () => 'none');
  const session = () =>
    makeSession({ keys: KEYS, address: { host: '127.0.0.1', port: portOf(server) }, practice: false });

  it('tells how each port answers, and of logins that fail why; it does not fail itself', async () => {
    const { signal } = new AbortController();
    const found = await lookFromOutside(app, session(), secrets, [closed, portOf(server)], signal);
    expect(found.ports).toEqual({ [portOf(server)]: 'open', [closed]: 'refused' });
    expect(found.key).toMatchObject({ ok: false, detail: /id_ed25519/ });
    // No sshd said that it takes no password, so nothing is known of that.
    expect(found.password).toMatchObject({ refused: false, methods: null, detail: /./ });
  });

  it('ends when the engineer leaves', async () => {
    const leaving = new AbortController();
    leaving.abort(new Error('left'));
    await expect(lookFromOutside(app, session(), secrets, [], leaving.signal)).rejects.toThrow('left');
  });
});
