/**
 * A FAT12 or FAT16 volume with a few files in its root, made as a whole in memory. No library for it is kept well, and the format of so
 * little is small (Microsoft's FAT specification 1.03). Pure.
 */

export interface FatFile {
  /** ASCII without a dot; it gets a long name, so its case is kept. */
  name: string;
  bytes: Uint8Array;
}

export interface FatOptions {
  /** Of the whole volume: from FAT_LEAST to FAT_MOST, in whole sectors. */
  bytes: number;
  /** Of the disk: the kernel mounts no volume whose sectors are smaller. */
  sectorBytes: 512 | 4096;
  /** At most 11 capital letters. */
  label: string;
  /** 32 bits. */
  volumeId: number;
  /** Of label and files, told in UTC. */
  at: Date;
  files: readonly FatFile[];
}

export const FAT_LEAST = 256 * 1024;
/** Below the size from which mkfs.fat makes FAT32, and all of it is held in memory. */
export const FAT_MOST = 64 * 1024 * 1024;

/** Below so many clusters a volume is FAT12, below the second FAT16; readers differ by a few, so both are kept clear of. */
const FAT12_CLUSTERS = 4085;
const FAT16_CLUSTERS = 65_525;
const CLEAR = 16;
const LEAST_CLUSTER = 2048;
const MOST_CLUSTER = 32_768;
const ROOT_ENTRIES = 512;
const ENTRY_BYTES = 32;
const FATS = 2;
const FIRST_YEAR = 1980;
const MEDIA = 0xf8;
const LABEL = 0x08;
const ARCHIVE = 0x20;
const LONG_NAME = 0x0f;
/** Characters of a long name in one entry: where each lies. */
const LONG_AT = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];

interface Geometry {
  bits: 12 | 16;
  sectors: number;
  clusterSectors: number;
  fatSectors: number;
  rootSectors: number;
  clusters: number;
}

/** Throws where the size is not one that it makes, or the files do not fit. */
export function fatVolume(o: FatOptions): Buffer {
  const g = geometryOf(o);
  const volume = Buffer.alloc(o.bytes);
  bootSector(g, o).copy(volume);
  const clusterBytes = g.clusterSectors * o.sectorBytes;
  const rootAt = (1 + FATS * g.fatSectors) * o.sectorBytes;
  const dataAt = rootAt + g.rootSectors * o.sectorBytes;
  // What stands in place of two clusters that do not exist: the medium, and that nothing is wrong.
  const table = [g.bits === 12 ? 0xf00 | MEDIA : 0xff00 | MEDIA, endOfChain(g)];
  const entries = [entryOf(o.label.padEnd(11), LABEL, 0, 0, o.at)];
  for (const [n, { name, bytes }] of o.files.entries()) {
    const first = table.length;
    const count = Math.ceil(bytes.length / clusterBytes);
    for (let i = 1; i < count; i += 1) table.push(first + i);
    if (count > 0) table.push(endOfChain(g));
    if (table.length > g.clusters + 2) throw new Error(`the files do not fit into ${o.bytes} bytes`);
    volume.set(bytes, dataAt + (first - 2) * clusterBytes);
    const short = shortName(name, n + 1);
    entries.push(...longEntries(name, short));
    entries.push(entryOf(short, ARCHIVE, count > 0 ? first : 0, bytes.length, o.at));
  }
  if (entries.length > ROOT_ENTRIES) throw new Error(`${o.files.length} files are too many`);
  Buffer.concat(entries).copy(volume, rootAt);
  const fat = tableBytes(table, g);
  for (let i = 0; i < FATS; i += 1) fat.copy(volume, (1 + i * g.fatSectors) * o.sectorBytes);
  return volume;
}

const endOfChain = ({ bits }: Geometry): number => (bits === 12 ? 0xfff : 0xffff);

function geometryOf({ bytes, sectorBytes }: FatOptions): Geometry {
  if (bytes < FAT_LEAST || bytes > FAT_MOST || bytes % sectorBytes !== 0)
    throw new Error(`no volume of ${bytes} bytes is made`);
  const sectors = bytes / sectorBytes;
  const rootSectors = (ROOT_ENTRIES * ENTRY_BYTES) / sectorBytes;
  const sized = (bits: 12 | 16, clusterSectors: number): Geometry => {
    for (let fatSectors = 1; ; fatSectors += 1) {
      const clusters = Math.floor((sectors - 1 - FATS * fatSectors - rootSectors) / clusterSectors);
      if (Math.ceil(((clusters + 2) * bits) / 8) <= fatSectors * sectorBytes)
        return { bits, sectors, clusterSectors, fatSectors, rootSectors, clusters };
    }
  };
  const least = Math.max(1, LEAST_CLUSTER / sectorBytes);
  for (let clusterSectors = least; clusterSectors * sectorBytes <= MOST_CLUSTER; clusterSectors *= 2) {
    const small = sized(12, clusterSectors);
    if (small.clusters < FAT12_CLUSTERS - CLEAR) return small;
    const large = sized(16, clusterSectors);
    if (large.clusters >= FAT12_CLUSTERS + CLEAR && large.clusters < FAT16_CLUSTERS - CLEAR) return large;
  }
  throw new Error(`no volume of ${bytes} bytes can be made`);
}

