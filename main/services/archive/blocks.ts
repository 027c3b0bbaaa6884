/** Bytes that are put together piece by piece and given away block by block: a day's lines are a hundred thousand. */

/** Of a block, about: a piece is never parted. */
export const BLOCK_BYTES = 1024 * 1024;

const NEWLINE = 0x0a;
const ZERO = 0x30;
const POINT = 0x2e;
/** The longest number that String writes: `-2.2250738585072014e-308`. */
const MAX_NUMBER = 24;
/** Below it a number has as many digits before its point as are counted in 32 bits, with thousandths, too. */
const MAX_PLAIN = 1_000_000;

/** What is there as a whole, in blocks. */
export function* blocks(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) yield bytes.subarray(at, at + BLOCK_BYTES);
}

export class BlockWriter {
  readonly #take: (block: Buffer) => void;
  #bytes = Buffer.alloc(0);
  #length = 0;

  /** `take` is given each block when it is full, to keep. */
  constructor(take: (block: Buffer) => void) {
    this.#take = take;
  }

  /** A line, and the newline that ends it. */
  line(line: Uint8Array): void {
    this.#room(line.length + 1);
    this.#bytes.set(line, this.#length);
    this.#length += line.length;
    this.#bytes[this.#length++] = NEWLINE;
  }

  /** As UTF-8. */
  text(piece: string): void {
    this.#room(piece.length * 3);
    this.#length += this.#bytes.write(piece, this.#length, 'utf8');
  }

  /** One character of ASCII. */
  ascii(code: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = code;
  }

  /**
   * As String writes it. Nearly every measured value is whole or has at most three decimals: those are written digit by digit,
   * three times as fast as by way of a string, and a day has five million of them.
   */
  number(value: number): void {
    this.#room(MAX_NUMBER);
    if (value >= 0 && value < MAX_PLAIN) {
      const thousandths = Math.round(value * 1000);
      if (thousandths / 1000 === value) {
        const whole = Math.floor(thousandths / 1000);
        this.#digits(whole);
        this.#decimals(thousandths - whole * 1000);
        return;
      }
    }
    this.#length += this.#bytes.write(String(value), this.#length, 'latin1');
  }

  /** Gives the last block away. */
  end(): void {
    if (this.#length) this.#take(this.#bytes.subarray(0, this.#length));
    this.#bytes = Buffer.alloc(0);
    this.#length = 0;
  }

  #digits(whole: number): void {
    let digits = 1;
    for (let n = whole; n > 9; n = Math.floor(n / 10)) digits += 1;
    let left = whole;
    for (let at = this.#length + digits - 1; at >= this.#length; at -= 1) {
      const tenth = Math.floor(left / 10);
      this.#bytes[at] = ZERO + left - tenth * 10;
      left = tenth;
    }
    this.#length += digits;
  }

  /** `thousandths` of one, without the zeros at its end. */
  #decimals(thousandths: number): void {
    if (thousandths === 0) return;
    this.#bytes[this.#length++] = POINT;
    let left = thousandths;
    for (let unit = 100; left > 0; unit /= 10) {
      const digit = Math.floor(left / unit);
      this.#bytes[this.#length++] = ZERO + digit;
      left -= digit * unit;
    }
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    this.end();
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, more));
  }
}
