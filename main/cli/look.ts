/** Commands that only look into the journal: boxes, status, jobs, verify; and waive, which adds a word to it. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { AppError } from '../../preload/contract/errors.ts';
import { EXIT_CODES, OUTCOME_WORDS } from '../../preload/contract/outcome.ts';
import type { Session } from '../../preload/contract/session.ts';
import { addressText } from '../../preload/contract/session.ts';
import { SUITE_TITLES, WEEKLY_SUITE } from '../../preload/contract/suites.ts';
import { loadProfile } from '../services/profiles.ts';
import { activeJob, attemptsOfCheck, standingOf } from '../services/runs.ts';
import { changeSession, requireSession } from '../services/sessions.ts';
import { writeTelemetry } from '../services/telemetryfiles.ts';
import { tellParts, withApp, type CommonOptions, type Context } from './context.ts';
import { checkLines, secondsText, table } from './output.ts';

interface WaiveOptions extends CommonOptions {
  check?: string;
  name?: string;
  reason?: string;
  remove?: boolean;
}
interface StatusOptions extends CommonOptions {
  checks?: boolean;
}
interface TelemetryOptions extends CommonOptions {
  job?: string;
  attempt?: string;
  out?: string;
}
interface JobsOptions extends CommonOptions {
  check?: string;
}

/** Where a box stands in one sentence. */
function standsAt(ctx: Context, session: Session): string {
  const row = activeJob(ctx.app.journal, session);
  if (row) return `"${row.title}" is ${row.state}`;
  if (session.run && session.run.endedAt === null) return `stopped in "${session.run.title}"; resume`;
  if (!session.keys) return 'looked at; keys next';
  return OUTCOME_WORDS[standingOf(ctx.app.journal, session).outcome];
}

async function runBoxes(ctx: Context): Promise<number> {
  const sessions = ctx.app.journal.sessions();
  if (sessions.length === 0) {
    ctx.out.line('No box is known on this laptop yet.');
    ctx.out.line('Begin with: vault-cube inspect --box NAME --host ADDRESS --user USER');
  } else {
    const rows = sessions.map((s) => [s.name, addressText(s.address), s.user, s.profile, standsAt(ctx, s)]);
    for (const line of table([['BOX', 'ADDRESS', 'USER', 'PROFILE', 'STATE'], ...rows])) ctx.out.line(line);
  }
  const boxes = sessions.map((s) => ({
    name: s.name,
    address: s.address,
    user: s.user,
    state: standsAt(ctx, s),
  }));
  ctx.out.result({ ok: true, boxes, exit: EXIT_CODES.passed });
  return EXIT_CODES.passed;
}

async function runStatus(ctx: Context, o: StatusOptions): Promise<number> {
  const session = requireSession(ctx.app, o.box);
  const { out } = ctx;
  const now = standingOf(ctx.app.journal, session);
  out.line(`${session.name}  ${addressText(session.address)}  ${session.user}`);
  out.line(`host key ${session.hostKey?.fingerprint ?? 'not pinned'}  profile ${session.profile}`);
  out.line(standsAt(ctx, session));
  if (now.weeklyDueAt !== null) {
    const word = Date.parse(now.weeklyDueAt) <= Date.now() ? 'due since' : 'due again';
    out.line(`${SUITE_TITLES[WEEKLY_SUITE]}: ${word} ${now.weeklyDueAt.slice(0, 10)} (every week)`);
  }
  const parts = [now.preflight, now.keys, ...now.layers, ...now.suites];
  if (o.checks) {
    for (const part of parts) {
      if (part.checks.length) out.line(`${part.title}:`);
      for (const { result } of part.checks) for (const line of checkLines(result)) out.line(`  ${line}`);
    }
  }
  const gates = now.gates.map(({ id, outcome }) => ({ id, outcome }));
  return tellParts(out, now.outcome, parts, { weeklyDueAt: now.weeklyDueAt, gates });
}

/** Every result of one check, the newest first. Errors: usage for one that was never run. */
function tellAttempts({ app, out }: Context, session: Session, check: string): number {
  const all = attemptsOfCheck(app.journal, session, check);
  if (all.length === 0)
    throw new AppError('usage', { what: `No check ${check} was run on ${session.name}.` });
  for (const { at, job, attempt, result } of all) {
    out.line(`${at}  job ${job}, attempt ${attempt}`);
    for (const line of checkLines(result)) out.line(`  ${line}`);
  }
  out.result({ ok: true, check, attempts: all, exit: EXIT_CODES.passed });
  return EXIT_CODES.passed;
}

async function runJobs(ctx: Context, o: JobsOptions): Promise<number> {
  const session = requireSession(ctx.app, o.box);
  if (o.check !== undefined) return tellAttempts(ctx, session, o.check);
  const rows = ctx.app.journal.jobs(session.id);
  const seconds = (job: string, attempt: number) => ctx.app.journal.view(job, attempt).seconds;
  const lines = rows.map((r) => [
    r.job,
    String(r.attempt),
    r.title,
    r.state,
    secondsText(seconds(r.job, r.attempt)),
    r.createdAt,
  ]);
  for (const line of table([['JOB', 'ATTEMPT', 'TITLE', 'STATE', 'TIME', 'RECORDED'], ...lines]))
    ctx.out.line(line);
  ctx.out.result({
    ok: true,
    exit: EXIT_CODES.passed,
    jobs: rows.map(({ job, attempt, kind, title, state, createdAt, evidence }) => ({
      job,
      attempt,
      kind,
      title,
      state,
      createdAt,
      evidence,
    })),
  });
  return EXIT_CODES.passed;
}

