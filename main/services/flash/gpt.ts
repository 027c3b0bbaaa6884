/** Where the partition tables of an image lie, and with them what makes its disk start a machine. Pure: bytes in, numbers out. */
import { CHUNK_BYTES, type Refusals } from './source/types.ts';

/** One that lies on the disk as a whole; what the table says otherwise of is left out. */
export interface Partition {
  /** Bytes. */
  first: number;
  length: number;
  /** An MBR has none: ''. */
  name: string;
  /** Whether a machine may start from it. */
  boots: boolean;
}

export interface DiskLayout {
  table: 'gpt' | 'mbr';
  /** Sectors that the table counts in; null for an MBR, which does not say. */
  sectorBytes: 512 | 4096 | null;
  /** Where the first block of each EFI (of an MBR also: active) partition lies, in bytes. */
  bootBlocks: number[];
  /** The chunks that are destroyed first and written last, ascending: tables at both ends, and the chunk of each boot block. */
  sealed: number[];
  partitions: Partition[];
}

const SIGNATURE = Buffer.from('EFI PART').readBigUInt64LE(0);
/** C12A7328-F81F-11D2-BA4B-00A0C93EC93B as it lies on a disk. */
const ESP = Buffer.from('28732ac11ff8d211ba4b00a0c93ec93b', 'hex');
const HEADER_BYTES = 92;
const ENTRY_BYTES = 128;
const NAME_AT = 56;
const UNUSED = Buffer.alloc(16);
const MBR_PARTITIONS = 446;
const MBR_ACTIVE = 0x80;
const MBR_EFI = 0xef;
const MBR_PROTECTIVE = 0xee;
/** Boxes of other partitions. */
const MBR_EXTENDED: readonly number[] = [0x05, 0x0f, 0x85];

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** CRC-32 of IEEE 802.3, as GPT has it. Node 20 has none. */
export function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = (CRC_TABLE[(c ^ byte) & 0xff] ?? 0) ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

const chunkOf = (offset: number): number => Math.floor(offset / CHUNK_BYTES);
const ascending = (chunks: Iterable<number>): number[] => [...new Set(chunks)].sort((a, b) => a - b);

/**
 * `head`: the first chunk of the disk, `virtualSize` its bytes. Errors: image_corrupt for a table that is damaged,
 * image_truncated for one that says the disk is longer, image_not_supported for entries beyond the first chunk or for no table.
 */
export function layoutOf(head: Uint8Array, virtualSize: number, refuse: Refusals): DiskLayout {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  for (const sectorBytes of [512, 4096] as const) {
    if (bytes.length >= sectorBytes + HEADER_BYTES && bytes.readBigUInt64LE(sectorBytes) === SIGNATURE)
      return gptLayout(bytes, sectorBytes, virtualSize, refuse);
  }
  return mbrLayout(bytes, virtualSize, refuse);
}

