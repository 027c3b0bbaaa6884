/** Which of the disks that were seen may be written to: the same for every operating system. Pure. */
import type { Disk, NotOffered } from '../../../../preload/contract/disk.ts';
import type { SeenDisk } from './port.ts';
import { isPlaceholder } from './text.ts';

const same = (serial: string): string => serial.toLowerCase();

/**
 * Adds the verdicts. `needed`: bytes of the image's disk; null without an image, or where only the end of its stream tells,
 * and then nothing is too small. An empty slot of a card reader has the serial of the reader: only disks with a medium are
 * held against each other.
 */
export function judge(seen: readonly SeenDisk[], needed: number | null): Disk[] {
  const withMedium = seen.filter(({ size }) => size > 0);
  return seen.map(({ uses, ...disk }) => {
    const { serial, size, path } = disk;
    const reasons: NotOffered[] = [...uses];
    if (size === 0) reasons.push({ why: 'no_medium' });
    else if (needed !== null && size < needed) reasons.push({ why: 'smaller', size, needed });
    if (disk.readOnly) reasons.push({ why: 'read_only' });
    if (serial === null) reasons.push({ why: 'no_serial', said: null });
    else if (isPlaceholder(serial)) reasons.push({ why: 'no_serial', said: serial });
    else if (size > 0) {
      const others = withMedium.filter(
        (other) => other.path !== path && other.serial !== null && same(other.serial) === same(serial),
      );
      if (others.length) reasons.push({ why: 'same_serial', paths: others.map((other) => other.path) });
    }
    return { ...disk, verdict: reasons.length ? { offered: false, reasons } : { offered: true } };
  });
}
