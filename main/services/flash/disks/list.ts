/** Disks with their verdicts, and the one that was chosen. */
import type { Disk } from '../../../../preload/contract/disk.ts';
import { diskName, reasonAction, reasonText } from '../../../../preload/contract/disk-words.ts';
import { AppError } from '../../../../preload/contract/errors.ts';
import { judge } from './judge.ts';
import { LinuxDisks } from './linux.ts';
import { MacDisks } from './macos.ts';
import type { DiskPort } from './port.ts';
import { WindowsDisks } from './windows.ts';

/**
 * The port of this operating system. `neverRun`: also one that nobody has run, which a person must have asked for.
 * Errors: disks_never_run.
 */
export function diskPort(
  { neverRun = false }: { neverRun?: boolean } = {},
  platform: NodeJS.Platform = process.platform,
): DiskPort {
  const port = portOf(platform);
  if (port === null) throw new AppError('disks_never_run', { system: platform });
  if (!port.run && !neverRun) throw new AppError('disks_never_run', { system: port.system });
  return port;
}

function portOf(platform: NodeJS.Platform): DiskPort | null {
  if (platform === 'linux') return new LinuxDisks();
  if (platform === 'win32') return new WindowsDisks();
  if (platform === 'darwin') return new MacDisks();
  return null;
}

export interface ForImage {
  path: string;
  /** Bytes of its disk; null where only the end of its stream tells. */
  virtualSize: number | null;
}

/**
 * All disks as they are now, those that are offered first. Look again before anything is written: a list is old as soon as it
 * is made. `needed`: bytes of the image's disk, where that lies elsewhere. Errors: disks_unreadable, image_missing, image_unreadable.
 */
export async function listDisks(
  port: DiskPort,
  image: ForImage | null,
  needed = image?.virtualSize ?? null,
): Promise<Disk[]> {
  const disks = judge(await port.look(image?.path ?? null), needed);
  return disks.sort(
    (a, b) =>
      Number(b.verdict.offered) - Number(a.verdict.offered) ||
      a.path.localeCompare(b.path, 'en', { numeric: true }),
  );
}

/** An offered disk surely has a serial. */
export type Target = Disk & { serial: string };

/**
 * The one disk with this serial, in capitals or not; `box`: whose disks they are, where not this laptop's. Errors: disk_missing,
 * flash_box_disk_missing; disk_not_offered, with its first reason, also where two have the serial.
 */
export function chooseDisk(disks: readonly Disk[], serial: string, box?: string): Target {
  const wanted = serial.trim().toLowerCase();
  const found = disks.filter((disk) => disk.serial !== null && disk.serial.toLowerCase() === wanted);
  // Of a card reader's slots, the one with a card.
  const disk = found.find(({ size }) => size > 0) ?? found[0];
  if (disk?.serial == null)
    throw box === undefined
      ? new AppError('disk_missing', { serial: serial.trim() })
      : new AppError('flash_box_disk_missing', { serial: serial.trim(), box });
  if (disk.verdict.offered) return { ...disk, serial: disk.serial };
  const [reason] = disk.verdict.reasons;
  if (!reason) throw new AppError('internal', { detail: `${disk.path} is not offered without a reason` });
  throw new AppError('disk_not_offered', {
    disk: `${diskName(disk)} (${disk.serial})`,
    reason: reasonText(reason),
    action: reasonAction(reason),
  });
}
