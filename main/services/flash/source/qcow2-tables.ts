/** The L1 and L2 tables of a qcow2 image: read as a whole once to be judged, and in pieces again when chunks are read. */
import type { ImageFile } from './file.ts';
import type { Qcow2Header } from './qcow2-header.ts';
import { CHUNK_BYTES, type Refusals, chunkCount } from './types.ts';

/** Of L2 tables that are kept, and of one reading. */
const CACHE_BYTES = 8 * 1024 * 1024;
const READ_BYTES = 2 * 1024 * 1024;
/** A bit for each cluster of the file: two maps of 8 MiB at most, 4 TiB with clusters of 64 KiB. */
const MAP_MAX_BYTES = 8 * 1024 * 1024;

export type Cluster =
  | { kind: 'zero' }
  | {
      kind: 'plain';
      offset: number;
      /** Of extended entries: bit n is set where subcluster n has data. */ data: number;
    }
  | { kind: 'compressed'; offset: number; length: number };

const ZERO: Cluster = { kind: 'zero' };
const ALL = 0xffffffff;
const TWO32 = 2 ** 32;

/** One L2 entry at `at`. Pure. Errors: image_corrupt, image_truncated for what the file has no room for. */
export function parseEntry(
  table: Buffer,
  at: number,
  header: Qcow2Header,
  fileSize: number,
  refuse: Refusals,
): Cluster {
  const high = table.readUInt32BE(at);
  const low = table.readUInt32BE(at + 4);
  const { clusterBits, clusterSize, subclusters, version } = header;
  if (high & 0x40000000) {
    if (subclusters && (table.readUInt32BE(at + 8) | table.readUInt32BE(at + 12)) !== 0)
      throw refuse.corrupt('a compressed cluster has subclusters');
    const bits = 70 - clusterBits - 32;
    const offset = (high & (2 ** bits - 1)) * TWO32 + low;
    const sectors = ((high & 0x3fffffff) >>> bits) + 1;
    const length = sectors * 512 - (offset % 512);
    // The file need not be filled up to the last sector's end.
    if (offset >= fileSize || offset + length >= fileSize + 512)
      throw refuse.truncated(
        `a compressed cluster ends at byte ${offset + length}, and the file at ${fileSize}`,
      );
    if (offset < clusterSize) throw refuse.corrupt('a compressed cluster lies in the header');
    return { kind: 'compressed', offset, length: Math.min(length, fileSize - offset) };
  }
  let data = ALL;
  if (subclusters) {
    const zero = table.readUInt32BE(at + 8);
    data = table.readUInt32BE(at + 12);
    if ((zero & data) !== 0) throw refuse.corrupt('a subcluster is both data and zeros');
  }
  if (high === 0 && low === 0) {
    if (subclusters && data !== 0) throw refuse.corrupt('a subcluster has data and lies nowhere');
    return ZERO;
  }
  if ((high & 0x3f000000) !== 0 || (low & 0x1fe) !== 0) throw refuse.corrupt('an L2 entry has reserved bits');
  const zeroFlag = (low & 1) !== 0;
  if (zeroFlag && (version === 2 || subclusters))
    throw refuse.corrupt('an L2 entry has a bit of another version');
  const offset = (high & 0x00ffffff) * TWO32 + ((low & 0xfffffe00) >>> 0);
  if (offset % clusterSize !== 0) throw refuse.corrupt('a cluster begins in the middle of one');
  if (offset === 0) {
    if (zeroFlag) return ZERO;
    throw refuse.corrupt('a cluster lies in the header');
  }
  if (zeroFlag) data = 0;
  // QEMU writes whole clusters, but of extended ones it leaves out what has no data at the file's end.
  const end = offset + (clusterSize / 32) * (32 - Math.clz32(data));
  if (offset >= fileSize || end > fileSize)
    throw refuse.truncated(`a cluster ends at byte ${end}, and the file at ${fileSize}`);
  return { kind: 'plain', offset, data: data >>> 0 };
}

