import type { Evidence } from '../../../preload/contract/outcome.ts';

/** Of everything that a practice box tells, whatever was recorded: nothing here measures anything. */
export const EVIDENCE: Evidence = 'practice';