async function runTelemetry({ app, out }: Context, o: TelemetryOptions): Promise<number> {
  const session = requireSession(app, o.box);
  const attempt = o.attempt === undefined ? undefined : Number(o.attempt);
  if (attempt !== undefined && !(Number.isSafeInteger(attempt) && o.job !== undefined))
    throw new AppError('usage', { what: '--attempt wants a number, and --job beside it.' });
  const only = o.job === undefined ? undefined : { job: o.job, attempt };
  const files = writeTelemetry(app.journal, session.id, resolve(o.out ?? '.'), only);
  if (files.length === 0) {
    const what = only ? 'No such job of this box has telemetry.' : 'No job of this box has telemetry.';
    throw new AppError('usage', { what });
  }
  for (const file of files) out.line(`csv: ${file}`);
  out.result({ ok: true, files, exit: EXIT_CODES.passed });
  return EXIT_CODES.passed;
}

/** `verify` without a file. */
export const verifyJournal = (o: CommonOptions): Promise<number> =>
  withApp({ ...o, readOnly: true }, (ctx) => runVerify(ctx, o));

async function runVerify(ctx: Context, o: CommonOptions): Promise<number> {
  const session = requireSession(ctx.app, o.box);
  const { journal } = ctx.app;
  const rows = journal.jobs(session.id).map((row) => ({ row, found: journal.verify(row.job, row.attempt) }));
  for (const { row, found } of rows) {
    const text = found.ok ? `✓ ${found.events} events whole` : `✕ line ${found.seq}: ${found.detail}`;
    ctx.out.line(`${text}  ${row.title} (${row.job}, attempt ${row.attempt})`);
  }
  const broken = rows.find(({ found }) => !found.ok);
  if (broken && !broken.found.ok) {
    throw new AppError('log_broken', {
      title: broken.row.title,
      detail: `line ${broken.found.seq}: ${broken.found.detail}.`,
    });
  }
  ctx.out.result({ ok: true, jobs: rows.length, exit: EXIT_CODES.passed });
  return EXIT_CODES.passed;
}

async function runWaive(ctx: Context, o: WaiveOptions): Promise<number> {
  const session = requireSession(ctx.app, o.box);
  const { check, name, reason } = o;
  if (!check || (!o.remove && (!name || !reason)))
    throw new AppError('usage', { what: 'A waiver wants --check ID, --name WHO and --reason WHY.' });
  const { profile } = loadProfile(session.profile);
  const parts = standingOf(ctx.app.journal, session, profile);
  const all = [parts.preflight, parts.keys, ...parts.layers, ...parts.suites].flatMap((p) => p.checks);
  if (!all.some((c) => c.result.id === check))
    throw new AppError('usage', { what: `No check ${check} was run on ${session.name}.` });
  const next = changeSession(ctx.app, session.id, (s) => {
    const others = s.waivers.filter((w) => w.check !== check);
    const waiver = { check, name: name ?? '', reason: reason ?? '', at: new Date().toISOString() };
    return { ...s, waivers: o.remove ? others : [...others, waiver] };
  });
  ctx.out.line(
    o.remove ? `${check} is not waived.` : `${check} is waived by ${name}; its verdict stays as it is.`,
  );
  ctx.out.result({ ok: true, waivers: next.waivers, exit: EXIT_CODES.passed });
  return EXIT_CODES.passed;
}

export function addLookCommands(
  add: (name: string, summary: string) => Command,
  run: (command: Command, fn: (o: CommonOptions) => Promise<number>) => void,
): void {
  const reading = (o: CommonOptions) => ({ ...o, readOnly: true });
  run(add('boxes', 'The boxes this laptop knows'), (o) => withApp(reading(o), runBoxes));
  run(
    add('status', 'How a box stands; its exit code is that of the outcome').option(
      '--checks',
      'every check, too',
    ),
    (o) => withApp(reading(o), (ctx) => runStatus(ctx, o)),
  );
  run(
    add('jobs', 'Every job of a box; or every attempt of one check').option(
      '--check <id>',
      'what each run of this check found, the newest first',
    ),
    (o) => withApp(reading(o), (ctx) => runJobs(ctx, o)),
  );
  run(
    add('telemetry', 'Every sample of a box as CSV, a file an attempt; with the box off')
      .option('--job <id>', 'of this job alone')
      .option('--attempt <number>', 'of this attempt of it alone')
      .option('--out <folder>', 'where the files go (the current folder)'),
    (o) => withApp(reading(o), (ctx) => runTelemetry(ctx, o)),
  );
  run(
    add('waive', 'Accept a failed check by name and reason; its verdict stays and is reported as a deviation')
      .option('--check <id>', 'the check')
      .option('--name <who>', 'who accepts it')
      .option('--reason <why>', 'why')
      .option('--remove', 'take the waiver back'),
    (o) => withApp(o, (ctx) => runWaive(ctx, o)),
  );
}
