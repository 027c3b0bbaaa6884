/** What the app recorded, read beside it from its journal, and held against what the box wrote. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Journal } from '../../main/journal/journal.ts';
import { isLocalJob, type JobRow } from '../../preload/contract/job.ts';

export interface Recorded {
  rows: JobRow[];
  /** What is wrong with the record, a sentence each; empty when nothing is. */
  wrong: string[];
  /** Events that were compared with the box's own log. */
  compared: number;
}

/**
 * Every attempt of the box of this name: its chain verifies, its events are numbered without a gap, and they are byte by
 * byte those that lie in `jobs`, the box's folder of jobs.
 */
export function recordOf(home: string, name: string, jobs: string): Recorded {
  const journal = Journal.open(join(home, 'journal.db'), { readOnly: true });
  try {
    const session = journal.sessionByName(name);
    if (!session) throw new Error(`the journal knows no box ${name}`);
    const rows = journal.jobs(session.id);
    const wrong: string[] = [];
    let compared = 0;
    for (const row of rows) {
      const what = `${row.title}, attempt ${row.attempt}`;
      const events = [...journal.events(row.job, row.attempt)];
      const found = journal.verify(row.job, row.attempt);
      if (!found.ok) wrong.push(`${what}: event ${found.seq}: ${found.detail}`);
      events.forEach(({ event }, at) => {
        if (event.env.seq !== at + 1) wrong.push(`${what}: event ${event.env.seq} stands at ${at + 1}`);
      });
      // The laptop writes these itself; the box has no log of them.
      if (isLocalJob(row)) continue;
      const path = join(jobs, row.job, String(row.attempt), 'events.jsonl');
      const log = existsSync(path) ? readFileSync(path, 'utf8') : '';
      if (events.map(({ line }) => `${line}\n`).join('') !== log || log === '')
        wrong.push(`${what}: ${events.length} events here, ${log.split('\n').length - 1} on the box`);
      compared += events.length;
    }
    return { rows, wrong, compared };
  } finally {
    journal.close();
  }
}
