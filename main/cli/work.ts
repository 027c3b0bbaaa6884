/** Commands that run jobs on the box: provision, check, drift, validate, resume, attach, cancel, link-test. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { AppError } from '../../preload/contract/errors.ts';
import { EXIT_CODES } from '../../preload/contract/outcome.ts';
import { LOCAL_KINDS, type JobRow } from '../../preload/contract/job.ts';
import { jobError } from '../../preload/contract/job-error.ts';
import type { Profile } from '../../preload/contract/profile.ts';
import type { Session } from '../../preload/contract/session.ts';
import { SUITES_HERE } from '../../preload/contract/suites.ts';
import { Supply } from '../../preload/contract/supply.ts';
import { JobDriver, type JobEnd } from '../services/jobs.ts';
import { loadProfile } from '../services/profiles.ts';
import { layersBegun, parseLayers, planCheck, planDrift, planProvision } from '../services/provision.ts';
import { activeJob, driftOf, endRun, executeRun, linkTestRun, planRun } from '../services/runs.ts';
import { changeSession, requireSession } from '../services/sessions.ts';
import { parseSuites, planValidate } from '../services/validate.ts';
import { awake } from './awake.ts';
import { seconds, tellParts, withApp, type CommonOptions, type Context } from './context.ts';

interface ProvisionOptions extends CommonOptions {
  layers?: string;
  bundle?: string;
}
interface ValidateOptions extends CommonOptions {
  suites?: string;
  watch?: string;
  hz?: string;
  supply?: string;
  agreeLoad?: string;
  soak?: string;
}
interface LinkTestOptions extends CommonOptions {
  count?: string;
  rate?: string;
}

const SOAK_MAX_SECONDS = 7 * 86_400;

const driveOptions = ({ signal, giveUpAfterMs }: Context) => ({ signal, giveUpAfterMs });

/** Executes the session's run and tells how its parts stand. */
async function execute(ctx: Context, session: Session, bundle?: string): Promise<number> {
  const run = () =>
    executeRun(ctx.app, session.id, ctx.secrets, {
      ...driveOptions(ctx),
      ...(bundle === undefined ? {} : { bundle }),
    });
  const feeds = (ctx.app.journal.session(session.id)?.run?.bundle ?? null) !== null;
  const end = await (feeds ? awake(run, (text) => (ctx.out.json ? undefined : ctx.out.note(text))) : run());
  return tellParts(ctx.out, end.outcome, end.parts);
}

async function runProvision(ctx: Context, o: ProvisionOptions): Promise<number> {
  const session = requireSession(ctx.app, o.box);
  const bundle = o.bundle === undefined ? session.bundle : resolve(o.bundle);
  if (!bundle) throw new AppError('usage', { what: 'Name the bundle to install from with --bundle FOLDER.' });
  const { profile } = loadProfile(session.profile);
  const layers = parseLayers(o.layers, profile);
  const run = planProvision(ctx.app, session, profile, layers, bundle);
  ctx.out.line(`${run.title}: ${run.phases.map((p) => p.title).join(' → ')}`);
  for (const text of run.software) ctx.out.line(`  ${text}`);
  return execute(ctx, planRun(ctx.app, session, run));
}

function layersWanted(
  { app }: Context,
  session: Session,
  profile: Profile,
  { layers }: ProvisionOptions,
): number[] {
  return layers === undefined ? layersBegun(app, session, profile) : parseLayers(layers, profile);
}

async function runCheck(ctx: Context, o: ProvisionOptions): Promise<number> {
  const session = requireSession(ctx.app, o.box);
  const { profile } = loadProfile(session.profile);
  const run = planCheck(session, profile, layersWanted(ctx, session, profile, o));
  return execute(ctx, planRun(ctx.app, session, run));
}

