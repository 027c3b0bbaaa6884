/**
 * A reboot between two jobs (spec W5): told why, asked, counted down, waited for by the box's boot id. Nothing of it runs on
 * the box, so its log is written here. Doing it again is safe: a box that needs none any more is left alone.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AppError, asAppError } from '../../preload/contract/errors.ts';
import type { JobRow } from '../../preload/contract/job.ts';
import type { Phase, Session } from '../../preload/contract/session.ts';
import { LocalJob } from '../journal/localjob.ts';
import { shellQuote, type Connection } from '../remote/connection.ts';
import { isOfTheLink, overTheLink } from '../remote/link.ts';
import { runAsRoot } from '../remote/sudo.ts';
import type { App } from './app.ts';
import { login, withRoot } from './login.ts';
import type { Secrets } from './secrets.ts';
import { evidenceOf } from './sessions.ts';

export const RebootParams = z.strictObject({
  /** The layer that wants it; null for none. */
  layer: z.number().int().nullable().default(null),
  /** The validation suite that wants it; null for none. */
  suite: z.string().nullable().default(null),
  /** What the reboot is for, as a person reads it: "the new driver is loaded at boot". */
  why: z.string().min(1),
  /** How long the question waits before it is taken for a yes, in s. */
  askSeconds: z.number().int().nonnegative(),
  /** How long the box may be away, in s: much memory is trained anew at a cold start. */
  awaySeconds: z.number().int().positive(),
});
export type RebootParams = z.infer<typeof RebootParams>;

/** Made by the distribution's packages; gone after a boot, since /run is. */
const DUE = '/run/reboot-required';
/** The same of layer 2's role (ansible/roles/driver_stack/vars/main.yml). */
const DUE_BY_ROLE = '/run/vault-cube-reboot-due';
/** And of the suite that tests a reboot (resources/box/vcbox/checks/before_look.py). */
const DUE_BY_TEST = '/run/vault-cube-reboot-test';
const PAUSE_MS = 1_000;
const LIMITS = { connectTimeoutMs: 2_000, loginTimeoutMs: 16_000 };

/** A kernel that was put there since the box booted; not every distribution leaves a note of it. A container has no kernel of its own. */
const NEW_KERNEL = `! systemd-detect-virt -cq && find /boot -maxdepth 1 -name 'vmlinuz-*' -newerct "$(uptime -s)" | grep -q .`;

/** Prints the boot id, then `due` where a reboot is, then what asks for it. */
export const BOOT_LOOK = `cat /proc/sys/kernel/random/boot_id; { test -e ${DUE} || test -e ${DUE_BY_ROLE} || test -e ${DUE_BY_TEST} || { ${NEW_KERNEL}; }; } && echo due; cat ${DUE}.pkgs 2>/dev/null | sort -u | head -5; :`;

interface Boot {
  id: string;
  due: boolean;
  /** Packages that ask for it, where they are named. */
  by: string[];
}

async function look(conn: Connection): Promise<Boot> {
  const run = await conn.exec(shellQuote(['sh', '-c', BOOT_LOOK]));
  const [id = '', ...rest] = run.stdout.toString('utf8').trim().split('\n');
  if (!/^[0-9a-f-]{36}$/.test(id)) throw new AppError('box_unreadable', { detail: 'it tells no boot id.' });
  return { id, due: rest[0] === 'due', by: rest.slice(1) };
}

export interface RebootOptions {
  signal: AbortSignal;
  giveUpAfterMs: number;
}

/** Brings the phase to its end and returns its attempt, passed or failed. Errors: those of the link before the reboot. */
export async function reboot(
  app: App,
  session: Session,
  secrets: Secrets,
  phase: Phase,
  opts: RebootOptions,
): Promise<JobRow> {
  const local = LocalJob.start(app.journal, {
    ...{ sessionId: session.id, kind: 'reboot', title: phase.title, laptop: app.laptop, app: app.version },
    ...{ evidence: evidenceOf(app, session), params: phase.params, job: phase.job },
  });
  try {
    const changed = await new Reboot(
      app,
      session,
      secrets,
      RebootParams.parse(phase.params),
      local,
      opts,
    ).run();
    local.finish('passed', {
      counts: { ok: changed ? 0 : 1, changed: changed ? 1 : 0, failed: 0, skipped: 0 },
    });
  } catch (error) {
    const known = asAppError(error);
    local.finish('failed', { code: known.code, detail: known.message });
    throw error;
  }
  const row = app.journal.attempt(local.job, local.attempt);
  if (!row) throw new AppError('job_unknown', { job: local.job });
  return row;
}

