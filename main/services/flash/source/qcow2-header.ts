/** The header of a qcow2 image, judged before anything else of the file is believed. Pure; the format is QEMU's docs/interop/qcow2.txt. */
import type { Refusals } from './types.ts';

/** The header and its extensions lie in the first cluster, of at most this size. */
export const HEADER_MAX = 2 * 1024 * 1024;
const V2_BYTES = 72;
const V3_BYTES = 104;
/** 16 TiB: four million chunks. */
const VIRTUAL_MAX = 2 ** 44;
/** 2,097,152 entries: 128 TiB with clusters of 64 KiB. */
const L1_MAX_BYTES = 16 * 1024 * 1024;

export interface Qcow2Header {
  version: 2 | 3;
  clusterBits: number;
  clusterSize: number;
  virtualSize: number;
  l1Offset: number;
  /** Entries that the virtual size needs; the table may have more. */
  l1Entries: number;
  /** How many clusters one L2 table describes. */
  l2Entries: number;
  compression: 'deflate' | 'zstd';
  /** Extended L2 entries: a cluster is 32 subclusters, each with or without data. */
  subclusters: boolean;
}

const DIRTY = 1 << 0;
const CORRUPT = 1 << 1;
const DATA_FILE = 1 << 2;
const COMPRESSION = 1 << 3;
const EXTENDED_L2 = 1 << 4;
const KNOWN = DIRTY | CORRUPT | DATA_FILE | COMPRESSION | EXTENDED_L2;

const EXT_CRYPTO = 0x0537be77;
const EXT_DATA_FILE = 0x44415441;

const FLATTEN = 'Make one whole image of it first: qemu-img convert -O qcow2 IMAGE NEW.qcow2';
const REPAIR = 'Look at it with "qemu-img check IMAGE" where it was made, or build the image again.';

/** `head`: the first bytes of the file, HEADER_MAX of them where it has so many. Errors: image_truncated, image_corrupt, image_not_supported. */
export function parseHeader(head: Buffer, fileSize: number, refuse: Refusals): Qcow2Header {
  if (head.length < V2_BYTES) throw refuse.truncated('it ends in the header');
  const version = head.readUInt32BE(4);
  if (version !== 2 && version !== 3)
    throw refuse.notSupported(`it is qcow version ${version}, and 2 and 3 are read`, FLATTEN);
  if (version === 3 && head.length < V3_BYTES) throw refuse.truncated('it ends in the header');
  const clusterBits = head.readUInt32BE(20);
  if (clusterBits < 9 || clusterBits > 21)
    throw refuse.corrupt(`clusters of 2^${clusterBits} bytes are impossible`);
  const clusterSize = 2 ** clusterBits;

  const { compression, subclusters, headerLength } = features(head, version, refuse);
  if (headerLength > clusterSize) throw refuse.corrupt('the header is longer than a cluster');
  const extensions = extensionsOf(head.subarray(0, clusterSize), headerLength, refuse);
  refuseParts(head, extensions, clusterSize, refuse);
  if (subclusters && clusterBits < 14) throw refuse.corrupt('its clusters are too small for subclusters');

  const virtualSize = Number(head.readBigUInt64BE(24));
  if (virtualSize === 0) throw refuse.corrupt('its virtual disk has no bytes');
  if (virtualSize > VIRTUAL_MAX)
    throw refuse.notSupported(
      `its virtual disk has ${virtualSize} bytes, and ${VIRTUAL_MAX} are allowed`,
      REPAIR,
    );
  if (virtualSize % 512 !== 0)
    throw refuse.notSupported(
      `its virtual disk has ${virtualSize} bytes, which is no whole number of sectors`,
      'Resize it to whole sectors first: qemu-img resize IMAGE SIZE',
    );

  const l2Entries = clusterSize / (subclusters ? 16 : 8);
  const l1Entries = Math.ceil(virtualSize / (clusterSize * l2Entries));
  const l1Size = head.readUInt32BE(36);
  const l1Offset = Number(head.readBigUInt64BE(40));
  if (l1Size < l1Entries)
    throw refuse.corrupt(`its L1 table has ${l1Size} entries, and the disk needs ${l1Entries}`);
  if (l1Size * 8 > L1_MAX_BYTES)
    throw refuse.notSupported(
      `its L1 table has ${l1Size} entries, and ${L1_MAX_BYTES / 8} are allowed`,
      'Make it anew with larger clusters: qemu-img convert -O qcow2 -o cluster_size=64k IMAGE NEW.qcow2',
    );
  if (l1Offset === 0 || l1Offset % clusterSize !== 0)
    throw refuse.corrupt(
      `its L1 table lies at byte ${l1Offset}: in the header, or in the middle of a cluster`,
    );
  if (l1Offset + l1Size * 8 > fileSize)
    throw refuse.truncated(`its L1 table ends at byte ${l1Offset + l1Size * 8}, and the file at ${fileSize}`);
  return {
    version,
    clusterBits,
    clusterSize,
    virtualSize,
    l1Offset,
    l1Entries,
    l2Entries,
    compression,
    subclusters,
  };
}

