/** Reads a FAT12 or FAT16 volume, written after the specification and not after the writer. */

export interface FatVolume {
  bits: 12 | 16;
  /** Of the boot sector, and of the root's own entry. */
  labels: [string, string];
  sectorBytes: number;
  files: Map<string, Buffer>;
  /** How many clusters no file has. */
  free: number;
}

export function readFat(volume: Buffer): FatVolume {
  const u16 = (at: number) => volume.readUInt16LE(at);
  const sectorBytes = u16(11);
  const clusterBytes = (volume[13] ?? 0) * sectorBytes;
  const fatAt = u16(14) * sectorBytes;
  const fatBytes = u16(22) * sectorBytes;
  const fats = volume[16] ?? 0;
  const rootAt = fatAt + fats * fatBytes;
  const dataAt = rootAt + u16(17) * 32;
  const sectors = u16(19) || volume.readUInt32LE(32);
  if (sectors * sectorBytes !== volume.length)
    throw new Error(`${sectors} sectors in ${volume.length} bytes`);
  const clusters = Math.floor((volume.length - dataAt) / clusterBytes);
  const bits = clusters < 4085 ? 12 : 16;
  const fat = volume.subarray(fatAt, fatAt + fatBytes);
  for (let i = 1; i < fats; i += 1)
    if (!fat.equals(volume.subarray(fatAt + i * fatBytes, fatAt + (i + 1) * fatBytes)))
      throw new Error('the tables differ');
  const next = (cluster: number): number => {
    if (bits === 16) return fat.readUInt16LE(cluster * 2);
    const pair = fat.readUInt16LE(Math.floor(cluster * 1.5));
    return cluster % 2 ? pair >> 4 : pair & 0xfff;
  };
  const end = bits === 16 ? 0xfff8 : 0xff8;
  const used = new Set<number>();
  const content = (first: number, size: number): Buffer => {
    const pieces: Buffer[] = [];
    for (let at = first; size > 0 && at < end; at = next(at)) {
      if (at < 2 || at >= clusters + 2 || used.has(at)) throw new Error(`cluster ${at}`);
      used.add(at);
      pieces.push(volume.subarray(dataAt + (at - 2) * clusterBytes, dataAt + (at - 1) * clusterBytes));
    }
    if (pieces.length !== Math.ceil(size / clusterBytes)) throw new Error('a chain of another length');
    return Buffer.concat(pieces).subarray(0, size);
  };
  const files = new Map<string, Buffer>();
  let root = '';
  let long: string[] = [];
  for (let at = rootAt; at < dataAt && volume[at] !== 0; at += 32) {
    const entry = volume.subarray(at, at + 32);
    const short = entry.toString('latin1', 0, 11);
    if (entry[11] === 0x0f) {
      const text = Buffer.concat([entry.subarray(1, 11), entry.subarray(14, 26), entry.subarray(28, 32)]);
      long.unshift(text.toString('utf16le').split('\0')[0] ?? '');
      continue;
    }
    if (entry[11] === 0x08) root = short;
    else files.set(long.join('') || short, content(entry.readUInt16LE(26), entry.readUInt32LE(28)));
    long = [];
  }
  const label = volume.toString('latin1', 43, 54);
  return { bits, labels: [label, root], sectorBytes, files, free: clusters - used.size };
}
