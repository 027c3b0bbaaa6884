/**
 * The image that all contenders write: a GPT with an ESP and an ext4 of 28 % of the disk, half of it files of this machine and half random
 * bytes; raw with its holes, as qcow2 with plain clusters and with clusters compressed by zstd, as raw.zst, and with its bmap.
 */
import { createCipheriv } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { openImage } from '../../../main/services/flash/source/open.ts';
import { CHUNK_BYTES } from '../../../main/services/flash/source/types.ts';
import { ESP, LINUX, MIB, writeDisk } from '../../unit/flash/partitions.ts';
import { said, script } from './shell.ts';

/** zstd's level, of raw.zst and of qcow2's clusters: QEMU takes zstd's usual one, which is this. */
const LEVEL = 3;
/** Of the disk, in data: as the image of performance figures that was measured first. */
const DATA_PART = 0.28;
const RANDOM_FILE = 16 * MIB;
const REAL = '/usr';

export interface Images {
  dir: string;
  /** Bytes of the disk in the image, and of the chunks of it that hold data. */
  virtualSize: number;
  dataBytes: number;
  /** Of those, files of this machine. */
  realBytes: number;
  raw: string;
  qcow2: string;
  /** Clusters compressed by zstd. */
  packed: string;
  zst: string;
  /** Null where nothing makes one. */
  bmap: string | null;
  /** Of all bytes of the disk, in hex. */
  sha256: string;
}

/** Bytes that neither compress nor repeat, the same for the same seed. */
function random(seed: number, bytes: number): Buffer {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed & 0xff), Buffer.alloc(16, seed >> 8));
  return cipher.update(Buffer.alloc(bytes));
}

/** Ordinary files below a folder, in order of their names, as [path, bytes]. */
function* filesBelow(dir: string): Generator<[string, number]> {
  for (const entry of readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield [path, statSync(path).size];
  }
}

/** Fills a folder for the root file system; answers how many bytes are files of this machine. */
function fill(dir: string, bytes: number): number {
  mkdirSync(dir, { recursive: true });
  let real = 0;
  let count = 0;
  for (const [path, size] of filesBelow(REAL)) {
    if (size === 0 || real + size > bytes / 2) continue;
    const folder = join(dir, `real-${Math.floor(count / 500)}`);
    if (count % 500 === 0) mkdirSync(folder);
    copyFileSync(path, join(folder, String(count)));
    count += 1;
    real += size;
    if (bytes / 2 - real < 64 * 1024) break;
  }
  for (let done = real, seed = 1; done < bytes; done += RANDOM_FILE, seed += 1)
    writeFileSync(join(dir, `random-${seed}`), random(seed, Math.min(RANDOM_FILE, bytes - done)));
  return real;
}

/** `sizeMiB`: of the disk, a multiple of 4. */
export async function makeImages(dir: string, sizeMiB: number): Promise<Images> {
  const virtualSize = sizeMiB * MIB;
  const raw = join(dir, 'image.raw');
  const espBytes = sizeMiB >= 1024 ? 64 * MIB : 16 * MIB;
  const first = MIB + espBytes;
  const length = virtualSize - first - MIB;
  writeDisk(raw, {
    size: virtualSize,
    partitions: [
      { type: ESP, first: MIB, length: espBytes, name: 'EFI' },
      { type: LINUX, first, length, name: 'root' },
    ],
    data: [{ at: MIB, length: 4 * MIB, seed: 1 }],
  });
  const content = join(dir, 'content');
  const realBytes = fill(content, Math.floor(virtualSize * DATA_PART));
  const options = ['-q', '-F', '-t', 'ext4', '-L', 'root', '-d', content, '-E', `nodiscard,offset=${first}`];
  await said('mke2fs', [...options, raw, `${length / 1024}k`]);
  rmSync(content, { recursive: true });
  return { ...(await formsOf(dir, 'image', raw)), virtualSize, realBytes };
}

/** The other forms of a raw image. */
async function formsOf(
  dir: string,
  name: string,
  raw: string,
): Promise<Omit<Images, 'virtualSize' | 'realBytes'>> {
  const [qcow2, packed, zst] = ['qcow2', 'zstd.qcow2', 'raw.zst'].map((end) =>
    join(dir, `${name}.${end}`),
  ) as [string, string, string];
  const bmap = join(dir, `${name}.bmap`);
  const sparse = join(dir, `${name}.sparse`);
  await said('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, qcow2]);
  // mke2fs wrote zeros, too; a raw file whose holes are what is not in the qcow2 is what a person would download.
  await said('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', qcow2, sparse]);
  await script('mv "$1" "$2"', sparse, raw);
  const as = ['-c', '-W', '-m', '8', '-o', 'compression_type=zstd'];
  await said('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', ...as, raw, packed]);
  await said('zstd', ['-q', '-f', `-${LEVEL}`, '-T0', raw, '-o', zst]);
  const mapped = await said('bmaptool', ['create', '-o', bmap, raw]).then(
    () => true,
    (error: Error) => {
      if ('code' in error && error.code === 'ENOENT') return false;
      throw error;
    },
  );
  const sha256 = (await said('sha256sum', [raw])).slice(0, 64);
  const dataBytes = (await dataChunks(qcow2)).length * CHUNK_BYTES;
  return { dir, raw, qcow2, packed, zst, bmap: mapped ? bmap : null, sha256, dataBytes };
}

/** Numbers of the chunks that hold data. */
async function dataChunks(image: string): Promise<number[]> {
  const source = await openImage(image);
  try {
    if (source.access !== 'random') throw new Error(`${image} is a stream`);
    return [...source.chunks()].filter(({ state }) => state === 'data').map(({ index }) => index);
  } finally {
    await source.close();
  }
}

/** Another version of the image, in its own folder: a few KiB are others in this part of the chunks with data, evenly spread. */
export async function changed(images: Images, name: string, part: number, seed: number): Promise<Images> {
  const raw = join(images.dir, `${name}.raw`);
  await said('cp', ['--sparse=always', images.raw, raw]);
  const chunks = await dataChunks(images.qcow2);
  const every = Math.round(1 / part);
  const fd = openSync(raw, 'r+');
  try {
    for (const chunk of chunks.filter((_, n) => n % every === every >> 1))
      writeSync(fd, random(seed + chunk, 4096), 0, 4096, chunk * CHUNK_BYTES + CHUNK_BYTES / 2);
  } finally {
    closeSync(fd);
  }
  const { virtualSize, realBytes } = images;
  return { ...(await formsOf(images.dir, name, raw)), virtualSize, realBytes };
}

const NOTE = 'images.json';
export const remember = (images: Images): void =>
  writeFileSync(join(images.dir, NOTE), JSON.stringify(images));
export const recall = (dir: string): Images => JSON.parse(readFileSync(join(dir, NOTE), 'utf8')) as Images;
