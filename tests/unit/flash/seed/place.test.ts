/** The partition for first-boot settings is found by name or label, whatever the image's format, and nothing else is ever taken for it. */
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { prepareImage, type FlashImage } from '../../../../main/services/flash/image.ts';
import { fatVolume } from '../../../../main/services/flash/seed/fat.ts';
import { findSeed } from '../../../../main/services/flash/seed/place.ts';
import { folder } from '../images.ts';
import { ESP, LINUX, MIB, writeDisk, type Partition } from '../partitions.ts';

const dir = folder();
const SIZE = 24 * MIB;
let used = 0;
const opened: FlashImage[] = [];
afterAll(async () => {
  for (const image of opened) await image.close();
});

/** A disk with these partitions, and a volume labelled so at the beginning of some of them. */
function disk(partitions: readonly Partition[], labels: Record<number, string> = {}): string {
  const path = join(dir, `${(used += 1)}.raw`);
  writeDisk(path, { size: SIZE, partitions, data: [] });
  const fd = openSync(path, 'r+');
  for (const [first, label] of Object.entries(labels)) {
    const options = { bytes: MIB, sectorBytes: 512 as const, volumeId: 1, at: new Date(0), files: [] };
    writeSync(fd, fatVolume({ ...options, label }), 0, MIB, Number(first));
  }
  closeSync(fd);
  return path;
}

async function find(path: string) {
  const image = await prepareImage(path, {
    signal: new AbortController().signal,
    onRead: () => undefined,
  });
  opened.push(image);
  return findSeed(image);
}
const refusal = (detail: RegExp) =>
  expect.objectContaining({
    code: 'flash_seed_missing',
    message: expect.stringMatching(detail) as string,
  }) as Error;

const ROOT: Partition = { type: LINUX, first: 8 * MIB, length: 12 * MIB, name: 'root' };
const seedAt = (first: number, name = '', length = MIB): Partition => ({ type: LINUX, first, length, name });
const FOUND = { offset: 5 * MIB, length: MIB, sectorBytes: 512 };

describe('the partition for first-boot settings', () => {
  it.each(['CIDATA', 'cidata'])('is the one named %s in the partition table', async (name) => {
    expect(await find(disk([seedAt(5 * MIB, name), ROOT]))).toEqual(FOUND);
  });

  it.each(['CIDATA', 'cidata'])('is else the one with a volume labelled %s', async (label) => {
    expect(await find(disk([seedAt(5 * MIB), ROOT], { [5 * MIB]: label, [8 * MIB]: 'ROOT' }))).toEqual(FOUND);
  });

  it('is found in a stream, too', async () => {
    const raw = disk([seedAt(5 * MIB), ROOT], { [5 * MIB]: 'CIDATA' });
    const stream = join(dir, 'stream.raw.gz');
    writeFileSync(stream, execFileSync('gzip', ['-1', '-c', raw], { maxBuffer: SIZE }));
    expect(await find(stream)).toEqual(FOUND);
  });

  it('is never one that a machine starts from, nor one that is not there', async () => {
    const esp: Partition = { type: ESP, first: 5 * MIB, length: MIB };
    await expect(find(disk([esp, ROOT], { [5 * MIB]: 'CIDATA' }))).rejects.toThrow(refusal(/none of its/));
    await expect(find(disk([seedAt(5 * MIB), ROOT], { [5 * MIB]: 'OTHER' }))).rejects.toThrow(
      refusal(/none of its/),
    );
    // A volume that no partition is about.
    await expect(find(disk([ROOT], { [5 * MIB]: 'CIDATA' }))).rejects.toThrow(refusal(/none of its/));
    await expect(find(disk([]))).rejects.toThrow(refusal(/none of its/));
  });

  it('is one', async () => {
    const two = disk([seedAt(4 * MIB, 'CIDATA'), seedAt(6 * MIB, 'CIDATA')]);
    await expect(find(two)).rejects.toThrow(refusal(/2 of its partitions/));
  });

  it('has a size for it, and lies over no other', async () => {
    const small = disk([seedAt(5 * MIB, 'CIDATA', 128 * 1024), ROOT]);
    await expect(find(small)).rejects.toThrow(refusal(/131072 bytes, not from 262144/));
    const over = disk([seedAt(7.5 * MIB, 'CIDATA', MIB), ROOT]);
    await expect(find(over)).rejects.toThrow(refusal(/lies over another/));
  });
});
