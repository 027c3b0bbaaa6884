/** A volume of any size that it makes is whole: for a reader of the tests' own, for fsck.fat and mtools where they are, and for the kernel. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FAT_LEAST, FAT_MOST, fatVolume, type FatFile } from '../../../../main/services/flash/seed/fat.ts';
import { fatLabel } from '../../../../main/services/flash/seed/place.ts';
import { folder, noise } from '../images.ts';
import { MIB } from '../partitions.ts';
import { readFat } from './readfat.ts';

const dir = folder();
const has = (tool: string, ...args: string[]): boolean => spawnSync(tool, args).error === undefined;
const hasFsck = has('fsck.fat', '--help');
const hasMtools = has('mdir', '--version');
const noMount =
  process.getuid?.() === 0 && /\bvfat$/m.test(readFileSync('/proc/filesystems', 'latin1')) ? null : 'no';

const FILES: FatFile[] = [
  { name: 'user-data', bytes: noise(1, 5000) },
  { name: 'meta-data', bytes: Buffer.from('instance-id: x\n') },
  { name: 'network-config', bytes: noise(2, 4096) },
  { name: 'empty-file', bytes: Buffer.alloc(0) },
];
const make = (bytes: number, sectorBytes: 512 | 4096, files: readonly FatFile[] = FILES): Buffer =>
  fatVolume({
    ...{ bytes, sectorBytes, label: 'CIDATA', volumeId: 0xdeadbeef, files },
    at: new Date('2026-11-29T08:41:52Z'),
  });

/** Around the sizes at which another table or another cluster is chosen. */
const SIZES = [FAT_LEAST, MIB, 4 * MIB, 8 * MIB, 8 * MIB + 65_536, 9 * MIB, 16 * MIB, 32 * MIB, 33 * MIB];
const CASES = [...SIZES, FAT_MOST].flatMap((bytes) => [
  { bytes, sectorBytes: 512 as const },
  { bytes, sectorBytes: 4096 as const },
]);

describe.each(CASES)('a volume of $bytes bytes in sectors of $sectorBytes', ({ bytes, sectorBytes }) => {
  const volume = make(bytes, sectorBytes);
  const path = join(dir, `${bytes}-${sectorBytes}.img`);
  writeFileSync(path, volume);

  it('is read back, and holds nothing else', () => {
    const found = readFat(volume);
    expect(found.labels).toEqual(['CIDATA     ', 'CIDATA     ']);
    expect(found.sectorBytes).toBe(sectorBytes);
    expect([...found.files.keys()]).toEqual(FILES.map((f) => f.name));
    for (const { name, bytes: wanted } of FILES) expect(found.files.get(name)?.equals(wanted)).toBe(true);
    expect(fatLabel(volume.subarray(0, 512))).toBe('CIDATA     ');
  });

  it.skipIf(!hasFsck)('is clean for fsck.fat (skipped where dosfstools is not installed)', () => {
    const { status, stdout, stderr } = spawnSync('fsck.fat', ['-n', '-v', path], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    // The label is one to it.
    expect(stdout).toMatch(/5 files, \d+\/\d+ clusters/);
    expect(stdout).not.toMatch(/differ|wrong|warning|dirty|reclaim|free cluster/i);
  });

  it.skipIf(!hasMtools)('gives its files to mtools (skipped where mtools is not installed)', () => {
    const names = execFileSync('mdir', ['-b', '-i', path, '::']).toString().trim().split('\n');
    expect(names).toEqual(FILES.map((f) => `::/${f.name}`));
    for (const { name, bytes: wanted } of FILES)
      expect(execFileSync('mcopy', ['-i', path, `::${name}`, '-']).equals(wanted)).toBe(true);
    expect(execFileSync('mdir', ['-i', path, '::']).toString()).toContain('Volume in drive : is CIDATA');
  });
});

it.skipIf(noMount !== null)(
  'all are mounted by the kernel (skipped without root, or without vfat in it)',
  () => {
    for (const { bytes, sectorBytes } of CASES) {
      const at = join(dir, `${bytes}-${sectorBytes}`);
      mkdirSync(at);
      execFileSync('mount', ['-t', 'vfat', '-o', 'loop,ro', `${at}.img`, at]);
      try {
        expect(readdirSync(at).sort()).toEqual(FILES.map((f) => f.name).sort());
        for (const { name, bytes: wanted } of FILES)
          expect(readFileSync(join(at, name)).equals(wanted)).toBe(true);
      } finally {
        execFileSync('umount', [at]);
      }
    }
  },
);

it('every size in steps has its count of clusters well inside of its kind', () => {
  const near = Array.from({ length: 64 }, (_, i) => 7 * MIB + i * 40 * 1024);
  const all = Array.from({ length: 60 }, (_, i) => FAT_LEAST + i * (MIB + 23 * 1024));
  for (const bytes of [...near, ...all, FAT_MOST]) {
    const { bits, free } = readFat(make(bytes, 512));
    // A few are used; 4085 and 65525 are where the kinds end.
    if (bits === 12) expect(free).toBeLessThan(4085 - 10);
    else expect([free > 4085 + 5, free < 65_525 - 10]).toEqual([true, true]);
  }
});

it('refuses what would be no such volume', () => {
  expect(() => make(FAT_LEAST - 512, 512)).toThrow(/no volume/);
  expect(() => make(FAT_MOST + 512, 512)).toThrow(/no volume/);
  expect(() => make(MIB + 512, 4096)).toThrow(/no volume/);
  expect(() => make(FAT_LEAST, 512, [{ name: 'user-data', bytes: Buffer.alloc(FAT_LEAST) }])).toThrow(/fit/);
  expect(() => make(MIB, 512, [{ name: 'a.b', bytes: Buffer.alloc(1) }])).toThrow(/name/);
  const many = Array.from({ length: 200 }, (_, i) => ({
    name: `file-number-${i}`,
    bytes: Buffer.alloc(0),
  }));
  expect(() => make(MIB, 512, many)).toThrow(/too many/);
});
