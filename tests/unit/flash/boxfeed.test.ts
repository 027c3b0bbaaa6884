/** Feeding a job on a box: over cuts, to a box that forgot, beside another feeder; the same bytes each time, and no chunk in vain. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { AppError } from '../../../preload/contract/errors.ts';
import type { FlashProgress } from '../../../preload/contract/flash.ts';
import { BoxFeed, type FeedOptions } from '../../../main/services/flash/boxfeed.ts';
import type { FlashImage } from '../../../main/services/flash/image.ts';
import { ChunkRecord } from '../../../main/services/flash/record.ts';
import { diskRoot, HOLE_HASH } from '../../../main/services/flash/source/disk-root.ts';
import { CHUNK_BYTES } from '../../../main/services/flash/source/types.ts';
import { BLOCK_BYTES } from '../../../main/services/flash/wire.ts';
import { FakeJob, FakeLink, contentOf, hashOf } from './fakejob.ts';
import { folder } from './images.ts';

const dir = folder();
/** Sealed at both ends; six chunks of data between, three holes. */
const STATES = 'sab.cd..efs';
const SIZE = STATES.length * CHUNK_BYTES;
const SEALED = [0, 10];

function imageOf(
  states: string,
  path = '/image',
  change: (chunks: Buffer[]) => void = () => undefined,
): FlashImage {
  const chunks = contentOf(states);
  change(chunks);
  const hashes = chunks.map(hashOf);
  return {
    ...{ path, virtualSize: SIZE, fileChecked: false, layers: null, ordered: {} },
    key: { path, size: 1, inode: 1, mtimeMs: 1, diskRoot: null },
    diskRoot: diskRoot(
      SIZE,
      hashes.map((hash) => (hash === null ? HOLE_HASH : Buffer.from(hash, 'hex'))),
    ),
    layout: { sealed: SEALED, sectorBytes: 512 } as FlashImage['layout'],
    data: Uint8Array.from([...states].map((s) => (s === '.' ? 0 : 1))),
    random: {
      ...{ access: 'random', kind: 'raw', path, virtualSize: SIZE },
      *chunks() {
        for (const [index, s] of [...states].entries())
          yield {
            index,
            offset: index * CHUNK_BYTES,
            length: CHUNK_BYTES,
            state: s === '.' ? 'hole' : 'data',
          };
      },
      read: (index, into) => {
        into.set(chunks[index] as Buffer);
        return Promise.resolve(states[index] === '.' ? 'hole' : 'data');
      },
      extents: () => Promise.reject(new Error('a box cannot read the image')),
      stored: () => Promise.resolve(null),
      bytes: () => Promise.reject(new Error('there is no file')),
      close: () => Promise.resolve(),
    },
    forward: () => Promise.reject(new Error('no stream')),
    mustBeUnchanged: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

let serial = 0;
const feeds: BoxFeed[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const feed of feeds.splice(0)) await feed.close();
});

function recordOf(image: FlashImage, disk: string): ChunkRecord {
  const target = { kind: 'disk', serial: disk, size: SIZE } as const;
  return ChunkRecord.open(dir, { target, image: image.key, virtualSize: SIZE });
}

function feedOf(
  job: FakeJob,
  image: FlashImage,
  disk = `D${(serial += 1)}`,
  more: Partial<FeedOptions> = {},
) {
  const notes: string[] = [];
  const links: FakeLink[] = [];
  const feed = new BoxFeed({
    ...{ image, imageId: 'image-1', record: recordOf(image, disk), name: 'the disk', feeder: 'kim on lap-7' },
    target: { kind: 'disk', path: '/dev/nvme0n1', serial: disk, size: SIZE },
    signal: new AbortController().signal,
    open: (conn) => Promise.resolve(job.open(conn as unknown as FakeLink)),
    note: (text) => notes.push(text),
    pauseMs: 1,
    ...more,
  });
  feeds.push(feed);
  const connect = () => {
    const link = new FakeLink();
    links.push(link);
    feed.attach(link.conn, '/jobs/1');
    return link;
  };
  return { feed, notes, links, connect, disk };
}

const mustHold = (job: FakeJob, states = STATES) => {
  for (const [index, chunk] of contentOf(states).entries())
    expect(hashOf(job.chunk(index)), `chunk ${index}`).toBe(hashOf(chunk));
  expect(job.closed).toBe(true);
};

