/** Runs of jobs on the box, as every command that starts one drives and tells them. */
import type { Session } from '../../preload/contract/session.ts';
import { executeRun } from '../services/runs.ts';
import { awake } from './awake.ts';
import { tellParts, type Context } from './context.ts';

export const driveOptions = ({ signal, giveUpAfterMs }: Context) => ({ signal, giveUpAfterMs });

/** Executes the session's run and tells how its parts stand. */
export async function execute(ctx: Context, session: Session, bundle?: string): Promise<number> {
  const run = () =>
    executeRun(ctx.app, session.id, ctx.secrets, {
      ...driveOptions(ctx),
      ...(bundle === undefined ? {} : { bundle }),
    });
  // The laptop feeds it: asleep, it would leave the box without its bundle.
  const feeds = (ctx.app.journal.session(session.id)?.run?.bundle ?? null) !== null;
  const end = await (feeds ? awake(run, (text) => (ctx.out.json ? undefined : ctx.out.note(text))) : run());
  return tellParts(ctx.out, end.outcome, end.parts);
}
