/** Commands on hardware profiles: capture. */
import type { Command } from 'commander';
import { EXIT_CODES } from '../../preload/contract/outcome.ts';
import { captureProfile } from '../services/capture.ts';
import { requireSession } from '../services/sessions.ts';
import { withApp, type CommonOptions, type Context } from './context.ts';

interface CaptureOptions extends CommonOptions {
  id?: string;
  base?: string;
  out?: string;
}

async function runCapture(ctx: Context, o: CaptureOptions): Promise<number> {
  const session = requireSession(ctx.app, o.box);
  const { id = null, base = null, out = null } = o;
  const { profile, notes, path } = await captureProfile(ctx.app, session, ctx.secrets, {
    ...{ id, base, out },
    signal: ctx.signal,
  });
  for (const note of notes) ctx.out.line(note);
  ctx.out.line(`profile: ${path}`);
  ctx.out.line(`Use it with --profile ${path}.`);
  ctx.out.result({ ok: true, path, profile: profile.id, notes, exit: EXIT_CODES.passed });
  return EXIT_CODES.passed;
}

export function addProfileCommands(
  program: Command,
  run: <O extends CommonOptions>(command: Command, fn: (o: O) => Promise<number>) => void,
): void {
  const profile = program.command('profile').description('Hardware profiles: what a machine type must be');
  run<CaptureOptions>(
    profile
      .command('capture')
      .description(
        'Write a profile of the machine at hand: its cards and host, floors at 0.75 of what its suites measured',
      )
      .option('--box <name>', 'which box; may be left out when only one is known')
      .option('--id <id>', "the profile's id (count and name of the cards)")
      .option('--base <name or file>', "profile whose rules are taken over (the box's)")
      .option('--out <file>', 'where it goes; never over another (ID.json here)')
      .option('--secrets <file>', 'secrets as JSON, - for stdin')
      .option('--json', 'one JSON object a line'),
    (o) => withApp(o, (ctx) => runCapture(ctx, o)),
  );
}