describe('a feed', () => {
  it('brings all of the image to the box, its tables last', async () => {
    const job = new FakeJob(SIZE);
    const { feed, connect } = feedOf(job, imageOf(STATES));
    connect();
    const proof = await feed.proof;
    mustHold(job);
    expect(proof).toMatchObject({ keptChunks: 0, mendedChunks: 0 });
    expect(job.opens[0]).toMatchObject({
      ...{ image: null, imageId: 'image-1', feeder: { name: 'kim on lap-7' } },
      target: { kind: 'disk', size: SIZE },
    });
    const commands = job.feeders[0] ?? [];
    expect(commands.filter((c) => !c.startsWith('beat')).slice(0, 2)).toEqual(['open', 'wipe']);
    expect(commands.findIndex((c) => c === 'data 0')).toBeGreaterThan(commands.indexOf('seal'));
    expect(job.sent).toEqual([8]);
  });

  it('waits for a connection, and for the next after one that was dead at once', async () => {
    const job = new FakeJob(SIZE);
    const { feed, connect } = feedOf(job, imageOf(STATES));
    connect().cut();
    await new Promise((resolve) => setImmediate(resolve));
    expect(job.opens).toHaveLength(0);
    connect();
    await feed.proof;
    mustHold(job);
  });

  it('tells how far it is also while the cable is out: the rate falls, the part that is done does not', async () => {
    const job = new FakeJob(SIZE);
    const views: FlashProgress[] = [];
    const { feed, connect, links } = feedOf(job, imageOf(STATES), undefined, {
      onProgress: (view) => views.push(view),
    });
    job.gate = ({ header }, feeder) => {
      if (feeder > 0 || header['do'] !== 'flush') return true;
      links.at(-1)?.cut();
      return false;
    };
    connect();
    await vi.waitUntil(() => links.at(-1)?.alive === false);
    const before = views.length;
    await vi.waitUntil(() => views.length >= before + 4, { timeout: 10_000 });
    const rates = views.slice(before).map(({ perSecond }) => perSecond ?? Infinity);
    expect(rates).toEqual(rates.toSorted((a, b) => b - a));
    expect(rates.at(-1)).toBeLessThan(Infinity);
    connect();
    await feed.proof;
    const parts = views.map(({ fraction }) => fraction ?? 0);
    expect(parts).toEqual(parts.toSorted((a, b) => a - b));
    expect(parts[before]).toBeGreaterThan(0);
    expect(parts.at(-1)).toBe(1);
    const ended = views.length;
    await feed.close();
    expect(views).toHaveLength(ended);
  });

  // Before every third of the commands of a whole flash, of which there are a few dozen.
  it.each(Array.from({ length: 13 }, (_, n) => n * 3))(
    'cut before command %i goes on, and ends right',
    async (n) => {
      const job = new FakeJob(SIZE);
      const { feed, connect, links } = feedOf(job, imageOf(STATES));
      let seen = 0;
      job.gate = (_, feeder) => {
        if (feeder > 0 || seen++ < n) return true;
        links.at(-1)?.cut();
        setImmediate(connect);
        return false;
      };
      connect();
      await feed.proof;
      mustHold(job);
      const [first = 0, second = 0] = job.sent;
      // What the box had, it was not sent again, but for the tables and what was under way.
      if (job.sent.length > 1) expect(first + second).toBeLessThanOrEqual(8 + 2 + 4);
    },
  );

  it('does not read back again what the box has read back and held since', async () => {
    const job = new FakeJob(SIZE);
    const { feed, connect, links } = feedOf(job, imageOf(STATES));
    job.gate = ({ header }, feeder) => {
      if (feeder > 0 || header['do'] !== 'seal') return true;
      links.at(-1)?.cut();
      setImmediate(connect);
      return false;
    };
    connect();
    await feed.proof;
    mustHold(job);
    const reads = (job.feeders[1] ?? []).filter((c) => c.startsWith('read '));
    expect(reads).toEqual(['read 0', 'read 10', 'read 10', 'read 0']);
  });

  it('to a box that lost its power and its record asks the disk, and sends what it lacks', async () => {
    const job = new FakeJob(SIZE);
    const image = imageOf(STATES);
    const first = feedOf(job, image);
    // Cut after the flush before the reading back: all is recorded here.
    job.gate = ({ header }) => {
      if (header['do'] !== 'read') return true;
      first.links.at(-1)?.cut();
      return false;
    };
    first.connect();
    await vi.waitFor(() => expect(first.links.at(-1)?.alive).toBe(false));
    await first.feed.close();
    job.gate = () => true;
    job.forget();
    // One chunk was still in the disk's cache.
    job.chunk(4).fill(0xee);
    const second = feedOf(job, image, first.disk);
    second.connect();
    const proof = await second.feed.proof;
    mustHold(job);
    expect(job.sent).toEqual([6, 3]);
    expect(job.feeders[1]?.slice(0, 2)).toEqual(['open', 'read 0']);
    expect(proof).toMatchObject({ keptChunks: 8, mendedChunks: 0 });
    expect(second.notes.join('\n')).toMatch(/no record of the flash that was cut off/);
  });

  it('of another image after a whole one sends only the chunks that differ', async () => {
    const job = new FakeJob(SIZE);
    const first = feedOf(job, imageOf(STATES));
    first.connect();
    await first.feed.proof;
    job.forget();
    const newer = 'sab.cx..efs';
    const second = feedOf(job, imageOf(newer, '/newer'), first.disk);
    second.connect();
    await second.feed.proof;
    mustHold(job, newer);
    expect(job.sent).toEqual([8, 3]);
    // The disk is not asked what it has.
    expect(job.feeders[1]?.slice(0, 2)).toEqual(['open', 'wipe']);
  });

  describe('of another image, to a job that takes parts over what is there,', () => {
    const PLACE = 9 * BLOCK_BYTES + 17;
    const change = (chunks: Buffer[]) => void chunks[4]?.fill('!', PLACE, PLACE + 5);
    const holds = (job: FakeJob) => {
      const wanted = contentOf(STATES);
      change(wanted);
      for (const [index, chunk] of wanted.entries())
        expect(job.chunk(index).equals(chunk), `chunk ${index}`).toBe(true);
    };

    /** A whole flash, and then one of an image in one of whose blocks some bytes are others. */
    async function reflashed(whenLaid: (job: FakeJob, chunk: number) => void = () => undefined) {
      const job = new FakeJob(SIZE);
      job.tags = true;
      const first = feedOf(job, imageOf(STATES));
      first.connect();
      await first.feed.proof;
      job.forget();
      const bytes: number[] = [];
      job.gate = ({ header, payload }) => {
        if (header['chunk'] === 4 && header['do'] === 'data') bytes.push(payload.length);
        return true;
      };
      job.whenLaid = (chunk) => whenLaid(job, chunk);
      const second = feedOf(job, imageOf(STATES, '/newer', change), first.disk);
      second.connect();
      const proof = await second.feed.proof;
      holds(job);
      return { bytes, proof, commands: job.feeders[1] ?? [] };
    }

    it('sends of a chunk that differs the block that does', async () => {
      const { bytes, proof, commands } = await reflashed();
      expect(bytes).toEqual([BLOCK_BYTES]);
      expect(commands.filter((name) => name.startsWith('blocks'))).toEqual(['blocks 4']);
      expect(proof).toMatchObject({ writtenBytes: CHUNK_BYTES, mendedChunks: 0, keptChunks: 8 });
    });

    it('sends all of the chunk where the disk has something else there than it said', async () => {
      const { bytes, proof } = await reflashed((job, chunk) => void job.chunk(chunk).fill('?', 0, 99));
      expect(bytes).toEqual([BLOCK_BYTES, CHUNK_BYTES]);
      expect(proof).toMatchObject({ writtenBytes: CHUNK_BYTES, mendedChunks: 0 });
    });
  });

  it('mends what another machine wrote to since', async () => {
    const job = new FakeJob(SIZE);
    const first = feedOf(job, imageOf(STATES));
    first.connect();
    await first.feed.proof;
    job.forget();
    job.chunk(9).fill(1);
    const second = feedOf(job, imageOf(STATES), first.disk);
    second.connect();
    expect(await second.feed.proof).toMatchObject({ mendedChunks: 1 });
    mustHold(job);
  });
});

