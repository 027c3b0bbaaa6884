/** Commands that make a box known and ready: inspect, keys, forget-host-key. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { AppError } from '../../preload/contract/errors.ts';
import { EXIT_CODES } from '../../preload/contract/outcome.ts';
import type { Session } from '../../preload/contract/session.ts';
import { inspect, type Inspected } from '../services/inspect.ts';
import { proveCustomerKeys } from '../services/customerkeys.ts';
import { chooseKey, setUpKeys, type KeyChoice } from '../services/keys.ts';
import { renewed } from '../services/flash/renew.ts';
import type { LoginOptions } from '../services/login.ts';
import { blockedBy } from '../services/blocked.ts';
import { DEFAULT_PROFILE, loadProfile } from '../services/profiles.ts';
import { readPublicKeys } from '../services/publickeys.ts';
import { executeRun, planRun, standingOf, uidSwapRun } from '../services/runs.ts';
import { addressOf, newSession, pinNameOf, requireSession } from '../services/sessions.ts';
import { tellParts, withApp, type CommonOptions, type Context } from './context.ts';

interface LoginFlags {
  loginKey?: string;
  loginAgent?: boolean;
}

interface InspectOptions extends CommonOptions, LoginFlags, Pick<KeyFlags, 'agentKey'> {
  host?: string;
  port?: string;
  user?: string;
  profile?: string;
  setClock?: boolean;
  bundle?: string;
  /** True with --live, false with --no-live. */
  live?: boolean;
}

/** Which key of the engineer's. */
export interface KeyFlags {
  key?: string;
  agent?: boolean;
  agentKey?: string;
}

interface KeysOptions extends CommonOptions, LoginFlags, KeyFlags {
  generate?: boolean;
  out?: string;
  passphrase?: boolean;
  customerKey?: string[];
  uid?: string;
}

interface ProveOptions extends CommonOptions {
  private?: string;
}

const PROVEN = {
  login: 'logged in with it',
  accepted: 'the box takes it; no login was made, since its private half is not here',
  refused: 'REFUSED by the box',
} as const;

/** Ends with 20 where the box refuses a key that was to be handed over. */
async function runProve({ app, out, secrets }: Context, o: ProveOptions): Promise<number> {
  const path = o.private === undefined ? null : resolve(o.private);
  const session = await proveCustomerKeys(app, requireSession(app, o.box), secrets, path);
  const proofs = session.keys?.customerProofs ?? [];
  for (const { fingerprint, how, at } of proofs) out.line(`${fingerprint}: ${PROVEN[how]} (${at})`);
  const unknown = (session.keys?.customerKeys.length ?? 0) - proofs.length;
  if (unknown > 0) out.line(`Of ${unknown} other nothing is proven.`);
  const exit = proofs.some((p) => p.how === 'refused') ? EXIT_CODES.failed : EXIT_CODES.passed;
  out.result({ ok: exit === 0, proofs, unproven: unknown, exit });
  return exit;
}

export function portOf(text: string | undefined): number {
  const port = Number(text ?? 22);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new AppError('usage', { what: `--port wants a number from 1 to 65535, not "${text}".` });
  return port;
}

/** A profile is kept by its name, or by its file's whole path. */
const profileName = (text: string) => (/[/\\]|\.json$/.test(text) ? resolve(text) : text);

