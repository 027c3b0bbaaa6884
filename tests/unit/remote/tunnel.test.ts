/** The bundle server: an HTTP client at the other end of connections in memory, as the box is at the end of channels. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, mkdtempSync, rmSync, truncateSync, writeFileSync, type ReadStream } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, type Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BundleTunnel, type ServedBundle } from '../../../main/remote/tunnel.ts';
import { duplexPair } from './duplex.ts';

const BIG = randomBytes(3_000_000);
const MANIFEST = Buffer.from('{"v":1,"name":"größer"}');
const shaOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const EMPTY = shaOf(Buffer.alloc(0));
const SHA = shaOf(BIG);

let dir: string;
let path: string;
let tunnel: BundleTunnel;
const opened: ReadStream[] = [];
const bundle: ServedBundle = {
  manifestBytes: MANIFEST,
  size: (sha) => (sha === SHA ? BIG.length : sha === EMPTY ? 0 : null),
  open: (_sha, start, end) => {
    const stream = createReadStream(path, { start, end });
    opened.push(stream);
    return stream;
  },
};

/** A connection to the tunnel; the box's end of it. */
function dial(): Duplex {
  const [box, app] = duplexPair();
  tunnel.accept(app);
  box.on('error', () => undefined);
  return box;
}

interface Ask {
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  token?: string | null;
  over?: Duplex;
}

function send({ path: at = `/files/${SHA}`, method = 'GET', headers = {}, token, over }: Ask) {
  const authorization = token === null ? {} : { Authorization: `Bearer ${token ?? tunnel.token}` };
  return new Promise<IncomingMessage>((resolve, reject) => {
    const r = request({
      path: at,
      method,
      headers: { ...authorization, ...headers },
      createConnection: () => over ?? dial(),
    });
    r.once('response', resolve);
    r.once('error', reject);
    r.end();
  });
}

async function ask(what: Ask) {
  const response = await send(what);
  const body = await buffer(response);
  return { status: response.statusCode, headers: response.headers, body };
}

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'vc-tunnel-'));
  path = join(dir, 'big');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));
beforeEach(() => {
  writeFileSync(path, BIG);
  opened.length = 0;
  tunnel = new BundleTunnel(bundle);
});
afterEach(() => tunnel.close());

describe('who may ask', () => {
  it.each<[string, Ask]>([
    ['no token', { token: null }],
    ['another token', { token: 'x'.repeat(43) }],
    ['an empty token', { token: '' }],
    ['a token with something behind it', { token: 'PLACE' }],
    ['another scheme', { token: null, headers: { Authorization: 'Basic PLACE' } }],
  ])('not who has %s', async (_what, how) => {
    const spoil = (text: string) => text.replace('PLACE', `${tunnel.token}x`);
    const headers = Object.fromEntries(Object.entries(how.headers ?? {}).map(([k, v]) => [k, spoil(v)]));
    for (const at of [`/files/${SHA}`, '/manifest.json', '/nothing']) {
      const { token } = how;
      const got = await ask({ ...how, headers, path: at, ...(token ? { token: spoil(token) } : {}) });
      expect([got.status, got.body.length]).toEqual([401, 0]);
      expect(got.headers['www-authenticate']).toBe('Bearer');
    }
    expect(tunnel.served).toEqual({ bytes: 0, requests: 0, refused: 3 });
    expect(opened).toEqual([]);
  });

  it('each tunnel has a token of its own, long enough not to be guessed', () => {
    const other = new BundleTunnel(bundle);
    expect(other.token).not.toBe(tunnel.token);
    expect(Buffer.from(tunnel.token, 'base64url')).toHaveLength(32);
  });
});

