/** What the box is, gathered over the connection as it is: as the login user, then as root where that is possible. */
import { z } from 'zod';
import { AppError, type ErrorCode } from '../../../preload/contract/errors.ts';
import { BoxFacts } from '../../../preload/contract/facts.ts';
import type { Connection, ExecResult } from '../../remote/connection.ts';
import { runAsRoot, type SudoWay } from '../../remote/sudo.ts';
import { measureSkew } from './clock.ts';

export interface FactsReading {
  /** Of both readings; root's values win. */
  facts: BoxFacts;
  asUser: BoxFacts;
  asRoot: BoxFacts | null;
  /** Why there is no reading as root; null when there is one. */
  noRootReason: string | null;
  /** How the login user becomes root; `none` also where sudo refused just now. */
  sudoWay: SudoWay;
  /** The box's clock minus the laptop's, and by how much that can be wrong. */
  skewSeconds: number;
  uncertaintySeconds: number;
}

export interface SudoKnown {
  way: SudoWay;
  password?: string | undefined;
}

/** Commands on a strange machine are given 15 s each by the gatherer; a healthy box takes one second in all. */
const GATHER_MS = 180_000;
/** The program comes over stdin: not every login shell takes a text of many lines as an argument. */
const PYTHON = ['python3', '-I', '-'];

/** What sudo can answer that is a finding about the box. A wrong password is not: it is the person's to mend. */
const REFUSALS: readonly ErrorCode[] = ['sudo_not_allowed', 'sudo_missing', 'sudo_wants_tty'];

/**
 * Gathers the facts; `factsSource` is the text of the gatherer (BoxCode.facts). Changes nothing on the box.
 * Errors: python_missing, box_unreadable, sudo_password_wrong, login_password_expired, link_lost.
 */
export async function readFacts(
  conn: Connection,
  factsSource: string,
  sudo: SudoKnown,
): Promise<FactsReading> {
  const skew = await measureSkew(conn);
  const asUser = parseFacts(
    await conn.exec(`env LC_ALL=C ${PYTHON.join(' ')}`, { stdin: factsSource, timeoutMs: GATHER_MS }),
  );
  const root = await readAsRoot(conn, factsSource, sudo, asUser);
  return {
    facts: root.asRoot ? mergeFacts(asUser, root.asRoot) : asUser,
    asUser,
    ...root,
    skewSeconds: skew.seconds,
    uncertaintySeconds: skew.uncertainty,
  };
}

type RootReading = Pick<FactsReading, 'asRoot' | 'noRootReason' | 'sudoWay'>;

async function readAsRoot(
  conn: Connection,
  input: string,
  { way, password }: SudoKnown,
  asUser: BoxFacts,
): Promise<RootReading> {
  const without = (noRootReason: string, sudoWay = way) => ({ asRoot: null, noRootReason, sudoWay });
  if (conn.uid === 0) return { asRoot: asUser, noRootReason: null, sudoWay: 'root' };
  if (way === 'none') return without(`${conn.user} may not use sudo`);
  if (way === 'password' && password === undefined)
    return without('sudo asks for a password, and none was given');
  try {
    const run = await runAsRoot(conn, PYTHON, { sudoPassword: password, input, timeoutMs: GATHER_MS });
    return { asRoot: parseFacts(run), noRootReason: null, sudoWay: way };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (REFUSALS.includes(error.code)) return without(error.message, 'none');
    // Rules can ask for a password for this command although they did not for the probe.
    if (error.code === 'secret_missing')
      return without('sudo asks for a password, and none was given', 'password');
    throw error;
  }
}

function parseFacts({ code, stdout, stderr }: ExecResult): BoxFacts {
  if (code === 127) throw new AppError('python_missing');
  const said = stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
  if (code !== 0)
    throw new AppError('box_unreadable', {
      detail: `gathering its facts ended with status ${code ?? 'none'}: ${said}`,
    });
  let json: unknown;
  try {
    json = JSON.parse(stdout.toString('utf8'));
  } catch (error) {
    throw new AppError('box_unreadable', { detail: 'its facts are not JSON.' }, error);
  }
  const parsed = BoxFacts.safeParse(json);
  if (parsed.success) return parsed.data;
  const detail = `its facts: ${z.prettifyError(parsed.error).replaceAll('\n', ' ').slice(0, 300)}`;
  throw new AppError('box_unreadable', { detail }, parsed.error);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Root's values; the user's where root has none. Lists are taken whole. */
function merge(user: unknown, root: unknown): unknown {
  if (root === null || root === undefined) return user ?? null;
  if (!isObject(user) || !isObject(root)) return root;
  const names = new Set([...Object.keys(user), ...Object.keys(root)]);
  return Object.fromEntries([...names].map((name) => [name, merge(user[name], root[name])]));
}

/** Both readings as one: root's values win, and only what root could not read stays unreadable. */
export function mergeFacts(asUser: BoxFacts, asRoot: BoxFacts): BoxFacts {
  return BoxFacts.parse({ ...(merge(asUser, asRoot) as object), unreadable: asRoot.unreadable });
}
