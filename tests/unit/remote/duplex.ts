/** Two ends of one connection in memory: what is written to one is read from the other, as fast as it is read. */
import { Duplex } from 'node:stream';

class End extends Duplex {
  peer: End | null = null;
  #taken: (() => void) | null = null;

  override _read(): void {
    const taken = this.#taken;
    this.#taken = null;
    taken?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const { peer } = this;
    if (!peer || peer.destroyed) return done();
    // Only when the other side reads on: a sender feels how slow its reader is.
    if (peer.push(chunk)) done();
    else peer.#taken = done;
  }

  override _final(done: () => void): void {
    this.peer?.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { peer } = this;
    // As a channel of SSH ends with its link: the other end is gone without a word.
    if (peer && !peer.destroyed) setImmediate(() => peer.destroy());
    done(error);
  }
}

export function duplexPair(): [Duplex, Duplex] {
  const a = new End();
  const b = new End();
  a.peer = b;
  b.peer = a;
  return [a, b];
}
