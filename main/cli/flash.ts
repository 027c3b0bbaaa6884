/** The command flash: an image onto a disk of this laptop or of a box, or into a file, verified by reading back (docs/adr/0011-flash.md). */
import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { contentsText, diskName, endOf } from '../../preload/contract/disk-words.ts';
import { AppError } from '../../preload/contract/errors.ts';
import type { FlashProgress } from '../../preload/contract/flash.ts';
import { EXIT_CODES } from '../../preload/contract/outcome.ts';
import { confirmDisk } from '../services/flash/disks/confirm.ts';
import { chooseDisk, diskPort, listDisks, type Target } from '../services/flash/disks/list.ts';
import { flashBox } from '../services/flash/boxflash.ts';
import { flash, isKnownTarget, type FlashResult, type FlashTarget } from '../services/flash/flash.ts';
import { launchFor } from '../services/flash/launch.ts';
import { forImage } from '../services/flash/look.ts';
import { requireSession } from '../services/sessions.ts';
import { askLine } from './ask.ts';
import { awake } from './awake.ts';
import { withApp, type CommonOptions, type Context } from './context.ts';
import { boxDisks } from './disks.ts';
import { firstBootOf } from './firstboot.ts';
import { bytesText } from './output.ts';

interface FlashFlags extends CommonOptions {
  image: string;
  target: string;
  confirm?: string;
  firstBoot?: string;
}

type Named = { kind: 'file'; path: string } | { kind: 'disk' | 'box'; serial: string };

/** Errors: usage. Pure but for the current folder. */
export function parseTarget(text: string): Named {
  const [, kind, rest = ''] = /^(file|disk|box):(.+)$/s.exec(text) ?? [];
  switch (kind) {
    case 'file':
      return { kind, path: resolve(rest) };
    case 'disk':
    case 'box':
      return { kind, serial: rest };
    case undefined:
    default:
      throw new AppError('usage', {
        what: `--target wants disk:SERIAL, box:SERIAL or file:PATH, not "${text}".`,
      });
  }
}

/** What has to be typed before what is there is lost; `check` throws where it is not that. */
interface Question {
  of: string;
  what: string;
  check: (typed: string) => void;
}

/** Given, or asked for on a terminal until it is right. Errors: flash_confirm_missing, flash_confirm_wrong, disk_confirm_wrong. */
async function confirm(
  { out }: Context,
  { of, what, check }: Question,
  given: string | undefined,
): Promise<void> {
  let typed: string | null | undefined = given;
  for (;;) {
    if (typed !== undefined) {
      try {
        return check(typed);
      } catch (error) {
        // Who cannot be asked gets no second try.
        if (out.json) throw error;
        out.line(`"${typed}" is not ${what}.`);
      }
    }
    typed = out.json ? null : await askLine(`All that is on ${of} is lost. Type ${what} to go on: `);
    if (typed === null) throw new AppError('flash_confirm_missing', { target: of, what });
  }
}

async function fileTarget(ctx: Context, path: string, o: FlashFlags): Promise<FlashTarget> {
  const target: FlashTarget = { kind: 'file', path, name: path };
  const there = statSync(path, { throwIfNoEntry: false });
  if (there && !there.isFile())
    throw new AppError('flash_target_unfit', { target: path, detail: 'it is no plain file.' });
  // What this app began it may go on with; any other file could be somebody's only copy.
  if (!there || there.size === 0 || isKnownTarget(ctx.app, target)) return target;
  const wanted = [...basename(path)].slice(-4).join('');
  const what = 'the last four characters of its name';
  const check = (typed: string) => {
    if (typed.trim() !== wanted)
      throw new AppError('flash_confirm_wrong', { given: typed, what, target: path });
  };
  await confirm(ctx, { of: path, what, check }, o.confirm);
  return target;
}

type DiskTarget = Extract<FlashTarget, { kind: 'disk' }>;

async function diskTarget(ctx: Context, serial: string, o: FlashFlags): Promise<DiskTarget> {
  const image = await forImage(o.image);
  return confirmed(ctx, chooseDisk(await listDisks(diskPort(), image), serial), o);
}

/** `where`: whose disk it is, where not this laptop's. */
async function confirmed(ctx: Context, disk: Target, o: FlashFlags, where = ''): Promise<DiskTarget> {
  const name = `${diskName(disk)} (${disk.serial})${where}`;
  ctx.out.line(`${name}, ${bytesText(disk.size)}, ${disk.bus}, now at ${disk.path}`);
  ctx.out.line(`  on it: ${contentsText(disk)}`);
  const check = (typed: string) => confirmDisk({ name, serial: disk.serial }, typed);
  const many = [...endOf(disk.serial)].length;
  await confirm(ctx, { of: name, what: `the last ${many} characters of its serial`, check }, o.confirm);
  return { kind: 'disk', path: disk.path, serial: disk.serial, size: disk.size, name };
}