describe('a feed that cannot go on', () => {
  const saying = (code: string, only = Infinity) => {
    const job = new FakeJob(SIZE);
    let said = 0;
    const open = (conn: FakeLink) => {
      const process = job.open(conn);
      if (said++ < only) {
        const text = Buffer.from(
          JSON.stringify({ is: 'failed', code, detail: 'ada on lap-1 feeds', chunk: null, command: 'open' }),
        );
        const head = Buffer.alloc(4);
        head.writeUInt32BE(text.length);
        (process.stdout as unknown as NodeJS.WritableStream).write(Buffer.concat([head, text]));
      }
      return Promise.resolve(process);
    };
    return {
      job,
      ...feedOf(job, imageOf(STATES), undefined, { open: (conn) => open(conn as unknown as FakeLink) }),
    };
  };

  it('because of the disk says so at once', async () => {
    const { feed, connect, job } = saying('target_gone');
    connect();
    await expect(feed.proof).rejects.toMatchObject({ code: 'flash_target_gone' });
    expect(job.feeders).toHaveLength(1);
  });

  it('because another one feeds tries again for a while, and then names it', async () => {
    const once = saying('feeder_busy', 3);
    once.connect();
    await once.feed.proof;
    mustHold(once.job);

    const always = saying('feeder_busy');
    always.connect();
    await expect(always.feed.proof).rejects.toMatchObject({
      code: 'flash_feeder_busy',
      message: expect.stringContaining('ada on lap-1'),
    });
  });

  it('because it was stopped ends with the reason, and with nothing in flight', async () => {
    const stop = new AbortController();
    const job = new FakeJob(SIZE);
    const { feed, connect } = feedOf(job, imageOf(STATES), undefined, { signal: stop.signal });
    job.gate = ({ header }) => {
      if (header['do'] === 'flush') stop.abort(new Error('gone home'));
      return header['do'] !== 'flush';
    };
    connect();
    await expect(feed.proof).rejects.toThrow('gone home');
    expect(job.closed).toBe(false);
  });

  it('because its job ended is closed', async () => {
    const { feed } = feedOf(new FakeJob(SIZE), imageOf(STATES));
    await feed.close();
    await expect(feed.proof).rejects.toBeInstanceOf(AppError);
  });
});
