/** The command first-boot: from a flashed disk to a box that was met (docs/adr/0014-first-boot.md). */
import type { Command } from 'commander';
import { EXIT_CODES, type Outcome } from '../../preload/contract/outcome.ts';
import type { Session } from '../../preload/contract/session.ts';
import { meetFlashed } from '../services/flash/meet.ts';
import { lookAtFlashed, planText } from '../services/flash/prove.ts';
import { login } from '../services/login.ts';
import { loadProfile } from '../services/profiles.ts';
import { executeRun, planRun, worstOf } from '../services/runs.ts';
import { requireSession } from '../services/sessions.ts';
import { withApp, type CommonOptions, type Context } from './context.ts';
import { partLines } from './output.ts';
import { choiceOf, portOf, type KeyFlags } from './setup.ts';

interface FirstBootFlags extends CommonOptions, KeyFlags {
  host?: string;
  port?: string;
  /** False with --no-check. */
  check?: boolean;
}

async function runFirstBoot(ctx: Context, o: FirstBootFlags): Promise<number> {
  const { app, secrets, out, signal, giveUpAfterMs } = ctx;
  const session = requireSession(app, o.box);
  const address = o.host === undefined ? null : { host: o.host, port: portOf(o.port) };
  const met = await meetFlashed(app, session, secrets, {
    ...{ choice: choiceOf(o, false), address, reboot: o.reboot ?? true, signal, giveUpAfterMs },
  });
  const { name, keys, hostKey } = met.session;
  out.line(
    `${name} runs from its flashed disk; host key ${hostKey?.fingerprint ?? ''} as pinned beforehand.`,
  );
  out.line(`Key ${keys?.fingerprint ?? ''}: logged in by it alone.`);
  for (const fault of met.faults) out.line(`≠ ${fault}`);
  const proven = o.check === false ? null : await prove(ctx, met.session);
  const outcome = worstOf([met.outcome, ...(proven?.outcome ? [proven.outcome] : [])]);
  if (!proven) out.line(`Next: vault-cube inspect --box ${name}, then vault-cube check --box ${name}`);
  const exit = EXIT_CODES[outcome];
  out.result({
    ...{
      ok: outcome === 'passed' || outcome === 'passed_with_deviations',
      ...{ outcome, firstBoot: met.outcome, layers: proven?.layers ?? null },
      claims: met.session.claims,
      box: name,
      hostKey: hostKey?.fingerprint ?? null,
      faults: met.faults,
    },
    ...{ keyLoginProvenAt: keys?.keyLoginProvenAt ?? null, sudoProvenAt: keys?.sudoProvenAt ?? null, exit },
  });
  return exit;
}

/**
 * The machine looked at anew, and the health checks of the layers that the image has: their outcomes, and the worst of them; null where it
 * has no layer that can be checked. Blockers of the machine are told: they stop nothing that only looks.
 */
async function prove(ctx: Context, met: Session): Promise<{ outcome: Outcome | null; layers: object[] }> {
  const { app, secrets, out, signal, giveUpAfterMs } = ctx;
  const { profile } = loadProfile(met.profile);
  const conn = await login(app, met, secrets, { signal });
  let plan: Awaited<ReturnType<typeof lookAtFlashed>>;
  try {
    plan = await lookAtFlashed(app, met, secrets, conn, profile);
  } finally {
    conn.close();
  }
  for (const { title, value, reason } of plan.inspected.blockers)
    out.line(`≠ ${title}: ${String(value ?? reason)}`);
  out.line(planText(plan));
  if (plan.run === null) return { outcome: null, layers: [] };
  planRun(app, plan.inspected.session, plan.run);
  const { outcome, parts } = await executeRun(app, met.id, secrets, { signal, giveUpAfterMs });
  for (const part of parts) for (const line of partLines(part)) out.line(line);
  return { outcome, layers: parts.map(({ layer, title, outcome: of }) => ({ layer, title, outcome: of })) };
}

/** Adds the command; `run` gives it its common options and its exit code. */
export function addFirstBootCommand(
  add: (name: string, summary: string) => Command,
  run: (command: Command, fn: (o: FirstBootFlags) => Promise<number>) => void,
): void {
  const command = add(
    'first-boot',
    'Reboot a box from its flashed disk, meet it by the host key pinned beforehand, prove key and sudo password, look at it and check its layers',
  )
    .option('--key <file>', 'private key to the public one in the first-boot settings')
    .option('--agent', 'use a key of the SSH agent')
    .option('--agent-key <fingerprint>', 'which key of the agent')
    .option('--host <address>', 'where it will be, if not where its settings say or its live system was')
    .option('--port <number>', 'port its SSH server listens on (22)')
    .option('--no-check', 'only meet it: no look at the machine, no health checks')
    .option('--no-reboot', 'somebody reboots it by hand: only wait')
    .option('--give-up <seconds>', 'how long it may take to come up (600)');
  run(command, (o) => withApp(o, (ctx) => runFirstBoot(ctx, o)));
}
