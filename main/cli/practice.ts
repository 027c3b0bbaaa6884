/** The command practice: the whole road against a practice box of the app's own, or just the box to practise on. */
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { AppError } from '../../preload/contract/errors.ts';
import { EXIT_CODES, OUTCOME_WORDS } from '../../preload/contract/outcome.ts';
import type { Run, Session } from '../../preload/contract/session.ts';
import type { Part } from '../../preload/contract/standing.ts';
import { PRACTISED, suiteBlocked, suiteHere } from '../../preload/contract/suites.ts';
import { loadFacts } from '../../preload/contract/supply.ts';
import type { App } from '../services/app.ts';
import { inspect } from '../services/inspect.ts';
import { setUpKeys } from '../services/keys.ts';
import { practiceBundle, startPractice, type Practice } from '../services/practice.ts';
import { loadProfile } from '../services/profiles.ts';
import { parseLayers, planProvision } from '../services/provision.ts';
import { makeReport } from '../services/report.ts';
import { executeRun, planRun, standingOf } from '../services/runs.ts';
import { planValidate } from '../services/validate.ts';
import { withApp, type CommonOptions, type Context } from './context.ts';
import { partLines } from './output.ts';

interface PracticeOptions extends CommonOptions {
  fault?: string;
  layers?: string;
  speed?: string;
  out?: string;
  walk: boolean;
}

const WALK_SPEED = 20;
const TELEMETRY = { hz: 2, watchSeconds: 79 };

function speedOf(text: string | undefined): number {
  const speed = Number(text ?? WALK_SPEED);
  if (!(speed > 0 && speed <= 1000))
    throw new AppError('usage', { what: `--speed wants a number from 1 to 1000, not "${text}".` });
  return speed;
}

/** How to type the road oneself. */
function tellBox(ctx: Context, { session, console }: Practice): void {
  const { name } = session;
  const { out } = ctx;
  out.line(`${name} is a practice box: it replays recordings of a stand-in. Its console shows:`);
  out.line(`  user         ${console.user}`);
  out.line(`  password     ${console.password}`);
  out.line(`  fingerprint  ${console.fingerprint}`);
  out.line(`  bundle       ${practiceBundle(ctx.app)}`);
  out.line(`Begin with: vault-cube inspect --box ${name}`);
}

async function walk(
  ctx: Context,
  { session, console }: Practice,
  only: string | undefined,
): Promise<Session> {
  const { out, secrets, signal, giveUpAfterMs } = ctx;
  // Compared with the console, as a person does.
  const confirmHostKey = async (q: { fingerprint: string }) => q.fingerprint === console.fingerprint;
  const app: App = { ...ctx.app, person: { ...ctx.app.person, confirmHostKey } };
  const { profile } = loadProfile(session.profile);
  const now = () => app.journal.session(session.id) ?? session;
  const tell = (parts: readonly Part[]) => {
    for (const part of parts) for (const line of partLines(part)) out.line(line);
  };
  const execute = async (title: string, run: Run) => {
    out.line(`\n${title}: ${run.phases.map((p) => p.title).join(' → ')}`);
    planRun(app, now(), run);
    tell((await executeRun(app, session.id, secrets, { signal, giveUpAfterMs })).parts);
  };

  out.line(`\nInspect ${session.name}`);
  secrets.set('loginPassword', console.password);
  await inspect(app, session, secrets, { profile, key: undefined });
  tell([standingOf(app.journal, now(), profile).preflight]);

  out.line('\nKeys');
  if (!secrets.has('newSudoPassword')) secrets.set('newSudoPassword', randomBytes(12).toString('base64url'));
  const choice = { kind: 'generate' as const, path: null, withPassphrase: false };
  await setUpKeys(app, now(), secrets, { choice, customerKeys: [], uid: 'keep' });
  tell([standingOf(app.journal, now(), profile).keys]);

  await execute(
    'Provision',
    planProvision(app, now(), profile, parseLayers(only, profile), practiceBundle(app)),
  );
  // Those that were recorded, and whose layers were put on it.
  const { layers } = standingOf(app.journal, now(), profile);
  const suites = PRACTISED.filter((id) => suiteBlocked(id, layers, true) === null);
  const watts = loadFacts(profile, true)?.watts ?? null;
  if (suites.some((id) => suiteHere(id)?.load))
    out.line(`\nAgreed to the load of ${watts} W, which nothing draws: the suites are replayed.`);
  const load = { agreedWatts: watts, soakSeconds: null };
  await execute('Validate', planValidate(app, now(), profile, suites, TELEMETRY, load));
  return now();
}

async function runPractice(ctx: Context, o: PracticeOptions): Promise<number> {
  const { app, out } = ctx;
  app.practice.speed = speedOf(o.speed);
  const practice = startPractice(app, { fault: o.fault ?? null });
  tellBox(ctx, practice);
  const { fingerprint, user, password } = practice.console;
  const made = { box: practice.session.name, fingerprint, user, password, bundle: practiceBundle(app) };
  if (!o.walk) {
    out.result({ ok: true, ...made, exit: EXIT_CODES.passed });
    return EXIT_CODES.passed;
  }
  const session = await walk(ctx, practice, o.layers);
  const report = await makeReport(app.journal, session.id, resolve(o.out ?? '.'), {
    appVersion: app.version,
  });
  out.line(`\n${session.name}: ${OUTCOME_WORDS[report.outcome]} [practice]`);
  out.line(`data:   ${report.json}`);
  out.line(`report: ${report.html}`);
  const { html, json, outcome } = report;
  // The road was walked to its end, whatever the box turned out to be; that is in the result.
  out.result({ ok: true, ...made, html, json, outcome, exit: EXIT_CODES.passed });
  return EXIT_CODES.passed;
}

export function addPracticeCommand(
  add: (name: string, summary: string) => Command,
  run: (command: Command, fn: (o: PracticeOptions) => Promise<number>) => void,
): void {
  run(
    add('practice', 'Walk the whole road on a practice box of the app: no machine, no root, marked PRACTICE')
      .option('--fault <id>', 'a recorded fault that the box shows: gpu-lost, gpu-missing')
      .option('--layers <numbers>', 'the layers to put on it, as in 0,1 (all that were recorded)')
      .option('--speed <number>', `how many times faster than recorded jobs run (${WALK_SPEED})`)
      .option('--out <folder>', 'where the report goes (the current folder)')
      .option('--no-walk', 'only make the box, and type the commands of the road yourself'),
    (o) => withApp(o, (ctx) => runPractice(ctx, o)),
  );
}
