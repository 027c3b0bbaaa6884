/** Flashes with the real writer: the bytes are those of qemu-img, and whatever goes wrong never leaves a disk that starts, or a wrong success. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LAPTOP } from '../../main/journal/journal.ts';
import { CHUNK_BYTES } from '../../main/services/flash/source/types.ts';
import { launchPlain } from '../../main/services/flash/launch.ts';
import type { Launch, WriterProcess } from '../../main/services/flash/writer.ts';
import type { FlashProgress } from '../../preload/contract/flash.ts';
import { MIB } from '../unit/flash/partitions.ts';
import {
  DATA_CHUNKS,
  Desk,
  SIZE,
  SMALL,
  SMALL_SEALED,
  endOf,
  proofOf,
  sameBytes,
  startingChunks,
  watched,
} from './flash.ts';

const root = process.getuid?.() === 0;
const hasLoop = root && existsSync('/dev/loop-control');

let desk: Desk;
/** Sparse, plain clusters; the bytes of `raw` as qemu-img gives them of it. */
let image: string;
let raw: string;
let wanted: string;
/** The same of the small disk. */
let small: string;
let smallRaw: string;

beforeAll(() => {
  desk = new Desk();
  raw = desk.raw('disk.raw');
  image = desk.qcow2('disk.qcow2', raw);
  wanted = desk.path('wanted.raw');
  execFileSync('qemu-img', ['convert', '-O', 'raw', image, wanted]);
  smallRaw = desk.raw('small.raw', SMALL);
  small = desk.qcow2('small.qcow2', smallRaw);
});
afterAll(() => desk.close());

const copyOf = (name: string, from = small): string => desk.copyOf(name, from);

function manifestBeside(path: string, diskRoot: string): void {
  const bytes = readFileSync(path);
  const manifest = {
    ...{ v: 1, name: 'test', version: '1', file: basename(path), virtualSize: SMALL.size, diskRoot },
    ...{ fileSha256: createHash('sha256').update(bytes).digest('hex'), hash: 'sha256' },
    ...{ chunkBytes: CHUNK_BYTES, created: '2026-11-24T05:00:00Z', labels: [] },
  };
  writeFileSync(join(dirname(path), 'manifest.json'), JSON.stringify(manifest));
}

/** Somebody else writes to a target. */
function damage(path: string, at: number): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.from('changed'), 0, 7, at);
  fsyncSync(fd);
  closeSync(fd);
}

