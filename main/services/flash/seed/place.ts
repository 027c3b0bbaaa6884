/** Where in an image the first-boot settings go: its one partition called CIDATA. Reads, and writes nothing. */
import { AppError } from '../../../../preload/contract/errors.ts';
import type { Partition } from '../gpt.ts';
import type { FlashImage } from '../image.ts';
import { CHUNK_BYTES } from '../source/types.ts';
import { FAT_LEAST, FAT_MOST } from './fat.ts';

/** As cloud-init's datasource NoCloud looks for it, in capitals or not. */
export const SEED_LABEL = 'CIDATA';

export interface SeedPlace {
  /** Of the disk. */
  offset: number;
  length: number;
  sectorBytes: 512 | 4096;
}

const isSeed = (label: string): boolean => label.trim().toUpperCase() === SEED_LABEL;

/** The label in the boot sector of a FAT volume; null for what is none. */
export function fatLabel(sector: Buffer): string | null {
  if (sector.length < 512 || sector.readUInt16LE(510) !== 0xaa55) return null;
  const at = [54, 82].find((where) => sector.toString('latin1', where, where + 3) === 'FAT');
  return at === undefined ? null : sector.toString('latin1', at - 11, at);
}

/** The first bytes of each of these partitions, by where it begins; a stream is unpacked up to the last of them. */
async function bootSectors(
  image: FlashImage,
  partitions: readonly Partition[],
): Promise<Map<number, Buffer>> {
  const wanted = new Map(partitions.map(({ first }) => [first, Math.floor(first / CHUNK_BYTES)]));
  const found = new Map<number, Buffer>();
  const take = (chunk: number, bytes: Buffer) => {
    for (const [first, at] of wanted) {
      const from = first - chunk * CHUNK_BYTES;
      if (at === chunk) found.set(first, Buffer.from(bytes.subarray(from, from + 512)));
    }
  };
  const chunks = new Set(wanted.values());
  const buffer = Buffer.alloc(CHUNK_BYTES);
  if (image.random) {
    for (const chunk of chunks) {
      await image.random.read(chunk, buffer);
      take(chunk, buffer);
    }
    return found;
  }
  const last = Math.max(-1, ...chunks);
  if (last < 0) return found;
  const source = await image.forward();
  try {
    for (let at = 0; at <= last; at += 1) {
      const chunk = await source.next(buffer);
      if (!chunk) break;
      if (chunks.has(at)) take(at, buffer.subarray(0, chunk.length));
    }
  } finally {
    await source.close();
  }
  return found;
}

/**
 * By its name in the partition table, else by the label of the volume in it. What a machine starts from is never taken. Errors:
 * flash_seed_missing, those of the image.
 */
export async function findSeed(image: FlashImage): Promise<SeedPlace> {
  const { layout, path } = image;
  const refuse = (detail: string) => new AppError('flash_seed_missing', { path, detail });
  const candidates = layout.partitions.filter(({ boots }) => !boots);
  let found = candidates.filter(({ name }) => isSeed(name));
  if (found.length === 0) {
    const small = candidates.filter(({ length }) => length <= FAT_MOST);
    const sectors = await bootSectors(image, small);
    found = small.filter(({ first }) => {
      const sector = sectors.get(first);
      return sector !== undefined && isSeed(fatLabel(sector) ?? '');
    });
  }
  const [one, another] = found;
  if (!one) throw refuse('none of its partitions is called so');
  if (another) throw refuse(`${found.length} of its partitions are called so`);
  const { first: offset, length } = one;
  const sectorBytes = layout.sectorBytes ?? 512;
  if (length < FAT_LEAST || length > FAT_MOST)
    throw refuse(`the partition called so has ${length} bytes, not from ${FAT_LEAST} to ${FAT_MOST}`);
  const others = layout.partitions.filter((other) => other !== one);
  if (others.some((other) => other.first < offset + length && offset < other.first + other.length))
    throw refuse('the partition called so lies over another one');
  return { offset, length, sectorBytes };
}
