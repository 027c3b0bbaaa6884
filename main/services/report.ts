/** The report of a box: one HTML file and report.json, from the journal alone, with the box off (spec W7). */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../preload/contract/errors.ts';
import type { Outcome } from '../../preload/contract/outcome.ts';
import { parseReport, type Report } from '../../preload/contract/report.ts';
import type { Journal } from '../journal/journal.ts';
import { writeSynced } from '../synced.ts';
import { gatherReport } from './report/gather.ts';
import { scriptJson } from './report/markup.ts';
import { page } from './report/page.ts';

export interface ReportMade {
  /** Paths of the two files. */
  html: string;
  json: string;
  outcome: Outcome;
  report: Report;
}

/**
 * Writes `vault-cube-report-<box>-<YYYYMMDD-HHMMSS>.{html,json}` into `outDir`, which is made if it is not there. The time is
 * that of the newest thing recorded, so the same record gives the same files. A journal that can only be read, or that a newer version wrote, will do. A record that is not whole is no error: the report says so.
 * Errors: unknown_box, report_invalid, output_unwritable, laptop_disk_full, those of reading the journal.
 */
export async function makeReport(
  journal: Journal,
  sessionId: string,
  outDir: string,
  opts: { appVersion: string },
): Promise<ReportMade> {
  const report = gatherReport(journal, sessionId, opts.appVersion);
  const data = scriptJson(report);
  const stamp = report.made.local.slice(0, 19).replace(/[-:]/g, '').replace(' ', '-');
  const base = join(outDir, `vault-cube-report-${report.box.name}-${stamp}`);
  const files = { html: `${base}.html`, json: `${base}.json` };
  write(outDir, [
    { path: files.json, text: `${data}\n` },
    { path: files.html, text: page(report, data) },
  ]);
  return { ...files, outcome: report.outcome, report };
}

/** The page as it would be written now, to be looked at before. Errors: those of gatherReport. */
export function reportPage(journal: Journal, sessionId: string, appVersion: string): string {
  const report = gatherReport(journal, sessionId, appVersion);
  return page(report, scriptJson(report));
}

/** Both files or none of them: each is written whole beside its place first. */
function write(dir: string, files: readonly { path: string; text: string }[]): void {
  const begun: { part: string; path: string }[] = [];
  try {
    mkdirSync(dir, { recursive: true });
    for (const { path, text } of files) {
      const part = `${path}.part`;
      begun.push({ part, path });
      writeSynced(part, text);
    }
    for (const { part, path } of begun) renameSync(part, path);
  } catch (error) {
    for (const { part } of begun) rmSync(part, { force: true });
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new AppError('laptop_disk_full', { path: dir }, error);
    throw new AppError('output_unwritable', { path: dir, detail: message }, error);
  }
}

const DATA = /<script type="application\/json" id="report">(.*?)<\/script>/s;

/**
 * Reads a report.json, or the data in a report's HTML, and decides it again. Errors: report_invalid, with what does not
 * hold together; for HTML also when the mark of its evidence is not on the page.
 */
export function readReport(path: string): Report {
  const invalid = (detail: string, cause?: unknown) => new AppError('report_invalid', { detail }, cause);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error), error);
  }
  const inPage = text.trimStart().startsWith('<');
  let data: unknown;
  try {
    data = JSON.parse(inPage ? (DATA.exec(text)?.[1] ?? '') : text);
  } catch (error) {
    throw invalid(`${path} holds no data of a report.`, error);
  }
  const parsed = parseReport(data);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`);
    throw invalid(issues.join('; ').slice(0, 1000), parsed.error);
  }
  const report = parsed.data;
  const { profile, evidence } = report;
  const sha256 = profile && createHash('sha256').update(JSON.stringify(profile.document)).digest('hex');
  if (profile && sha256 !== profile.sha256)
    throw invalid('the profile is not the one that is named by its hash.');
  if (inPage && evidence && evidence !== 'real' && !text.includes(`data-evidence="${evidence}"`)) {
    throw invalid(`the page does not carry the mark of its evidence (${evidence}).`);
  }
  return report;
}