async function runDrift(ctx: Context, o: ProvisionOptions): Promise<number> {
  const known = requireSession(ctx.app, o.box);
  const { profile } = loadProfile(known.profile);
  const run = planDrift(ctx.app, known, profile, layersWanted(ctx, known, profile, o));
  const planned = planRun(ctx.app, known, run).run ?? run;
  const { outcome, parts } = await executeRun(ctx.app, known.id, ctx.secrets, driveOptions(ctx));
  const drift = driftOf(ctx.app.journal, planned);
  for (const { title, task } of drift) ctx.out.line(`≠ ${title}: ${task}`);
  if (drift.length === 0) ctx.out.line('No layer would change anything.');
  // What a layer would change is a failure here, however healthy the box is with it.
  return tellParts(ctx.out, drift.length ? 'failed' : outcome, parts, { drift });
}

/** "230x16" as volts and amperes, kept with the box. Errors: usage. */
function stateSupply(ctx: Context, session: Session, text: string | undefined): Session {
  if (text === undefined) return session;
  const [volts, amperes] = text.split('x').map(Number);
  const parsed = Supply.safeParse({ volts, amperes, statedAt: new Date().toISOString() });
  if (!parsed.success) {
    throw new AppError('usage', { what: `--supply wants volts and amperes, as in 230x16, not "${text}".` });
  }
  return changeSession(ctx.app, session.id, (s) => ({ ...s, supply: parsed.data }));
}

async function runValidate(ctx: Context, o: ValidateOptions): Promise<number> {
  const known = requireSession(ctx.app, o.box);
  const { profile } = loadProfile(known.profile);
  const hz = seconds('hz', o.hz, 1);
  if (hz < 0.1 || hz > 10) throw new AppError('usage', { what: '--hz is from 0.1 to 10 samples a second.' });
  const watchSeconds = seconds('watch', o.watch, 20);
  const suites = parseSuites(o.suites ?? 'gpu-detection');
  const agreedWatts = o.agreeLoad === undefined ? null : Number(o.agreeLoad);
  const soakSeconds = o.soak === undefined ? null : seconds('soak', o.soak, 0);
  if (soakSeconds !== null && (soakSeconds < 1 || soakSeconds > SOAK_MAX_SECONDS))
    throw new AppError('usage', { what: `--soak is from 1 to ${SOAK_MAX_SECONDS} seconds.` });
  const session = stateSupply(ctx, known, o.supply);
  const load = { agreedWatts, soakSeconds };
  const run = planValidate(ctx.app, session, profile, suites, { hz, watchSeconds }, load);
  return execute(ctx, planRun(ctx.app, session, run));
}

async function runResume(ctx: Context, o: ProvisionOptions): Promise<number> {
  const session = requireSession(ctx.app, o.box);
  if (!session.run || session.run.endedAt !== null)
    throw new AppError('nothing_to_resume', { box: session.name });
  ctx.out.line(`Going on with: ${session.run.title}`);
  return execute(ctx, session, o.bundle === undefined ? undefined : resolve(o.bundle));
}

/** The session and its job that is on its way. Errors: job_unknown, nothing_to_attach. */
function active(ctx: Context, o: CommonOptions): { session: Session; row: JobRow } {
  const session = requireSession(ctx.app, o.box);
  const row = activeJob(ctx.app.journal, session);
  // A reboot is no job on the box: it belongs to the command that waits for it.
  if (!row || LOCAL_KINDS.includes(row.kind)) throw new AppError('nothing_to_attach', { box: session.name });
  return { session, row };
}

/** One job's end: its state is the result. */
function tellJob({ out }: Context, { row, view }: JobEnd, wanted: JobRow['state']): number {
  const { title } = row;
  // Asked to end, it may have passed before it heard.
  if (row.state !== wanted && row.state !== 'passed') throw jobError(row, view);
  out.line(`${title}: ${row.state}`);
  out.result({ ok: true, job: row.job, attempt: row.attempt, state: row.state, exit: EXIT_CODES.passed });
  return EXIT_CODES.passed;
}

const driver = (ctx: Context, session: Session, bundle?: string | null) =>
  new JobDriver(ctx.app, session.id, ctx.secrets, { ...driveOptions(ctx), bundle: bundle ?? null });

async function runAttach(ctx: Context, o: ProvisionOptions): Promise<number> {
  const { session, row } = active(ctx, o);
  const bundle = o.bundle === undefined ? session.run?.bundle : resolve(o.bundle);
  const end = await driver(ctx, session, bundle).attach(row);
  return tellJob(ctx, end, 'passed');
}

