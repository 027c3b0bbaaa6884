/** The disks of a box, listed over SSH by the rules that hold for those of a laptop. */
import { AppError } from '../../../preload/contract/errors.ts';
import type { Disk } from '../../../preload/contract/disk.ts';
import type { Session } from '../../../preload/contract/session.ts';
import type { Connection } from '../../remote/connection.ts';
import { runAsRoot } from '../../remote/sudo.ts';
import type { App } from '../app.ts';
import { withRoot } from '../login.ts';
import type { Secrets } from '../secrets.ts';
import { LinuxDisks } from './disks/linux.ts';
import { LSBLK_ARGS } from './disks/lsblk.ts';
import { listDisks } from './disks/list.ts';
import { Look, worldOf, type World } from './disks/world.ts';

/** Those of a box that is logged in to. Errors: those of withRoot and listBoxDisks. */
export async function disksOfBox(
  app: Pick<App, 'boxCode'>,
  session: Session,
  secrets: Secrets,
  conn: Connection,
  needed: number | null,
): Promise<Disk[]> {
  const { disks: source } = await app.boxCode();
  return withRoot(conn, session, secrets, ({ password }) => listBoxDisks(conn, source, password, needed));
}

/** lsblk may take 15 s, and so may each blkid where there is no udev. */
const LOOK_MS = 180_000;

/** One look at the box's block devices, as root. Errors: those of runAsRoot, box_unreadable. */
export async function lookAt(
  conn: Connection,
  source: string,
  sudoPassword: string | undefined,
): Promise<World> {
  const argv = ['python3', '-I', '-c', source, ...LSBLK_ARGS];
  const run = await runAsRoot(conn, argv, { sudoPassword, timeoutMs: LOOK_MS });
  try {
    return worldOf(Look.parse(JSON.parse(run.stdout.toString('utf8'))));
  } catch (error) {
    const said = run.stderr.trim().split('\n').at(-1)?.slice(0, 300);
    const detail = `looking at its disks ended with status ${run.code ?? 'none'}${said ? `: ${said}` : '.'}`;
    throw new AppError('box_unreadable', { detail }, error);
  }
}

/**
 * All disks of the box as they are now. `needed`: bytes of the image's disk, null without an image. The image itself lies here, so no
 * disk there holds it. Errors: those of lookAt, box_unreadable.
 */
export async function listBoxDisks(
  conn: Connection,
  source: string,
  sudoPassword: string | undefined,
  needed: number | null,
): Promise<Disk[]> {
  const port = new LinuxDisks({ world: () => lookAt(conn, source, sudoPassword) });
  try {
    return await listDisks(port, null, needed);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'disks_unreadable') throw error;
    throw new AppError('box_unreadable', { detail: `its disks: ${String(error.facts['detail'])}.` }, error);
  }
}
