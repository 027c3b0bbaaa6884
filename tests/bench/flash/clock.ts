/** Where the time of a flash of ours went: from the order to each phase and to the end, in s. */

export interface Took {
  total: number;
  /** Of the total, all but reading back: opening, wiping, writing, flushing, the tables. What the others do. */
  write: number;
  /** Of the total, reading back all of the disk. */
  readBack: number;
}

/** The phases in which nothing is done but reading the disk (preload/contract/flash.ts). */
const READING = ['verify', 'map'];

export class Clock {
  readonly #begun = performance.now();
  #phase = 'look';
  #since = this.#begun;
  #reading = 0;

  /** Told as often as one likes; a phase begins when its name is new. */
  phase(name: string): void {
    if (name === this.#phase) return;
    this.#leave();
    this.#phase = name;
  }

  end(): Took {
    this.#leave();
    const total = (performance.now() - this.#begun) / 1000;
    return { total, write: total - this.#reading, readBack: this.#reading };
  }

  #leave(): void {
    const now = performance.now();
    if (READING.includes(this.#phase)) this.#reading += (now - this.#since) / 1000;
    this.#since = now;
  }
}
