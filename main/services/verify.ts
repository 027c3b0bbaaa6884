/** Looks at a hand-over archive as its receiver does: nothing but the file, its signature and the keys that are known here. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { parseReport, type Report } from '../../preload/contract/report.ts';
import type { Verification } from '../../preload/contract/verification.ts';
import { scriptJson } from './report/markup.ts';
import { page } from './report/page.ts';
import { sha256, SUMS } from './archive/names.ts';
import { junit } from './archive/junit.ts';
import { checkLogs } from './archive/logs.ts';
import {
  keyId,
  MinisignError,
  parsePublicKey,
  parseSignature,
  signed,
  type PublicKey,
} from './archive/minisign.ts';
import { serialOf, statement } from './archive/statement.ts';
import type { TrustedKey } from './archive/trust.ts';
import { MAX_ZIP_BYTES, readZip, ZipError } from './archive/zip.ts';

type Files = ReadonlyMap<string, Buffer>;
type SignatureFound = Verification['signature'];

export interface VerifyOptions {
  trusted: readonly TrustedKey[];
  /** Where the signature lies; beside the file by default. */
  signature?: string | undefined;
  version: string;
}

const NONE: SignatureFound = {
  ...{ state: 'none', keyId: null, by: null, comment: null, at: null, untrusted: null },
};

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The fields of the signed comment, `name:value` with tabs between them. */
function fieldsOf(comment: string): Map<string, string> {
  const all = comment.split('\t').map((field): [string, string] => {
    const at = field.indexOf(':');
    return at < 0 ? [field, ''] : [field.slice(0, at), field.slice(at + 1)];
  });
  return new Map(all);
}

function keyIn(fields: ReadonlyMap<string, string>): PublicKey | null {
  try {
    return parsePublicKey(fields.get('key') ?? '');
  } catch {
    return null;
  }
}

interface Checked {
  found: SignatureFound;
  fields: ReadonlyMap<string, string>;
  problems: string[];
}

function checkSignature(bytes: Buffer, path: string, trusted: readonly TrustedKey[]): Checked {
  const none = new Map<string, string>();
  if (!existsSync(path)) return { found: NONE, fields: none, problems: [] };
  let s: ReturnType<typeof parseSignature>;
  try {
    if (statSync(path).size > 16 * 1024) throw new MinisignError('it is too long to be one');
    s = parseSignature(readFileSync(path));
  } catch (error) {
    const problems = [`The signature cannot be read: ${said(error)}.`];
    return { found: { ...NONE, state: 'bad' }, fields: none, problems };
  }
  const fields = fieldsOf(s.trusted);
  const seconds = Number(fields.get('timestamp'));
  const at =
    Number.isSafeInteger(seconds) && seconds >= 0 && seconds < 1e11 ? new Date(seconds * 1000) : null;
  const found: SignatureFound = {
    ...{ state: 'unchecked', keyId: keyId(s.id), by: null, comment: s.trusted },
    ...{ at: at?.toISOString() ?? null, untrusted: s.untrusted },
  };
  const holder = trusted.find((t) => t.key.id.equals(s.id) && signed(bytes, s, t.key));
  if (holder) return { found: { ...found, state: 'good', by: holder.name }, fields, problems: [] };
  const named = keyIn(fields);
  const known = trusted.some((t) => t.key.id.equals(s.id) || (named && t.key.key.equals(named.key)));
  if (!known && named && signed(bytes, s, named))
    return { found: { ...found, state: 'good' }, fields, problems: [] };
  if (!known && !named) return { found, fields, problems: [] };
  return {
    found: { ...found, state: 'bad' },
    fields,
    problems: ['The signature is not of these bytes: the archive or the signature was changed.'],
  };
}

