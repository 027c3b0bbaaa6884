/**
 * Runs: what the engineer asked for, as an ordered list of jobs that the session remembers. Executing a run is idempotent
 * (preload/contract/session.ts), so the same function starts it and resumes it.
 */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { AppError } from '../../preload/contract/errors.ts';
import { jobError } from '../../preload/contract/job-error.ts';
import type { CheckAttempt } from '../../preload/contract/validation.ts';
import type { JobRow } from '../../preload/contract/job.ts';
import type { Outcome } from '../../preload/contract/outcome.ts';
import type { Profile } from '../../preload/contract/profile.ts';
import type { Phase, Run, Session } from '../../preload/contract/session.ts';
import {
  layerOpen,
  profileInJournal,
  standing,
  type Attempt,
  type Part,
  type Standing,
} from '../../preload/contract/standing.ts';
import { SUITE_TITLES } from '../../preload/contract/suites.ts';
import { limitSentence } from '../../preload/contract/supply.ts';
import type { Journal } from '../journal/journal.ts';
import type { App } from './app.ts';
import { ADMIN_USER } from './inspect.ts';
import { JobDriver, type DriveOptions } from './jobs.ts';
import { reboot } from './reboot.ts';
import type { Secrets } from './secrets.ts';
import { changeSession, withDeviation } from './sessions.ts';

/** The attempts of a session with what their events say, oldest first. */
export function attemptsOf(journal: Journal, session: Session): Attempt[] {
  return journal.jobs(session.id).map((row) => ({ row, view: journal.view(row.job, row.attempt) }));
}

/** Every result of a check, the newest first: what was run again is kept. */
export function attemptsOfCheck(journal: Journal, session: Session, check: string): CheckAttempt[] {
  return attemptsOf(journal, session)
    .flatMap(({ row, view }) =>
      view.checks
        .filter((result) => result.id === check)
        .map((result) => ({ job: row.job, attempt: row.attempt, at: row.createdAt, result })),
    )
    .reverse();
}

/** How the box stands, from the journal alone. */
export function standingOf(journal: Journal, session: Session, profile?: Profile): Standing {
  const attempts = attemptsOf(journal, session);
  return standing(session, attempts, profile ?? profileInJournal(attempts));
}

export type PhasePlan = Omit<Phase, 'job'>;

export function makeRun(
  command: Run['command'],
  title: string,
  bundle: string | null,
  phases: readonly PhasePlan[],
): Run {
  return {
    id: randomUUID(),
    command,
    title,
    startedAt: new Date().toISOString(),
    endedAt: null,
    bundle,
    software: [],
    phases: phases.map((p) => ({ ...p, job: randomUUID() })),
  };
}

const active = (row: JobRow | null) => row?.state === 'running' || row?.state === 'starting';

/** The attempt of the session's run that is on its way, if one is. */
export function activeJob(journal: Journal, session: Session): JobRow | null {
  const rows = (session.run?.phases ?? []).map((p) => journal.latest(p.job));
  return rows.find(active) ?? null;
}

/** Whether both would do the same, under whatever ids. */
function asked(run: Run, other: Run): boolean {
  const orders = ({ command, bundle, phases }: Run) => ({
    command,
    bundle,
    phases: phases.map((p) => ({ ...p, job: null })),
  });
  return isDeepStrictEqual(orders(run), orders(other));
}

/**
 * Makes this the session's run. The same as one that is on its way goes on with that: a command that was stopped by what
 * is mended now can be typed again. Errors: run_open when another one is on its way.
 */
export function planRun(app: App, session: Session, run: Run): Session {
  return app.journal.together(() => {
    const now = app.journal.session(session.id) ?? session;
    const open = activeJob(app.journal, now);
    if (open && now.run) {
      if (asked(now.run, run)) return now;
      throw new AppError('run_open', {
        title: now.run.title,
        box: now.name,
        detail: `"${open.title}" is ${open.state}.`,
      });
    }
    return changeSession(app, session.id, (s) => ({ ...s, run, bundle: run.bundle ?? s.bundle }));
  });
}

export interface RunEnd {
  session: Session;
  /** The parts (layers, suites) the run was about, as they stand now. Empty for a run that has no checks. */
  parts: Part[];
  outcome: Outcome;
}

const WORST: readonly Outcome[] = ['failed', 'incomplete', 'passed_with_deviations', 'passed'];

/** Passed where there are none. */
export const worstOf = (outcomes: readonly Outcome[]): Outcome =>
  WORST.find((one) => outcomes.includes(one)) ?? 'passed';

