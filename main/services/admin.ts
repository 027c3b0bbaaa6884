/** The administrator's account on the box, looked at and brought about by resources/box/vcbox/admin.py as root. */
import { z } from 'zod';
import { AppError } from '../../preload/contract/errors.ts';
import type { Connection } from '../remote/connection.ts';
import { runAsRoot } from '../remote/sudo.ts';

/** Groups that vaultadmin has from the step Keys on; docker joins in layer 1. */
export const ADMIN_GROUPS = ['sudo', 'vaultcube'];

const AdminState = z.object({
  ok: z.literal(true),
  exists: z.boolean(),
  uid: z.number().int().nullable(),
  /** Who has UID 1000. */
  uidHolder: z.string().nullable(),
  hasPassword: z.boolean(),
  /** Lines of authorized_keys. */
  keys: z.array(z.string()),
  boxId: z.string().nullable(),
  changed: z.array(z.string()),
});
export type AdminState = z.infer<typeof AdminState>;

const Answer = z.union([
  AdminState,
  z.object({ ok: z.literal(false), code: z.string(), detail: z.string() }),
]);

export interface AdminOrders {
  user: string;
  /** Null lets the system choose. */
  uid: number | null;
  keys: readonly string[];
  /** Null leaves the password as it is. Goes over stdin, to chpasswd. */
  password: string | null;
  boxId: string;
}

async function ask(
  conn: Connection,
  source: string,
  sudoPassword: string | undefined,
  orders: Record<string, unknown>,
): Promise<AdminState> {
  const run = await runAsRoot(conn, ['python3', '-I', '-c', source], {
    sudoPassword,
    input: JSON.stringify(orders),
  });
  let answer: z.infer<typeof Answer>;
  try {
    answer = Answer.parse(JSON.parse(run.stdout.toString('utf8')));
  } catch (error) {
    // What it printed is not told on: it was given a password.
    const detail = `setting up the administrator ended with status ${run.code ?? 'none'}.`;
    throw new AppError('box_unreadable', { detail }, error instanceof SyntaxError ? undefined : error);
  }
  if (answer.ok) return answer;
  switch (answer.code) {
    case 'sudo_absent':
      throw new AppError('sudo_absent');
    case 'uid_taken':
      throw new AppError('uid_taken', { holder: answer.detail });
    case 'box_disk_full':
      throw new AppError('box_disk_full', { detail: answer.detail });
    default:
      throw new AppError('box_unreadable', { detail: answer.detail });
  }
}

/** What is there now; changes nothing. Errors: those of runAsRoot, box_unreadable. */
export const lookAtAdmin = (
  conn: Connection,
  source: string,
  sudoPassword: string | undefined,
  user: string,
) => ask(conn, source, sudoPassword, { do: 'look', user });

/** Makes it so. Applying the same orders again changes nothing but a given password. Errors: sudo_absent, uid_taken, box_disk_full, box_unreadable. */
export const applyAdmin = (
  conn: Connection,
  source: string,
  sudoPassword: string | undefined,
  orders: AdminOrders,
) => ask(conn, source, sudoPassword, { do: 'apply', groups: ADMIN_GROUPS, ...orders });
