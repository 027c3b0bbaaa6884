/** Tags are those of AES-GMAC, and say by themselves what they can be compared with. */
import { describe, expect, it } from 'vitest';
import { isTag, likeThat, newKey, tagOf } from '../../../main/services/flash/tags.ts';

describe('tags of chunks', () => {
  it('are those of the algorithm: the first test case of its specification, and one of another program', () => {
    expect(tagOf('00'.repeat(16), 0, new Uint8Array())).toBe('58e2fccefa7e3061367f1d57a4e7455a');
    // openssl's own, by Python's cryptography: key 00 01 … 0f, nonce 7 in 12 bytes, 1000 bytes of 0xab.
    const key = Buffer.from(Array.from({ length: 16 }, (_, i) => i)).toString('hex');
    expect(tagOf(key, 7, new Uint8Array(1000).fill(0xab))).toBe('d074cfe85686ed9f25c056b7adf555cf');
  });

  it('differ with the bytes, the chunk and the key', () => {
    const bytes = new Uint8Array(100).fill(1);
    const [one, other] = [newKey(), newKey()];
    const tags = [tagOf(one, 1, bytes), tagOf(one, 2, bytes), tagOf(other, 1, bytes)];
    bytes[50] = 2;
    expect(new Set([...tags, tagOf(one, 1, bytes)]).size).toBe(4);
  });

  it('of a block are others than of the chunk and of other blocks, and those of another program', () => {
    const bytes = new Uint8Array(100).fill(1);
    const key = newKey();
    const tags = [undefined, 0, 1].map((block) => tagOf(key, 1, bytes, block));
    expect(new Set(tags).size).toBe(3);
    // openssl's own, by Python's cryptography: key 00 01 … 0f, nonce 00000000 00000003 00000007, 65536 bytes of 0xab.
    const known = Buffer.from(Array.from({ length: 16 }, (_, i) => i)).toString('hex');
    expect(tagOf(known, 7, new Uint8Array(65536).fill(0xab), 2)).toBe('628b59976cffaf4f72fa508a2486f96e');
  });

  it('of what was read back, the part is taken that the expected one can be compared with', () => {
    const [sha256, mac] = ['a'.repeat(64), 'b'.repeat(32)];
    expect([isTag(sha256), isTag(mac), isTag(null)]).toEqual([false, true, false]);
    expect(likeThat({ sha256, mac }, 'c'.repeat(32))).toBe(mac);
    expect(likeThat({ sha256, mac }, 'c'.repeat(64))).toBe(sha256);
    expect(likeThat({ sha256, mac }, null)).toBe(sha256);
    // Zeros have no tag, and are not what was written.
    expect(likeThat({ sha256: null, mac: null }, mac)).toBe(null);
    // A writer that gives none is never taken for one that agrees.
    expect(likeThat({ sha256, mac: null }, mac)).toBe(null);
  });
});
