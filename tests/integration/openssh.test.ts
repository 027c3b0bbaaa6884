/** Streams to a box that the laptop's own OpenSSH client carries: which keys it takes, and where there is no such way. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Auth, Connection } from '../../main/remote/connection.ts';
import { parsePrivate } from '../../main/remote/login.ts';
import { serveAgent } from '../../main/remote/agent.ts';
import { newEd25519 } from '../../main/remote/newkey.ts';
import { startClient, type Carried } from '../../main/remote/openssh.ts';
import { carry } from './carry.ts';
import { Dialling } from './dialling.ts';
import { until, whyNotSshd } from './sshd.ts';

const why = whyNotSshd() ?? (existsSync('/usr/bin/ssh') ? null : 'no ssh: apt install openssh-client');

/** Processes of the client that have a way to this address. */
const clientsTo = (host: string): string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return words[0] === 'ssh' && words.includes(host);
    } catch {
      return false;
    }
  });

/** Bytes that the kernel holds for this address, and which nobody has answered. */
const unsent = (host: string): number =>
  execFileSync('ss', ['-tnH', 'dst', host], { encoding: 'utf8' })
    .split('\n')
    .reduce((sum, line) => sum + Number(line.split(/\s+/)[2] ?? 0), 0);

describe.runIf(why === null)(`a stream by the laptop's client${why ? ` (not run: ${why})` : ''}`, () => {
  let d: Dialling;
  let echo: Server;
  let path: string;
  let dir: string;

  beforeAll(async () => {
    d = await Dialling.open();
    path = join(d.bench.dir, 'echo.sock');
    echo = createServer((socket) => {
      // Who is gone takes nothing back.
      socket.on('error', () => undefined);
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => echo.listen(path, resolve));
    chmodSync(path, 0o666);
  });
  afterAll(async () => {
    echo.close();
    await d.close();
  });
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'vc-openssh-'));
    return () => rmSync(dir, { recursive: true, force: true });
  });

  const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('vcs-'));

  function newKey(...type: string[]): Auth & { kind: 'key' } {
    const file = join(dir, 'id');
    execFileSync('ssh-keygen', ['-q', '-t', ...type, '-N', '', '-f', file]);
    d.bench.authorize(d.user.name, readFileSync(`${file}.pub`, 'utf8').trim());
    return { kind: 'key', privateKey: readFileSync(file) };
  }

  async function echoed(conn: Connection): Promise<Carried> {
    const carried = await carry(conn, path);
    if (!carried) throw new Error('it was not carried');
    const { socket } = carried;
    const sent = randomBytes(3 * 1024 * 1024 + 7);
    const got: Buffer[] = [];
    socket.on('data', (piece: Buffer) => got.push(piece));
    socket.end(sent);
    await carried.ended;
    expect(Buffer.concat(got).equals(sent)).toBe(true);
    return carried;
  }

  it.each([
    ['Ed25519', ['ed25519']],
    ['ECDSA', ['ecdsa', '-b', '521']],
    ['RSA', ['rsa', '-b', '2048']],
  ])('takes a key of %s from this process, and leaves nothing behind', async (_name, type) => {
    const before = folders();
    await d.with({ auth: newKey(...type) }, async (conn) => {
      await echoed(conn);
    });
    expect(folders()).toEqual(before);
  });

  it('takes the one key of an agent', async () => {
    const auth = newKey('ed25519');
    const agent = await serveAgent(join(dir, 'agent'), parsePrivate(auth));
    try {
      const publicKey = readFileSync(join(dir, 'id.pub'), 'utf8').trim();
      await d.with({ auth: { kind: 'agent', socket: join(dir, 'agent'), publicKey } }, async (conn) => {
        await echoed(conn);
      });
    } finally {
      agent.close();
    }
  });

  it('ends with the connection beside which it was begun', async () => {
    let carried: Carried | null = null;
    await d.with({ auth: newKey('ed25519') }, async (conn) => {
      carried = await carry(conn, path);
    });
    expect(await (carried as Carried | null)?.ended).toMatchObject({ code: null });
  });

  it('logs in before anybody listens on the box', async () => {
    const late = join(d.bench.dir, 'late.sock');
    const logins = () => d.usual.log().match(/Accepted publickey/g)?.length ?? 0;
    await d.with({ auth: newKey('ed25519') }, async (conn) => {
      const before = logins();
      const client = await startClient(conn, late);
      await until('its login', () => logins() > before, 10_000);
      const server = createServer((socket) => socket.end('there')).listen(late);
      await once(server, 'listening');
      chmodSync(late, 0o666);
      const carried = await client?.stream();
      const got: Buffer[] = [];
      carried?.socket.on('data', (piece: Buffer) => got.push(piece));
      carried?.socket.end();
      await carried?.ended;
      server.close();
      expect(Buffer.concat(got).toString()).toBe('there');
    });
  });

  it('leaves nothing behind where its stream is not wanted', async () => {
    const before = folders();
    await d.with({ auth: newKey('ed25519') }, async (conn) => {
      expect(await startClient(conn, path)).not.toBeNull();
      expect(folders().length).toBe(before.length + 1);
    });
    expect(folders()).toEqual(before);
  });

  it('says that nobody listens on the box by its end, without a byte', async () => {
    await d.with({ auth: newKey('ed25519') }, async (conn) => {
      const carried = await carry(conn, join(d.bench.dir, 'nobody.sock'));
      const got: Buffer[] = [];
      carried?.socket.on('data', (piece: Buffer) => got.push(piece));
      expect(await carried?.ended).toMatchObject({ code: null });
      expect(got).toEqual([]);
    });
  });

  it('ends when this app is killed', async () => {
    const auth = newKey('ed25519');
    await d.with({ auth }, async ({ host, port, user, hostKey }) => {
      const told = { host, port, user, key: join(dir, 'id'), hostKey: hostKey.key.toString('base64'), path };
      const script = join(import.meta.dirname, 'carried.ts');
      const app = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(told)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      expect(String((await once(app.stdout, 'data'))[0])).toBe('carried\n');
      const clients = () => clientsTo(host);
      expect(clients()).toHaveLength(1);
      app.kill('SIGKILL');
      await until('the end of the client', () => clients().length === 0);
    });
  });

  it('ends at once over a dead link that it still has much to send on', async () => {
    await d.with({ auth: newKey('ed25519') }, async ({ auth, host, port, user, hostKey }) => {
      // One that does not notice the cut, so that nobody else ends the client.
      const conn = { auth, host, port, user, hostKey, alive: true, onClose: () => undefined };
      const carried = await carry(conn as unknown as Connection, path);
      if (!carried) throw new Error('it was not carried');
      carried.socket.write('the way stands');
      await once(carried.socket, 'data');
      d.bench.cable(false);
      try {
        // More than all that lies between holds: what is not drained goes nowhere.
        carried.socket.write(randomBytes(64 * 1024 * 1024));
        const seen: number[] = [];
        await until('a client that gets nothing more away', () => {
          seen.push(unsent(host));
          return seen.length > 20 && seen.slice(-20).every((bytes) => bytes > 0 && bytes === seen.at(-1));
        });
        expect(clientsTo(host)).toHaveLength(1);
        carried.kill();
        await until('the end of the client', () => clientsTo(host).length === 0, 3_000);
      } finally {
        await d.bench.plugIn(d.usual);
      }
    });
  });

  it('leaves nothing behind where a path of the box means more than itself', async () => {
    const before = folders();
    await d.with({ auth: newKey('ed25519') }, async (conn) => {
      expect(await carry(conn, join(d.bench.dir, 'a b.sock'))).toBeNull();
    });
    expect(folders()).toEqual(before);
  });

  it('hands on no password', async () => {
    await d.with({}, async (conn) => expect(await carry(conn, path)).toBeNull());
  });

  it('goes to no box with another host key', async () => {
    const tries = () => d.usual.log().match(/Connection (closed|reset) by/g)?.length ?? 0;
    await d.with({ auth: newKey('ed25519') }, async (conn) => {
      const before = tries();
      const { auth, host, port, user } = conn;
      const { key } = newEd25519({ comment: '' });
      const hostKey = { algorithm: 'ssh-ed25519', key: key.getPublicSSH(), fingerprint: '' };
      const other = { auth, host, port, user, hostKey, alive: true, onClose: () => undefined };
      expect(await carry(other as unknown as Connection, path)).toBeNull();
      await until('the one try', () => tries() > before);
      expect(tries()).toBe(before + 1);
    });
  });
});