/** SHA256SUMS names every other file once, with the hash it has. */
function checkSums(files: Files): string[] {
  const text = files.get(SUMS)?.toString('utf8');
  if (text === undefined) return [`${SUMS} is missing.`];
  const others = [...files].filter(([name]) => name !== SUMS);
  const wanted = others.map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`).join('');
  if (text === wanted) return [];
  const lines = new Set(text.split('\n'));
  const wrong = others
    .filter(([name, bytes]) => !lines.has(`${sha256(bytes)}  ${name}`))
    .map(([name]) => name);
  return wrong.length
    ? wrong.map((name) => `${name} is not what ${SUMS} says.`)
    : [`${SUMS} names files that are not there, or not in their order.`];
}

/** The report of an archive that was read; a sentence where it cannot be. */
export function reportOf(files: Files): Report | string {
  const bytes = files.get('report.json');
  if (!bytes) return 'report.json is missing.';
  let data: unknown;
  try {
    data = JSON.parse(bytes.toString('utf8'));
  } catch {
    return 'report.json cannot be read.';
  }
  const parsed = parseReport(data);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; ');
    return `report.json does not hold together: ${issues.slice(0, 500)}.`;
  }
  const { profile } = parsed.data;
  if (profile && sha256(Buffer.from(JSON.stringify(profile.document))) !== profile.sha256)
    return 'The profile in report.json is not the one that is named by its hash.';
  return parsed.data;
}

/** The files that say the same as report.json do say the same. */
function checkOthers(files: Files, report: Report, version: string): string[] {
  const json = files.get('report.json') ?? Buffer.alloc(0);
  const html = files.get('report.html')?.toString('utf8') ?? '';
  if (
    !html.includes(`<script type="application/json" id="report">${json.toString('utf8').trimEnd()}</script>`)
  )
    return ['report.html does not say what report.json says.'];
  // What another version wrote is covered by the signature; only this one's can be written again and compared.
  if (report.app !== version || json.toString('utf8') !== `${scriptJson(report)}\n`) return [];
  let statementFound: unknown;
  try {
    statementFound = JSON.parse(files.get('statement.json')?.toString('utf8') ?? '');
  } catch {
    statementFound = null;
  }
  const same: [string, boolean][] = [
    ['report.html', html === page(report, scriptJson(report))],
    ['junit.xml', files.get('junit.xml')?.toString('utf8') === junit(report)],
    ['statement.json', isDeepStrictEqual(statementFound, statement(report, sha256(json)))],
  ];
  return same.filter(([, ok]) => !ok).map(([name]) => `${name} does not say what report.json says.`);
}

const failed = (path: string, problem: string, signature: SignatureFound = NONE): Verification => ({
  ...{ path, problems: [problem], notes: [], signature, report: null },
});

function summary(report: Report, events: number): NonNullable<Verification['report']> {
  const { box, made, app, profile, outcome, evidence, decision, jobs, parts } = report;
  return {
    ...{ box: box.name, serial: serialOf(report), asOf: made.utc, app, outcome, evidence, events },
    profile: profile && `${profile.document.title} (${profile.document.id})`,
    missing: profile ? decision.missing : ['No profile is recorded, so nothing could be required.'],
    attempts: jobs.length,
    checks: parts.reduce((n, p) => n + p.checks.length, 0),
  };
}

/** Never throws for what the file holds: that is in the answer, in words. */
export function verifyArchive(path: string, { trusted, signature, version }: VerifyOptions): Verification {
  let bytes: Buffer;
  try {
    if (statSync(path).size > MAX_ZIP_BYTES) return failed(path, 'It is too large to be a report.');
    bytes = readFileSync(path);
  } catch (error) {
    return failed(path, `The file cannot be read: ${said(error)}.`);
  }
  const sig = checkSignature(bytes, signature ?? `${path}.minisig`, trusted);
  let files: Files;
  try {
    files = readZip(bytes);
  } catch (error) {
    if (!(error instanceof ZipError)) throw error;
    return {
      ...failed(path, `The archive cannot be read: ${error.message}.`, sig.found),
      problems: [...sig.problems, `The archive cannot be read: ${error.message}.`],
    };
  }
  const report = reportOf(files);
  const sums = checkSums(files);
  if (typeof report === 'string')
    return { ...failed(path, report, sig.found), problems: [...sig.problems, ...sums, report] };
  const logs = checkLogs(files, report, version);
  const problems = [...sig.problems, ...sums, ...logs.problems, ...checkOthers(files, report, version)];
  const named = sig.fields.get('serial');
  if (sig.found.state === 'good' && named !== undefined && named !== encodeURIComponent(serialOf(report)))
    problems.push(`The signature names the box ${named}; the report is of ${serialOf(report)}.`);
  const events = report.jobs.reduce((n, j) => n + j.events, 0);
  return { path, problems, notes: logs.notes, signature: sig.found, report: summary(report, events) };
}