function gptLayout(
  bytes: Buffer,
  sectorBytes: 512 | 4096,
  virtualSize: number,
  refuse: Refusals,
): DiskLayout {
  const damaged = (what: string) => refuse.corrupt(`its partition table (GPT) ${what}`);
  const header = bytes.subarray(sectorBytes, 2 * sectorBytes);
  const size = header.readUInt32LE(12);
  if (size < HEADER_BYTES || size > header.length) throw damaged('has a header of an impossible size');
  const summed = Buffer.from(header.subarray(0, size));
  summed.writeUInt32LE(0, 16);
  if (crc32(summed) !== header.readUInt32LE(16)) throw damaged('has a header with a wrong checksum');
  if (header.readBigUInt64LE(24) !== 1n) throw damaged('is not where it says');

  const sectors = BigInt(Math.floor(virtualSize / sectorBytes));
  const backup = header.readBigUInt64LE(32);
  const entriesAt = header.readBigUInt64LE(72);
  const count = header.readUInt32LE(80);
  const entryBytes = header.readUInt32LE(84);
  if (
    entryBytes < ENTRY_BYTES ||
    entryBytes > 4096 ||
    entryBytes % 8 !== 0 ||
    count * entryBytes > CHUNK_BYTES
  )
    throw damaged('has impossible entries');
  if (backup >= sectors)
    throw refuse.truncated(
      `its partition table ends at byte ${(backup + 1n) * BigInt(sectorBytes)}, and the disk in it at ${virtualSize}`,
    );
  const tableSectors = Math.ceil((count * entryBytes) / sectorBytes);
  if (backup <= 1n + BigInt(tableSectors)) throw damaged('has its second copy over the first');
  const from = Number(entriesAt) * sectorBytes;
  if (entriesAt < 2n || entriesAt >= sectors) throw damaged('has its entries in an impossible place');
  if (from + count * entryBytes > bytes.length)
    throw refuse.notSupported(
      `the entries of its partition table begin at byte ${from}, behind its first ${CHUNK_BYTES} bytes`,
      'Use an image with an ordinary partition table, as sfdisk or sgdisk write it.',
    );
  const entries = bytes.subarray(from, from + count * entryBytes);
  if (crc32(entries) !== header.readUInt32LE(88)) throw damaged('has entries with a wrong checksum');

  const bootBlocks: number[] = [];
  const partitions: Partition[] = [];
  for (let at = 0; at < entries.length; at += entryBytes) {
    const type = entries.subarray(at, at + ESP.length);
    if (type.equals(UNUSED)) continue;
    const boots = type.equals(ESP);
    const first = entries.readBigUInt64LE(at + 32);
    const last = entries.readBigUInt64LE(at + 40);
    const onDisk = first <= last && last < sectors;
    if (boots && !onDisk) throw damaged('has an EFI partition that is not on the disk');
    if (boots) bootBlocks.push(Number(first) * sectorBytes);
    const [name = ''] = entries.toString('utf16le', at + NAME_AT, at + ENTRY_BYTES).split('\0');
    const length = Number(last - first + 1n) * sectorBytes;
    if (onDisk) partitions.push({ first: Number(first) * sectorBytes, length, name, boots });
  }
  const sealed = [0, chunkOf(from), ...bootBlocks.map(chunkOf)];
  const backupFrom = (Number(backup) - tableSectors) * sectorBytes;
  const backupLast = (Number(backup) + 1) * sectorBytes - 1;
  for (let chunk = chunkOf(backupFrom); chunk <= chunkOf(backupLast); chunk += 1) sealed.push(chunk);
  return { table: 'gpt', sectorBytes, bootBlocks, sealed: ascending(sealed), partitions };
}

function mbrLayout(bytes: Buffer, virtualSize: number, refuse: Refusals): DiskLayout {
  if (bytes.length < 512 || bytes.readUInt16LE(510) !== 0xaa55)
    throw refuse.notSupported(
      'it has neither a partition table nor a boot sector, so no machine would start from it',
      'Name the image of a whole disk.',
    );
  const bootBlocks: number[] = [];
  const partitions: Partition[] = [];
  for (let at = MBR_PARTITIONS; at < 510; at += 16) {
    const type = bytes[at + 4] ?? 0;
    // Nothing but a GPT is told of by such an entry.
    if (type === MBR_PROTECTIVE) throw refuse.corrupt('its partition table (GPT) is not there');
    const offset = bytes.readUInt32LE(at + 8) * 512;
    if (type === 0) continue;
    const boots = bytes[at] === MBR_ACTIVE || type === MBR_EFI;
    if (boots && offset < virtualSize) bootBlocks.push(offset);
    const length = bytes.readUInt32LE(at + 12) * 512;
    if (length > 0 && offset + length <= virtualSize && !MBR_EXTENDED.includes(type))
      partitions.push({ first: offset, length, name: '', boots });
  }
  const sealed = ascending([0, ...bootBlocks.map(chunkOf)]);
  return { table: 'mbr', sectorBytes: null, bootBlocks, sealed, partitions };
}
