/** What a file is, by its first bytes: a name can be anything, and a wrong guess is written to a disk as it stands. */
import type { Refusals } from './types.ts';

export type ImageKind = 'qcow2' | 'raw' | 'raw.zst' | 'raw.gz' | 'raw.xz';

/** Enough for everything that is looked for, with sectors of 4096 bytes, too. */
export const HEAD_BYTES = 36 * 1024;

const MAGIC: readonly (readonly [ImageKind, number, string])[] = [
  ['qcow2', 0, '514649fb'],
  ['raw.zst', 0, '28b52ffd'],
  ['raw.gz', 0, '1f8b'],
  ['raw.xz', 0, 'fd377a585a00'],
];
const FOREIGN: readonly (readonly [string, number, string])[] = [
  ['a VMware disk (VMDK)', 0, '4b444d56'],
  ['a Hyper-V disk (VHDX)', 0, Buffer.from('vhdxfile').toString('hex')],
  ['a Hyper-V disk (VHD)', 0, Buffer.from('conectix').toString('hex')],
  ['a VirtualBox disk (VDI)', 0x40, '7f10dabe'],
  ['a QED disk', 0, '51454400'],
  ['an encrypted LUKS volume', 0, '4c554b53babe'],
  ['a zip archive', 0, '504b0304'],
  ['a 7z archive', 0, '377abcaf271c'],
  ['compressed with bzip2', 0, '425a68'],
  ['compressed with lz4', 0, '04224d18'],
];

const has = (head: Uint8Array, at: number, hex: string): boolean =>
  Buffer.from(head.buffer, head.byteOffset, head.byteLength)
    .subarray(at, at + hex.length / 2)
    .toString('hex') === hex;
const CONVERT = 'Convert it first: qemu-img convert -O qcow2 IMAGE NEW.qcow2';

/** Errors: image_not_supported for formats that are known and not read, image_truncated for an empty file. */
export function detect(head: Uint8Array, refuse: Refusals): ImageKind {
  if (head.length === 0) throw refuse.truncated('the file is empty');
  const own = MAGIC.find(([, at, hex]) => has(head, at, hex));
  if (own) return own[0];
  // A stream of zstd may begin with a frame that is to be skipped, as pzstd's do.
  const [b0 = 0, b1, b2, b3] = head;
  if (b0 >> 4 === 5 && b1 === 0x2a && b2 === 0x4d && b3 === 0x18) return 'raw.zst';
  const foreign = FOREIGN.find(([, at, hex]) => has(head, at, hex));
  if (foreign) throw refuse.notSupported(`it is ${foreign[0]}`, CONVERT);
  return 'raw';
}

/**
 * Refuses bytes that are no disk: without a boot signature or a GPT nothing starts from them, and most likely the wrong file was
 * named. `head`: the beginning of the virtual disk, for images without a format of their own.
 */
export function mustBeDisk(head: Uint8Array, refuse: Refusals): void {
  const inside = detect(head, refuse);
  if (inside !== 'raw')
    throw refuse.notSupported(
      `it is ${inside} inside of another compression`,
      'Unpack it once, then name what comes out.',
    );
  const gpt = Buffer.from('EFI PART').toString('hex');
  if (has(head, 510, '55aa') || has(head, 512, gpt) || has(head, 4096, gpt)) return;
  throw refuse.notSupported(
    'it has neither a partition table nor a boot sector, so it is no image of a disk',
    'Name a disk image: .qcow2, .raw, .img or .iso, or one of the last three compressed with zstd, gzip or xz.',
  );
}
