/** A flash as it crosses to the window: the image that was looked at, how far it is, and what came of it (docs/adr/0013-flash-window.md). */
import { z } from 'zod';
import { Disk } from './disk.ts';
import { AppError, ERRORS, ErrorCode, type ErrorReply } from './errors.ts';
import { ImageManifest } from './image.ts';
import type { JobRow } from './job.ts';
import type { JobView } from './reduce.ts';
import { forWindow } from './window-actions.ts';

export const ImageKind = z.enum(['qcow2', 'raw', 'raw.zst', 'raw.gz', 'raw.xz']);
export type ImageKind = z.infer<typeof ImageKind>;

/** What an image says of itself before a byte of its data is read. */
export const ImageLook = z.strictObject({
  /** Absolute. */
  path: z.string().min(1),
  kind: ImageKind,
  fileBytes: z.number().int().nonnegative(),
  /** Of its disk; null where only the end of its stream tells. */
  virtualSize: z.number().int().positive().nullable(),
  manifest: ImageManifest.pick({ name: true, version: true, created: true, labels: true }).nullable(),
  /**
   * What shows that it is the one that was built: `disk_hash`, its manifest's, compared with what was read back before the disk can start;
   * `checksum`, of its file, compared before the first byte is written; null where nothing lies beside it.
   */
  proof: z.enum(['disk_hash', 'checksum']).nullable(),
  /** The file that says it. */
  proofFrom: z.string().nullable(),
});
export type ImageLook = z.infer<typeof ImageLook>;

export const DiskList = z.strictObject({
  /** Those that are offered first. */
  disks: z.array(Disk),
  /**
   * How the writing program gets to write to a disk here: by polkit's dialog, by sudo, whose password is asked for in the window, or as it
   * is; null where there is no way, and then no disk can be written.
   */
  root: z.enum(['plain', 'pkexec', 'sudo']).nullable(),
});
export type DiskList = z.infer<typeof DiskList>;

export const FlashPhase = z.enum(['map', 'wipe', 'write', 'flush', 'verify', 'seed', 'seal']);
export type FlashPhase = z.infer<typeof FlashPhase>;

/** What a person reads of each. */
export const PHASE_TITLES: Record<FlashPhase, string> = {
  map: 'Read what the disk has',
  wipe: 'Make the disk unable to start',
  write: 'Write',
  flush: 'Wait until the disk has all of it',
  verify: 'Read back and compare',
  seed: 'Write and read back the first-boot settings',
  seal: 'Write and read back the partition tables',
};

export const FlashProgress = z.strictObject({
  phase: FlashPhase,
  done: z.number().nonnegative(),
  total: z.number().nonnegative().nullable(),
  /** Bytes; null until there is something to tell it from. */
  perSecond: z.number().nonnegative().nullable(),
  /** Of the whole flash; the phases to come are taken to be as fast as this one. */
  remainingSeconds: z.number().nonnegative().nullable(),
  /** Of all bytes that are to be moved, below 1 until everything is proven; null where a total is not known. */
  fraction: z.number().min(0).max(1).nullable(),
  /** Whether nothing moves but zeros for areas that the image leaves empty: none of its bytes, and on a disk that cannot unmap as slow as them. */
  zeroing: z.boolean(),
});
/** Phases whose bytes are counted. */
export const COUNTED: ReadonlySet<FlashPhase> = new Set(['map', 'write', 'verify']);
/** What is said beside a rate of nothing. */
export const ZEROING = 'zeroing what the image leaves empty';
export type FlashProgress = z.infer<typeof FlashProgress>;

/** Which image and which disk a flash was about, as its job has it; the image null of one over the network, which knows it by its hash. */
export function flashOf({ spec }: Pick<JobRow, 'spec'>): { image: string | null; serial: string | null } {
  const { image, target } = spec.params;
  const told = typeof target === 'object' && target !== null && 'serial' in target ? target.serial : null;
  const serial = typeof told === 'string' ? told : null;
  return { image: typeof image === 'string' ? image : null, serial };
}

/** Whether a flash was about what is chosen now. One into a file, as in practice, has no serial to compare. */
export function isOf(row: Pick<JobRow, 'spec'>, choice: { image: string; serial: string | null }): boolean {
  const { image, serial } = flashOf(row);
  return (
    (image === null || image === choice.image) &&
    (serial === null || choice.serial === null || serial === choice.serial)
  );
}

/** The error of a flash that did not pass, with the sentence and the next action that were recorded; null for one that did, or that is on its way. */
export function flashError(row: Pick<JobRow, 'state' | 'title'>, view: JobView): ErrorReply | null {
  switch (row.state) {
    case 'starting':
    case 'running':
    case 'passed':
      return null;
    case 'lost':
      return forWindow(new AppError('flash_lost', { title: row.title }).toReply());
    case 'failed':
    case 'cancelled': {
      const code = ErrorCode.safeParse(view.code).data ?? 'internal';
      const { retryable, exit, nextAction } = ERRORS[code];
      const message = view.detail ?? 'No reason was recorded.';
      return forWindow({
        ...{ code, message, retryable, exit, detail: null },
        nextAction: view.nextAction ?? nextAction,
      });
    }
  }
}
