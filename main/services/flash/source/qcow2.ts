/** A qcow2 image as a source: tables judged at the opening, data read where they lie. */
import type { ImageFile } from './file.ts';
import { inflateCluster, zstdReady } from './decompress.ts';
import { HEADER_MAX, parseHeader } from './qcow2-header.ts';
import { COMPRESSED, type Cluster, readTables } from './qcow2-tables.ts';
import { type RandomSource, type StoredCluster, chunkAt, isZero } from './types.ts';

/** Bytes of the file that give bytes of the chunk, as they are. */
interface Run {
  at: number;
  offset: number;
  length: number;
}

/** Errors: image_truncated, image_corrupt, image_not_supported, image_unreadable. */
export async function qcow2Source(file: ImageFile): Promise<RandomSource> {
  const { path, refuse, size } = file;
  const head = Buffer.allocUnsafe(Math.min(HEADER_MAX, size));
  await file.read(head, 0);
  const header = parseHeader(head, size, refuse);
  if (header.compression === 'zstd') await zstdReady();
  const { map, clusters } = await readTables(file, header);
  const { clusterSize, virtualSize, compression } = header;

  /** Data that lie one after the other in the file too are one run; subclusters are 32 a cluster. */
  function runsOf(list: readonly Cluster[], length: number): Run[] {
    const runs: Run[] = [];
    const add = (at: number, offset: number, bytes: number): void => {
      const last = runs.at(-1);
      const n = Math.min(bytes, length - at);
      if (n <= 0) return;
      if (last && last.at + last.length === at && last.offset + last.length === offset) last.length += n;
      else runs.push({ at, offset, length: n });
    };
    for (const [k, cluster] of list.entries()) {
      if (cluster.kind !== 'plain' || cluster.data === 0) continue;
      const at = k * clusterSize;
      if (cluster.data === 0xffffffff) add(at, cluster.offset, clusterSize);
      else {
        const sub = clusterSize / 32;
        for (let bit = 0; bit < 32; bit += 1)
          if ((cluster.data >>> bit) & 1) add(at + bit * sub, cluster.offset + bit * sub, sub);
      }
    }
    return runs;
  }

  /** What no run and no compressed cluster gives is zeros; `into` may hold anything before. */
  async function readPlain(list: readonly Cluster[], into: Uint8Array): Promise<void> {
    let done = 0;
    for (const { at, offset, length } of runsOf(list, into.length)) {
      if (at > done) into.fill(0, done, at);
      await file.read(into.subarray(at, at + length), offset);
      done = at + length;
    }
    if (done < into.length) into.fill(0, done);
  }

  async function readCompressed(list: readonly Cluster[], into: Uint8Array): Promise<void> {
    const found = list.flatMap((cluster, k) => (cluster.kind === 'compressed' ? [{ k, ...cluster }] : []));
    for (let i = 0; i < found.length;) {
      const first = found[i] as (typeof found)[number];
      // As QEMU writes them they follow each other, with a sector in common: one reading, of a chunk's size at most.
      let end = first.offset + first.length;
      let n = 1;
      for (; i + n < found.length; n += 1) {
        const next = found[i + n] as (typeof found)[number];
        const nextEnd = next.offset + next.length;
        if (
          next.offset < first.offset ||
          next.offset > end ||
          nextEnd - first.offset > into.length + clusterSize
        )
          break;
        end = Math.max(end, nextEnd);
      }
      const bytes = Buffer.allocUnsafe(end - first.offset);
      await file.read(bytes, first.offset);
      for (const { k, offset, length } of found.slice(i, i + n)) {
        const from = offset - first.offset;
        const at = k * clusterSize;
        const stored = bytes.subarray(from, from + length);
        const whole = at + clusterSize <= into.length;
        // The last cluster may go beyond the disk's end.
        const target = whole ? into.subarray(at, at + clusterSize) : Buffer.allocUnsafe(clusterSize);
        inflateCluster(stored, compression, target, refuse);
        if (!whole) into.set(target.subarray(0, into.length - at), at);
      }
      i += n;
    }
  }

  return {
    access: 'random',
    kind: 'qcow2',
    path,
    virtualSize,
    *chunks() {
      for (const [index, holds] of map.entries()) yield chunkAt(index, virtualSize, holds ? 'data' : 'hole');
    },
    async read(index, into) {
      const { offset, length } = chunkAt(index, virtualSize, 'data');
      const part = into.subarray(0, length);
      const holds = map[index] ?? 0;
      if (holds === 0) {
        part.fill(0);
        return 'hole';
      }
      const list = await clusters(offset, length);
      await readPlain(list, part);
      await readCompressed(list, part);
      return isZero(part) ? 'hole' : 'data';
    },
    async extents(index) {
      const { offset, length } = chunkAt(index, virtualSize, 'data');
      const holds = map[index] ?? 0;
      if (holds === 0) return [];
      if (holds & COMPRESSED) return null;
      const runs = runsOf(await clusters(offset, length), length);
      return runs.map((run) => [run.at, run.length, run.offset]);
    },
    async stored(index) {
      if (((map[index] ?? 0) & COMPRESSED) === 0) return null;
      const { offset, length } = chunkAt(index, virtualSize, 'data');
      const list = await clusters(offset, length);
      const out: StoredCluster[] = runsOf(list, length).map((run) => ({
        ...{ offset: offset + run.at, length: run.length, fileOffset: run.offset },
        ...{ storedLength: run.length, algorithm: 'none' },
      }));
      for (const [k, cluster] of list.entries()) {
        if (cluster.kind !== 'compressed') continue;
        const at = offset + k * clusterSize;
        out.push({
          offset: at,
          length: Math.min(clusterSize, virtualSize - at),
          fileOffset: cluster.offset,
          storedLength: cluster.length,
          algorithm: compression,
        });
      }
      return out.sort((a, b) => a.offset - b.offset);
    },
    bytes: (fileOffset, into) => file.read(into, fileOffset),
    close: () => file.close(),
  };
}
