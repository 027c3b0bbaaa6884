/**
 * The whole way of an image to the disk of a box: the real job on a loop device, fed over a real sshd whose sessions die, and which
 * may forbid forwarded sockets (docs/adr/0012-flash-box.md). Cables, and kills of both ends: tests/faults/flash-box.test.ts.
 */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BoxFeed } from '../../main/services/flash/boxfeed.ts';
import { lookAt } from '../../main/services/flash/boxdisks.ts';
import { openSocket } from '../../main/services/flash/boxsocket.ts';
import { disksOf } from '../../main/services/flash/disks/linux.ts';
import { PLACES, gather } from '../../main/services/flash/disks/facts.ts';
import { prepareImage, type FlashImage } from '../../main/services/flash/image.ts';
import { ChunkRecord } from '../../main/services/flash/record.ts';
import { requestCancel } from '../../main/remote/control.ts';
import type { Proof } from '../../main/services/flash/engine-options.ts';
import { MIB, writeDisk } from '../unit/flash/partitions.ts';
import { DISK, SIZE } from './flash.ts';
import { JobBench, type Order } from './jobs.ts';
import { until, whyNotSshd } from './sshd.ts';

const why = whyNotSshd();
const tool = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { stdio: 'pipe', encoding: 'utf8' }).trim();