function features(head: Buffer, version: 2 | 3, refuse: Refusals) {
  if (version === 2) return { compression: 'deflate' as const, subclusters: false, headerLength: V2_BYTES };
  const high = head.readUInt32BE(72);
  const low = head.readUInt32BE(76);
  const unknown = [...Array(64).keys()].filter((bit) =>
    bit < 32 ? ((low & ~KNOWN) >>> bit) & 1 : (high >>> (bit - 32)) & 1,
  );
  if (unknown.length)
    throw refuse.notSupported(
      `it uses features that this version does not know (bit ${unknown.join(', ')})`,
      FLATTEN,
    );
  if (low & CORRUPT) throw refuse.notSupported('it is marked as corrupt', REPAIR);
  if (low & DIRTY)
    throw refuse.notSupported(
      'it was not closed in order, so its tables may be old',
      'Put it in order first: qemu-img check -r all IMAGE',
    );
  if (low & DATA_FILE) throw refuse.notSupported('its data lie in another file', FLATTEN);
  const headerLength = head.readUInt32BE(100);
  if (headerLength < V3_BYTES || headerLength % 8 !== 0)
    throw refuse.corrupt(`a header of ${headerLength} bytes is impossible`);
  if (head.readUInt32BE(96) > 6) throw refuse.corrupt('its reference counts have an impossible width');
  const type = headerLength > V3_BYTES ? head[104] : 0;
  // A program that does not know the bit must not take zstd for deflate.
  if ((type !== 0) !== ((low & COMPRESSION) !== 0))
    throw refuse.corrupt('its compression type contradicts itself');
  if (type !== 0 && type !== 1)
    throw refuse.notSupported(`its compression type ${type} is not known`, FLATTEN);
  return {
    compression: type === 1 ? ('zstd' as const) : ('deflate' as const),
    subclusters: (low & EXTENDED_L2) !== 0,
    headerLength,
  };
}

/** Types of the header extensions. */
function extensionsOf(cluster: Buffer, from: number, refuse: Refusals): Set<number> {
  const types = new Set<number>();
  for (let at = from; at + 8 <= cluster.length;) {
    const type = cluster.readUInt32BE(at);
    if (type === 0) break;
    const length = cluster.readUInt32BE(at + 4);
    at += 8 + Math.ceil(length / 8) * 8;
    if (at > cluster.length) throw refuse.corrupt('a header extension is longer than its cluster');
    types.add(type);
  }
  return types;
}

/** What a golden image has no use for, and what the bytes of this file alone do not give. */
function refuseParts(head: Buffer, extensions: Set<number>, clusterSize: number, refuse: Refusals): void {
  const backingOffset = Number(head.readBigUInt64BE(8));
  if (backingOffset !== 0) {
    const length = head.readUInt32BE(16);
    const end = backingOffset + length;
    if (length > 1023 || end > Math.min(clusterSize, head.length))
      throw refuse.corrupt('the name of its backing file lies outside of the header');
    const name = head.toString('utf8', backingOffset, end).replaceAll(/\p{C}/gu, '?');
    throw refuse.notSupported(`it is only the difference to the backing file ${name}`, FLATTEN);
  }
  const encryption = head.readUInt32BE(32);
  if (encryption !== 0 || extensions.has(EXT_CRYPTO))
    throw refuse.notSupported(
      'it is encrypted',
      'Decrypt it first with qemu-img convert, where its secret is known.',
    );
  if (extensions.has(EXT_DATA_FILE)) throw refuse.notSupported('its data lie in another file', FLATTEN);
  const snapshots = head.readUInt32BE(60);
  if (snapshots !== 0)
    throw refuse.notSupported(
      `it holds ${snapshots} internal snapshots, so which state is meant is not plain`,
      'Take out the state that is meant: qemu-img convert -O qcow2 [-l SNAPSHOT] IMAGE NEW.qcow2',
    );
}
