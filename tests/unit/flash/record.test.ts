/** The record of chunks never says more than was added, whatever cut it off. */
import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  ChunkRecord,
  parseRecord,
  type ImageKey,
  type TargetKey,
} from '../../../main/services/flash/record.ts';
import { folder } from './images.ts';

const dir = folder();
const IMAGE: ImageKey = { path: '/i/a.qcow2', size: 100, inode: 5, mtimeMs: 1.5, diskRoot: null };
const hash = (n: number) => n.toString(16).padStart(64, '0');
let used = 0;
const aTarget = (): TargetKey => ({ kind: 'disk', serial: `S${(used += 1)}`, size: 1000 });
const open = (target: TargetKey, image = IMAGE, virtualSize = 1000) =>
  ChunkRecord.open(join(dir, 'flash'), { target, image, virtualSize });

describe('the record of chunks', () => {
  it('is new, then knows what was added, and whether it was verified', () => {
    const target = aTarget();
    const first = open(target);
    expect([first.fate, first.written.size, first.wasDone, first.lastWriter]).toEqual([
      'new',
      0,
      false,
      null,
    ]);
    const folderOf = join(dir, 'flash');
    expect(ChunkRecord.knows(folderOf, target)).toBe(false);
    first.begin();
    expect(ChunkRecord.knows(folderOf, target)).toBe(true);
    first.opened(4711);
    first.add(
      new Map([
        [3, hash(3)],
        [4, null],
      ]),
    );
    first.add(new Map([[3, hash(33)]]));
    const again = open(target);
    expect([again.fate, again.lastWriter, again.wasDone]).toEqual(['same image', 4711, false]);
    expect([...again.written]).toEqual([
      [3, hash(33)],
      [4, null],
    ]);
    again.done();
    expect(open(target).wasDone).toBe(true);
    expect(open(aTarget()).fate).toBe('new');
    if (process.platform !== 'win32') expect(statSync(again.path).mode & 0o077).toBe(0);
  });

  it('knows nothing any more of what was forgotten, until it is added again', () => {
    const target = aTarget();
    const record = open(target);
    record.add(new Map([3, 4, 5].map((n) => [n, hash(n)])));
    record.forget([4, 5, 6]);
    expect([...record.written.keys()]).toEqual([3]);
    expect([...open(target).written.keys()]).toEqual([3]);
    open(target).add(new Map([[5, hash(55)]]));
    expect([...open(target).written]).toEqual([
      [3, hash(3)],
      [5, hash(55)],
    ]);
    // Also of what an image before it had there.
    const newer = open(target, { ...IMAGE, inode: 6 });
    expect([...newer.believed.keys()]).toEqual([3, 5]);
    newer.forget([3]);
    expect([...open(target, { ...IMAGE, inode: 6 }).believed.keys()]).toEqual([5]);
  });

  it.each([
    ['date', { mtimeMs: 2.5 }],
    ['size', { size: 101 }],
    ['place on the medium', { inode: 6 }],
    ['disk hash', { diskRoot: hash(9) }],
    ['path', { path: '/i/b.qcow2' }],
  ])('of an image with another %s starts over, and still believes what the target had', (_what, change) => {
    const target = aTarget();
    const before = open(target);
    before.begin();
    before.add(
      new Map([
        [1, hash(1)],
        [2, null],
      ]),
    );
    const other = open(target, { ...IMAGE, ...change });
    expect([other.fate, other.written.size]).toEqual(['other image', 0]);
    expect([...other.believed]).toEqual([
      [1, hash(1)],
      [2, null],
    ]);
    expect(ChunkRecord.knows(join(dir, 'flash'), target)).toBe(true);
    other.add(new Map([[2, hash(22)]]));
    // A third one believes the newest of both.
    const third = open(target, { ...IMAGE, mtimeMs: 77 });
    expect([...third.believed]).toEqual([
      [1, hash(1)],
      [2, hash(22)],
    ]);
  });

  it('of a disk of another size starts over', () => {
    const target = aTarget();
    open(target).add(new Map([[1, hash(1)]]));
    expect(open(target, IMAGE, 2000).written.size).toBe(0);
  });

  it('cut off at any byte gives the lines that are whole, and goes on behind them', () => {
    const target = aTarget();
    const record = open(target);
    for (let n = 0; n < 5; n += 1) record.add(new Map([[n, n % 2 ? null : hash(n)]]));
    const bytes = readFileSync(record.path);
    const headEnd = bytes.indexOf(10) + 1;
    for (let length = 0; length <= bytes.length; length += 1) {
      const cut = bytes.subarray(0, length);
      const found = parseRecord(Buffer.from(cut));
      if (length < headEnd) expect(found).toBeNull();
      else {
        const lines = cut.subarray(headEnd).toString().split('\n').length - 1;
        expect([...(found?.written ?? [])].map(([chunk]) => chunk)).toEqual([0, 1, 2, 3, 4].slice(0, lines));
      }
    }
    truncateSync(record.path, bytes.length - 3);
    open(target).add(new Map([[9, hash(9)]]));
    expect([...open(target).written.keys()]).toEqual([0, 1, 2, 3, 9]);
  });

  it('with noise in it ends before the noise; without a head it is none', () => {
    const target = aTarget();
    const record = open(target);
    record.add(new Map([[1, hash(1)]]));
    appendFileSync(record.path, `\0\0\0\0\nw 2 ${hash(2)}\n`);
    expect([...open(target).written.keys()]).toEqual([1]);
    writeFileSync(record.path, '\0\0\0');
    expect(open(target).fate).toBe('new');
  });
});
