/**
 * Where the frames of a zstd stream end (RFC 8878), without decompressing: so a stream that is cut off is told from one that is
 * damaged, memory is bounded before the decoder asks for it, and a cluster's exact length is known.
 */
import type { Refusals } from './types.ts';

/** A level of 20 and all below have this window at most; --ultra -21 and --long ask for more. */
export const MAX_WINDOW = 32 * 1024 * 1024;
const BLOCK_MAX = 128 * 1024;

type Part = 'magic' | 'descriptor' | 'header' | 'block' | 'skip-size';

/** Follows one frame after another over pieces cut anywhere. */
export class FrameWalker {
  readonly #refuse: Refusals;
  #part: Part = 'magic';
  #held = Buffer.alloc(18);
  #has = 0;
  #need = 4;
  /** Bytes of a block, a checksum or a skipped frame still to pass. */
  #pass = 0;
  /** What comes when they have passed. */
  #last = false;
  #descriptor = 0;

  constructor(refuse: Refusals) {
    this.#refuse = refuse;
  }

  /** Whether a stream may end here. */
  get between(): boolean {
    return this.#part === 'magic' && this.#has === 0 && this.#pass === 0;
  }

  /** Goes on from `at` to the end of the frame or of the piece. Errors: image_corrupt, image_not_supported. */
  advance(piece: Uint8Array, at: number): { at: number; ended: boolean } {
    let pos = at;
    for (;;) {
      if (this.#pass > 0) {
        const take = Math.min(this.#pass, piece.length - pos);
        this.#pass -= take;
        pos += take;
        if (this.#pass > 0) return { at: pos, ended: false };
        if (this.#last) return { at: pos, ended: this.#restart() };
      }
      if (pos === piece.length) return { at: pos, ended: false };
      const take = Math.min(this.#need - this.#has, piece.length - pos);
      this.#held.set(piece.subarray(pos, pos + take), this.#has);
      this.#has += take;
      pos += take;
      if (this.#has < this.#need) return { at: pos, ended: false };
      if (this.#step()) return { at: pos, ended: this.#restart() };
    }
  }

  #restart(): true {
    this.#await('magic', 4);
    this.#last = false;
    return true;
  }

  #await(part: Part, need: number): void {
    this.#part = part;
    this.#need = need;
    this.#has = 0;
  }

  /** Reads the part that is complete; true when the frame ends with it. */
  #step(): boolean {
    const held = this.#held;
    switch (this.#part) {
      case 'magic': {
        const magic = held.readUInt32LE(0);
        if (magic >>> 4 === 0x184d2a5) this.#await('skip-size', 4);
        else if (magic === 0xfd2fb528) this.#await('descriptor', 1);
        else throw this.#refuse.corrupt('zstd: what follows a frame is none');
        return false;
      }
      case 'skip-size': {
        this.#pass = held.readUInt32LE(0);
        this.#last = true;
        return this.#pass === 0;
      }
      case 'descriptor': {
        const d = (this.#descriptor = held[0] ?? 0);
        const single = (d & 0x20) !== 0;
        const fcs = [single ? 1 : 0, 2, 4, 8][d >> 6] ?? 0;
        this.#await('header', (single ? 0 : 1) + ([0, 1, 2, 4][d & 3] ?? 0) + fcs);
        return false;
      }
      case 'header': {
        this.#checkHeader();
        this.#await('block', 3);
        return false;
      }
      case 'block': {
        const header = held.readUIntLE(0, 3);
        const [type, size] = [(header >> 1) & 3, header >> 3];
        if (type === 3 || size > BLOCK_MAX)
          throw this.#refuse.corrupt('zstd: a block with an impossible header');
        this.#last = (header & 1) === 1;
        this.#pass = (type === 1 ? 1 : size) + (this.#last && this.#descriptor & 4 ? 4 : 0);
        this.#await('block', 3);
        return this.#last && this.#pass === 0;
      }
    }
  }

  #checkHeader(): void {
    const d = this.#descriptor;
    if (d & 8) throw this.#refuse.corrupt('zstd: a frame header with a reserved bit');
    if (d & 3)
      throw this.#refuse.notSupported(
        'it was compressed with a zstd dictionary',
        'Compress it again without one.',
      );
    let window: number;
    if (d & 0x20) {
      // One segment: the content is the window, and its size fills the header.
      const n = this.#need;
      window =
        n === 8 ? Number(this.#held.readBigUInt64LE(0)) : this.#held.readUIntLE(0, n) + (n === 2 ? 256 : 0);
    } else {
      const w = this.#held[0] ?? 0;
      const base = 2 ** (10 + (w >> 3));
      window = base + (base / 8) * (w & 7);
    }
    if (window > MAX_WINDOW)
      throw this.#refuse.notSupported(
        `unpacking it takes ${Math.ceil(window / 2 ** 20)} MiB of memory at once, and ${MAX_WINDOW / 2 ** 20} are allowed`,
        'Compress it again with zstd at level 19 or below, without --long.',
      );
  }
}
