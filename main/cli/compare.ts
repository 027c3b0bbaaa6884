/** The command compare: reports side by side, or one box among all earlier ones of its profile. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { AppError } from '../../preload/contract/errors.ts';
import { EXIT_CODES, OUTCOME_WORDS } from '../../preload/contract/outcome.ts';
import type { Report } from '../../preload/contract/report.ts';
import { amongEarlier, earlierOnes, ENOUGH, sideBySide, type ComparedRow } from '../services/compare.ts';
import { readReport } from '../services/report.ts';
import { gatherReport } from '../services/report/gather.ts';
import { requireSession } from '../services/sessions.ts';
import { readZip } from '../services/archive/zip.ts';
import { ZipError } from '../services/archive/zipform.ts';
import { reportOf } from '../services/archive/judge.ts';
import { withApp, type CommonOptions, type Context } from './context.ts';
import { Output, table, VERDICT_WORDS } from './output.ts';

interface CompareOptions extends CommonOptions {
  all?: boolean;
  earlier?: string;
}

/** Of an archive, a report.json or a report's page. Its signature is not looked at: verify does. Errors: report_invalid. */
function readAny(path: string): Report {
  if (!path.endsWith('.zip')) return readReport(path);
  try {
    const report = reportOf(readZip(readFileSync(path)));
    if (typeof report !== 'string') return report;
    throw new ZipError(report);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new AppError('report_unreadable', { path, detail }, error);
  }
}

const shown = (cell: ComparedRow['cells'][number], unit: string | null): string => {
  if (!cell) return '–';
  const value = cell.value === null ? '' : `${String(cell.value)}${unit ? ` ${unit}` : ''}`;
  const verdict = cell.verdict && cell.verdict !== 'pass' ? VERDICT_WORDS[cell.verdict] : '';
  return [verdict, value].filter(Boolean).join(' ') || (cell.verdict ? VERDICT_WORDS[cell.verdict] : '–');
};

const headOf = ({ box, made, outcome, evidence, profile }: Report) => ({
  ...{ box: box.name, asOf: made.utc, outcome, evidence, profile: profile?.document.id ?? null },
});

function tellSide(out: Output, reports: readonly Report[], all: boolean): number {
  const rows = sideBySide(reports);
  const told = all ? rows : rows.filter((r) => r.differs);
  const lines = [
    ['', ...reports.map((r) => r.box.name)],
    ['recorded', ...reports.map((r) => r.made.utc.slice(0, 16).replace('T', ' '))],
    ['outcome', ...reports.map((r) => OUTCOME_WORDS[r.outcome])],
    ['evidence', ...reports.map((r) => r.evidence ?? '–')],
    ['profile', ...reports.map((r) => r.profile?.document.id ?? '–')],
    ...told.map((r) => [r.title, ...r.cells.map((cell) => shown(cell, r.unit))]),
  ];
  for (const line of table(lines)) out.line(line);
  out.line(`${rows.filter((r) => r.differs).length} of ${rows.length} results differ.`);
  out.result({ ok: true, reports: reports.map(headOf), rows: told, exit: EXIT_CODES.passed });
  return EXIT_CODES.passed;
}

/** Every report in a folder that can be read; what else lies there is no report. */
function reportsIn(folder: string): Report[] {
  return readdirSync(folder)
    .filter((name) => /\.(zip|json)$/.test(name))
    .flatMap((name) => {
      try {
        return [readAny(join(folder, name))];
      } catch (error) {
        if (error instanceof AppError) return [];
        throw error;
      }
    });
}

function tellAmong(out: Output, one: Report, given: readonly Report[], all: boolean): number {
  const earlier = earlierOnes(one, given);
  const placed = amongEarlier(one, earlier);
  const told = all ? placed : placed.filter((p) => p.outlier);
  out.line(`${one.box.name} among ${earlier.length} earlier boxes of its profile and kind of evidence.`);
  if (earlier.length < ENOUGH)
    out.line(`Fewer than ${ENOUGH} have no spread that an outlier could lie outside of.`);
  if (told.length) {
    const head = ['', 'VALUE', 'LOWEST', 'MEDIAN', 'HIGHEST', 'OF', ''];
    const rows = told.map((p) => [
      p.title,
      ...[p.value, p.low, p.median, p.high].map((n) => String(n)),
      String(p.count),
      p.outlier ? '! outlier' : '',
    ]);
    for (const line of table([head, ...rows])) out.line(line);
  }
  out.line(`${placed.filter((p) => p.outlier).length} outliers among ${placed.length} numbers.`);
  const result = { box: headOf(one), earlier: earlier.map(headOf), placed: told };
  out.result({ ok: true, ...result, exit: EXIT_CODES.passed });
  return EXIT_CODES.passed;
}

async function runAmong(ctx: Context, o: CompareOptions, paths: readonly string[]): Promise<number> {
  const { journal, version } = ctx.app;
  const one = paths[0] ? readAny(resolve(paths[0])) : null;
  const session = one ? null : requireSession(ctx.app, o.box);
  const subject = one ?? gatherReport(journal, session?.id ?? '', version);
  const profile = subject.profile?.document.id;
  const recorded = journal
    .sessions()
    .filter((s) => s.id !== subject.box.session)
    .map((s) => gatherReport(journal, s.id, version))
    .filter((r) => r.profile?.document.id === profile);
  const lying = o.earlier === undefined ? [] : reportsIn(resolve(o.earlier));
  return tellAmong(ctx.out, subject, [...recorded, ...lying], o.all ?? false);
}

export function addCompareCommand(
  add: (name: string, summary: string) => Command,
  run: <O extends CommonOptions>(command: Command, fn: (o: O) => Promise<number>) => void,
): void {
  const command = add(
    'compare [reports...]',
    'Two or more reports side by side; one, or a box, among all earlier ones of its profile',
  )
    .option('--all', 'also what is the same, or no outlier')
    .option(
      '--earlier <folder>',
      'a folder with more earlier reports, beside those of this laptop’s journal',
    );
  run<CompareOptions>(command, (o) => {
    const paths = command.args;
    if (paths.length >= 2) {
      const reports = paths.map((path) => readAny(resolve(path)));
      return Promise.resolve(tellSide(new Output(o.json ?? false), reports, o.all ?? false));
    }
    return withApp({ ...o, readOnly: true }, (ctx) => runAmong(ctx, o, paths));
  });
}
