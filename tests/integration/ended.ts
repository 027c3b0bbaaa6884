/** What a command's records say, for tests of what comes of whole runs. */
import { isEvent } from '../faults/stage.ts';
import type { Record_ } from './cli.ts';

/** Exit codes of an outcome that lets a box go on: passed, passed with deviations. */
export const PASSED = [0, 10];

export const kindIn = (records: readonly Record_[], kind: string): Record<string, unknown>[] =>
  records.filter(isEvent({ kind })).map((r) => r['event'] as Record<string, unknown>);

/** Names of the tasks that changed something, in order. */
export const changedIn = (records: readonly Record_[]): string[] =>
  kindIn(records, 'task')
    .filter((e) => e['state'] === 'changed')
    .map((e) => String(e['name']));
