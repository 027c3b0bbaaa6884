/** Work under way, bounded: whoever has more waits for a place. The first error ends the taking of more. */
export class Lanes {
  readonly #most: number;
  readonly #running = new Set<Promise<void>>();
  #failed: { error: unknown } | null = null;

  constructor(most: number) {
    this.#most = most;
  }

  /** Begins `work` as soon as there is a place. Throws the first error of what was begun before. */
  async add(work: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#most && !this.#failed) await Promise.race(this.#running);
    if (this.#failed) throw this.#failed.error;
    const running: Promise<void> = work()
      .catch((error: unknown) => {
        this.#failed ??= { error };
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** All that was begun has ended. Throws its first error. */
  async drained(): Promise<void> {
    await Promise.all(this.#running);
    if (this.#failed) throw this.#failed.error;
  }
}

/** A few pieces of memory that are lent again and again, each by one at a time. */
export class Buffers {
  readonly #free: Uint8Array[];
  readonly #waiting: ((buffer: Uint8Array) => void)[] = [];

  constructor(count: number, bytes: number) {
    this.#free = Array.from({ length: count }, () => Buffer.allocUnsafeSlow(bytes));
  }

  async with<T>(fn: (buffer: Uint8Array) => Promise<T>): Promise<T> {
    const buffer =
      this.#free.pop() ?? (await new Promise<Uint8Array>((resolve) => this.#waiting.push(resolve)));
    try {
      return await fn(buffer);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(buffer);
      else this.#free.push(buffer);
    }
  }
}
