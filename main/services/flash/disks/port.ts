/** What each operating system tells of its disks, and what nobody but it can know of their use. */
import type { Disk, NotOffered } from '../../../../preload/contract/disk.ts';
import { AppError } from '../../../../preload/contract/errors.ts';

/** Reasons that only the operating system knows. All others are judged alike for all of them (judge.ts). */
export type Use = Extract<
  NotOffered,
  { why: 'system' | 'system_unknown' | 'mounted' | 'swap' | 'in_use' | 'holds_image' | 'contents_unknown' }
>;

export interface SeenDisk extends Omit<Disk, 'verdict'> {
  uses: Use[];
}

export interface DiskPort {
  /** What a person calls the system. */
  readonly system: string;
  /** False where nobody has run this code on that system. */
  readonly run: boolean;
  /**
   * All disks as they are now, also those that may not be written to. `image`: a file, so that the disk it lies on is marked.
   * Errors: disks_unreadable, image_missing, image_unreadable.
   */
  look(image: string | null): Promise<SeenDisk[]>;
}

export const unreadable = (detail: string, action: string, cause?: unknown): AppError =>
  new AppError('disks_unreadable', { detail, action }, cause);
