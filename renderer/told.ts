/** The error of a step, without one that its cards tell already: a job that failed says so where it stands. */
import type { BoxState } from '../preload/contract/calls.ts';
import type { ErrorCode } from '../preload/contract/errors.ts';
import { call, replyOf } from './api.ts';
import type { Action } from './components/useAction.ts';

/** What a run that met a failed, cancelled or lost job ends with, and nothing else does. */
const OF_JOBS: readonly ErrorCode[] = [
  'job_failed',
  'job_cancelled',
  'job_lost',
  'box_disk_full',
  'dpkg_broken',
  'bundle_corrupt',
  'hardening_not_confirmed',
];

/** Goes on with the box's run, for places that are no step: what a job ended with is told where the job stands. */
export async function resumeRun(session: string): Promise<void> {
  try {
    await call('box.resume', { session });
  } catch (error) {
    if (!OF_JOBS.includes(replyOf(error).code)) throw error;
  }
}

export function told(action: Action, { session, jobs }: BoxState): Action {
  const phases = new Set(session.run?.phases.map((p) => p.job));
  const newest = jobs.findLast((row) => phases.has(row.job));
  const shown = newest && ['failed', 'cancelled', 'lost'].includes(newest.state);
  return shown && action.error && OF_JOBS.includes(action.error.code) ? { ...action, error: null } : action;
}