describe('an image into a file', () => {
  const views: FlashProgress[] = [];

  it('has the bytes that qemu-img gives, and tells its way', async () => {
    const target = desk.file('plain.out');
    const proof = proofOf(await desk.flash(image, target, { onProgress: (view) => views.push(view) }));
    expect(sameBytes(target.path, wanted)).toBe(true);
    expect([proof.keptChunks, proof.mendedChunks]).toEqual([0, 0]);
    expect(proof.writtenBytes).toBe(DATA_CHUNKS * CHUNK_BYTES);
    const row = desk.journal.jobs(LAPTOP).at(-1);
    expect([row?.kind, row?.state, row?.evidence]).toEqual(['flash', 'passed', 'stand-in']);
    const view = desk.journal.view(row?.job ?? '', 1);
    expect(view.steps.map((s) => `${s.id} ${s.state}`)).toEqual(
      ['look', 'wipe', 'write', 'flush', 'verify', 'seal'].map((id) => `${id} ok`),
    );
    expect(desk.journal.verify(row?.job ?? '', 1)).toMatchObject({ ok: true });
    // A job of no box is none of a box.
    expect(desk.journal.sessions()).toEqual([]);
  });

  it('told the truth on the way: all data once, all of the disk read back, the end at the end', () => {
    const last = (phase: string) => views.findLast((v) => v.phase === phase);
    expect(last('write')?.done).toBe(last('write')?.total);
    expect(last('verify')).toMatchObject({ done: SIZE, total: SIZE });
    const fractions = views.map((v) => v.fraction ?? 0);
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    expect(fractions.filter((f) => f >= 1)).toHaveLength(1);
    expect(fractions.at(-1)).toBe(1);
  });

  it.each(['zlib', 'zstd'])('of clusters compressed with %s', async (type) => {
    const text = desk.path(`text-${type}.raw`);
    copyFileSync(smallRaw, text);
    const fd = openSync(text, 'r+');
    writeSync(fd, Buffer.alloc(9 * MIB, 'vault cube '), 0, 9 * MIB, 18 * MIB);
    closeSync(fd);
    const packed = desk.qcow2(`${type}.qcow2`, text, '-c', '-o', `compression_type=${type}`);
    proofOf(await desk.flash(packed, desk.file(`${type}.out`)));
    expect(sameBytes(desk.path(`${type}.out`), text)).toBe(true);
  });

  it.each(['zstd -1', 'gzip -1', 'xz -0'])('of a stream of %s, also gone on with', async (tool) => {
    const [program = '', level = ''] = tool.split(' ');
    const stream = desk.path(`disk.raw.${program}`);
    // Little of it: unpacking is what takes the time.
    const data = [1, 2, 3, 4].map((n) => ({ at: n * CHUNK_BYTES + 700 * 512, length: 300_000, seed: n }));
    const from = desk.raw(`${program}.raw`, { size: 24 * MIB, partitions: [], data });
    writeFileSync(stream, execFileSync(program, [level, '-c', from], { maxBuffer: SMALL.size }));
    const target = desk.file(`${program}.out`);
    const cut = watched((is, nth, kill) => is === 'written' && nth === 3 && kill());
    expect(endOf(await desk.flash(stream, target, { launch: cut }))).toEqual([
      'interrupted',
      'flash_writer_gone',
    ]);
    proofOf(await desk.flash(stream, target));
    expect(sameBytes(target.path, from)).toBe(true);
    damage(target.path, 3 * CHUNK_BYTES);
    expect(proofOf(await desk.flash(stream, target)).mendedChunks).toBe(1);
    expect(sameBytes(target.path, from)).toBe(true);
  });

  it.skipIf(!hasLoop)('and to a loop device, which is a disk', async () => {
    const backing = desk.path('loop.img');
    writeFileSync(backing, Buffer.alloc(0));
    truncateSync(backing, SMALL.size + 8 * MIB);
    const loop = execFileSync('losetup', ['-f', '--show', backing]).toString().trim();
    try {
      const fd = openSync(loop, 'r+');
      // What was there, also behind the image's end.
      for (const at of [0, 20 * MIB, SMALL.size + 8 * MIB - 512])
        writeSync(fd, Buffer.alloc(512, 0x5a), 0, 512, at);
      fsyncSync(fd);
      closeSync(fd);
      const target = {
        kind: 'disk',
        path: loop,
        serial: null,
        size: SMALL.size + 8 * MIB,
        name: loop,
      } as const;
      proofOf(await desk.flash(small, target));
      const bytes = readFileSync(loop);
      expect(bytes.subarray(0, SMALL.size).equals(readFileSync(smallRaw))).toBe(true);
      expect(bytes.subarray(-MIB).every((byte) => byte === 0)).toBe(true);
    } finally {
      execFileSync('losetup', ['-d', loop]);
    }
  });
});

it.skipIf(!hasLoop)(
  'an image whose sectors are not those of the disk is refused before the first write',
  async () => {
    const backing = desk.path('large-sectors.img');
    writeFileSync(backing, Buffer.alloc(512, 0x5a));
    truncateSync(backing, SMALL.size);
    const loop = execFileSync('losetup', ['-f', '--show', '-b', '4096', backing]).toString().trim();
    try {
      const target = { kind: 'disk', path: loop, serial: null, size: SMALL.size, name: loop } as const;
      expect(endOf(await desk.flash(small, target))).toEqual(['failed', 'flash_sectors']);
    } finally {
      execFileSync('losetup', ['-d', loop]);
    }
    expect(
      readFileSync(backing)
        .subarray(0, 512)
        .every((byte) => byte === 0x5a),
    ).toBe(true);
  },
);

