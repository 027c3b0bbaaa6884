import { describe, expect, it } from 'vitest';
import { BLOCK_BYTES, blocks, BlockWriter } from '../../../main/services/archive/blocks.ts';
import { pack, readZip } from '../../../main/services/archive/zip.ts';
import { joinZip } from '../../../main/services/archive/zipform.ts';

/** The same numbers in each run. */
let seed = 7;
function random(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
}

const written = (write: (to: BlockWriter) => void): Buffer[] => {
  const all: Buffer[] = [];
  const writer = new BlockWriter((block) => all.push(block));
  write(writer);
  writer.end();
  return all;
};

describe('numbers', () => {
  const special = [
    ...[0, -0, 1, 9, 10, 99, 100, 999_999, 999_999.999, 1e6, 1e21, 1e-7, 0.1, 0.001, 0.0005, 0.1 + 0.2],
    ...[-1, -1.5, 573.7, 86_498.004, 2 ** 31, 2 ** 53, Number.MAX_VALUE, Number.MIN_VALUE, 4.35, 1.005],
  ];
  const usual = Array.from({ length: 20_000 }, () => {
    const digits = Math.floor(random() * 5);
    return Number((random() * 10 ** Math.floor(random() * 8)).toFixed(digits));
  });
  const any = Array.from({ length: 5_000 }, () => (random() - 0.5) * 10 ** (random() * 40 - 20));

  it('are written as String writes them', () => {
    const all = [...special, ...usual, ...any];
    const text = written((to) => {
      for (const n of all) {
        to.number(n);
        to.ascii(0x0a);
      }
    });
    expect(Buffer.concat(text).toString('latin1').trimEnd().split('\n')).toEqual(all.map(String));
  });
});

describe('blocks', () => {
  it('hold every piece whole and in order, also one that is longer than a block', () => {
    const pieces = [10, BLOCK_BYTES - 5, 3, BLOCK_BYTES * 2, 1].map((n, i) => Buffer.alloc(n, 65 + i));
    const all = written((to) => pieces.forEach((p) => to.line(p)));
    expect(all.map((b) => b.length)).toEqual([11, BLOCK_BYTES - 4 + 4, BLOCK_BYTES * 2 + 1, 2]);
    const lines = pieces.map((p) => Buffer.concat([p, Buffer.from('\n')]));
    expect(Buffer.concat(all).equals(Buffer.concat(lines))).toBe(true);
  });

  it('packed one by one are one stream, which is read back', async () => {
    const text = Array.from({ length: 90_000 }, (_, i) => `${i},${Math.floor(random() * 1e6)},0x4\n`).join(
      '',
    );
    const given = Buffer.from(text.repeat(3));
    expect([...blocks(given)].length).toBeGreaterThan(3);
    const read = readZip(joinZip([await pack('day.csv', given), await pack('none', Buffer.alloc(0))]));
    expect(read.get('day.csv')?.equals(given)).toBe(true);
    expect(read.get('none')?.length).toBe(0);
  });
});
