/**
 * Inspect: first login, host key pinned, and what the box really is beside its profile, as checks (spec W1, W3). Nothing on
 * the box is changed, but for its clock where that was asked for.
 */
import { randomUUID } from 'node:crypto';
import type { CheckResult } from '../../preload/contract/events.ts';
import { AppError, asAppError } from '../../preload/contract/errors.ts';
import type { Evidence } from '../../preload/contract/outcome.ts';
import type { Profile } from '../../preload/contract/profile.ts';
import type { HostKeyPin, Session } from '../../preload/contract/session.ts';
import { LocalJob } from '../journal/localjob.ts';
import type { Connection } from '../remote/connection.ts';
import type { App } from './app.ts';
import { lastBundle } from './lastbundle.ts';
import { login, withRoot, type LoginOptions } from './login.ts';
import { lookAtBundle } from './offered.ts';
import {
  identityOf,
  isBlocker,
  preflightChecks,
  readFacts,
  sameIdentity,
  setClock,
  type FactsReading,
} from './preflight.ts';
import type { Secrets } from './secrets.ts';
import { changeSession, mustBeMarked } from './sessions.ts';

export const ADMIN_USER = 'vaultadmin';

export interface InspectOptions {
  profile: Profile;
  /** Sets clock and RTC of the box from this laptop before the checks are judged. */
  setClock?: boolean;
  /** Folder of the site bundle that the versions are decided by; the one that was used last when none is named. */
  bundle?: string;
}

export interface Inspected {
  session: Session;
  job: string;
  attempt: number;
  checks: CheckResult[];
  blockers: CheckResult[];
}

function pin(session: Session, conn: Connection): HostKeyPin {
  const { algorithm, fingerprint } = conn.hostKey;
  const known = session.hostKey;
  return known?.fingerprint === fingerprint
    ? known
    : { algorithm, fingerprint, confirmedAt: new Date().toISOString() };
}

/** Stores the session with the host key that was confirmed; the first thing that is kept of a new box. */
function store(app: App, session: Session, conn: Connection): Session {
  const next = { ...session, hostKey: pin(session, conn) };
  app.journal.saveSession(next);
  return next;
}

async function read(
  app: App,
  session: Session,
  secrets: Secrets,
  conn: Connection,
  adjust: boolean,
): Promise<{ reading: FactsReading; clock: string | null }> {
  const { facts: source } = await app.boxCode();
  return withRoot(conn, session, secrets, async ({ way, password }) => {
    let clock: string | null = null;
    if (adjust) {
      const { before, after, rtc, rtcReason } = await setClock(conn, password);
      const at = (seconds: number) => new Date(seconds * 1000).toISOString();
      const hardware = rtc
        ? 'hardware clock set too'
        : `hardware clock not set: ${rtcReason ?? 'no reason given'}`;
      clock = `Clock set from this laptop: from ${at(before)} to ${at(after)}; ${hardware}.`;
    }
    return { reading: await readFacts(conn, source, { way, password }), clock };
  });
}

/**
 * Logs in, has the host key confirmed where it is unknown, and pins it. `session` may be one that is not stored yet.
 * Errors: those of login.
 */
export async function connectBox(
  app: App,
  session: Session,
  secrets: Secrets,
  opts: Pick<LoginOptions, 'key' | 'signal'> = {},
): Promise<{ conn: Connection; session: Session }> {
  const conn = await login(app, session, secrets, { ...opts, mayConfirm: true });
  try {
    return { conn, session: store(app, session, conn) };
  } catch (error) {
    conn.close();
    throw error;
  }
}

/** connectBox and inspectOver in one, over a connection of its own. */
export async function inspect(
  app: App,
  session: Session,
  secrets: Secrets,
  opts: InspectOptions & Pick<LoginOptions, 'key'>,
): Promise<Inspected> {
  const { conn, session: stored } = await connectBox(app, session, secrets, { key: opts.key });
  try {
    return await inspectOver(app, stored, secrets, conn, opts);
  } finally {
    conn.close();
  }
}

/**
 * Reads the box and judges it by the profile, recorded as a preflight job.
 * Errors: python_missing, box_unreadable, wrong_identity, sudo_*, link_lost.
 */
export async function inspectOver(
  app: App,
  session: Session,
  secrets: Secrets,
  conn: Connection,
  opts: InspectOptions,
): Promise<Inspected> {
  const { profile } = opts;
  const local = LocalJob.start(app.journal, {
    sessionId: session.id,
    kind: 'preflight',
    title: 'Preflight',
    laptop: app.laptop,
    app: app.version,
    // The box says what it is once its facts are read; until then nothing measured is in the log.
    evidence: (session.practice ? 'practice' : 'real') satisfies Evidence,
    params: { profile },
    job: randomUUID(),
  });
  try {
    const { reading, clock } = await local.step('facts', 'Read the box', () =>
      read(app, session, secrets, conn, opts.setClock ?? false),
    );
    mustBeMarked(session, () => [reading.facts.evidence]);
    local.evidence = reading.facts.evidence;
    if (clock) local.log(clock);
    local.facts(reading.facts);
    const identity = identityOf(reading.facts);
    if (session.identity) {
      const { same, detail } = sameIdentity(session.identity, identity);
      if (!same) throw new AppError('wrong_identity', { host: conn.host, box: session.name, detail });
    }
    const bundle = lookAtBundle(opts.bundle ?? lastBundle(app, session));
    const checks = await local.step('checks', 'Compare with the profile', () => {
      const found = preflightChecks(reading, profile, {
        firstUser: session.firstUser,
        adminUser: ADMIN_USER,
        bundle,
      });
      for (const check of found) local.check(check);
      return found;
    });
    local.finish('passed', { counts: count(checks) });
    const next = changeSession(app, session.id, (s) => ({
      ...s,
      profile: session.profile,
      identity: { ...identity, boxId: s.identity?.boxId ?? identity.boxId },
    }));
    return {
      session: next,
      job: local.job,
      attempt: local.attempt,
      checks,
      blockers: checks.filter(isBlocker),
    };
  } catch (error) {
    const known = asAppError(error);
    local.finish('failed', { code: known.code, detail: known.message });
    throw error;
  }
}

function count(checks: readonly CheckResult[]) {
  const of = (...verdicts: CheckResult['verdict'][]) =>
    checks.filter((c) => verdicts.includes(c.verdict)).length;
  return {
    ok: of('pass', 'warn'),
    changed: 0,
    failed: of('fail', 'error'),
    skipped: of('not_run', 'not_supported'),
  };
}
