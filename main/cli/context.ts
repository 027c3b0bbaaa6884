/** What each command runs in: output, secrets, a signal that Ctrl+C gives, and the app on its data folder. */
import { AppError } from '../../preload/contract/errors.ts';
import type { Outcome } from '../../preload/contract/outcome.ts';
import { EXIT_CODES } from '../../preload/contract/outcome.ts';
import type { Part } from '../../preload/contract/standing.ts';
import { openApp, type App } from '../services/app.ts';
import { Secrets } from '../services/secrets.ts';
import { askSecret, hostKeyAnswer, readSecrets, rebootAnswer } from './ask.ts';
import { onInterrupt } from './ctrlc.ts';
import { Output, partLines } from './output.ts';

/** Options that every command has. */
export interface CommonOptions {
  json?: boolean;
  secrets?: string;
  box?: string;
  acceptHostKey?: string;
  giveUp?: string;
  /** False with --no-reboot. */
  reboot?: boolean;
}

/** The reason of the signal that Ctrl+C gives: the engineer goes away, the job stays. The message says how to go on. */
export class Detached extends Error {
  override readonly name = 'Detached';
  constructor(message = 'Detached. What runs on the box goes on; "vault-cube resume" follows it again.') {
    super(message);
  }
}

export interface Context {
  app: App;
  secrets: Secrets;
  out: Output;
  signal: AbortSignal;
  giveUpAfterMs: number;
}

const GIVE_UP_SECONDS = 600;

/** A number of seconds from an option. Errors: usage. */
export function seconds(option: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0)
    throw new AppError('usage', { what: `--${option} wants a number of seconds, not "${text}".` });
  return value;
}

/**
 * Runs one command: opens the data folder, prints every event that is stored meanwhile, closes it whatever happens. The
 * command returns the exit code. `losses`: what Ctrl+C would cost now, in a sentence that is told before it does.
 */
export async function withApp(
  opts: CommonOptions & { readOnly?: boolean; losses?: () => string | null },
  fn: (ctx: Context) => Promise<number>,
): Promise<number> {
  const out = new Output(opts.json ?? false);
  const abort = new AbortController();
  const onSignal = () => abort.abort(new Detached());
  const interrupted = onInterrupt({
    losses: opts.losses ?? (() => null),
    interactive: !out.json && process.stdin.isTTY,
    tell: (text) => out.note(text),
    stop: onSignal,
  });
  // The one after it ends the process at once.
  const onInt = () => void (interrupted() && process.off('SIGINT', onInt));
  process.on('SIGINT', onInt);
  process.once('SIGTERM', onSignal);
  let app: App | null = null;
  try {
    const giveUpAfterMs = seconds('give-up', opts.giveUp, GIVE_UP_SECONDS) * 1000;
    const secrets = new Secrets(askSecret, readSecrets(opts.secrets));
    app = openApp(
      {
        confirmHostKey: hostKeyAnswer(opts.acceptHostKey),
        confirmReboot: rebootAnswer(opts.reboot ?? true, (text) => out.note(text)),
        note: (text) => out.note(text),
        link: (state, detail) => out.link(state, detail),
      },
      { readOnly: opts.readOnly ?? false },
    );
    app.journal.onAppend((job, attempt, events) => out.events(job, attempt, events));
    return await fn({ app, secrets, out, signal: abort.signal, giveUpAfterMs });
  } finally {
    process.off('SIGINT', onInt);
    process.off('SIGTERM', onSignal);
    app?.close();
  }
}

/** How parts stand, in lines and in the result, which `more` is added to; returns the exit code. */
export function tellParts(
  out: Output,
  outcome: Outcome,
  parts: readonly Part[],
  more: Record<string, unknown> = {},
): number {
  for (const part of parts) for (const line of partLines(part)) out.line(line);
  out.result({
    ok: outcome === 'passed' || outcome === 'passed_with_deviations',
    outcome,
    exit: EXIT_CODES[outcome],
    ...more,
    parts: parts.map(({ id, title, outcome: o, evidence, decision, attempts, stale }) => ({
      id,
      title,
      outcome: o,
      evidence,
      deviations: decision.deviations,
      failures: decision.failures,
      missing: decision.missing,
      attempts,
      stale,
    })),
  });
  return EXIT_CODES[outcome];
}