describe('what is there', () => {
  it('the manifest, byte for byte', async () => {
    const got = await ask({ path: '/manifest.json' });
    expect([got.status, got.headers['content-type']]).toEqual([200, 'application/json']);
    expect(got.body.equals(MANIFEST)).toBe(true);
  });

  it('a file by its hash, whole', async () => {
    const got = await ask({});
    expect([got.status, got.headers['content-length'], got.headers['accept-ranges']]).toEqual([
      200,
      String(BIG.length),
      'bytes',
    ]);
    expect(got.body.equals(BIG)).toBe(true);
    expect(tunnel.served).toEqual({ bytes: BIG.length, requests: 1, refused: 0 });
  });

  it('an empty file', async () => {
    const got = await ask({ path: `/files/${EMPTY}` });
    expect([got.status, got.body.length, got.headers['content-length']]).toEqual([200, 0, '0']);
    expect((await ask({ path: `/files/${EMPTY}`, headers: { Range: 'bytes=0-' } })).status).toBe(416);
  });

  it('only its size, when asked by HEAD', async () => {
    const got = await ask({ method: 'HEAD' });
    expect([got.status, got.body.length, got.headers['content-length']]).toEqual([
      200,
      0,
      String(BIG.length),
    ]);
    expect(opened).toEqual([]);
  });

  it.each([
    '/',
    '/manifest.json?x=1',
    '/manifest.json/',
    '/files/',
    `/files/${'a'.repeat(64)}`,
    `/files/${SHA.toUpperCase()}`,
    `/files/${SHA}/..`,
    `/files/../manifest.json`,
    `/files/..%2f..%2fetc%2fpasswd`,
    `//files/${SHA}`,
    '/etc/passwd',
  ])('nothing else: %s', async (at) => {
    const got = await ask({ path: at });
    expect([got.status, got.body.length]).toEqual([404, 0]);
    expect(opened).toEqual([]);
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('nothing to %s', async (method) => {
    const got = await ask({ method });
    expect([got.status, got.headers['allow'], got.body.length]).toEqual([405, 'GET, HEAD', 0]);
  });
});

describe('a part of a file', () => {
  const n = BIG.length;

  it.each<[string, number, number]>([
    ['bytes=0-', 0, n - 1],
    ['bytes=0-0', 0, 0],
    ['bytes=1000-', 1000, n - 1],
    ['bytes=1000-1999', 1000, 1999],
    [`bytes=${n - 1}-`, n - 1, n - 1],
    [`bytes=${n - 5}-${n + 100}`, n - 5, n - 1],
    ['bytes=-7', n - 7, n - 1],
    [`bytes=-${n * 2}`, 0, n - 1],
    [' bytes=5-6 ', 5, 6],
  ])('%s', async (range, start, end) => {
    const got = await ask({ headers: { Range: range } });
    expect([got.status, got.headers['content-range']]).toEqual([206, `bytes ${start}-${end}/${n}`]);
    expect(got.body.equals(BIG.subarray(start, end + 1))).toBe(true);
    expect(tunnel.served.bytes).toBe(end - start + 1);
  });

  it.each([`bytes=${n}-`, `bytes=${n}-${n + 5}`, 'bytes=-0', `bytes=9${'0'.repeat(30)}-`])(
    '%s is outside',
    async (range) => {
      const got = await ask({ headers: { Range: range } });
      expect([got.status, got.headers['content-range'], got.body.length]).toEqual([416, `bytes */${n}`, 0]);
    },
  );

  it.each(['bytes=', 'bytes=-', 'bytes=5-4', 'bytes=a-b', 'bytes=0-1,5-6', 'items=0-5', 'bytes 0-5', 'x'])(
    '%j is none, and the whole comes',
    async (range) => {
      const got = await ask({ headers: { Range: range } });
      expect([got.status, got.body.length]).toEqual([200, n]);
    },
  );

  it('of the manifest', async () => {
    const got = await ask({ path: '/manifest.json', headers: { Range: 'bytes=1-3' } });
    expect([got.status, got.body.toString()]).toEqual([206, MANIFEST.subarray(1, 4).toString()]);
  });
});

describe('a connection', () => {
  it('takes one request after another', async () => {
    const over = dial();
    const headers = { Connection: 'keep-alive' };
    expect((await ask({ over, headers, path: '/manifest.json' })).status).toBe(200);
    expect((await ask({ over, headers, path: '/none' })).status).toBe(404);
    expect((await ask({ over, headers: { ...headers, Range: 'bytes=0-9' } })).status).toBe(206);
    expect((await ask({ over, headers, token: 'wrong' })).status).toBe(401);
    expect((await ask({ over, headers })).body.equals(BIG)).toBe(true);
    expect(over.destroyed).toBe(false);
  });

  it('beside others does not wait for a slow one', async () => {
    const slow = await send({});
    expect((await ask({})).body.equals(BIG)).toBe(true);
    expect((await buffer(slow)).equals(BIG)).toBe(true);
  });

  it('that speaks no HTTP is dropped', async () => {
    const box = dial();
    const closed = new Promise((resolve) => box.once('close', resolve));
    box.write('SSH-2.0-OpenSSH_9.6\r\n');
    await closed;
    expect(tunnel.served.requests).toBe(0);
  });

  it('that ends in the middle of a file lets the file go', async () => {
    const over = dial();
    await send({ over });
    over.destroy();
    const [file] = opened;
    expect(file).toBeDefined();
    await new Promise<void>((resolve) => {
      file?.once('close', () => resolve());
      if (file?.closed) resolve();
    });
    expect(tunnel.served.bytes).toBeLessThan(BIG.length);
  });

  it('ends when the tunnel closes', async () => {
    const idle = dial();
    const busy = dial();
    const ended = Promise.all([idle, busy].map((d) => new Promise((resolve) => d.once('close', resolve))));
    const response = await send({ over: busy });
    const broken = buffer(response).catch((error: Error) => error);
    tunnel.close();
    await ended;
    expect(await broken).toBeInstanceOf(Error);
  });
});

describe('a file that cannot be read to its end', () => {
  /** What comes of asking for the file as the box does, which keeps its connection for the next request. */
  const outcome = (): Promise<Buffer | Error> =>
    send({ headers: { Connection: 'keep-alive' } })
      .then((response) => buffer(response))
      .catch((error: Error) => error);

  it('because it became shorter than the manifest says, breaks the connection off', async () => {
    truncateSync(path, 1_000_000);
    expect(await outcome()).toBeInstanceOf(Error);
  });

  it('because it is gone, breaks the connection off', async () => {
    rmSync(path);
    expect(await outcome()).toBeInstanceOf(Error);
  });

  it('because reading fails, breaks the connection off', async () => {
    tunnel = new BundleTunnel({
      ...bundle,
      open: () =>
        Readable.from(
          (function* () {
            yield BIG.subarray(0, 1000);
            throw new Error('EIO');
          })(),
        ),
    });
    expect(await outcome()).toBeInstanceOf(Error);
  });

  it('and leaves the tunnel to the next', async () => {
    rmSync(path);
    await outcome();
    writeFileSync(path, BIG);
    expect((await ask({})).body.equals(BIG)).toBe(true);
  });
});