/** Executes the session's run to its end. Errors: those of jobError for a job that did not pass, those of JobDriver. */
export async function executeRun(
  app: App,
  sessionId: string,
  secrets: Secrets,
  opts: Omit<DriveOptions, 'bundle'> & { bundle?: string | null },
): Promise<RunEnd> {
  const { journal } = app;
  const start = journal.session(sessionId);
  if (!start?.run) throw new AppError('nothing_to_resume', { box: start?.name ?? 'unknown' });
  const run = start.run;
  const driver = new JobDriver(app, sessionId, secrets, { ...opts, bundle: opts.bundle ?? run.bundle });
  for (const phase of run.phases) {
    const before = journal.latest(phase.job);
    if (before?.state !== 'passed' && phase.kind === 'reboot') {
      await reboot(app, journal.session(sessionId) ?? start, secrets, phase, opts);
    } else if (before?.state !== 'passed') {
      beforePhase(app, sessionId, phase);
      const { row, view } = await driver.run(phase);
      if (row.state === 'cancelled') endRun(app, sessionId, run);
      if (row.state !== 'passed') throw jobError(row, view);
    }
    // Also of one that passed before: the app may have ended between the job's end and this.
    afterPhase(app, sessionId, phase);
    const installs = run.command === 'provision' && phase.kind === 'checks';
    if (installs && phase.layer !== null && !isOpenAfter(journal, sessionId, phase.layer)) break;
  }
  const session = endRun(app, sessionId, run);
  return { session, ...partsOf(journal, session, run) };
}

/** The run is over: resume has nothing to go on with. */
export function endRun(app: App, sessionId: string, run: Run): Session {
  return changeSession(app, sessionId, (s) =>
    s.run?.id === run.id ? { ...s, run: { ...s.run, endedAt: new Date().toISOString() } } : s,
  );
}

function isOpenAfter(journal: Journal, sessionId: string, layer: number): boolean {
  const session = journal.session(sessionId);
  return session !== null && layerOpen(standingOf(journal, session), layer + 1);
}

const PowerLimit = z.looseObject({ watts: z.number(), full: z.number() });

/** A lowered power limit is a deviation of its suite from the moment on in which it is ordered. */
function beforePhase(app: App, sessionId: string, { suite, params }: Phase): void {
  const { data: limit } = PowerLimit.safeParse(params['powerLimit']);
  if (suite === null || !limit) return;
  const text = limitSentence(SUITE_TITLES[suite] ?? suite, limit.watts, limit.full);
  changeSession(app, sessionId, (s) => withDeviation(s, `${suite}.power`, text));
}

/** What a passed job changes in the session. */
function afterPhase(app: App, sessionId: string, phase: Phase): void {
  const { suite, params } = phase;
  // Results at full power stand in place of those before; of single checks not all do.
  const whole = Array.isArray(params['checks']) && params['checks'].length === 0;
  if (suite !== null && whole && params['powerLimit'] === undefined)
    changeSession(app, sessionId, (s) => withDeviation(s, `${suite}.power`, null));
  if (phase.kind !== 'uid_swap') return;
  changeSession(app, sessionId, (s) => {
    const keys = s.keys && { ...s.keys, adminUid: 1000, uidDeviation: null };
    return withDeviation({ ...s, keys }, 'uid', null);
  });
}

/** The parts a run was about, and the worst of their outcomes. */
export function partsOf(journal: Journal, session: Session, run: Run): { parts: Part[]; outcome: Outcome } {
  const { layers, suites } = standingOf(journal, session);
  const ids = new Set(
    run.phases.flatMap((p) => (p.layer !== null ? [`l${p.layer}`] : p.suite !== null ? [p.suite] : [])),
  );
  const parts = [...layers, ...suites].filter((p) => ids.has(p.id));
  return { parts, outcome: worstOf(parts.map((part) => part.outcome)) };
}

/** What the comparisons of a drift run found: each task that would change the box or refuses to go on, by its layer's title. */
export function driftOf(journal: Journal, run: Run): { title: string; task: string }[] {
  return run.phases
    .filter(({ kind }) => kind === 'drift')
    .flatMap(({ job, title }) => {
      const row = journal.latest(job);
      const tasks = row ? journal.view(job, row.attempt).tasks : [];
      return tasks
        .filter((t) => t.state === 'changed' || t.state === 'failed')
        .map((t) => ({ title: title.replace(/^Drift: /, ''), task: t.name }));
    });
}

/** vaultadmin takes UID 1000 from its holder. */
export function uidSwapRun(holder: string): Run {
  return makeRun('uid-swap', 'UID swap', null, [
    {
      id: 'uid-swap',
      title: `${ADMIN_USER} takes UID 1000 from ${holder}`,
      kind: 'uid_swap',
      layer: null,
      suite: null,
      params: { holder, user: ADMIN_USER },
    },
  ]);
}

/** Numbered events over the link: what `vault-cube link-test` and the tests of the follower use. */
export function linkTestRun(count: number, rate: number): Run {
  return makeRun('link-test', 'Link test', null, [
    {
      id: 'link-test',
      title: `Link test: ${count} events, ${rate} a second`,
      kind: 'selftest',
      layer: null,
      suite: null,
      params: { count, rate },
    },
  ]);
}
