/** Frames come in pieces of any size, and what is no frame is told and never kept. */
import { describe, expect, it } from 'vitest';
import { Decoder, HEADER_MAX, encodeHeader, type Frame } from '../../../main/services/flash/wire.ts';
import { noise, random } from './images.ts';

const MOST = 100_000;

function decoded(bytes: Buffer, cut: (left: number) => number): { frames: Frame[]; torn: boolean } {
  const decoder = new Decoder(MOST);
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    const n = Math.min(bytes.length - at, cut(bytes.length - at));
    // A piece's memory is used anew by whoever reads.
    const piece = Buffer.from(bytes.subarray(at, at + n));
    frames.push(...decoder.push(piece).map((f) => ({ ...f, payload: Buffer.from(f.payload) })));
    piece.fill(0xee);
    at += n;
  }
  return { frames, torn: decoder.torn };
}

describe('frames', () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed))('in any pieces are the same (seed %i)', (seed) => {
    const next = random(seed);
    const sent: Frame[] = Array.from({ length: 1 + next(12) }, (_, i) => {
      const payload = next(3) === 0 ? noise(seed * 100 + i, 4 * (1 + next(5000))) : Buffer.alloc(0);
      const text = '"ü\n\u{1F4BE}'.repeat(next(20));
      const header = { do: 'data', chunk: i, text, ...(payload.length ? { bytes: payload.length } : {}) };
      return { header, payload };
    });
    const bytes = Buffer.concat(sent.flatMap((f) => [encodeHeader(f.header), f.payload]));
    const { frames, torn } = decoded(bytes, (left) => 1 + next(Math.min(left, next(2) ? 7 : 9000)));
    expect(frames).toEqual(sent);
    expect(torn).toBe(false);
    // Cut anywhere, it gives the whole frames before the cut and says that one is torn.
    const cut = 1 + next(bytes.length - 1);
    const some = decoded(bytes.subarray(0, cut), () => 1 + next(50));
    expect(some.frames).toEqual(sent.slice(0, some.frames.length));
    const whole = sent.slice(0, some.frames.length).flatMap((f) => [encodeHeader(f.header), f.payload]);
    expect(some.torn).toBe(Buffer.concat(whole).length < cut);
  });

  it('that are none throw, at once and not when the memory is full', () => {
    const framed = (text: string) => {
      const head = Buffer.alloc(4);
      head.writeUInt32BE(Buffer.byteLength(text));
      return Buffer.concat([head, Buffer.from(text)]);
    };
    const bad = (bytes: Buffer, most = MOST) =>
      expect(() => new Decoder(most).push(bytes), bytes.subarray(0, 40).toString()).toThrow();
    const large = Buffer.alloc(4);
    large.writeUInt32BE(HEADER_MAX + 1);
    bad(large);
    for (const text of [
      '',
      '{',
      '[]',
      'null',
      '7',
      '{"bytes":-1}',
      '{"bytes":1.5}',
      '{"bytes":"4"}',
      '{"bytes":1e9}',
    ])
      bad(framed(text));
    // The writer sends no payload.
    bad(framed('{"bytes":1}'), 0);
    expect(() => encodeHeader({ text: 'x'.repeat(HEADER_MAX) })).toThrow();
  });

  it.each(Array.from({ length: 30 }, (_, seed) => seed))(
    'of noise throw or wait, and nothing else (seed %i)',
    (seed) => {
      const next = random(1000 + seed);
      const good = encodeHeader({ is: 'read', chunk: 7, sha256: null });
      const bytes = Buffer.concat([good, good, good]);
      for (let n = 0; n < 3; n += 1) bytes[next(bytes.length)] = next(256);
      let frames: Frame[] = [];
      try {
        frames = decoded(bytes, () => 1 + next(20)).frames;
      } catch (error) {
        expect((error as Error).name).toMatch(/^(Error|SyntaxError)$/);
      }
      expect(frames.length).toBeLessThanOrEqual(3);
    },
  );
});
