/** What takes too long to be done with every change. */
import { it } from 'vitest';

/** Whether all of it is to be done now: `MEND=all`. */
export const ALL = process.env['MEND'] === 'all';

/** A test that is done with `MEND=all` only; where it is used stands what CI has of the same. */
export const byHand = ALL ? it : () => undefined;
