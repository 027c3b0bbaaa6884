/** The event logs of an archive read anew: is every chain whole, and does the report say what the logs say. */
import { createHash, type Hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { JobSpec, type JobRow } from '../../../preload/contract/job.ts';
import type { Report, ReportJob, ReportTelemetry } from '../../../preload/contract/report.ts';
import type { Session } from '../../../preload/contract/session.ts';
import { profileInJournal, standing } from '../../../preload/contract/standing.ts';
import { breach, readLine, sha256Hex, type ChainEnd } from '../../journal/chain.ts';
import type { Verified } from '../../journal/lines.ts';
import { Reading, type ReadAttempt } from '../report/attempt.ts';
import { changedTasks, reportPart } from '../report/gather.ts';
import { put } from '../report/put.ts';
import { TelemetryCsv } from './csv.ts';
import { attemptFolder } from './names.ts';

type Files = ReadonlyMap<string, Buffer>;

interface LogRead {
  read: ReadAttempt;
  problems: string[];
}

function* linesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0x0a, at);
    yield bytes.subarray(at, end < 0 ? bytes.length : end);
    at = end < 0 ? bytes.length : end + 1;
  }
}

/** Follows the chain from the orders to the last line; the first that does not fit is told. `read` is told of each line's bytes. */
function follow(
  end: ChainEnd,
  log: Buffer,
  { reading, csv, read }: { reading: Reading; csv: TelemetryCsv; read: (bytes: number) => void },
): Verified {
  let broken: Verified | null = null;
  let at = end;
  for (const line of linesOf(log)) {
    read(line.length + 1);
    let problem: string | null;
    try {
      const event = readLine(line);
      problem = broken ? null : breach(at, event);
      const sha256 = sha256Hex(line);
      reading.add({ line, sha256, event });
      csv.add(event);
      at = { ...at, seq: at.seq + 1, sha256 };
    } catch (error) {
      return (
        broken ?? {
          ok: false,
          seq: at.seq + 1,
          detail: error instanceof Error ? error.message : String(error),
        }
      );
    }
    if (problem) broken = { ok: false, seq: at.seq, detail: problem };
  }
  if (!broken && log.length && log.at(-1) !== 0x0a)
    return { ok: false, seq: at.seq, detail: 'its last line has no end' };
  return broken ?? { ok: true, events: at.seq };
}

function specOf(bytes: Buffer | undefined): JobSpec | null {
  try {
    return JobSpec.parse(JSON.parse(bytes?.toString('utf8') ?? ''));
  } catch {
    return null;
  }
}

/** The CSV files that the logs make, held against those of the archive piece by piece. */
class TelemetryCheck {
  readonly #files: Files;
  readonly #folder: string;
  /** For each: the hash of what it should be, and how long. */
  readonly #made: { hash: Hash; length: number }[] = [];
  readonly csv = new TelemetryCsv((index) => {
    const made = { hash: createHash('sha256'), length: 0 };
    this.#made[index] = made;
    return (block) => {
      made.hash.update(block);
      made.length += block.length;
    };
  });

  constructor(files: Files, folder: string) {
    this.#files = files;
    this.#folder = folder;
  }

  /** Call once. */
  differs(): boolean {
    return this.csv.end(this.#folder).some(({ name, index }) => {
      const [found, made] = [this.#files.get(name), this.#made[index]];
      return !found || !made || found.length !== made.length || sha256Hex(found) !== made.hash.digest('hex');
    });
  }
}

interface Place {
  index: number;
  session: string;
  read: (bytes: number) => void;
}

function readLog(files: Files, told: ReportJob, { index, session, read: count }: Place): LogRead | string {
  const folder = attemptFolder(index, told);
  const name = `"${told.title}", attempt ${told.attempt}`;
  const specBytes = files.get(`${folder}/spec.json`);
  const log = files.get(`${folder}/events.jsonl`);
  const spec = specOf(specBytes);
  if (!specBytes || !log || !spec) return `The orders or the log of ${name} are missing or cannot be read.`;
  const specSha256 = sha256Hex(specBytes);
  const { job, attempt, kind, title } = spec;
  const row: JobRow = {
    ...{ job, session, attempt, kind, title, spec, specSha256 },
    ...{ createdAt: told.createdAt, state: told.state, evidence: told.evidence },
  };
  const reading = new Reading();
  const telemetry = new TelemetryCheck(files, folder);
  const verified = follow({ job, attempt, seq: 0, sha256: specSha256 }, log, {
    ...{ reading, csv: telemetry.csv, read: count },
  });
  const read = reading.end(row, verified, told.state === 'lost' ? told.detail : null);
  const problems: string[] = [];
  if (!verified.ok)
    problems.push(`The log of ${name} is not whole at line ${verified.seq}: ${verified.detail}.`);
  else if (!isDeepStrictEqual(plain(read.job), told))
    problems.push(`What the report says of ${name} is not what its orders and its log say.`);
  const { state } = read.view;
  const unended = state === 'starting' || state === 'running';
  if (verified.ok && told.state !== 'lost' && state !== told.state && !(unended && told.events === 0))
    problems.push(`The report calls ${name} ${told.state}; its log says ${state}.`);
  if (telemetry.differs()) problems.push(`The telemetry of ${name} is not that of its log.`);
  return { read, problems };
}