async function runBoxFlash(ctx: Context, o: FlashFlags, serial: string, begun: () => void): Promise<number> {
  const session = requireSession(ctx.app, o.box);
  const first =
    o.firstBoot === undefined
      ? null
      : await firstBootOf(ctx, { firstBoot: o.firstBoot, box: session.name }, 'newSudoPassword');
  const { virtualSize } = await forImage(o.image);
  const disk = chooseDisk(await boxDisks(ctx, session, virtualSize), serial, session.name);
  const target = await confirmed(ctx, disk, o, ` in ${session.name}`);
  const { signal, giveUpAfterMs } = ctx;
  const order = {
    ...{ image: resolve(o.image), target, signal, giveUpAfterMs },
    ...(first ? { firstBoot: first.order } : {}),
    onNote: (text: string) => ctx.out.note(text),
    onLook: (what: string, done: number, total: number | null) =>
      ctx.out.progress(what, done, total, 'bytes'),
    onProgress: (view: FlashProgress) => ctx.out.flash(view),
  };
  begun();
  const result = await fed(ctx, () => flashBox(ctx.app, session, ctx.secrets, order));
  const next = first
    ? `Next: vault-cube first-boot --box ${session.name} --key FILE`
    : `${session.name} may be started from it; then: vault-cube inspect --box ${session.name} --no-live --user USER`;
  return tell(ctx, o, target, result, next);
}

/** While the laptop does not go to sleep. */
const fed = <T>({ out }: Context, fn: () => Promise<T>): Promise<T> =>
  awake(fn, (text) => (out.json ? undefined : out.note(text)));

function tell(
  { out }: Context,
  o: FlashFlags,
  target: FlashTarget,
  result: FlashResult,
  next = target.kind === 'disk' ? 'It may be unplugged.' : null,
): number {
  if (result.state !== 'verified') throw result.error;
  const { proof, image, hostKey = null } = result;
  const compared =
    image.diskRoot === null
      ? 'no manifest lay beside the image, so its disk hash was compared with nothing'
      : "the manifest's disk hash is the same";
  out.line(`${target.name}: every byte was read back; ${compared}.`);
  out.line(`disk hash: ${proof.diskRoot}`);
  if (hostKey !== null) out.line(`first-boot settings: written and read back; host key ${hostKey}`);
  if (next !== null) out.line(next);
  const exit = EXIT_CODES.passed;
  out.result({
    ...{ ok: true, state: result.state, image: resolve(o.image), target: target.name },
    ...{ virtualSize: image.virtualSize, manifestCompared: image.diskRoot !== null },
    ...{ fileChecked: image.fileChecked, ...proof, hostKey, exit },
  });
  return exit;
}

/** What Ctrl+C costs while an image is written. */
const LOSSES = {
  here: 'The flash is on its way. Stopped, it leaves a target that starts no machine until a flash of it is finished; the same command goes on where it stood.',
  box: 'The flash is on its way. Stopped here, the box keeps what it has and waits to be fed on by the same command; "vault-cube cancel" ends it.',
};

/** `begun`: told once something is written. */
async function runFlash(ctx: Context, o: FlashFlags, named: Named, begun: () => void): Promise<number> {
  if (named.kind === 'box') return runBoxFlash(ctx, o, named.serial, begun);
  // Before anybody is asked about the target: what is wrong with them costs nothing yet.
  const first =
    o.firstBoot === undefined ? null : await firstBootOf(ctx, { firstBoot: o.firstBoot, box: o.box });
  const target =
    named.kind === 'file' ? await fileTarget(ctx, named.path, o) : await diskTarget(ctx, named.serial, o);
  const { app, secrets } = ctx;
  const launch = launchFor(target.kind, () =>
    secrets.need('laptopPassword', `${app.laptop.user} on this laptop`),
  );
  const box = first?.box() ?? null;
  const order = {
    ...{ image: resolve(o.image), target, launch, signal: ctx.signal },
    ...(first ? { firstBoot: first.order } : {}),
    ...(box ? { box } : {}),
  };
  begun();
  const result = await fed(ctx, () => flash(app, { ...order, onNote: (text) => ctx.out.note(text) }));
  return tell(ctx, o, target, result);
}

/** Adds the command; `run` gives it its exit code. */
export function addFlashCommand(
  program: Command,
  run: <O extends CommonOptions>(command: Command, fn: (o: O) => Promise<number>) => void,
): void {
  run<FlashFlags>(
    program
      .command('flash')
      .description(
        'Write an image to a disk of this laptop or of a box, or into a file, and read all of it back',
      )
      .requiredOption('--image <file>', 'qcow2, raw, raw.zst, raw.gz or raw.xz')
      .requiredOption(
        '--target <target>',
        'disk:SERIAL at this laptop ("vault-cube disks" lists them), box:SERIAL in a box, or file:PATH',
      )
      .option(
        '--box <name>',
        'whose disk; may be left out when only one is known. With --first-boot: the box that will start from it, for which its host key is pinned',
      )
      .option(
        '--first-boot <file>',
        'settings of the first boot as JSON: hostname, authorizedKey or authorizedKeyFile, address {card, address, gateway, dns}; DHCP without an address',
      )
      .option('--give-up <seconds>', 'how long to try when the box is out of reach (600)')
      .option(
        '--confirm <last4>',
        "the last four characters of the disk's serial (of an existing file: its name)",
      )
      .option(
        '--secrets <file>',
        'secrets as JSON, - for stdin: laptopPassword where sudo asks for one, sudoPassword for --first-boot (newSudoPassword where the disk is in a box), or those of the box',
      )
      .option('--json', 'one JSON object a line')
      .addHelpText(
        'after',
        '\nThe same command goes on after whatever ended it. Exit codes: 0 only when all was read back and is right. Of a box, Ctrl+C leaves a job there that waits to be fed on; "vault-cube cancel" ends it.',
      ),
    async (o) => {
      const named = parseTarget(o.target);
      let begun = false;
      const losses = () => (begun ? LOSSES[named.kind === 'box' ? 'box' : 'here'] : null);
      return withApp({ ...o, losses }, (ctx) => runFlash(ctx, o, named, () => (begun = true)));
    },
  );
}
