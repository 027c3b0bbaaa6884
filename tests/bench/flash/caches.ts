/** The same caches for all: nothing in memory but the file that is read, all of whose data is there. As root. */
import { join } from 'node:path';
import { script } from './shell.ts';

/** Nothing in memory. */
export const cold = (): Promise<string> => script('sync; echo 3 > /proc/sys/vm/drop_caches');

export async function warm(source: string): Promise<void> {
  await cold();
  await script('exec python3 "$1" "$2"', join(import.meta.dirname, 'warm.py'), source);
}
