/** Tells once that the disks of this laptop are not as they were: plugged in or out, read by udev, mounted or let go. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What is read then are a few small files of the kernel's; no disk is touched. */
const LOOK_MS = 1_000;

const quietly = (read: () => string): string => {
  try {
    return read();
  } catch {
    return '';
  }
};

/** udev writes a device's file anew whenever it has read it. */
const datesOf = (dir: string): string =>
  quietly(() =>
    readdirSync(dir)
      .filter((name) => name.startsWith('b'))
      .map((name) => `${name} ${quietly(() => String(statSync(join(dir, name)).mtimeMs))}`)
      .sort()
      .join(),
  );

/** Where a card reader's slot gets or loses its card, only the size changes. */
const sizesOf = (dir: string): string =>
  quietly(() =>
    readdirSync(dir)
      .map((name) => `${name} ${quietly(() => readFileSync(join(dir, name, 'size'), 'utf8'))}`)
      .sort()
      .join(),
  );

/** Changes whenever the list of disks could be another. Empty on systems that do not tell it this way: there a person asks. */
export function disksNow(root = '/'): string {
  return [
    sizesOf(join(root, 'sys/block')),
    datesOf(join(root, 'run/udev/data')),
    quietly(() => readFileSync(join(root, 'proc/self/mountinfo'), 'utf8')),
    quietly(() => readFileSync(join(root, 'proc/swaps'), 'utf8')),
  ].join('\n');
}

export class DiskWatch {
  readonly #tell: () => void;
  readonly #look: () => string;
  #timer: NodeJS.Timeout | null = null;
  #seen = '';

  constructor(tell: () => void, look: () => string = disksNow) {
    this.#tell = tell;
    this.#look = look;
  }

  /** From now on; to be called before the list is made that could grow old. Ends by itself with the first change. */
  arm(): void {
    this.#seen = this.#look();
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => {
      if (this.#look() === this.#seen) return;
      this.stop();
      this.#tell();
    }, LOOK_MS);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