it.skipIf(!hasLoop).each(['gzip -1', 'xz -0', 'zstd -1'])(
  'a stream of %s that turns out larger than the disk is refused before anybody may write there',
  async (tool) => {
    const [program = '', level = ''] = tool.split(' ');
    const size = 12 * MIB;
    const stream = desk.path(`large.raw.${program}`);
    // From a pipe, so that the stream itself does not know its size.
    const input = readFileSync(desk.raw('large.raw', { size: size + 512, partitions: [], data: [] }));
    writeFileSync(stream, execFileSync(program, [level, '-c'], { input, maxBuffer: size }));
    const backing = desk.path(`less-than-${program}.img`);
    writeFileSync(backing, Buffer.alloc(size, 0x5a));
    const before = readFileSync(backing);
    const loop = execFileSync('losetup', ['-f', '--show', backing]).toString().trim();
    let started = 0;
    // As with sudo and pkexec: it is started when it is needed, and not before.
    const launch: Launch = (signal) => {
      started += 1;
      return launchPlain()(signal);
    };
    try {
      const target = { kind: 'disk', path: loop, serial: null, size, name: loop } as const;
      const result = await desk.flash(stream, target, { launch });
      expect(result).toMatchObject({
        state: 'failed',
        error: {
          code: 'flash_target_size',
          message: `The image does not fit ${loop}: it has ${size} bytes, and the disk in the image ${size + 512}.`,
        },
      });
    } finally {
      execFileSync('losetup', ['-d', loop]);
    }
    expect(started).toBe(0);
    const row = desk.journal.jobs(LAPTOP).at(-1);
    const view = desk.journal.view(row?.job ?? '', row?.attempt ?? 0);
    expect([view.state, view.code, ...view.steps.map((s) => s.id)]).toEqual([
      'failed',
      'flash_target_size',
      'look',
    ]);
    expect(readFileSync(backing).equals(before)).toBe(true);
  },
);

it('one target is flashed by one at a time', async () => {
  const target = desk.file('busy.out');
  const first = desk.flash(small, target);
  await expect(desk.flash(small, target)).rejects.toMatchObject({ code: 'flash_busy' });
  proofOf(await first);
});

/** Anywhere in it, and by what else can go wrong: tests/faults/flash.test.ts. */
describe('a flash that is cut', () => {
  it.each([
    ['wiped', 1],
    ['flushed', 1],
    ['read', 5],
    ['sealed', 1],
    ['read', 13],
  ] as const)('at "%s" number %i is no success, and the next one is', async (at, n) => {
    const target = desk.file(`cut-${at}-${n}.out`);
    const cut = watched((is, nth, kill) => is === at && nth === n && kill());
    expect(endOf(await desk.flash(small, target, { launch: cut }))).toEqual([
      'interrupted',
      'flash_writer_gone',
    ]);
    if (n !== 13) expect(startingChunks(target.path, SMALL_SEALED)).toEqual([]);
    proofOf(await desk.flash(small, target));
    expect(sameBytes(target.path, smallRaw)).toBe(true);
  });

  it('by the engineer is cancelled, brings home what it has, and goes on', async () => {
    const target = desk.file('cancelled.out');
    const abort = new AbortController();
    const launch = watched((is, nth) => is === 'written' && nth === 3 && abort.abort());
    const result = await desk.flash(small, target, { launch, signal: abort.signal });
    expect(endOf(result)).toEqual(['cancelled', 'flash_cancelled']);
    expect(startingChunks(target.path, SMALL_SEALED)).toEqual([]);
    proofOf(await desk.flash(small, target));
    expect(sameBytes(target.path, smallRaw)).toBe(true);
  });

  it('when the image is another one the next time: starts over and says so', async () => {
    const own = copyOf('swapped');
    const target = desk.file('swapped.out');
    const cut = watched((is, nth, kill) => is === 'written' && nth === 3 && kill());
    await desk.flash(own, target, { launch: cut });
    const changed = desk.raw('changed.raw', {
      ...SMALL,
      data: [...SMALL.data, { at: 20 * MIB, length: MIB, seed: 9 }],
    });
    desk.qcow2('swapped/small.qcow2', changed);
    const notes: string[] = [];
    proofOf(await desk.flash(own, target, { onNote: (text) => notes.push(text) }));
    expect(notes.join()).toMatch(/starts over/);
    expect(sameBytes(target.path, changed)).toBe(true);
    const row = desk.journal.jobs(LAPTOP).at(-1);
    const logs = [...desk.journal.events(row?.job ?? '', row?.attempt ?? 0)].filter(
      ({ event }) => event.kind === 'log',
    );
    expect(logs.map(({ line }) => line).join()).toMatch(/starts over/);
  });
});

