/** What makes an image start a machine is found, wherever it lies; tables that cannot be right are refused. */
import { describe, expect, it } from 'vitest';
import { crc32, layoutOf } from '../../../main/services/flash/gpt.ts';
import { CHUNK_BYTES, refusalsOf } from '../../../main/services/flash/source/types.ts';
import { ESP, LINUX, MIB, gpt, type Partition, type Piece } from './partitions.ts';

const refuse = refusalsOf('an.img');
const SIZE = 200 * MIB;
const PARTS: readonly Partition[] = [
  { type: LINUX, first: MIB, length: 20 * MIB },
  { type: ESP, first: 42 * MIB, length: 20 * MIB },
];

/** The disk's first chunk, out of pieces. */
function headOf(pieces: readonly Piece[]): Buffer {
  const head = Buffer.alloc(CHUNK_BYTES);
  for (const { at, bytes } of pieces) if (at < head.length) bytes.copy(head, at);
  return head;
}
const codeOf = (head: Buffer, size = SIZE): string => {
  try {
    layoutOf(head, size, refuse);
    return 'none';
  } catch (error) {
    return String((error as { code?: string }).code);
  }
};

describe('a GPT', () => {
  it.each([512, 4096] as const)(
    'in sectors of %i: tables at both ends, and the first block of the ESP',
    (sector) => {
      expect(layoutOf(headOf(gpt(SIZE, sector, PARTS)), SIZE, refuse)).toEqual({
        table: 'gpt',
        sectorBytes: sector,
        bootBlocks: [42 * MIB],
        sealed: [0, 10, 49],
        partitions: [
          { first: MIB, length: 20 * MIB, name: '', boots: false },
          { first: 42 * MIB, length: 20 * MIB, name: '', boots: true },
        ],
      });
    },
  );

  it('whose second copy lies over the border of two chunks seals both', () => {
    // Its entries are 16 KiB before the header: 8 KiB of them are in the chunk before.
    const size = 48 * CHUNK_BYTES + 8192 + 512;
    expect(layoutOf(headOf(gpt(size, 512, PARTS)), size, refuse).sealed).toEqual([0, 10, 47, 48]);
  });

  it('with an ESP in the first chunk, or without one, seals the tables only', () => {
    const early = [{ type: ESP, first: MIB, length: 20 * MIB }];
    expect(layoutOf(headOf(gpt(SIZE, 512, early)), SIZE, refuse).sealed).toEqual([0, 49]);
    expect(layoutOf(headOf(gpt(SIZE, 512, [])), SIZE, refuse).bootBlocks).toEqual([]);
  });

  it('tells of its partitions by name, but not of one that is not on the disk', () => {
    const parts = [
      { type: LINUX, first: MIB, length: MIB, name: 'CIDATA' },
      { type: LINUX, first: 4 * MIB, length: 900 * MIB, name: 'too long' },
    ];
    expect(layoutOf(headOf(gpt(SIZE, 512, parts)), SIZE, refuse).partitions).toEqual([
      { first: MIB, length: MIB, name: 'CIDATA', boots: false },
    ]);
  });

  it('that says the disk is longer is a copy that was cut off', () => {
    expect(codeOf(headOf(gpt(SIZE, 512, PARTS)), SIZE - MIB)).toBe('image_truncated');
  });

  it('with any changed bit of header or entries is refused', () => {
    for (const at of [512 + 13, 512 + 24, 512 + 33, 512 + 72, 512 + 81, 1024 + 32, 1024 + 128 + 1]) {
      const head = headOf(gpt(SIZE, 512, PARTS));
      head[at] = (head[at] ?? 0) ^ 0x10;
      expect([at, codeOf(head)]).toEqual([at, 'image_corrupt']);
    }
  });

  it('with an ESP that is not on the disk is refused, checksums and all', () => {
    expect(codeOf(headOf(gpt(SIZE, 512, [{ type: ESP, first: SIZE, length: MIB }])))).toBe('image_corrupt');
  });

  it("of an isohybrid image, as of Ubuntu's installer, is taken before what its MBR says of the whole", () => {
    // As xorriso writes it: the GPT counts the ISO 9660 file system and, behind it, its ESP; for old firmware there is an active entry of no type.
    const iso: Partition = { type: LINUX, first: 32 * 1024, length: 60 * MIB, name: 'ISO9660' };
    const esp: Partition = { type: ESP, first: 61 * MIB, length: 5 * MIB, name: 'Appended2' };
    const head = headOf(gpt(SIZE, 512, [iso, esp]));
    head[446 + 16] = 0x80;
    head.writeUInt32LE(1, 446 + 16 + 12);
    expect(layoutOf(head, SIZE, refuse)).toMatchObject({
      ...{ table: 'gpt', bootBlocks: [61 * MIB], sealed: [0, 15, 49] },
      partitions: [{ name: 'ISO9660' }, { name: 'Appended2', boots: true }],
    });
  });

  it('that only the protective MBR tells of is refused', () => {
    const head = headOf(gpt(SIZE, 512, PARTS));
    head.fill(0, 512, 1024);
    expect(codeOf(head)).toBe('image_corrupt');
  });
});

describe('an MBR', () => {
  const mbr = (...entries: { active?: boolean; type: number; first: number; length?: number }[]): Buffer => {
    const head = Buffer.alloc(CHUNK_BYTES);
    for (const [i, { active, type, first, length = MIB }] of entries.entries()) {
      head[446 + 16 * i] = active ? 0x80 : 0;
      head[446 + 16 * i + 4] = type;
      head.writeUInt32LE(first / 512, 446 + 16 * i + 8);
      head.writeUInt32LE(length / 512, 446 + 16 * i + 12);
    }
    head.writeUInt16LE(0xaa55, 510);
    return head;
  };

  it('seals the first chunk, and that of active and EFI partitions', () => {
    const head = mbr(
      { type: 0x83, first: 20 * MIB },
      { active: true, type: 0x83, first: 40 * MIB },
      { type: 0xef, first: 81 * MIB },
      { type: 0x05, first: 90 * MIB, length: 20 * MIB },
    );
    expect(layoutOf(head, SIZE, refuse)).toEqual({
      table: 'mbr',
      sectorBytes: null,
      bootBlocks: [40 * MIB, 81 * MIB],
      sealed: [0, 10, 20],
      partitions: [
        { first: 20 * MIB, length: MIB, name: '', boots: false },
        { first: 40 * MIB, length: MIB, name: '', boots: true },
        { first: 81 * MIB, length: MIB, name: '', boots: true },
      ],
    });
  });

  it('of an isohybrid image may have its EFI partition within the one that is the whole', () => {
    const head = mbr(
      { active: true, type: 0x17, first: 0, length: SIZE },
      { type: 0xef, first: 9 * MIB, length: 5 * MIB },
    );
    expect(layoutOf(head, SIZE, refuse)).toMatchObject({ bootBlocks: [0, 9 * MIB], sealed: [0, 2] });
  });

  it('is what there has to be where there is no GPT', () => {
    expect(codeOf(Buffer.alloc(CHUNK_BYTES))).toBe('image_not_supported');
    expect(layoutOf(mbr(), SIZE, refuse).sealed).toEqual([0]);
  });
});

it('crc32 is that of the standard', () => {
  expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
});