/** Which clusters of the file are taken by whom. */
class Taken {
  readonly #bits: Uint8Array;
  readonly #shift: number;

  constructor(fileSize: number, shift: number) {
    this.#bits = new Uint8Array(Math.ceil((fileSize / 2 ** shift + 1) / 8));
    this.#shift = shift;
  }

  has(offset: number): boolean {
    const at = Math.floor(offset / 2 ** this.#shift);
    return ((this.#bits[at >>> 3] ?? 0) & (1 << (at & 7))) !== 0;
  }

  /** False where it was taken before. */
  take(offset: number): boolean {
    if (this.has(offset)) return false;
    const at = Math.floor(offset / 2 ** this.#shift);
    this.#bits[at >>> 3] = (this.#bits[at >>> 3] ?? 0) | (1 << (at & 7));
    return true;
  }
}

/** What a chunk holds, as bits. */
export const PLAIN = 1;
export const COMPRESSED = 2;

export interface Tables {
  /** For each chunk PLAIN and COMPRESSED, or 0 for a hole. */
  map: Uint8Array;
  /** The clusters that cover these bytes of the virtual disk, in order. */
  clusters: (offset: number, length: number) => Promise<Cluster[]>;
}

/**
 * Reads all tables once. Whatever they point to twice, outside of the file or into the tables themselves is refused here, before
 * one byte of data is read. Errors: image_corrupt, image_truncated, image_not_supported, image_unreadable.
 */
export async function readTables(file: ImageFile, header: Qcow2Header): Promise<Tables> {
  const { refuse, size: fileSize } = file;
  const { clusterBits, clusterSize, l1Entries, l2Entries, virtualSize } = header;
  if (fileSize / clusterSize / 8 > MAP_MAX_BYTES)
    throw refuse.notSupported(
      `the file has ${fileSize} bytes in clusters of ${clusterSize}, which is too many of them`,
      'Make it anew with larger clusters: qemu-img convert -O qcow2 -o cluster_size=64k IMAGE NEW.qcow2',
    );
  const taken = new Taken(fileSize, clusterBits);
  const packed = new Taken(fileSize, clusterBits);
  const tablesOverlap = () => refuse.corrupt('its tables overlap');

  taken.take(0);
  for (let at = header.l1Offset; at < header.l1Offset + l1Entries * 8; at += clusterSize)
    if (!taken.take(at)) throw tablesOverlap();

  const l1 = await readL1(file, header);
  for (const offset of l1) if (offset !== 0 && !taken.take(offset)) throw tablesOverlap();

  const cache = new Map<number, Buffer>();
  const keep = Math.max(2, Math.floor(CACHE_BYTES / clusterSize));

  /** Tables `from` to `to` of L1, those next to each other in the file in one reading. */
  async function tables(from: number, to: number): Promise<(Buffer | null)[]> {
    const out: (Buffer | null)[] = [];
    for (let i = from; i < to;) {
      const offset = l1[i] ?? 0;
      const known = cache.get(i);
      if (offset === 0 || known) {
        out.push(known ?? null);
        i += 1;
        continue;
      }
      let n = 1;
      while (i + n < to && (n + 1) * clusterSize <= READ_BYTES && l1[i + n] === offset + n * clusterSize)
        n += 1;
      const bytes = Buffer.allocUnsafeSlow(n * clusterSize);
      await file.read(bytes, offset);
      for (let k = 0; k < n; k += 1) {
        // A copy, so that one table that is kept does not keep the whole reading.
        const one = bytes.subarray(k * clusterSize, (k + 1) * clusterSize);
        const table = n === 1 ? one : Buffer.from(one);
        out.push(table);
        remember(i + k, table);
      }
      i += n;
    }
    return out;
  }
  function remember(index: number, table: Buffer): void {
    cache.set(index, table);
    for (const oldest of cache.keys()) {
      if (cache.size <= keep) break;
      cache.delete(oldest);
    }
  }

  const entryBytes = clusterSize / l2Entries;
  const map = new Uint8Array(chunkCount(virtualSize));
  const atOnce = Math.max(1, Math.floor(READ_BYTES / clusterSize));
  for (let from = 0; from < l1Entries; from += atOnce) {
    const some = await tables(from, Math.min(from + atOnce, l1Entries));
    for (const [k, table] of some.entries()) {
      if (table) judge(table, (from + k) * l2Entries);
    }
  }

  function judge(table: Buffer, firstCluster: number): void {
    const inDisk = Math.min(l2Entries, Math.ceil(virtualSize / clusterSize) - firstCluster);
    for (let k = 0; k < inDisk; k += 1) {
      const at = k * entryBytes;
      // Most of a sparse image is this.
      if (table.readInt32LE(at) === 0 && table.readInt32LE(at + 4) === 0 && !header.subclusters) continue;
      const cluster = parseEntry(table, at, header, fileSize, refuse);
      if (cluster.kind === 'zero') continue;
      if (cluster.kind === 'plain') {
        if (packed.has(cluster.offset) || !taken.take(cluster.offset))
          throw refuse.corrupt(`two things lie at byte ${cluster.offset}`);
      } else {
        const last = cluster.offset + cluster.length - 1;
        for (let o = cluster.offset; ; o = Math.min(o + clusterSize, last)) {
          if (taken.has(o)) throw refuse.corrupt(`two things lie at byte ${o}`);
          // Neighbours share sectors, so whether another one lies there says nothing.
          packed.take(o);
          if (o === last) break;
        }
      }
      if (cluster.kind === 'plain' && cluster.data === 0) continue;
      const chunk = Math.floor(((firstCluster + k) * clusterSize) / CHUNK_BYTES);
      map[chunk] = (map[chunk] ?? 0) | (cluster.kind === 'plain' ? PLAIN : COMPRESSED);
    }
  }

  return {
    map,
    async clusters(offset, length) {
      const first = offset / clusterSize;
      const end = Math.ceil((offset + length) / clusterSize);
      const l1First = Math.floor(first / l2Entries);
      const some = await tables(l1First, Math.floor((end - 1) / l2Entries) + 1);
      const out: Cluster[] = [];
      for (let c = first; c < end; c += 1) {
        const table = some[Math.floor(c / l2Entries) - l1First] ?? null;
        // Judged again: the file may be another one by now.
        out.push(table ? parseEntry(table, (c % l2Entries) * entryBytes, header, fileSize, refuse) : ZERO);
      }
      return out;
    },
  };
}

/** Where the L2 tables lie, 0 for none. */
async function readL1(file: ImageFile, header: Qcow2Header): Promise<Float64Array> {
  const { refuse, size: fileSize } = file;
  const { clusterSize, l1Entries, l1Offset } = header;
  const l1 = new Float64Array(l1Entries);
  const piece = Buffer.allocUnsafe(Math.min(READ_BYTES, l1Entries * 8));
  for (let from = 0; from < l1Entries; from += READ_BYTES / 8) {
    const n = Math.min(READ_BYTES / 8, l1Entries - from);
    await file.read(piece.subarray(0, n * 8), l1Offset + from * 8);
    for (let k = 0; k < n; k += 1) {
      const high = piece.readUInt32BE(k * 8);
      const low = piece.readUInt32BE(k * 8 + 4);
      if (high === 0 && low === 0) continue;
      if ((high & 0x7f000000) !== 0 || (low & 0x1ff) !== 0)
        throw refuse.corrupt('an L1 entry has reserved bits');
      const offset = (high & 0x00ffffff) * TWO32 + low;
      if (offset % clusterSize !== 0) throw refuse.corrupt('an L2 table begins in the middle of a cluster');
      if (offset + clusterSize > fileSize)
        throw refuse.truncated(
          `an L2 table ends at byte ${offset + clusterSize}, and the file at ${fileSize}`,
        );
      l1[from + k] = offset;
    }
  }
  return l1;
}
