/** The engineer proves which disk is meant by typing the end of its serial. Pure. */
import { isEndOf } from '../../../../preload/contract/disk-words.ts';
import { AppError } from '../../../../preload/contract/errors.ts';

/** Holds what was typed against the serial. A try that was wrong counts nothing and loses nothing. Errors: disk_confirm_wrong. */
export function confirmDisk(disk: { name: string; serial: string }, typed: string): void {
  if (isEndOf(disk.serial, typed)) return;
  throw new AppError('disk_confirm_wrong', { typed: typed.trim() || 'nothing', disk: disk.name });
}