async function runCancel(ctx: Context, o: CommonOptions): Promise<number> {
  const { session, row } = active(ctx, o);
  const end = await driver(ctx, session).cancel(row);
  const neverStarted = end.row.state === 'lost' && end.view.lastSeq === 0;
  if (session.run && (neverStarted || end.row.state === 'cancelled'))
    endRun(ctx.app, session.id, session.run);
  return tellJob(ctx, end, neverStarted ? 'lost' : 'cancelled');
}

async function runLinkTest(ctx: Context, o: LinkTestOptions): Promise<number> {
  const session = requireSession(ctx.app, o.box);
  const number = (name: string, text: string | undefined, fallback: number) => {
    const value = Number(text ?? fallback);
    if (!(value > 0))
      throw new AppError('usage', { what: `--${name} wants a number above 0, not "${text}".` });
    return value;
  };
  const run = linkTestRun(Math.round(number('count', o.count, 200)), number('rate', o.rate, 50));
  return execute(ctx, planRun(ctx.app, session, run));
}

export function addWorkCommands(
  add: (name: string, summary: string) => Command,
  run: (command: Command, fn: (o: CommonOptions) => Promise<number>) => void,
): void {
  const bundle = ['--bundle <folder>', 'the site bundle that the box installs from'] as const;
  const giveUp = ['--give-up <seconds>', 'how long to try when the box is out of reach (600)'] as const;

  const noReboot = ['--no-reboot', 'stop where the box must be rebooted; resume goes on from there'] as const;

  run(
    add('provision', 'Put layers on the box, each fetched, installed and looked at')
      .option('--layers <list>', 'which, as in 0,1,2; 0 to 5 without it, 6 is optional')
      .option(...bundle)
      .option(...noReboot)
      .option(...giveUp),
    (o) => withApp(o, (ctx) => runProvision(ctx, o)),
  );
  run(
    add('check', "Run layers' health checks; changes nothing")
      .option('--layers <list>', 'which, as in 0,1; all that were begun without it')
      .option(...giveUp),
    (o) => withApp(o, (ctx) => runCheck(ctx, o)),
  );
  run(
    add('drift', 'Tell what on the box no longer matches its layers; changes nothing')
      .option('--layers <list>', 'which, as in 0,1; all that were begun without it')
      .option(...giveUp),
    (o) => withApp(o, (ctx) => runDrift(ctx, o)),
  );
  run(
    add('validate', 'Run validation suites, with telemetry of the GPUs')
      .option('--suites <list>', `which, of ${SUITES_HERE.join(', ')}`, 'gpu-detection')
      .option('--watch <seconds>', 'watch the GPUs so long after the last check (20)')
      .option('--hz <number>', 'samples a second (1)')
      .option('--supply <volts>x<amperes>', 'what feeds the box, as in 230x16; asked once before load')
      .option('--agree-load <watts>', 'agree to the load of the suites, by the watts that the refusal names')
      .option('--soak <seconds>', "how long the soak of T7 lasts, instead of the profile's time")
      .option(...noReboot)
      .option(...giveUp),
    (o) => withApp(o, (ctx) => runValidate(ctx, o)),
  );
  run(
    add(
      'resume',
      'Go on with what was interrupted: joins what runs, repeats what was lost, skips what is done',
    )
      .option(...bundle)
      .option(...noReboot)
      .option(...giveUp),
    (o) => withApp(o, (ctx) => runResume(ctx, o)),
  );
  run(
    add('attach', 'Follow the job that runs on the box, and start nothing')
      .option(...bundle)
      .option(...giveUp),
    (o) => withApp(o, (ctx) => runAttach(ctx, o)),
  );
  run(add('cancel', 'End the job that runs on the box').option(...giveUp), (o) =>
    withApp(o, (ctx) => runCancel(ctx, o)),
  );
  run(
    add('link-test', 'Send numbered events from the box: shows that none is lost or doubled')
      .option('--count <number>', 'how many (200)')
      .option('--rate <number>', 'a second (50)')
      .option(...giveUp),
    (o) => withApp(o, (ctx) => runLinkTest(ctx, o)),
  );
}