/** As it comes back from report.json. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** What of the session decides; `practice` is not in the report, and only adds suites that did not run. */
function sessionOf({ box, keys, waivers, deviations }: Report, practice: boolean): Session {
  const named = deviations.flatMap(({ id, text, at }) => (at === null ? [] : [{ id, text, at }]));
  const kept = deviations.find((d) => d.at === null)?.text ?? null;
  return {
    ...{ v: 1, id: box.session, name: 'x', profile: '', path: 'provision', practice, createdAt: box.since },
    ...{ address: null, user: box.user, firstUser: box.firstUser, hostKey: null, identity: box.identity },
    keys: keys && {
      ...{ reference: { kind: 'agent', socket: '' }, publicKey: '', fingerprint: '', customerKeys: [] },
      ...{ keyLoginProvenAt: keys.keyLoginProvenAt, sudoProvenAt: keys.sudoProvenAt },
      ...{ adminUid: keys.adminUid, uidDeviation: kept },
    },
    ...{ boxCode: null, run: null, bundle: null, flash: null, claims: null, handover: null },
    ...{ live: false, next: null, firstBoot: null, supply: null },
    ...{ waivers, deviations: named },
  };
}

/** A report of version 2 did not tell what happened beside its curves. */
const asTold = (found: readonly ReportTelemetry[], told: readonly ReportTelemetry[]): ReportTelemetry[] =>
  found.map((t, i) => (told[i]?.happened === null ? { ...t, happened: null } : t));

/** Whether parts, profile, facts and what was put on the box follow from the logs by this version's rules. */
function follows(report: Report, attempts: readonly ReadAttempt[]): boolean {
  const profile = profileInJournal(attempts);
  const told = {
    ...{ profile: report.profile?.document ?? null, parts: report.parts, put: report.put },
    ...{ changed: report.changed, telemetry: report.telemetry, facts: report.facts },
  };
  return [false, true].some((practice) => {
    const s = standing(sessionOf(report, practice), attempts, profile);
    const parts = [s.preflight, s.keys, ...s.layers, ...s.suites].map(reportPart);
    const found = {
      ...{ profile, parts, put: attempts.flatMap(put), changed: attempts.flatMap(changedTasks) },
      telemetry: asTold(
        attempts.flatMap((a) => a.telemetry),
        report.telemetry,
      ),
      facts: attempts.findLast((a) => a.view.facts !== null)?.view.facts ?? null,
    };
    return isDeepStrictEqual(plain(found), told);
  });
}

const TOLD_BYTES = 1024 ** 2;

/** Counts the bytes of all logs that were read, and tells each megabyte which part of them that is. */
function counting(files: Files, tell: (part: number) => void): (bytes: number) => void {
  const logs = [...files].filter(([name]) => name.startsWith('attempts/'));
  const all = logs.reduce((sum, [, bytes]) => sum + bytes.length, 0);
  let [done, next] = [0, 0];
  return (bytes) => {
    done += bytes;
    if (done < next) return;
    next = done + TOLD_BYTES;
    tell(Math.min(1, done / Math.max(all, 1)));
  };
}

/**
 * What is wrong with the logs, and what the report says that they do not; `notes` where another version's rules made the
 * report, which this one's need not agree with. `tell` is told which part of the logs is read.
 */
export function checkLogs(
  files: Files,
  report: Report,
  version: string,
  tell: (part: number) => void = () => undefined,
): { problems: string[]; notes: string[] } {
  const problems: string[] = [];
  const attempts: ReadAttempt[] = [];
  const read = counting(files, tell);
  for (const [index, told] of report.jobs.entries()) {
    const got = readLog(files, told, { index, session: report.box.session, read });
    if (typeof got === 'string') problems.push(got);
    else {
      problems.push(...got.problems);
      attempts.push(got.read);
    }
  }
  const folders = new Set(report.jobs.map((j, i) => `${attemptFolder(i, j)}/`));
  const foreign = [...files.keys()].filter(
    (name) => name.startsWith('attempts/') && ![...folders].some((f) => name.startsWith(f)),
  );
  if (foreign.length) problems.push(`There are logs that the report does not tell of: ${foreign[0]}.`);
  if (problems.length || follows(report, attempts)) return { problems, notes: [] };
  if (report.app === version)
    return { problems: ['What the report says does not follow from its logs.'], notes: [] };
  const notes = [
    `The report was made by version ${report.app}; by the rules of this one it would say something else.`,
  ];
  return { problems: [], notes };
}