function sessionFor(ctx: Context, o: InspectOptions): Session {
  const known = o.box === undefined ? null : ctx.app.journal.sessionByName(o.box);
  if (known || (o.box === undefined && o.host === undefined)) {
    const session = turned(known ?? requireSession(ctx.app, undefined), o);
    // One whose disk was flashed has neither an address nor a user yet.
    const host =
      o.host === undefined || (session.user === '' && o.user === undefined)
        ? addressOf(session).host
        : o.host;
    const port = o.port === undefined ? (session.address?.port ?? portOf(undefined)) : portOf(o.port);
    const address = { host, port };
    // Before Keys the first user may have been the wrong one; after it the app logs in as vaultadmin.
    const user = session.keys || o.user === undefined ? {} : { user: o.user, firstUser: o.user };
    const profile = o.profile === undefined ? session.profile : profileName(o.profile);
    return { ...session, ...user, address, profile };
  }
  const { box, host, user } = o;
  if (box === undefined || host === undefined || user === undefined) {
    throw new AppError('usage', { what: 'A new box wants --box NAME, --host ADDRESS and --user USER.' });
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(box))
    throw new AppError('usage', { what: `"${box}" is no box name: letters, digits, dot, dash, underscore.` });
  const profile = profileName(o.profile ?? DEFAULT_PROFILE);
  const live = o.live ?? false;
  return newSession({ name: box, profile, address: { host, port: portOf(o.port) }, user, live });
}

/** The box in the system that is meant, its live one or the one on its disk: another login, another host key. Errors: usage. */
function turned(session: Session, { live, user }: InspectOptions): Session {
  const { name } = session;
  if (live === undefined || live === session.live) return session;
  if (user === undefined)
    throw new AppError('usage', {
      what: `In its ${live ? 'live' : 'own'} system ${name} has another user: --user USER.`,
    });
  const { next } = session;
  return { ...renewed(session), live, next, user, firstUser: user };
}

/** A key for logins before vaultadmin exists, where the box takes no password. */
async function loginKey(
  ctx: Context,
  session: Session,
  o: LoginFlags & Pick<KeyFlags, 'agentKey'>,
): Promise<LoginOptions['key']> {
  if (o.loginKey === undefined && !o.loginAgent) return undefined;
  const choice: KeyChoice =
    o.loginKey === undefined
      ? { kind: 'agent', fingerprint: o.agentKey ?? null }
      : { kind: 'file', path: resolve(o.loginKey) };
  return chooseKey(ctx.app, session, ctx.secrets, choice);
}

async function runInspect(ctx: Context, o: InspectOptions): Promise<number> {
  const session = sessionFor(ctx, o);
  const { profile } = loadProfile(session.profile);
  const key = session.keys ? undefined : await loginKey(ctx, session, o);
  const done: Inspected = await inspect(ctx.app, session, ctx.secrets, {
    profile,
    key,
    setClock: o.setClock ?? false,
    ...(o.bundle === undefined ? {} : { bundle: resolve(o.bundle) }),
  });
  const { preflight } = standingOf(ctx.app.journal, done.session, profile);
  if (done.blockers.length)
    throw blockedBy(done.blockers, { user: done.session.user, profile: done.session.profile });
  const code = tellParts(ctx.out, preflight.outcome, [preflight]);
  if (!done.session.keys) ctx.out.line(`Next: vault-cube keys --box ${done.session.name} --generate`);
  return code;
}

/** `mayMake`: whether a new key would do. Errors: usage. */
export function choiceOf(
  o: KeyFlags & Pick<KeysOptions, 'generate' | 'out' | 'passphrase'>,
  mayMake = true,
): KeyChoice {
  const named = [o.generate, o.key !== undefined, o.agent].filter(Boolean).length;
  if (named !== 1)
    throw new AppError('usage', {
      what: `Choose one key: ${mayMake ? '--generate, ' : ''}--key FILE or --agent.`,
    });
  if (o.key !== undefined) return { kind: 'file', path: resolve(o.key) };
  if (o.agent) return { kind: 'agent', fingerprint: o.agentKey ?? null };
  return {
    kind: 'generate',
    path: o.out === undefined ? null : resolve(o.out),
    withPassphrase: o.passphrase ?? false,
  };
}

