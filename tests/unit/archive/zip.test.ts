import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pack, readZip } from '../../../main/services/archive/zip.ts';
import { joinZip, ZipError, type PackedEntry } from '../../../main/services/archive/zipform.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vc-zip-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const entry = (name: string, text: string) => pack(name, Buffer.from(text));
const LONG = 'the same words again and again. '.repeat(500);

async function sample(): Promise<Buffer> {
  return joinZip(await Promise.all([entry('b.txt', LONG), entry('a/x.txt', 'short'), entry('c', '')]));
}

/** A zip of these entries as they are, right or wrong, in this order. */
function forged(entries: readonly PackedEntry[]): Buffer {
  const one = (e: PackedEntry) => joinZip([e]);
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let at = 0;
  for (const e of entries) {
    const zip = one(e);
    const start = zip.readUInt32LE(zip.length - 6);
    const central = Buffer.from(zip.subarray(start, zip.length - 22));
    central.writeUInt32LE(at, 42);
    locals.push(zip.subarray(0, start));
    centrals.push(central);
    at += start;
  }
  const list = Buffer.concat(centrals);
  const end = Buffer.from(joinZip([]));
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, list, end]);
}

const refusal = (bytes: Buffer): string => {
  try {
    readZip(bytes);
  } catch (error) {
    if (error instanceof ZipError) return error.message;
    throw error;
  }
  return 'taken';
};

describe('an archive', () => {
  it('reads back, in order, and is the same bytes whatever order its files came in', async () => {
    const bytes = await sample();
    expect([...readZip(bytes)].map(([name, b]) => [name, b.toString()])).toEqual([
      ['a/x.txt', 'short'],
      ['b.txt', LONG],
      ['c', ''],
    ]);
    const again = await Promise.all([entry('c', ''), entry('b.txt', LONG), entry('a/x.txt', 'short')]);
    expect(joinZip(again).equals(bytes)).toBe(true);
    expect(bytes.length).toBeLessThan(1000);
  });

  it('is one that other programs read, with a plain mode and the first of all dates', async () => {
    const path = join(dir, 'x.zip');
    writeFileSync(path, await sample());
    const script =
      'import sys,zipfile\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n' +
      'print([(i.filename,i.date_time,oct(i.external_attr>>16),i.file_size) for i in z.infolist()])\nz.extractall(sys.argv[2])';
    const told = execFileSync('python3', ['-c', script, path, dir], { encoding: 'utf8' });
    expect(told).toContain("('a/x.txt', (1980, 1, 1, 0, 0, 0), '0o100644', 5)");
    expect(readFileSync(join(dir, 'b.txt'), 'utf8')).toBe(LONG);
  });

  it.each(['../x', 'a/../b', '/etc/passwd', 'a//b', 'a\\b', 'C:x', './a', 'a/', '', 'ä', 'x'.repeat(201)])(
    'is not made with the name %j',
    async (name) => {
      await expect(entry(name, 'x')).rejects.toThrow(ZipError);
    },
  );

  it('is not made with a name twice', async () => {
    const twice = await Promise.all([entry('a', 'x'), entry('a', 'y')]);
    expect(() => joinZip(twice)).toThrow('twice');
  });
});

describe('what is not such an archive is refused in words', () => {
  type Wrong = Partial<Omit<PackedEntry, 'packed'>> & { packed?: Buffer };
  const bad = (name: string, text = 'x', { packed, ...more }: Wrong = {}): PackedEntry => {
    const bytes = Buffer.from(text);
    const held = packed ?? bytes;
    const right = {
      method: 0,
      crc: crc32(bytes),
      size: bytes.length,
      packed: [held],
      packedSize: held.length,
    };
    return { name, ...right, ...more };
  };

  it.each<[string, () => Buffer, string]>([
    ['nothing', () => Buffer.alloc(0), 'it is no zip'],
    ['a text', () => Buffer.from('hello'.repeat(20)), 'it is no zip'],
    ['a path out of the folder', () => forged([bad('../../etc/passwd')]), 'a file named "../../etc/passwd"'],
    ['a whole path', () => forged([bad('/etc/passwd')]), 'a file named "/etc/passwd"'],
    ['a name twice', () => forged([bad('a'), bad('a', 'y')]), 'a is in it twice'],
    ['files out of order', () => forged([bad('b'), bad('a')]), 'not in order'],
    ['a wrong checksum', () => forged([bad('a', 'x', { crc: 1 })]), 'the checksum of a is wrong'],
    ['a size that is too small', () => forged([bad('a', 'x', { size: 0 })]), 'not written as this app'],
    [
      'more than it says',
      () => forged([bad('a', '', { method: 8, size: 10, packed: deflateRawSync(Buffer.alloc(1e6)) })]),
      'a cannot be unpacked, or is longer than it says',
    ],
    [
      'a bomb',
      () =>
        forged(
          ['a', 'b', 'c'].map((name) =>
            bad(name, '', { method: 8, size: 600e6, packed: deflateRawSync(Buffer.alloc(1e6)) }),
          ),
        ),
      'would unpack to more than a report can hold',
    ],
    ['no stream', () => forged([bad('a', 'abc', { method: 8 })]), 'a cannot be unpacked'],
    [
      'bytes behind a stream',
      () =>
        forged([
          bad('a', 'x', {
            method: 8,
            packed: Buffer.concat([deflateRawSync(Buffer.from('x')), Buffer.from('zz')]),
          }),
        ]),
      'belong to nothing',
    ],
    ['another way to pack', () => forged([bad('a', 'x', { method: 12 })]), 'not written as this app'],
  ])('%s', (_what, make, says) => {
    expect(refusal(make())).toContain(says);
  });

  it('bytes before, between, behind, and a cut at every place', async () => {
    const bytes = await sample();
    expect(refusal(Buffer.concat([Buffer.from('x'), bytes]))).not.toBe('taken');
    expect(refusal(Buffer.concat([bytes, Buffer.from('x')]))).not.toBe('taken');
    for (let at = 0; at < bytes.length; at += 1) expect(refusal(bytes.subarray(0, at))).not.toBe('taken');
  });

  it('every single byte turned, but for what a deflate stream leaves open', async () => {
    const bytes = await sample();
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x41;
      const says = refusal(changed);
      if (says === 'taken') expect([...readZip(changed).values()]).toEqual([...readZip(bytes).values()]);
    }
  });
});
