/** What is sent for each chunk: holes together, plain bytes by the writer itself, compressed ones by the app, sealed ones not at all. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  ZERO_RUN,
  planOf,
  readsOf,
  runsOf,
  type Action,
  type Known,
} from '../../../main/services/flash/plan.ts';
import { openImage } from '../../../main/services/flash/source/open.ts';
import { CHUNK_BYTES, type RandomSource } from '../../../main/services/flash/source/types.ts';
import { bytesOf, folder, hasQemu, qemu, qemuIo } from './images.ts';

const dir = folder();
const NOTHING: Known = { copies: true, sealed: new Set([0]), written: new Map(), believed: new Map() };
const A = 'a'.repeat(64);

async function actions(source: RandomSource, known: Partial<Known> = {}): Promise<Action[]> {
  const found: Action[] = [];
  for await (const action of planOf(source, { ...NOTHING, ...known })) found.push(action);
  return found;
}

/** A source of `states` without a file. */
function fake(states: string): RandomSource {
  const chunks = [...states];
  return {
    ...{ access: 'random', kind: 'qcow2', path: '/x', virtualSize: chunks.length * CHUNK_BYTES },
    *chunks() {
      for (const [index, state] of chunks.entries()) {
        const offset = index * CHUNK_BYTES;
        yield { index, offset, length: CHUNK_BYTES, state: state === '.' ? 'hole' : 'data' };
      }
    },
    extents: async (index) => (chunks[index] === 'c' ? null : [[0, CHUNK_BYTES, index * 7]]),
    read: () => Promise.reject(new Error('a plan reads no data')),
    stored: () => Promise.resolve(null),
    bytes: () => Promise.reject(new Error('there is no file')),
    close: () => Promise.resolve(),
  };
}

describe('a plan', () => {
  it('sends holes together, and never across a sealed chunk', async () => {
    expect(await actions(fake('p...d.c..'), { sealed: new Set([0, 2]) })).toEqual([
      { do: 'zero', chunk: 1, count: 1 },
      { do: 'zero', chunk: 3, count: 1 },
      { do: 'copy', chunk: 4, extents: [[0, CHUNK_BYTES, 28]] },
      { do: 'zero', chunk: 5, count: 1 },
      { do: 'data', chunk: 6, unless: undefined },
      { do: 'zero', chunk: 7, count: 2 },
    ]);
    const runs = await actions(fake(`p${'.'.repeat(ZERO_RUN + 5)}`));
    expect(runs.map((a) => (a.do === 'zero' ? [a.chunk, a.count] : a))).toEqual([
      [1, ZERO_RUN],
      [ZERO_RUN + 1, 5],
    ]);
  });

  it('keeps what was written of this image, and compares what is believed of another', async () => {
    const known = {
      written: new Map([
        [1, A],
        [2, null],
      ]),
      believed: new Map([
        [3, A],
        [4, null],
        [5, A],
        [6, null],
      ]),
    };
    expect(await actions(fake('pd.dd..'), known)).toEqual([
      { do: 'keep', chunk: 1, hash: A },
      { do: 'keep', chunk: 2, hash: null },
      { do: 'data', chunk: 3, unless: A },
      { do: 'data', chunk: 4, unless: null },
      { do: 'zero', chunk: 5, count: 1 },
      { do: 'keep', chunk: 6, hash: null },
    ]);
  });

  it('covers every chunk but the sealed once', async () => {
    const states = Array.from({ length: 300 }, (_, i) => '.dc'[(i * i) % 3]).join('');
    const sealed = new Set([0, 17, 299]);
    const seen = (await actions(fake(states), { sealed })).flatMap((a) =>
      Array.from({ length: a.do === 'zero' ? a.count : 1 }, (_, i) => a.chunk + i),
    );
    expect(seen).toEqual([...states].map((_, i) => i).filter((i) => !sealed.has(i)));
  });
});

it('neighbours are read together, as many as may be', () => {
  expect([...runsOf([0, 1, 2, 3, 4, 7, 9, 10], 3)]).toEqual([
    [0, 3],
    [3, 2],
    [7, 1],
    [9, 2],
  ]);
  expect([...runsOf([], 3)]).toEqual([]);
});

