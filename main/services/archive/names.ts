/** How the files of a hand-over archive are named. */
import { createHash } from 'node:crypto';
import type { JobRow } from '../../../preload/contract/job.ts';

export const SUMS = 'SHA256SUMS';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Letters, digits, dots, dashes; what is anything else becomes one dash. */
export const fileName = (text: string): string =>
  text
    .replace(/[^A-Za-z0-9.-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 80) || 'unnamed';

/** The folder of an attempt; in order of time by its number. */
export const attemptFolder = (
  index: number,
  { kind, job, attempt }: Pick<JobRow, 'kind' | 'job' | 'attempt'>,
) => `attempts/${String(index + 1).padStart(4, '0')}-${fileName(kind)}-${job.slice(0, 8)}-${attempt}`;
