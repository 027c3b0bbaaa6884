/** The command first-boot: from a flashed disk to a box that was met (docs/adr/0014-first-boot.md). */
import type { Command } from 'commander';
import { EXIT_CODES } from '../../preload/contract/outcome.ts';
import { meetFlashed } from '../services/flash/meet.ts';
import { requireSession } from '../services/sessions.ts';
import { withApp, type CommonOptions, type Context } from './context.ts';
import { choiceOf, portOf, type KeyFlags } from './setup.ts';

interface FirstBootFlags extends CommonOptions, KeyFlags {
  host?: string;
  port?: string;
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
  out.line(`Next: vault-cube inspect --box ${name}`);
  const exit = EXIT_CODES[met.outcome];
  out.result({
    ...{
      ok: met.outcome === 'passed',
      outcome: met.outcome,
      box: name,
      hostKey: hostKey?.fingerprint ?? null,
      faults: met.faults,
    },
    ...{ keyLoginProvenAt: keys?.keyLoginProvenAt ?? null, sudoProvenAt: keys?.sudoProvenAt ?? null, exit },
  });
  return exit;
}

/** Adds the command; `run` gives it its common options and its exit code. */
export function addFirstBootCommand(
  add: (name: string, summary: string) => Command,
  run: (command: Command, fn: (o: FirstBootFlags) => Promise<number>) => void,
): void {
  const command = add(
    'first-boot',
    'Reboot a box from its flashed disk, meet it by the host key pinned beforehand, prove key and sudo password',
  )
    .option('--key <file>', 'private key to the public one in the first-boot settings')
    .option('--agent', 'use a key of the SSH agent')
    .option('--agent-key <fingerprint>', 'which key of the agent')
    .option('--host <address>', 'where it will be, if not where its settings say or its live system was')
    .option('--port <number>', 'port its SSH server listens on (22)')
    .option('--no-reboot', 'somebody reboots it by hand: only wait')
    .option('--give-up <seconds>', 'how long it may take to come up (600)');
  run(command, (o) => withApp(o, (ctx) => runFirstBoot(ctx, o)));
}
