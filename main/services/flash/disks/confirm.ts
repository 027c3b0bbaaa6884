/** The engineer proves which disk is meant by typing the end of its serial. Pure. */
import { AppError } from '../../../../preload/contract/errors.ts';

const ENOUGH = 4;

/** What has to be typed: the last four characters of the serial; all of it where it has fewer. */
export function endOf(serial: string): string {
  // By characters, not UTF-16 units: half of one could not be typed.
  return [...serial.trim()].slice(-ENOUGH).join('').trim();
}

/**
 * Holds what was typed against the serial. The rule: the last four characters of the serial as it is shown, or the whole
 * serial where it is shorter; capitals and small letters count as the same, blanks before and after do not count; nothing
 * else is overlooked, and typing the whole of a longer serial is not enough, since that is pasted and not read. A try that
 * was wrong counts nothing and loses nothing. Errors: disk_confirm_wrong.
 */
export function confirmDisk(disk: { name: string; serial: string }, typed: string): void {
  const wanted = endOf(disk.serial).toLowerCase();
  if (wanted !== '' && typed.trim().toLowerCase() === wanted) return;
  throw new AppError('disk_confirm_wrong', { typed: typed.trim() || 'nothing', disk: disk.name });
}
