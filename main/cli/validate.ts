/** The command validate: suites, the suites of a gate, or single checks again, with what load wants to be known first. */
import type { Command } from 'commander';
import { AppError } from '../../preload/contract/errors.ts';
import type { Profile } from '../../preload/contract/profile.ts';
import type { Session } from '../../preload/contract/session.ts';
import { SUITES_HERE } from '../../preload/contract/suites.ts';
import { Supply } from '../../preload/contract/supply.ts';
import { loadProfile } from '../services/profiles.ts';
import { executeRun, planRun, standingOf } from '../services/runs.ts';
import { changeSession, requireSession } from '../services/sessions.ts';
import { gateSuites, parseSuites, planValidate, suiteOfChecks } from '../services/validate.ts';
import { seconds, tellParts, withApp, type CommonOptions, type Context } from './context.ts';
import { driveOptions, execute } from './execute.ts';

export interface ValidateOptions extends CommonOptions {
  suites?: string;
  gate?: string;
  checks?: string;
  watch?: string;
  hz?: string;
  supply?: string;
  agreeLoad?: string;
  powerLimit?: string;
  soak?: string;
}

const SOAK_MAX_SECONDS = 7 * 86_400;
const FIRST = 'gpu-detection';

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

/** Errors: usage. */
function gateOf(text: string | undefined): 'ship' | 'production' | null {
  if (text === undefined || text === 'ship' || text === 'production') return text ?? null;
  throw new AppError('usage', { what: `There is no gate "${text}": it is ship or production.` });
}

/** What is to be run. Errors: usage, suite_unknown. */
function wanted(ctx: Context, session: Session, profile: Profile, o: ValidateOptions) {
  const gate = gateOf(o.gate);
  if ([o.gate, o.suites].filter((one) => one !== undefined).length > 1 || (gate && o.checks))
    throw new AppError('usage', { what: 'A gate names its suites: give --gate, or --suites and --checks.' });
  const checks = o.checks?.split(',').map((id) => id.trim()) ?? [];
  if (gate) return { gate, checks, suites: gateSuites(profile, gate) };
  if (o.suites === undefined && checks.length)
    return { gate, checks, suites: [suiteOfChecks(standingOf(ctx.app.journal, session, profile), checks)] };
  return { gate, checks, suites: parseSuites(o.suites ?? FIRST) };
}

async function runValidate(ctx: Context, o: ValidateOptions): Promise<number> {
  const known = requireSession(ctx.app, o.box);
  const { profile } = loadProfile(known.profile);
  const hz = seconds('hz', o.hz, 1);
  if (hz < 0.1 || hz > 10) throw new AppError('usage', { what: '--hz is from 0.1 to 10 samples a second.' });
  const watchSeconds = seconds('watch', o.watch, 20);
  const { gate, checks, suites } = wanted(ctx, known, profile, o);
  const agreedWatts = o.agreeLoad === undefined ? null : Number(o.agreeLoad);
  const powerLimitW = o.powerLimit === undefined ? null : Number(o.powerLimit);
  const soakSeconds = o.soak === undefined ? null : seconds('soak', o.soak, 0);
  if (soakSeconds !== null && (soakSeconds < 1 || soakSeconds > SOAK_MAX_SECONDS))
    throw new AppError('usage', { what: `--soak is from 1 to ${SOAK_MAX_SECONDS} seconds.` });
  const session = stateSupply(ctx, known, o.supply);
  const load = { agreedWatts, soakSeconds, powerLimitW };
  const run = planValidate(ctx.app, session, profile, suites, { hz, watchSeconds }, load, checks);
  const planned = planRun(ctx.app, session, run);
  if (!gate) return execute(ctx, planned);
  const { parts } = await executeRun(ctx.app, session.id, ctx.secrets, driveOptions(ctx));
  const decided = standingOf(ctx.app.journal, session, profile).gates.find(({ id }) => id === gate);
  const outcome = decided?.outcome ?? 'incomplete';
  return tellParts(ctx.out, outcome, parts, { gate });
}

export function addValidateCommand(
  add: (name: string, summary: string) => Command,
  run: (command: Command, fn: (o: CommonOptions) => Promise<number>) => void,
  noReboot: readonly [string, string],
  giveUp: readonly [string, string],
): void {
  run(
    add('validate', 'Run validation suites, with telemetry of the GPUs')
      .option('--suites <list>', `which, of ${SUITES_HERE.join(', ')} (${FIRST})`)
      .option('--gate <name>', 'all suites of a gate, ship or production; the exit code is its outcome')
      .option('--checks <list>', 'only these checks of one suite, again; every attempt is kept')
      .option('--watch <seconds>', 'watch the GPUs so long after the last check (20)')
      .option('--hz <number>', 'samples a second (1)')
      .option('--supply <volts>x<amperes>', 'what feeds the box, as in 230x16; asked once before load')
      .option('--agree-load <watts>', 'agree to the load of the suites, by the watts that the refusal names')
      .option('--power-limit <watts>', 'hold each card to less meanwhile, for a weak supply; a deviation')
      .option('--soak <seconds>', "how long the soak of T7 lasts, instead of the profile's time")
      .option(...noReboot)
      .option(...giveUp),
    (o) => withApp(o, (ctx) => runValidate(ctx, o)),
  );
}