describe.skipIf(!hasQemu)('extents of an image of QEMU', () => {
  it.each(['compat=1.1', 'compat=1.1,cluster_size=4096', 'compat=1.1,extended_l2=on', 'raw'])(
    '%s: the file has the bytes where they say',
    async (options) => {
      const path = join(dir, `${options}.img`);
      const size = 13 * 1024 * 1024 + 512;
      const made = options === 'raw' ? `${path}.qcow2` : path;
      await qemu(
        'create',
        '-q',
        '-f',
        'qcow2',
        ...(options === 'raw' ? [] : ['-o', options]),
        made,
        String(size),
      );
      await qemuIo(made, [
        'write -q -P 7 0 70000',
        'write -q -P 0x55 510 1',
        'write -q -P 0xaa 511 1',
        'write -q -P 9 4500000 512',
        `write -q -P 3 ${9 * 1024 * 1024 + 4096} 65536`,
        `write -q -P 4 ${size - 512} 512`,
      ]);
      if (options === 'raw') await qemu('convert', '-O', 'raw', made, path);
      const file = readFileSync(path);
      const { bytes } = await bytesOf(path);
      const source = await openImage(path);
      if (source.access !== 'random') throw new Error(source.kind);
      for (const { index, offset, length } of source.chunks()) {
        const chunk = Buffer.alloc(length);
        let end = 0;
        for (const [at, n, from] of (await source.extents(index)) ?? []) {
          expect(at).toBeGreaterThanOrEqual(end);
          file.copy(chunk, at, from, from + n);
          end = at + n;
        }
        expect(end).toBeLessThanOrEqual(length);
        expect(chunk.equals(bytes.subarray(offset, offset + length))).toBe(true);
      }
      await source.close();
    },
  );

  it('are null where some of a chunk is compressed', async () => {
    const path = join(dir, 'packed.qcow2');
    await qemu('create', '-q', '-f', 'qcow2', path, '12M');
    await qemuIo(path, ['write -q -c -P 5 65536 65536', 'write -q -P 7 0 65536', 'write -q -P 1 8M 64k']);
    const source = await openImage(path);
    if (source.access !== 'random') throw new Error(source.kind);
    const found = [await source.extents(0), await source.extents(1), await source.extents(2)];
    expect(found.map((e) => e && e.length)).toEqual([null, 0, 1]);
    await source.close();
  });
});

describe('the order of reading back', () => {
  const range = (first: number, count: number) => Array.from({ length: count }, (_, n) => first + n);
  const chunksOf = (runs: readonly [number, number][]) =>
    runs.flatMap(([first, count]) => range(first, count));

  it('has holes beside data from beginning to end, each chunk once', () => {
    const [data, holes] = [range(0, 40), range(40, 120)];
    const runs = [...readsOf(data, holes)];
    expect(chunksOf(runs).toSorted((a, b) => a - b)).toEqual(range(0, 160));
    expect(runs.slice(0, 4)).toEqual([
      [0, 4],
      [40, 12],
      [4, 4],
      [52, 12],
    ]);
    expect(runs.slice(-2)).toEqual([
      [36, 4],
      [148, 12],
    ]);
  });

  it('goes on with the one where the other has ended, or is not there', () => {
    expect(chunksOf([...readsOf(range(0, 3), range(7, 200))]).toSorted((a, b) => a - b)).toEqual([
      ...range(0, 3),
      ...range(7, 200),
    ]);
    expect([...readsOf([], range(0, 20))]).toEqual([
      [0, 16],
      [16, 4],
    ]);
    expect([...readsOf([5, 6, 9], [])]).toEqual([
      [5, 2],
      [9, 1],
    ]);
    expect([...readsOf([], [])]).toEqual([]);
  });

  it('keeps neighbours together only where they are of one kind', () => {
    const mixed = range(0, 64);
    const runs = [
      ...readsOf(
        mixed.filter((n) => n % 8 < 4),
        mixed.filter((n) => n % 8 >= 4),
      ),
    ];
    expect(runs.every(([first, count]) => count === 4 && first % 4 === 0)).toBe(true);
  });
});
