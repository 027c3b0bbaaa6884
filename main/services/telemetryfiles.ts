/** Telemetry as CSV files, every sample as it was measured: the same bytes as in the hand-over archive, without making one. */
import { basename, join } from 'node:path';
import type { Journal } from '../journal/journal.ts';
import { TelemetryCsv } from './archive/csv.ts';
import { attemptFolder, fileName } from './archive/names.ts';
import { writeOut, type OutFile } from './outfiles.ts';

/**
 * Writes `vault-cube-<box>-<attempt>-<source>.csv` into `folder` for each attempt of the box that has samples, or for the one that is named, and
 * gives their paths; none where nothing was measured, or no such attempt is there. What is not real says so in the name: a table has no other place for it.
 * Errors: those of writeOut and of reading the journal.
 */
export function writeTelemetry(
  journal: Journal,
  sessionId: string,
  folder: string,
  only?: { job: string; attempt?: number | undefined },
): string[] {
  const box = journal.session(sessionId)?.name ?? '';
  const files: OutFile[] = [];
  for (const [index, row] of journal.jobs(sessionId).entries()) {
    if (only && (row.job !== only.job || (only.attempt ?? row.attempt) !== row.attempt)) continue;
    if (journal.sampleRows(row.job, row.attempt) === 0) continue;
    const tables: Buffer[][] = [];
    const csv = new TelemetryCsv(() => {
      const blocks: Buffer[] = [];
      tables.push(blocks);
      return (block) => blocks.push(block);
    });
    for (const { event } of journal.events(row.job, row.attempt)) csv.add(event);
    const { evidence } = journal.view(row.job, row.attempt);
    const mark = evidence === null || evidence === 'real' ? '' : `-${evidence}`;
    for (const { name, index: i } of csv.end(attemptFolder(index, row))) {
      const file = `vault-cube-${fileName(box)}-${basename(name, '.csv')}${mark}.csv`;
      files.push({ path: join(folder, file), bytes: Buffer.concat(tables[i] ?? []) });
    }
  }
  if (files.length) writeOut(folder, files);
  return files.map(({ path }) => path);
}
