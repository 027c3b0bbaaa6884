/** What a job that did not pass is to a person: the same error on the command line and on the screen. Pure. */
import { AppError } from './errors.ts';
import type { JobRow } from './job.ts';
import type { JobView } from './reduce.ts';

/** Codes of jobs that have a sentence of their own, with the job's detail in it. */
const TOLD_BY_DETAIL = ['box_disk_full', 'dpkg_broken', 'bundle_corrupt', 'power_limit_failed'] as const;

/** The error of a job that did not pass: the one its code names where the table has a sentence for it, else with its own words. */
export function jobError(
  { title, state }: Pick<JobRow, 'title' | 'state'>,
  { code, detail }: Pick<JobView, 'code' | 'detail'>,
): AppError {
  if (state === 'cancelled') return new AppError('job_cancelled', { title });
  if (state === 'lost') return new AppError('job_lost', { title });
  const why = detail ?? code ?? 'no reason was given';
  if (code === 'hardening_not_confirmed') return new AppError(code);
  const own = TOLD_BY_DETAIL.find((known) => known === code);
  return own ? new AppError(own, { detail: why }) : new AppError('job_failed', { title, detail: why });
}
