/** The whole table, by the box that its rows need: one test file boots one box. */
import { CLOCK } from './clock.ts';
import { CONNECTION, LOGIN } from './connection.ts';
import { JOBS } from './jobs.ts';
import { KEY_FILES } from './keyfiles.ts';
import { LAPTOP } from './laptop.ts';
import { ROOT_ONLY, ROOT_WAYS, UID_TAKEN } from './rootways.ts';
import type { Row } from './row.ts';

/** A fresh box with a first user; the last row makes vaultadmin there. */
export const FIRST_CONTACT: readonly Row[] = [
  ...CONNECTION,
  ...LOGIN,
  ...KEY_FILES,
  ...ROOT_WAYS,
  ...LAPTOP,
  ...CLOCK,
  UID_TAKEN,
];

/** A fresh box that has root alone. */
export const ONLY_ROOT: readonly Row[] = ROOT_ONLY;

/** A box that has its layers, and whose state lies on a disk of its own. */
export const AT_WORK: readonly Row[] = JOBS;
