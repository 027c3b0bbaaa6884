/**
 * The box as its network sees it, for the suite that asks for it (spec T8): a fresh login by key, what else sshd would take, and
 * which ports answer. The laptop finds; the job on the box judges.
 */
import { randomBytes } from 'node:crypto';
import { connect as openTcp } from 'node:net';
import { asAppError } from '../../preload/contract/errors.ts';
import type { Session } from '../../preload/contract/session.ts';
import { connect } from '../remote/connection.ts';
import type { App } from './app.ts';
import { login } from './login.ts';
import type { Secrets } from './secrets.ts';
import { addressOf, pinNameOf } from './sessions.ts';

/** A packet that a firewall drops is never answered; on a cable an answer takes milliseconds. */
const SILENT_MS = 3_000;

/** `open`, `refused` (something answered that nothing listens), `silent`, or the system's word for another answer. */
export type PortState = string;

/** As `control/finding.json` has it (docs/adr/0002-job-mechanism.md). */
export interface Finding {
  at: string;
  key: { ok: boolean; seconds: number; detail: string | null };
  password: { refused: boolean; methods: string | null; detail: string | null };
  ports: Record<string, PortState>;
}

/** How a port answers a connection from here. */
function portState(host: string, port: number): Promise<PortState> {
  return new Promise((resolve) => {
    const socket = openTcp({ host, port });
    const done = (state: PortState) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(state);
    };
    const timer = setTimeout(() => done('silent'), SILENT_MS);
    socket.once('connect', () => done('open'));
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED') done('refused');
      else done(code === 'ETIMEDOUT' ? 'silent' : (code ?? 'error'));
    });
  });
}

async function tryKey(app: App, session: Session, secrets: Secrets, signal: AbortSignal) {
  const begun = performance.now();
  const spent = () => Math.round(performance.now() - begun) / 1000;
  try {
    (await login(app, session, secrets, { signal })).close();
    return { ok: true, seconds: spent(), detail: null };
  } catch (error) {
    signal.throwIfAborted();
    return { ok: false, seconds: spent(), detail: asAppError(error).message };
  }
}

/**
 * What sshd offers to somebody who has only a password, which nobody knows. Where it does not offer that method none is sent, so
 * that fail2ban has nothing to count; where it does, one is.
 */
async function tryPassword(app: App, session: Session, signal: AbortSignal) {
  const { host, port } = addressOf(session);
  const auth = { kind: 'password' as const, password: randomBytes(24).toString('base64') };
  try {
    const target = {
      host,
      port,
      user: session.user,
      knownHosts: app.knownHosts,
      hostKeyName: pinNameOf(session),
    };
    (await connect({ ...target, auth, signal })).close();
    return { refused: false, methods: null, detail: 'it let somebody in whose password nobody knows' };
  } catch (error) {
    signal.throwIfAborted();
    const known = asAppError(error);
    const refused = known.code === 'login_password_off';
    const { methods } = known.facts;
    return { refused, methods: refused && methods ? String(methods) : null, detail: known.message };
  }
}

/** `ports`: which are tried beside the one that the session uses. Errors: only the signal's. */
export async function lookFromOutside(
  app: App,
  session: Session,
  secrets: Secrets,
  ports: readonly number[],
  signal: AbortSignal,
): Promise<Finding> {
  const { host, port } = addressOf(session);
  const key = await tryKey(app, session, secrets, signal);
  const all = [...new Set([port, ...ports])];
  const states = await Promise.all(all.map(async (p) => [String(p), await portState(host, p)] as const));
  const password = await tryPassword(app, session, signal);
  return { at: new Date().toISOString(), key, password, ports: Object.fromEntries(states) };
}
