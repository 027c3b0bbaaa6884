/** The command disks: what an image can be flashed to at this laptop or in a box, and why the other disks are not offered. */
import type { Command } from 'commander';
import type { Disk } from '../../preload/contract/disk.ts';
import { contentsText, diskName, reasonAction, reasonText } from '../../preload/contract/disk-words.ts';
import { EXIT_CODES } from '../../preload/contract/outcome.ts';
import type { Session } from '../../preload/contract/session.ts';
import { disksOfBox } from '../services/flash/boxdisks.ts';
import { diskPort, listDisks } from '../services/flash/disks/list.ts';
import { forImage } from '../services/flash/look.ts';
import { login } from '../services/login.ts';
import { requireSession } from '../services/sessions.ts';
import { withApp, type CommonOptions, type Context } from './context.ts';
import { Output, bytesText, table } from './output.ts';

interface DisksFlags extends CommonOptions {
  image?: string;
  neverRun?: boolean;
}

/** The list as a person reads it. Pure. */
export function disksLines(disks: readonly Disk[]): string[] {
  const offered = disks.filter((disk) => disk.verdict.offered);
  const rows = offered.map((disk) => [
    diskName(disk),
    bytesText(disk.size),
    disk.bus,
    disk.serial ?? '',
    disk.path,
    contentsText(disk),
  ]);
  const lines = rows.length
    ? table([['MODEL', 'SIZE', 'BUS', 'SERIAL', 'NOW AT', 'WHAT IS ON IT'], ...rows])
    : ['No disk is offered.'];
  if (offered.length === disks.length) return lines;
  lines.push('', 'Not offered:');
  for (const disk of disks) {
    if (disk.verdict.offered) continue;
    const serial = disk.serial === null ? 'no serial' : `serial ${disk.serial}`;
    lines.push(`  ${diskName(disk)}, ${bytesText(disk.size)}, ${disk.bus}, ${serial}, now at ${disk.path}`);
    for (const reason of disk.verdict.reasons) {
      lines.push(`    – ${reasonText(reason)}`);
      lines.push(`      → ${reasonAction(reason)}`);
    }
  }
  return lines;
}

/** The disks of a box as they are now. Errors: those of login, disksOfBox. */
export async function boxDisks(ctx: Context, session: Session, needed: number | null): Promise<Disk[]> {
  const { app, secrets, signal } = ctx;
  const conn = await login(app, session, secrets, { signal });
  try {
    return await disksOfBox(app, session, secrets, conn, needed);
  } finally {
    conn.close();
  }
}

async function runBoxDisks(ctx: Context, o: DisksFlags): Promise<number> {
  const session = requireSession(ctx.app, o.box);
  const image = o.image === undefined ? null : await forImage(o.image);
  const disks = await boxDisks(ctx, session, image?.virtualSize ?? null);
  for (const line of disksLines(disks)) ctx.out.line(line);
  ctx.out.result({ ok: true, box: session.name, image, disks, exit: EXIT_CODES.passed });
  return EXIT_CODES.passed;
}

async function runDisks(o: DisksFlags): Promise<number> {
  if (o.box !== undefined) return withApp(o, (ctx) => runBoxDisks(ctx, o));
  const out = new Output(o.json ?? false);
  const port = diskPort({ neverRun: o.neverRun ?? false });
  const image = o.image === undefined ? null : await forImage(o.image);
  if (!port.run) out.note(`Nobody has run this on ${port.system} yet: believe nothing of it unseen.`);
  if (image?.virtualSize === null)
    out.note('How large this image is tells only its end: no disk is held to be too small for it here.');
  const disks = await listDisks(port, image);
  for (const line of disksLines(disks)) out.line(line);
  out.result({ ok: true, image, disks, exit: EXIT_CODES.passed });
  return EXIT_CODES.passed;
}

/** Adds the command; `run` gives it its exit code. */
export function addDisksCommand(
  program: Command,
  run: <O extends CommonOptions>(command: Command, fn: (o: O) => Promise<number>) => void,
): void {
  run<DisksFlags>(
    program
      .command('disks')
      .description(
        'Disks attached to this laptop that an image can be flashed to, and why the others are not offered',
      )
      .option('--image <file>', 'the image: disks that are too small for it, or hold it, are not offered')
      .option('--box <name>', 'the disks of this box, over SSH')
      .option('--secrets <file>', "the box's secrets as JSON, - for stdin")
      .option('--never-run', 'on Windows and macOS, by code that nobody has run there')
      .option('--json', 'one JSON object a line')
      .addHelpText(
        'after',
        '\nChanges nothing, and needs root in a box only. Exit codes: 0 listed, 2 no usable image, 6 not listed.',
      ),
    runDisks,
  );
}