class Reboot {
  readonly #app: App;
  readonly #session: Session;
  readonly #secrets: Secrets;
  readonly #params: RebootParams;
  readonly #local: LocalJob;
  readonly #o: RebootOptions;
  #hadLink = false;

  constructor(
    app: App,
    session: Session,
    secrets: Secrets,
    params: RebootParams,
    local: LocalJob,
    opts: RebootOptions,
  ) {
    this.#app = app;
    this.#session = session;
    this.#secrets = secrets;
    this.#params = params;
    this.#local = local;
    this.#o = opts;
  }

  /** Whether the box was rebooted. */
  async run(): Promise<boolean> {
    const { why, askSeconds: seconds } = this.#params;
    const conn = await this.#local.step('look', 'Look whether a reboot is due', () => this.#connect());
    try {
      const before = await look(conn);
      if (!before.due) {
        this.#local.log('No reboot is due.');
        return false;
      }
      const by = before.by.length ? `${why} (${before.by.join(', ')})` : why;
      const box = this.#session.name;
      const yes = await this.#local.step('ask', 'Ask whether the box may reboot now', () =>
        this.#app.person.confirmReboot({ box, why: by, seconds }),
      );
      this.#o.signal.throwIfAborted();
      if (!yes) throw new AppError('reboot_declined', { box, why: 'it was not to be rebooted now' });
      await this.#local.step('reboot', 'Reboot the box', () => this.#order(conn));
      await this.#local.step('wait', 'Wait until the box is back', () =>
        this.#local.waiting('reboot', by, () => this.#wait(before)),
      );
      return true;
    } finally {
      conn.close();
    }
  }

  #connect(): Promise<Connection> {
    const retry = {
      signal: this.#o.signal,
      hadLink: () => this.#hadLink,
      onBroken: (error: AppError) => this.#app.person.link('reconnecting', error.message),
      giveUpAfterMs: this.#o.giveUpAfterMs,
    };
    return overTheLink(retry, async (limits) => {
      const conn = await login(this.#app, this.#session, this.#secrets, { limits, signal: this.#o.signal });
      this.#hadLink = true;
      return conn;
    });
  }

  /** The link may go before the command has answered: whether it worked, the boot id tells. */
  async #order(conn: Connection): Promise<void> {
    try {
      const run = await withRoot(conn, this.#session, this.#secrets, ({ password }) =>
        runAsRoot(conn, ['systemctl', 'reboot'], { sudoPassword: password }),
      );
      if (run.code !== null && run.code !== 0) {
        const detail = run.stderr.trim().slice(-300) || `systemctl ended with ${run.code}.`;
        throw new AppError('reboot_failed', { box: this.#session.name, detail });
      }
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'link_lost') throw error;
    }
  }

  async #wait(before: Boot): Promise<void> {
    const begun = performance.now();
    const { awaySeconds } = this.#params;
    for (;;) {
      this.#o.signal.throwIfAborted();
      const id = await this.#bootNow();
      if (id !== null && id !== before.id) {
        this.#app.person.link('live', `${this.#session.name} is back`);
        return;
      }
      const away = performance.now() - begun;
      if (away > awaySeconds * 1000) {
        const box = this.#session.name;
        if (id !== null)
          throw new AppError('reboot_failed', { box, detail: 'it is still in the boot it was in.' });
        throw new AppError('box_not_back', { box, minutes: Math.round(awaySeconds / 60) });
      }
      await delay(PAUSE_MS, undefined, { signal: this.#o.signal });
    }
  }

  /** The boot the box is in; null while it does not answer. A changed host key or a refused login is told at once. */
  async #bootNow(): Promise<string | null> {
    let conn: Connection | null = null;
    try {
      conn = await login(this.#app, this.#session, this.#secrets, {
        limits: LIMITS,
        signal: this.#o.signal,
        hadLink: true,
      });
      return (await look(conn)).id;
    } catch (error) {
      this.#o.signal.throwIfAborted();
      if (!isOfTheLink(error)) throw error;
      this.#app.person.link('silent', `${this.#session.name} is away: ${error.message}`);
      return null;
    } finally {
      conn?.close();
    }
  }
}