describe.runIf(why === null)(`a disk of a box${why ? ` (not run: ${why})` : ''}`, () => {
  let b: JobBench;
  let dir: string;
  let loop: string;
  let raw: string;
  let image: FlashImage;
  const stop = new AbortController();

  beforeAll(async () => {
    b = await JobBench.open();
    dir = mkdtempSync(join(tmpdir(), 'vc-boxflash-'));
    raw = join(dir, 'image.raw');
    writeDisk(raw, DISK);
    image = await prepareImage(raw, { signal: stop.signal, onRead: () => undefined });
  });
  afterAll(async () => {
    await image.close();
    await b.close();
    rmSync(dir, { recursive: true, force: true });
  });
  beforeEach(() => {
    const file = join(dir, 'disk');
    const fd = openSync(file, 'w');
    for (let at = 0; at < SIZE; at += 8 * 1024 * 1024) writeSync(fd, Buffer.alloc(8 * 1024 * 1024, 0xa5));
    closeSync(fd);
    loop = tool('losetup', '--find', '--show', '--direct-io=on', file);
  });
  let running: { order: Order; dir: string }[] = [];
  afterEach(async () => {
    b.d.bench.cable(true);
    // Nothing may still hold the disk, also after a test that failed.
    for (const one of running) {
      const conn = await b.connect();
      await requestCancel(conn, one.dir);
      conn.close();
      await until(
        'the end of the job',
        () => {
          try {
            return statSync(join(one.dir, 'result.json')).isFile();
          } catch {
            return false;
          }
        },
        30_000,
      );
    }
    running = [];
    tool('losetup', '--detach', loop);
    rmSync(join(dir, 'records'), { recursive: true, force: true });
  });

  const orders = () =>
    b.order('flash_box', {
      target: { serial: null, size: SIZE, name: 'a loop device', path: loop },
      ...{ imageId: 'image-1', virtualSize: SIZE, sealed: [...image.layout.sealed], dataBytes: null },
      ...{ diskRoot: image.diskRoot, identity: null },
    });

  function feed(notes: string[] = []): BoxFeed {
    const record = ChunkRecord.open(join(dir, 'records'), {
      ...{ target: { kind: 'disk', serial: loop, size: SIZE }, image: image.key, virtualSize: SIZE },
    });
    return new BoxFeed({
      ...{ image, imageId: 'image-1', record, name: 'the disk', feeder: 'kim on lap-7' },
      target: { kind: 'disk', path: loop, serial: null, size: SIZE },
      signal: stop.signal,
      open: (conn, at) => openSocket(conn, at, b.code.relay),
      note: (text) => notes.push(text),
      pauseMs: 200,
    });
  }

  /** Starts a job and feeds it to its end; `during` while that goes on. */
  async function flashed(
    during: (at: { order: Order; dir: string }) => Promise<void> | void = () => undefined,
    port?: number,
  ): Promise<{ proof: Proof; order: Order; dials: number }> {
    const order = orders();
    const { dir: at } = await b.start(order);
    running.push({ order, dir: at });
    const one = feed();
    const onConnected = (conn: Parameters<BoxFeed['attach']>[0]) => {
      one.attach(conn, at);
      return Promise.resolve();
    };
    try {
      const following = b.follow(order, at, { onConnected, ...(port ? { port } : {}) });
      await during({ order, dir: at });
      const { end, dials } = await following;
      expect(end).toBe('finished');
      expect(b.view(order)).toMatchObject({ state: 'passed' });
      running = [];
      return { proof: await one.proof, order, dials };
    } finally {
      await one.close();
    }
  }

  const mustHold = () => {
    tool('blockdev', '--flushbufs', loop);
    expect(readFileSync(loop).equals(readFileSync(raw))).toBe(true);
  };
  const written = (order: Order): number =>
    b.view(order).steps.length === 0 ? 0 : (b.stored(order).match(/"phase":"Write"/g) ?? []).length;

  it('is written, read back and proved by both ends', async () => {
    const { proof, order } = await flashed();
    mustHold();
    const [check] = b.view(order).checks;
    expect(check).toMatchObject({ id: 'flash_read_back', verdict: 'pass', value: proof.diskRoot });
    expect(b.view(order).steps.map(({ id, state }) => [id, state])).toEqual([
      ['take', 'ok'],
      ['wipe', 'ok'],
      ['write', 'ok'],
      ['seal', 'ok'],
    ]);
  });

  it("is carried by the laptop's own client where there is one", async () => {
    const logins = () => b.d.usual.log().match(/Accepted publickey/g)?.length ?? 0;
    const before = logins();
    const { dials } = await flashed();
    mustHold();
    // Whoever starts it and whoever follows it, and one more.
    expect(logins() - before).toBe(1 + dials + 1);
  });

  it('gets the clusters of a compressed image as they are stored', async () => {
    const [plainImage, plainRaw] = [image, raw];
    try {
      raw = join(dir, 'packed.raw');
      writeDisk(raw, DISK);
      const fd = openSync(raw, 'r+');
      // Of each chunk the first half can be compressed, the rest lies there as it is.
      for (let at = 40 * MIB; at < 100 * MIB; at += 4 * MIB)
        writeSync(fd, Buffer.alloc(2 * MIB, `${at} `), 0, 2 * MIB, at);
      closeSync(fd);
      const packed = join(dir, 'packed.qcow2');
      tool('qemu-img', 'convert', '-c', '-O', 'qcow2', '-o', 'compression_type=zstd', raw, packed);
      image = await prepareImage(packed, { signal: stop.signal, onRead: () => undefined });
      const counter = `/sys/class/net/${b.d.bench.tag}a/statistics/tx_bytes`;
      const before = Number(readFileSync(counter, 'utf8'));
      const { proof } = await flashed();
      mustHold();
      const sent = Number(readFileSync(counter, 'utf8')) - before;
      // 15 chunks are half as large. Those that are sealed are not counted as written, and TCP and SSH add little.
      expect(proof.writtenBytes - sent).toBeGreaterThan(20 * MIB);
      await image.close();
    } finally {
      [image, raw] = [plainImage, plainRaw];
    }
  });

  /** Flashes another version of the image, in which these bytes are others; answers what went over the cable for it. */
  async function another(places: readonly number[]): Promise<{ sent: number; proof: Proof }> {
    raw = join(dir, 'changed.raw');
    copyFileSync(join(dir, 'image.raw'), raw);
    const fd = openSync(raw, 'r+');
    for (const at of places) writeSync(fd, Buffer.from('another version'), 0, 15, at);
    closeSync(fd);
    const first = image;
    image = await prepareImage(raw, { signal: stop.signal, onRead: () => undefined });
    const counter = `/sys/class/net/${b.d.bench.tag}a/statistics/tx_bytes`;
    const before = Number(readFileSync(counter, 'utf8'));
    try {
      const { proof } = await flashed();
      mustHold();
      return { proof, sent: Number(readFileSync(counter, 'utf8')) - before };
    } finally {
      await image.close();
      image = first;
      raw = join(dir, 'image.raw');
    }
  }
  const PLACES_CHANGED = [40, 52, 80].map((at) => at * MIB + 1_000_000);

  it('gets of another version of the image no more than the blocks that are others', async () => {
    await flashed();
    const { sent, proof } = await another(PLACES_CHANGED);
    expect(proof).toMatchObject({ writtenBytes: 3 * 4 * MIB, mendedChunks: 0 });
    // Three blocks of 64 KiB beside the 3 MiB that are in the chunk of the tables, and what sessions, orders and answers need.
    expect(sent).toBeLessThan(4 * MIB);
  });

  it('is sent a chunk whole where the disk has something else there than was recorded', async () => {
    await flashed();
    const [at = 0] = PLACES_CHANGED;
    const fd = openSync(loop, 'r+');
    writeSync(fd, Buffer.from("somebody else's"), 0, 15, at + 10_000);
    closeSync(fd);
    const { proof } = await another(PLACES_CHANGED);
    expect(proof).toMatchObject({ writtenBytes: 3 * 4 * MIB, mendedChunks: 0 });
  });

  it('is written over a program where sshd forwards no sockets', async () => {
    const strict = await b.d.bench.start(2222, ['AllowStreamLocalForwarding no']);
    await flashed(undefined, strict.port);
    mustHold();
    expect(strict.log()).toMatch(/refused streamlocal/);
  });

  it('goes on after every session was killed', async () => {
    await flashed(async ({ order }) => {
      b.d.bench.slow(200);
      await until('some of it', () => written(order) > 2, 60_000);
      expect(b.d.bench.dropSessions(b.d.user)).toBeGreaterThan(0);
      b.d.bench.slow(null);
    });
    mustHold();
  });

  it('is listed over the connection as it is here', async () => {
    const conn = await b.connect();
    try {
      const world = await lookAt(conn, b.code.disks, b.d.user.password);
      const options = { image: null, alsoLoop: true };
      const seen = disksOf(await gather(PLACES, world), options);
      expect(seen.find(({ path }) => path === loop)).toMatchObject({ size: SIZE, bus: 'loop' });
    } finally {
      conn.close();
    }
  });
});
