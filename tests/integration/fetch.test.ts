/** A site bundle served through the connection itself to the real fetch job, while the link breaks in the middle of files. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestCancel, writeSource } from '../../main/remote/control.ts';
import { BundleTunnel } from '../../main/remote/tunnel.ts';
import { Bundle } from '../../main/services/bundle.ts';
import type { Connection } from '../../main/remote/connection.ts';
import type { LinkState } from '../../preload/contract/job.ts';
import { JobBench, type Order } from './jobs.ts';
import { until, whyNotSshd } from './sshd.ts';

const why = whyNotSshd();
const MB = 1_000_000;
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe.runIf(why === null)(`fetching a bundle${why ? ` (not run: ${why})` : ''}`, () => {
  let b: JobBench;
  let bundle: Bundle;
  let serial = 0;
  const files: Record<string, Buffer> = {
    'apt/Packages': Buffer.from('Package: x\n'),
    'apt/big_1.0_amd64.deb': randomBytes(9 * MB),
    'wheels/pip-1.whl': randomBytes(2 * MB),
    'wheels/same-bytes.whl': Buffer.alloc(0),
    'images/hello.tar': randomBytes(4 * MB),
    'images/größer ….tar': Buffer.from('x'),
  };
  files['wheels/same-bytes.whl'] = files['wheels/pip-1.whl'] as Buffer;
  const total = 15 * MB;

  beforeAll(async () => {
    b = await JobBench.open();
    const dir = join(b.d.bench.dir, 'bundle');
    const rows = Object.entries(files).map(([path, data]) => {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), data);
      return { path, size: data.length, sha256: sha256(data) };
    });
    const of = (prefix: RegExp) => Object.keys(files).filter((path) => prefix.test(path));
    const manifest = {
      v: 1,
      name: 'test',
      created: '2026-11-24T05:00:00.000Z',
      distribution: { id: 'debian', version: '13', codename: 'trixie', arch: 'amd64' },
      evidence: 'stand-in',
      files: rows,
      sets: { l0: of(/^(apt|wheels)/), l1: of(/^images/) },
    };
    writeFileSync(join(dir, 'manifest.json'), JSON.stringify(manifest, null, 1));
    bundle = new Bundle(dir);
  });
  afterAll(async () => {
    await b?.close();
  });

  /** A fetch with a state folder of its own, so that nothing is there yet; or with the one named. */
  async function begin(sets: string[], base = join(b.d.bench.dir, `fetch${serial++}`)) {
    mkdirSync(base, { recursive: true });
    const order = b.order('fetch', { manifestSha256: bundle.manifestSha256, sets, title: 'test' });
    const { dir } = await b.start(order, b.at(base));
    const asked: { sha256: string; start: number }[] = [];
    const tunnel = new BundleTunnel({
      manifestBytes: bundle.manifestBytes,
      size: (sha) => bundle.size(sha),
      open: (sha, start, end) => {
        asked.push({ sha256: sha, start });
        return bundle.open(sha, start, end);
      },
    });
    /** As the app does it on each new connection: a way in, and where it is. */
    const onConnected = async (conn: Connection) => {
      const { port } = await tunnel.attach(conn);
      await writeSource(conn, dir, { port, token: tunnel.token });
    };
    return { order, dir, base, tunnel, asked, onConnected };
  }

  const tree = (base: string): Record<string, Buffer> => {
    const at = join(base, 'state/bundle/tree');
    const names = readdirSync(at, { recursive: true, withFileTypes: true }).filter((f) => f.isFile());
    return Object.fromEntries(
      names.map((f) => {
        const path = join(f.parentPath, f.name);
        return [path.slice(at.length + 1), readFileSync(path)];
      }),
    );
  };
  const expectTree = (base: string, wanted: (path: string) => boolean) => {
    const found = tree(base);
    const all = { ...files, 'manifest.json': bundle.manifestBytes };
    const paths = Object.keys(all).filter((path) => path === 'manifest.json' || wanted(path));
    expect(Object.keys(found).sort()).toEqual(paths.sort());
    for (const [path, data] of Object.entries(all))
      if (path in found) expect(found[path]?.equals(data), path).toBe(true);
  };
  /** Bytes that the box has, whole files and parts. */
  const arrived = (base: string): number => {
    const store = join(base, 'state/bundle/store');
    const names = existsSync(store) ? readdirSync(store) : [];
    // A part is renamed when it is whole.
    return names.reduce(
      (n, name) => n + (statSync(join(store, name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
  };
  const waits = (order: Order) =>
    b
      .stored(order)
      .split('\n')
      .filter((line) => line.includes('"for":"source"'));

  it('brings every file, once, and tells how far it is', async () => {
    const { order, dir, base, tunnel, onConnected } = await begin(['l0', 'l1']);
    const followed = await b.follow(order, dir, { onConnected });
    expect(followed).toMatchObject({ end: 'finished', dials: 1 });
    expect(b.view(order)).toMatchObject({ state: 'passed', counts: { ok: 0, changed: 5, failed: 0 } });
    expectTree(base, () => true);
    // The same bytes under two names are fetched once.
    expect(tunnel.served).toMatchObject({ refused: 0, bytes: total + 12 + bundle.manifestBytes.length });
    expect(b.view(order).steps.map((s) => [s.id, s.state])).toEqual(
      ['manifest', 'look', 'files', 'link'].map((id) => [id, 'ok']),
    );
    const again = await begin(['l0', 'l1'], base);
    await b.follow(again.order, again.dir, { onConnected: again.onConnected });
    expect(b.view(again.order)).toMatchObject({ state: 'passed', counts: { ok: 5, changed: 0 } });
    expect(again.tunnel.served).toEqual({ bytes: 0, requests: 0, refused: 0 });
  });

  it('goes on in the middle of a file after killed sessions and pulled cables', async () => {
    const { bench, usual, user } = b.d;
    const { order, dir, base, asked, onConnected } = await begin(['l0', 'l1']);
    // Slow enough that there is a middle: 15 MB in about 4 s.
    bench.slow(30);
    try {
      const links: LinkState[] = [];
      const following = b.follow(order, dir, { onConnected, onLink: (state) => links.push(state) });
      for (const at of [1, 3, 5]) {
        await until(`${at} MB`, () => arrived(base) > at * MB, 30_000);
        const before = links.length;
        expect(bench.dropSessions(user)).toBeGreaterThan(0);
        // Pulled on the way back from a killed session, the cable would not be seen by itself; what the box had in its buffers arrives after it.
        const lost = () => links.findIndex((state, i) => i >= before && state !== 'live');
        await until('the link', () => lost() >= 0 && links.includes('live', lost()), 30_000);
      }
      await until('7 MB', () => arrived(base) > 7 * MB, 30_000);
      bench.cable(false);
      await until('the silence', () => links.at(-1) === 'silent', 30_000);
      await bench.plugIn(usual);
      const followed = await following;
      expect(followed.end).toBe('finished');
      expect(followed.dials).toBeGreaterThan(4);
    } finally {
      await bench.plugIn(usual);
      bench.slow(null);
    }
    expect(b.view(order)).toMatchObject({ state: 'passed', waiting: null, counts: { changed: 5 } });
    expectTree(base, () => true);
    expect(b.stored(order)).toBe(b.boxLog(dir));
    const said = waits(order);
    expect(said.some((line) => line.includes('"state":"begin"'))).toBe(true);
    expect(said.at(-1)).toContain('"state":"end"');
    // Each file went on where it was.
    const big = asked.filter((a) => a.sha256 === sha256(files['apt/big_1.0_amd64.deb'] as Buffer));
    const starts = big.map((a) => a.start);
    expect(starts.length).toBeGreaterThanOrEqual(4);
    expect(starts[0]).toBe(0);
    expect(starts).toEqual([...starts].sort((x, y) => x - y));
    expect(starts.at(-1)).toBeGreaterThan(5 * MB);
  });

  it('waits for a laptop that is away, and is not hurt by it', async () => {
    const { order, dir, base, onConnected } = await begin(['l0']);
    const lid = new AbortController();
    const off = b.journal.onAppend((job) => {
      if (job === order.spec.job && b.view(order).waiting?.for === 'source') lid.abort(new Error('away'));
    });
    // Followed without a tunnel: the job waits, and says so.
    await expect(b.follow(order, dir, { signal: lid.signal })).rejects.toThrow('away');
    off();
    expect(b.view(order)).toMatchObject({ state: 'running', waiting: { for: 'source' } });
    expect(await b.follow(order, dir, { onConnected })).toMatchObject({ end: 'finished' });
    expect(b.view(order).state).toBe('passed');
    expectTree(base, (path) => !path.startsWith('images'));
    // The next set beside it: what is there stays, what is new comes.
    const next = await begin(['l1'], base);
    await b.follow(next.order, next.dir, { onConnected: next.onConnected });
    expectTree(base, () => true);
  });

  it('is cancelled in the middle, and the next attempt goes on with what came', async () => {
    const { bench } = b.d;
    const { order, dir, base, tunnel, onConnected } = await begin(['l0']);
    bench.slow(30);
    try {
      const following = b.follow(order, dir, { onConnected });
      await until('half of the big file', () => tunnel.served.bytes > 5 * MB, 30_000);
      const conn = await b.connect();
      await requestCancel(conn, dir);
      conn.close();
      expect((await following).end).toBe('finished');
    } finally {
      bench.slow(null);
    }
    expect(b.view(order).state).toBe('cancelled');
    expect(existsSync(join(base, 'state/bundle/tree/manifest.json'))).toBe(false);
    const next = await begin(['l0'], base);
    await b.follow(next.order, next.dir, { onConnected: next.onConnected });
    expect(b.view(next.order).state).toBe('passed');
    expect(next.tunnel.served.bytes).toBeLessThan(9 * MB);
    expectTree(base, (path) => !path.startsWith('images'));
  });

  it('never takes a file whose bytes are others, however often it is asked', async () => {
    const path = join(bundle.dir, 'images/hello.tar');
    const right = readFileSync(path);
    writeFileSync(path, randomBytes(right.length));
    try {
      const { order, dir, base, onConnected } = await begin(['l1']);
      expect((await b.follow(order, dir, { onConnected })).end).toBe('finished');
      expect(b.view(order)).toMatchObject({
        state: 'failed',
        code: 'bundle_corrupt',
        detail: 'images/hello.tar came with a wrong hash 3 times.',
      });
      expect(existsSync(join(base, 'state/bundle/tree/images/hello.tar'))).toBe(false);
    } finally {
      rmSync(path);
      writeFileSync(path, right);
    }
  });
});