function bootSector(g: Geometry, { sectorBytes, label, volumeId }: FatOptions): Buffer {
  const sector = Buffer.alloc(sectorBytes);
  sector.write('eb3c90', 'hex');
  sector.write('MSDOS5.0', 3, 'latin1');
  sector.writeUInt16LE(sectorBytes, 11);
  sector[13] = g.clusterSectors;
  // The boot sector alone is before the tables.
  sector.writeUInt16LE(1, 14);
  sector[16] = FATS;
  sector.writeUInt16LE(ROOT_ENTRIES, 17);
  if (g.sectors < 0x10000) sector.writeUInt16LE(g.sectors, 19);
  else sector.writeUInt32LE(g.sectors, 32);
  sector[21] = MEDIA;
  sector.writeUInt16LE(g.fatSectors, 22);
  // Sectors of a track and heads: nobody reads them any more, and zeros are taken for damage.
  sector.writeUInt16LE(63, 24);
  sector.writeUInt16LE(255, 26);
  sector[36] = 0x80;
  sector[38] = 0x29;
  sector.writeUInt32LE(volumeId >>> 0, 39);
  sector.write(label.padEnd(11), 43, 'latin1');
  sector.write(`FAT${g.bits}   `, 54, 'latin1');
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}

function tableBytes(table: readonly number[], { bits }: Geometry): Buffer {
  const bytes = Buffer.alloc(Math.ceil((table.length * bits) / 8) + 1);
  for (const [n, value] of table.entries()) {
    if (bits === 16) {
      bytes.writeUInt16LE(value, n * 2);
      continue;
    }
    // Two entries share the byte in the middle of three.
    const at = n + (n >> 1);
    const there = bytes.readUInt16LE(at);
    bytes.writeUInt16LE(n & 1 ? (there & 0x000f) | (value << 4) : (there & 0xf000) | value, at);
  }
  return bytes;
}

function entryOf(name: string, attributes: number, cluster: number, size: number, at: Date): Buffer {
  const entry = Buffer.alloc(ENTRY_BYTES);
  entry.write(name, 'latin1');
  entry[11] = attributes;
  const time = (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1);
  // A laptop whose clock is off makes a seed all the same.
  const year = Math.min(Math.max(at.getUTCFullYear(), FIRST_YEAR), FIRST_YEAR + 127) - FIRST_YEAR;
  const date = (year << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate();
  for (const where of attributes === LABEL ? [22] : [14, 22]) {
    entry.writeUInt16LE(time, where);
    entry.writeUInt16LE(date, where + 2);
  }
  if (attributes !== LABEL) entry.writeUInt16LE(date, 18);
  entry.writeUInt16LE(cluster, 26);
  entry.writeUInt32LE(size, 28);
  return entry;
}

/** What systems without long names show; the number makes it one of its own. */
function shortName(name: string, n: number): string {
  if (!/^[a-z0-9-]{1,255}$/i.test(name)) throw new Error(`no file is made with the name ${name}`);
  const tail = `~${n}`;
  return (name.toUpperCase().slice(0, 8 - tail.length) + tail).padEnd(11);
}

/** The entries of a long name, as they lie: the end of the name first. */
function longEntries(name: string, short: string): Buffer[] {
  let sum = 0;
  for (const byte of Buffer.from(short, 'latin1')) sum = (((sum & 1) << 7) + (sum >> 1) + byte) & 0xff;
  const pieces = Math.ceil(name.length / LONG_AT.length);
  return Array.from({ length: pieces }, (_, i) => {
    const piece = pieces - 1 - i;
    const entry = Buffer.alloc(ENTRY_BYTES);
    entry[0] = (piece + 1) | (i === 0 ? 0x40 : 0);
    entry[11] = LONG_NAME;
    entry[13] = sum;
    for (const [n, where] of LONG_AT.entries()) {
      const at = piece * LONG_AT.length + n;
      // Behind its end, one zero and then ones.
      entry.writeUInt16LE(at < name.length ? name.charCodeAt(at) : at === name.length ? 0 : 0xffff, where);
    }
    return entry;
  });
}
