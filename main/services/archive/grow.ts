/** Bytes that are put together piece by piece: one block of memory, where a day's lines were a hundred thousand. */
export class GrowingBytes {
  #bytes = Buffer.allocUnsafe(64 * 1024);
  #length = 0;

  add(piece: Uint8Array): void {
    this.#room(piece.length);
    this.#bytes.set(piece, this.#length);
    this.#length += piece.length;
  }

  /** As UTF-8. */
  text(piece: string): void {
    this.#room(piece.length * 3);
    this.#length += this.#bytes.write(piece, this.#length, 'utf8');
  }

  /** What is there so far; nothing is to be added after. */
  all(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + more));
    larger.set(this.all());
    this.#bytes = larger;
  }
}
