/** Looks at a hand-over archive as its receiver does: nothing but its bytes, its signature and the keys that are known. Runs in a browser, too (resources/verify/). */
import { isDeepStrictEqual } from 'node:util';
import { parseReport, type Report } from '../../../preload/contract/report.ts';
import type { Verification } from '../../../preload/contract/verification.ts';
import { scriptJson } from '../report/markup.ts';
import { page } from '../report/page.ts';
import { junit } from './junit.ts';
import { checkLogs } from './logs.ts';
import { sha256, SUMS } from './names.ts';
import {
  keyId,
  MinisignError,
  parsePublicKey,
  parseSignature,
  signed,
  type Proving,
  type PublicKey,
  type Signature,
} from './signature.ts';
import { serialOf, statement } from './statement.ts';
import type { TrustedKey } from './trust.ts';
import { ZipError } from './zipform.ts';

type Files = ReadonlyMap<string, Buffer>;
type SignatureFound = Verification['signature'];

const NONE: SignatureFound = {
  ...{ state: 'none', keyId: null, by: null, comment: null, at: null, untrusted: null },
};

const OTHER_RUNTIME =
  'Times are written otherwise here than where the report was made, so report.html was not written anew and compared word by word.';
const MAX_SIGNATURE_BYTES = 16 * 1024;

export const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));

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

export type Doing = 'unpack' | 'signature' | 'sums' | 'logs' | 'others';
/** `part`: how much of it is done, 0 to 1; null where that is not known. */
export type Tell = (doing: Doing, part: number | null) => void;

/** What looks at an archive is given. */
export interface Given {
  /** What the file is called. */
  path: string;
  bytes: Buffer;
  /** Of the signature's file; null where there is none. */
  signature: Buffer | null;
  trusted: readonly TrustedKey[];
  version: string;
  proving: Proving;
  /** Whether this runtime writes times and numbers as the one that made the report: what it would write anew can be compared then. */
  sameRuntime: (report: Report) => boolean;
  /** Is told how far the work is: a day of telemetry takes a browser some seconds. */
  tell?: Tell;
}

interface Checked {
  found: SignatureFound;
  fields: ReadonlyMap<string, string>;
  problems: string[];
}

function checkSignature({ bytes, signature, trusted, proving }: Given): Checked {
  if (signature === null) return { found: NONE, fields: new Map(), problems: [] };
  let s: Signature;
  try {
    if (signature.length > MAX_SIGNATURE_BYTES) throw new MinisignError('it is too long to be one');
    s = parseSignature(signature);
  } catch (error) {
    const problems = [`The signature cannot be read: ${said(error)}.`];
    return { found: { ...NONE, state: 'bad' }, fields: new Map(), problems };
  }
  const fields = fieldsOf(s.trusted);
  const seconds = Number(fields.get('timestamp'));
  const at =
    Number.isSafeInteger(seconds) && seconds >= 0 && seconds < 1e11 ? new Date(seconds * 1000) : null;
  const found: SignatureFound = {
    ...{ state: 'unchecked', keyId: keyId(s.id), by: null, comment: s.trusted },
    ...{ at: at?.toISOString() ?? null, untrusted: s.untrusted },
  };
  const holder = trusted.find((t) => t.key.id.equals(s.id) && signed(bytes, s, t.key, proving));
  if (holder) return { found: { ...found, state: 'good', by: holder.name }, fields, problems: [] };
  const named = keyIn(fields);
  const known = trusted.some((t) => t.key.id.equals(s.id) || (named && t.key.key.equals(named.key)));
  if (!known && named && signed(bytes, s, named, proving))
    return { found: { ...found, state: 'good' }, fields, problems: [] };
  if (!known && !named) return { found, fields, problems: [] };
  return {
    found: { ...found, state: 'bad' },
    fields,
    problems: ['The signature is not of these bytes: the archive or the signature was changed.'],
  };
}

/** SHA256SUMS names every other file once, with the hash it has. */
function checkSums(files: Files, tell: Tell): string[] {
  const text = files.get(SUMS)?.toString('utf8');
  if (text === undefined) return [`${SUMS} is missing.`];
  const others = [...files].filter(([name]) => name !== SUMS);
  const all = others.reduce((sum, [, bytes]) => sum + bytes.length, 0);
  let done = 0;
  const found = others.map(([name, bytes]) => {
    const line = `${sha256(bytes)}  ${name}`;
    tell('sums', (done += bytes.length) / Math.max(all, 1));
    return { name, line };
  });
  if (text === found.map(({ line }) => `${line}\n`).join('')) return [];
  const lines = new Set(text.split('\n'));
  const wrong = found.filter(({ line }) => !lines.has(line)).map(({ name }) => name);
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
function checkOthers(files: Files, report: Report, version: string, sameRuntime: boolean): string[] {
  const json = files.get('report.json') ?? Buffer.alloc(0);
  const html = files.get('report.html')?.toString('utf8') ?? '';
  if (
    !html.includes(`<script type="application/json" id="report">${json.toString('utf8').trimEnd()}</script>`)
  )
    return ['report.html does not say what report.json says.'];
  // What another version wrote is covered by the signature; only this one's can be written again and compared.
  if (report.app !== version) return [];
  if (json.toString('utf8') !== `${scriptJson(report)}\n`)
    return ['report.json is not written as the version that it names writes it.'];
  let statementFound: unknown;
  try {
    statementFound = JSON.parse(files.get('statement.json')?.toString('utf8') ?? '');
  } catch {
    statementFound = null;
  }
  const same: [string, boolean][] = [
    ['report.html', !sameRuntime || html === page(report, scriptJson(report))],
    ['junit.xml', files.get('junit.xml')?.toString('utf8') === junit(report)],
    ['statement.json', isDeepStrictEqual(statementFound, statement(report, sha256(json)))],
  ];
  return same.filter(([, ok]) => !ok).map(([name]) => `${name} does not say what report.json says.`);
}

export const failed = (path: string, problem: string, signature: SignatureFound = NONE): Verification => ({
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

/** `files`: what is in the archive, or why it cannot be read. Never throws for what it holds: that is in the answer, in words. */
export function judge(given: Given, files: Files | ZipError): Verification {
  const { path, version, tell = () => undefined } = given;
  tell('signature', null);
  const sig = checkSignature(given);
  if (files instanceof ZipError) {
    const problem = `The archive cannot be read: ${files.message}.`;
    return { ...failed(path, problem, sig.found), problems: [...sig.problems, problem] };
  }
  const report = reportOf(files);
  const sums = checkSums(files, tell);
  if (typeof report === 'string')
    return { ...failed(path, report, sig.found), problems: [...sig.problems, ...sums, report] };
  const logs = checkLogs(files, report, version, (part) => tell('logs', part));
  tell('others', null);
  const same = given.sameRuntime(report);
  const others = checkOthers(files, report, version, same);
  const problems = [...sig.problems, ...sums, ...logs.problems, ...others];
  const notes = same ? logs.notes : [...logs.notes, OTHER_RUNTIME];
  const named = sig.fields.get('serial');
  if (sig.found.state === 'good' && named !== undefined && named !== encodeURIComponent(serialOf(report)))
    problems.push(`The signature names the box ${named}; the report is of ${serialOf(report)}.`);
  const events = report.jobs.reduce((n, j) => n + j.events, 0);
  return { path, problems, notes, signature: sig.found, report: summary(report, events) };
}