describe('what is on the disk at the end', () => {
  it('is compared with the manifest: the right hash passes, a wrong one never starts', async () => {
    const own = copyOf('manifest');
    const { diskRoot } = proofOf(await desk.flash(own, desk.file('m0.out')));
    manifestBeside(own, diskRoot);
    const right = await desk.flash(own, desk.file('m1.out'));
    expect(right.state === 'verified' && right.image.diskRoot).toBe(diskRoot);
    manifestBeside(own, 'f'.repeat(64));
    const target = desk.file('m2.out');
    expect(endOf(await desk.flash(own, target))).toEqual(['failed', 'flash_root_differs']);
    expect(startingChunks(target.path, SMALL_SEALED)).toEqual([]);
  });

  it('that is refused leaves no writer behind, though one was started meanwhile', async () => {
    const writers: WriterProcess[] = [];
    const launch = Object.assign(
      async (signal: AbortSignal) => {
        const writer = await launchPlain()(signal);
        writers.push(writer);
        return writer;
      },
      { asksNobody: true as const },
    );
    const result = await desk.flash(desk.path('nowhere.qcow2'), desk.file('refused.raw'), { launch });
    expect(endOf(result)).toEqual(['failed', 'image_missing']);
    await vi.waitFor(() => expect(writers).toHaveLength(1));
    expect(await writers[0]?.ended).toMatchObject({ code: null });
    expect(existsSync(desk.path('refused.raw'))).toBe(false);
  });

  it('is not even begun where the checksum beside the image is another', async () => {
    const own = copyOf('sum');
    writeFileSync(`${own}.sha256`, `${'0'.repeat(64)}  ${basename(own)}\n`);
    const target = desk.file('sum.out');
    expect(endOf(await desk.flash(own, target))).toEqual(['failed', 'image_changed']);
    expect(existsSync(target.path)).toBe(false);
  });

  it.each([
    ['data', 20 * MIB],
    ['a hole', 33 * MIB],
  ])('differs from what was written, in %s: failed, and starts nothing', async (_what, at) => {
    const target = desk.file(`bad-${at}.out`);
    // The last flush before the reading back: nothing writes any more.
    const launch = watched((is, nth) => is === 'flushed' && nth === 1 && damage(target.path, at));
    expect(endOf(await desk.flash(small, target, { launch }))).toEqual(['failed', 'flash_verify_failed']);
    expect(startingChunks(target.path, SMALL_SEALED)).toEqual([]);
    const proof = proofOf(await desk.flash(small, target));
    expect([proof.mendedChunks, proof.writtenBytes <= CHUNK_BYTES]).toEqual([1, true]);
    expect(sameBytes(target.path, smallRaw)).toBe(true);
  });

  it('after a newer image is that one, and only what differs was written', async () => {
    const target = desk.file('delta.out');
    const full = proofOf(await desk.flash(small, target));
    const changed = desk.raw('newer.raw', {
      ...SMALL,
      data: [...SMALL.data, { at: 20 * MIB, length: MIB, seed: 8 }, { at: 33 * MIB, length: MIB, seed: 9 }],
    });
    const newer = desk.qcow2('newer.qcow2', changed);
    const delta = proofOf(await desk.flash(newer, target));
    expect(sameBytes(target.path, changed)).toBe(true);
    expect([full.writtenBytes, delta.writtenBytes]).toEqual([6 * CHUNK_BYTES, 2 * CHUNK_BYTES]);
    // A machine that ran from it has written to it: what the record says is not believed unseen.
    damage(target.path, 24 * MIB);
    damage(target.path, 31 * MIB);
    const again = proofOf(await desk.flash(newer, target));
    expect(again.mendedChunks).toBe(2);
    expect(sameBytes(target.path, changed)).toBe(true);
  });
});
