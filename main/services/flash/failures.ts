/** What the writer says went wrong, as the app's errors. Pure. */
import { AppError } from '../../../preload/contract/errors.ts';
import { CHUNK_BYTES } from './source/types.ts';
import { FAILURES, type Answer } from './wire.ts';

type Failed = Extract<Answer, { is: 'failed' }>;

/** Whom the sentences name. */
export interface Subject {
  /** As a person knows it: model and serial, or the file's path. */
  target: string;
  image: string;
}

/** A sentence of its own, whatever the writer ends its words with. */
const sentence = (text: string): string => (/[.!?]$/.test(text.trim()) ? text.trim() : `${text.trim()}.`);

/** A code that this version does not know is told as the writer's failure, with its words. */
export function failureOf({ code, detail: words, chunk }: Failed, { target, image }: Subject): AppError {
  const known = FAILURES.find((one) => one === code);
  const where = typeof chunk === 'number' ? `at byte ${chunk * CHUNK_BYTES}: ${words}` : words;
  const detail = sentence(where);
  switch (known) {
    case 'target_missing':
      return new AppError('flash_target_missing', { target }, new Error(words));
    case 'target_not_a_disk':
      return new AppError('flash_target_unfit', { target, detail });
    case 'target_serial':
      return new AppError('flash_other_disk', { target, detail });
    case 'target_size':
      return new AppError('flash_target_size', { target, detail });
    case 'target_in_use':
      return new AppError('flash_target_in_use', { target, detail });
    case 'target_gone':
      return new AppError('flash_target_gone', { target, detail });
    case 'target_full':
      return new AppError('flash_target_full', { target, detail });
    case 'target_io':
      return new AppError('flash_target_io', { target, detail });
    case 'target_read_only':
      return new AppError('flash_target_read_only', { target, detail });
    case 'image_missing':
      return new AppError('image_missing', { path: image });
    case 'image_unreadable':
      // The table's sentence ends by itself.
      return new AppError('image_unreadable', { path: image, detail: where.replace(/[.!?]+$/, '') });
    case 'image_changed':
      return new AppError('flash_image_moved', { path: image, detail, target });
    case 'image_corrupt':
      return new AppError('image_corrupt', { path: image, detail: where.replace(/[.!?]+$/, '') });
    case 'feeder_busy':
      return new AppError('flash_feeder_busy', { target, detail });
    case 'verify_failed':
    case 'root_differs':
      return new AppError('flash_verify_failed', { target, detail });
    case 'target_mismatch':
    case 'image_mismatch':
    case 'bad_command':
    case 'order':
    case 'internal':
    case undefined:
      return new AppError('flash_writer_failed', { target, detail: `${code}: ${detail}` });
  }
}

/** A chunk of the target reads as something else than was written to it. Hashes in hex, null for zeros. */
export function differs(
  target: string,
  chunk: number,
  found: string | null,
  wanted: string | null | undefined,
): AppError {
  const said = (hash: string | null | undefined) => (hash === null ? 'zeros' : (hash ?? 'nothing'));
  const detail = `chunk ${chunk}, at byte ${chunk * CHUNK_BYTES}: ${said(found)} instead of ${said(wanted)}.`;
  return new AppError('flash_verify_failed', { target, detail });
}
