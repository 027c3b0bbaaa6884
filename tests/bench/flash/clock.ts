/** Where the time of a flash of ours went: from the order to each phase and to the end, in s. */

export interface Took {
  total: number;
  /** Of the total, all but reading back: opening, wiping, writing, flushing, the tables. What the others do. */
  write: number;
  /** Of the total, reading back all of the disk. */
  readBack: number;
  /** By the phase's name (preload/contract/flash.ts); before the first it is `begin`. */
  parts: Record<string, number>;
}

export class Clock {
  readonly #parts = new Map<string, number>();
  #phase = 'begin';
  #since = performance.now();

  /** Told as often as one likes; a phase begins when its name is new. */
  phase(name: string): void {
    if (name === this.#phase) return;
    this.#leave();
    this.#phase = name;
  }

  end(): Took {
    this.#leave();
    const total = [...this.#parts.values()].reduce((sum, one) => sum + one, 0);
    // The one phase in which nothing is done but reading back.
    const readBack = this.#parts.get('verify') ?? 0;
    return { total, write: total - readBack, readBack, parts: Object.fromEntries(this.#parts) };
  }

  #leave(): void {
    const now = performance.now();
    this.#parts.set(this.#phase, (this.#parts.get(this.#phase) ?? 0) + (now - this.#since) / 1000);
    this.#since = now;
  }
}
