/** From the journal to the data of a report. Nothing else is asked: neither the box nor the disk of the laptop. */
import { createHash } from 'node:crypto';
import { AppError } from '../../../preload/contract/errors.ts';
import { Report, REPORT_VERSION, type ReportJob, type ReportPart } from '../../../preload/contract/report.ts';
import type { CustomerProof, KeysState, Session } from '../../../preload/contract/session.ts';
import { LAYERS, profileInJournal, standing, type Part } from '../../../preload/contract/standing.ts';
import type { JobRow } from '../../../preload/contract/job.ts';
import type { Journal } from '../../journal/journal.ts';
import type { VisitLine } from '../../journal/lines.ts';
import { addressOf } from '../sessions.ts';
import { readAttempt, type ReadAttempt } from './attempt.ts';
import { put } from './put.ts';
import { localTime } from './words.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Is told of an attempt, gives what gets its lines, and is told that there are no more of them. */
export type KeepAttempt = (row: JobRow) => { line: VisitLine; end: () => void };

/**
 * `keep`: what else is made of the lines, which are read once.
 * Errors: unknown_box; report_invalid, with what is wrong, when the data do not hold together.
 */
export function gatherReport(journal: Journal, sessionId: string, app: string, keep?: KeepAttempt): Report {
  const session = journal.session(sessionId);
  if (!session) throw new AppError('unknown_box', { name: sessionId });
  const attempts = journal.jobs(sessionId).map((row) => {
    const kept = keep?.(row);
    const read = readAttempt(journal, row, kept?.line);
    kept?.end();
    return read;
  });
  const profile = profileInJournal(attempts);
  const stands = standing(session, attempts, profile);
  const parts = [stands.preflight, stands.keys, ...stands.layers, ...stands.suites];
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const { id, name, user, firstUser, hostKey, identity, handover } = session;
  const utc = asOf(session, attempts);
  const report: Report = {
    v: REPORT_VERSION,
    kind: 'vault-cube-report',
    app,
    made: { utc, local: localTime(utc, zone), zone },
    newerJournal: journal.newerFormat,
    box: {
      session: id,
      name,
      since: session.createdAt,
      address: addressOf(session),
      user,
      firstUser,
      hostKey,
      identity,
    },
    handover,
    keys: session.keys && publicKeys(session.keys),
    profile: profile && { document: profile, sha256: sha256(JSON.stringify(profile)) },
    outcome: stands.outcome,
    decision: stands.decision,
    evidence: stands.evidence,
    gates: stands.gates,
    waivers: session.waivers,
    deviations: deviations(session),
    facts: attempts.findLast((a) => a.view.facts !== null)?.view.facts ?? null,
    parts: parts.map(reportPart),
    put: attempts.flatMap(put),
    changed: attempts.flatMap(changedTasks),
    notRun: parts.flatMap(notRun),
    jobs: attempts.map((a): ReportJob => a.job),
    telemetry: attempts.flatMap((a) => a.telemetry),
  };
  // What is written is what a reader of the file gets: the same schema, which decides everything anew.
  const parsed = Report.safeParse(JSON.parse(JSON.stringify(report)));
  if (parsed.success) return parsed.data;
  const detail = parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; ');
  throw new AppError('report_invalid', { detail: detail.slice(0, 1000) }, parsed.error);
}

/** The newest time of what is recorded, in UTC. */
function asOf(
  { createdAt, hostKey, keys, waivers, deviations: named }: Session,
  attempts: readonly ReadAttempt[],
) {
  const all = [createdAt, hostKey?.confirmedAt, keys?.keyLoginProvenAt, keys?.sudoProvenAt];
  const told = [...waivers, ...named].map((w) => w.at);
  const proofs = (keys?.customerProofs ?? []).map((p) => p.at);
  const ran = attempts.flatMap((a) => [a.row.createdAt, a.view.lastAt]);
  const times = [...all, ...told, ...proofs, ...ran]
    .map((t) => Date.parse(t ?? ''))
    .filter((t) => !Number.isNaN(t));
  return new Date(Math.max(0, ...times)).toISOString();
}

/** What is known of a public key without its private half; a line that is none keeps its text as the comment. */
function publicKey(line: string) {
  const [type = '', data = '', ...comment] = line.trim().split(/\s+/);
  const bytes = Buffer.from(data, 'base64');
  if (!bytes.length) return { type: 'unknown', fingerprint: 'unknown', comment: line.slice(0, 200) };
  const hash = createHash('sha256').update(bytes).digest('base64').replace(/=+$/, '');
  return { type, fingerprint: `SHA256:${hash}`, comment: comment.join(' ') };
}

function customerKey(line: string, proofs: readonly CustomerProof[]) {
  const key = publicKey(line);
  const proof = proofs.find((p) => p.fingerprint === key.fingerprint);
  return { ...key, ...(proof ? { proof: { how: proof.how, at: proof.at } } : {}) };
}

export function publicKeys(keys: KeysState) {
  const { keyLoginProvenAt, sudoProvenAt, adminUid } = keys;
  return {
    engineer: publicKey(keys.publicKey),
    kept: keys.reference.kind,
    customer: keys.customerKeys.map((line) => customerKey(line, keys.customerProofs ?? [])),
    keyLoginProvenAt,
    sudoProvenAt,
    adminUid,
  };
}

/** Those of the session, and a UID that was kept where that is not among them. */
function deviations({ deviations: named, keys }: Session) {
  const kept = keys?.uidDeviation;
  if (!kept || named.some((d) => d.text === kept)) return named;
  return [...named, { id: 'uid', text: kept, at: null }];
}

/** As report.json has it. */
export function reportPart(part: Part): ReportPart {
  const gaps = part.gaps.map(({ id, title, verdict, expectation, reason = null }) => {
    return { id, title, verdict, expectation, reason };
  });
  return { ...part, gaps };
}

export function changedTasks({ row, view }: ReadAttempt): Report['changed'] {
  const named = row.spec.params['layer'];
  const of = LAYERS.find((l) => l.kinds.includes(row.kind));
  if (!of) return [];
  const layer = typeof named === 'number' ? named : of.layer;
  const { job, attempt } = row;
  return view.tasks
    .filter((t) => t.state === 'changed')
    .map(({ name, role }) => ({ layer, job, attempt, name, role }));
}

function notRun(part: Part): Report['notRun'] {
  const checks = part.checks.map(({ result: { title, verdict, reason } }) => ({ title, verdict, reason }));
  return [...checks, ...part.gaps]
    .filter((c) => c.verdict === 'not_run' || c.verdict === 'not_supported')
    .map(({ title, verdict, reason }) => ({
      part: part.title,
      what: title,
      verdict,
      why: reason ?? 'no job of this box ran it',
    }));
}