async function runKeys(ctx: Context, o: KeysOptions): Promise<number> {
  const session = requireSession(ctx.app, o.box);
  if (o.uid !== undefined && o.uid !== 'keep' && o.uid !== 'swap')
    throw new AppError('usage', { what: '--uid is keep or swap.' });
  const done = await setUpKeys(ctx.app, session, ctx.secrets, {
    choice: choiceOf(o),
    customerKeys: (o.customerKey ?? []).flatMap((path) => readPublicKeys(path).map((k) => k.line)),
    uid: o.uid ?? null,
    loginKey: session.keys ? undefined : await loginKey(ctx, session, o),
  });
  ctx.out.line(`On the box: ${done.changed.length ? done.changed.join(', ') : 'nothing to change'}.`);
  if (done.swapWith !== null) {
    planRun(ctx.app, done.session, uidSwapRun(done.swapWith));
    await executeRun(ctx.app, done.session.id, ctx.secrets, ctx);
  }
  const now = ctx.app.journal.session(done.session.id) ?? done.session;
  const { keys } = standingOf(ctx.app.journal, now);
  const { reference, fingerprint } = now.keys ?? {};
  ctx.out.line(
    `Key ${fingerprint ?? ''} ${reference?.kind === 'file' ? `in ${reference.path}` : 'in the agent'}`,
  );
  return tellParts(ctx.out, keys.outcome, [keys]);
}

/** Adds the commands; `run` gives each its common options and its exit code. */
export function addSetupCommands(
  add: (name: string, summary: string) => Command,
  run: (command: Command, fn: (o: CommonOptions) => Promise<number>) => void,
): void {
  const inspectCommand = add(
    'inspect',
    'Log in, pin the host key, compare the box with its profile; changes nothing',
  )
    .option('--host <address>', 'address of the box; wanted for a new one')
    .option('--port <number>', 'port its SSH server listens on (22)')
    .option('--user <name>', 'user of the first login')
    .option('--profile <name or file>', `hardware profile (${DEFAULT_PROFILE})`)
    .option('--accept-host-key <fingerprint>', 'SHA256 fingerprint that was compared on the console')
    .option('--login-key <file>', 'log in with this key instead of a password')
    .option('--login-agent', "log in with the SSH agent's key instead of a password")
    .option('--agent-key <fingerprint>', 'which key of the agent')
    .option('--bundle <folder>', 'site bundle to decide the versions by (the one used last)')
    .option('--live', 'the box runs from a live system, which has a host key of its own')
    .option('--no-live', 'the box is back in the system on its disk')
    .option('--set-clock', 'set clock and RTC of the box from this laptop first');
  run(inspectCommand, (o) => withApp(o, (ctx) => runInspect(ctx, o)));

  const keysCommand = add(
    'keys',
    'Set up vaultadmin with a key and a sudo password, each proven by a new login',
  )
    .option('--generate', 'make an Ed25519 key for this box')
    .option('--out <file>', "where the new key goes (the app's data folder)")
    .option('--passphrase', 'protect the new key by a passphrase')
    .option('--key <file>', 'use this private key')
    .option('--agent', 'use a key of the SSH agent')
    .option('--agent-key <fingerprint>', 'which key of the agent')
    .option('--customer-key <file...>', "also install the customer's public keys from these files")
    .option('--uid <keep|swap>', 'where another user has UID 1000: keep it there, or swap')
    .option('--login-key <file>', 'log in with this key until vaultadmin exists')
    .option('--login-agent', "log in with the SSH agent's key until vaultadmin exists");
  run(keysCommand, (o) => withApp(o, (ctx) => runKeys(ctx, o)));

  const proveCommand = add(
    'prove-key',
    "Prove the customer's keys: the box is asked whether it takes them, or logged in to with the private half of one",
  ).option(
    '--private <file>',
    'the private half of one of them, where it is at hand: a login is made with it',
  );
  run(proveCommand, (o: ProveOptions) => withApp(o, (ctx) => runProve(ctx, o)));

  run(add('forget-host-key', "Unpin a box's host key after its change was explained"), (o) =>
    withApp(o, async ({ app, out }) => {
      const session = requireSession(app, o.box);
      const known = app.knownHosts.forget(pinNameOf(session));
      out.line(known ? `The host key of ${session.name} is no longer pinned.` : 'No host key was pinned.');
      out.result({ ok: true, forgotten: known, exit: EXIT_CODES.passed });
      return EXIT_CODES.passed;
    }),
  );
}
