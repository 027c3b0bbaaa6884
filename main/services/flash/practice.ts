/**
 * Practice of a flash (spec W10): an image of a few lines of text over and over, and disks that are none. The image is written by the real
 * program to a file in the app's data folder; no disk of the laptop is looked at.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { DiskPart } from '../../../preload/contract/disk.ts';
import { ImageManifest } from '../../../preload/contract/image.ts';
import type { DiskPort, SeenDisk } from './disks/port.ts';
import { fatVolume } from './seed/fat.ts';
import { SEED_LABEL } from './seed/place.ts';
import { HOLE_HASH, diskRoot } from './source/disk-root.ts';
import { CHUNK_BYTES, chunkCount } from './source/types.ts';

const MIB = 1024 * 1024;
/** Of the disk in the image, and of what in it is data: enough to see progress, little enough for any laptop. */
const SIZE = 512 * MIB;
const DATA_CHUNKS = 32;
const FILE = 'vault-cube-practice.raw';
/** In the folder's name: an image that an older version of the app made is left alone. */
const MADE = 'flash-image-2';
/** The partition for first-boot settings: one chunk. */
const SEED_CHUNK = 16;

export const PRACTICE_SERIAL = 'PRACTICE-DISK-7F3A';

/** What is on the practice disk, so to speak. */
export const practiceDiskFile = (folder: string, name: string): string => join(folder, name, 'disk.img');

/** Two partitions and between them the one for first-boot settings, as a BIOS of old reads them: enough to be a disk. */
function bootRecord(): Buffer {
  const sector = Buffer.alloc(512);
  const [from, to] = [SEED_CHUNK * CHUNK_BYTES, (SEED_CHUNK + 1) * CHUNK_BYTES];
  const parts = [
    { type: 0x83, first: MIB, end: from },
    { type: 0x0c, first: from, end: to },
    { type: 0x83, first: to, end: SIZE },
  ];
  for (const [index, { type, first, end }] of parts.entries()) {
    const at = 446 + 16 * index;
    sector[at + 4] = type;
    sector.writeUInt32LE(first / 512, at + 8);
    sector.writeUInt32LE((end - first) / 512, at + 12);
  }
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}

const emptySeed = (): Buffer =>
  fatVolume({
    ...{ bytes: CHUNK_BYTES, sectorBytes: 512, label: SEED_LABEL, volumeId: 1, files: [] },
    at: new Date('2026-01-01T00:00:00Z'),
  });

function chunkOf(index: number): Buffer {
  if (index === SEED_CHUNK) return emptySeed();
  const chunk = Buffer.alloc(CHUNK_BYTES, `PRACTICE: chunk ${index} of an image that starts no machine.\n`);
  if (index === 0) bootRecord().copy(chunk);
  return chunk;
}

/** The image that practice boxes are flashed with, made when it is missing, with a manifest beside it. Returns its path. */
export function practiceImage(folder: string): string {
  const dir = join(folder, MADE);
  const path = join(dir, FILE);
  if (existsSync(join(dir, 'manifest.json'))) return path;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const hashes: Uint8Array[] = [];
  const whole = createHash('sha256');
  const fd = openSync(`${path}.new`, 'w', 0o600);
  try {
    for (let index = 0; index < DATA_CHUNKS; index++) {
      const chunk = chunkOf(index);
      writeSync(fd, chunk);
      whole.update(chunk);
      hashes.push(createHash('sha256').update(chunk).digest());
    }
    ftruncateSync(fd, SIZE);
  } finally {
    closeSync(fd);
  }
  const zeros = Buffer.alloc(CHUNK_BYTES);
  for (let index = DATA_CHUNKS; index < chunkCount(SIZE); index++) {
    whole.update(zeros);
    hashes.push(HOLE_HASH);
  }
  renameSync(`${path}.new`, path);
  const manifest: ImageManifest = {
    ...{ v: 1, name: 'Practice image', version: '1.0', file: FILE, virtualSize: SIZE },
    ...{ fileSha256: whole.digest('hex'), diskRoot: diskRoot(SIZE, hashes), hash: 'sha256' },
    ...{ chunkBytes: CHUNK_BYTES, created: new Date().toISOString() },
    labels: ['PRACTICE: starts no machine'],
  };
  // Last: with it the image counts as made.
  writeFileSync(join(dir, 'manifest.json'), JSON.stringify(manifest), { mode: 0o600 });
  return path;
}

const part = (number: number, size: number, fileSystem: string, label: string): DiskPart => ({
  ...{ number, size, fileSystem, label, partitionLabel: null, mountpoints: [] },
});

const common = { vendor: null, readOnly: false, logicalBlock: 512, table: 'gpt', uses: [] };

/** One that can be flashed, and two that cannot, so that an engineer has seen why once. */
export class PracticeDisks implements DiskPort {
  readonly system = 'a practice box';
  readonly run = true;
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  look(): Promise<SeenDisk[]> {
    const used = [part(1, 64 * MIB, 'vfat', 'EFI'), part(2, SIZE - 66 * MIB, 'ext4', 'old-system')];
    return Promise.resolve([
      {
        ...{
          ...common,
          path: 'practice disk 1',
          serial: PRACTICE_SERIAL,
          model: 'Practice disk',
          size: SIZE,
        },
        ...{ bus: 'usb', removable: true, contents: existsSync(this.#file) ? [] : used },
        table: existsSync(this.#file) ? 'dos' : 'gpt',
      },
      {
        ...{ ...common, path: 'practice disk 2', serial: 'PRACTICE-SYSTEM-0001', size: 512 * 1000 * MIB },
        ...{ model: 'Practice disk of the laptop', bus: 'nvme', removable: false },
        contents: [part(1, 512 * MIB, 'vfat', 'EFI'), part(2, 500 * 1000 * MIB, 'ext4', 'root')],
        uses: [{ why: 'system', mountpoints: ['/', '/boot/efi'] }],
      },
      {
        ...{ ...common, path: 'practice disk 3', serial: 'PRACTICE-STICK-0002', size: 256 * MIB },
        ...{ model: 'Practice stick', bus: 'usb', removable: true },
        contents: [part(1, 255 * MIB, 'exfat', 'PHOTOS')],
        // Also where nobody knows how large the image is: what is written is one file, and stands for the first disk only.
        uses: [{ why: 'mounted', mountpoints: ['/media/kim/PHOTOS'] }],
      },
    ]);
  }
}
