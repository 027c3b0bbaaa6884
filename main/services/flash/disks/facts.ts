/** Gathers what Linux tells of its block devices. Nothing is judged here, and nothing needs root. */
import { basename, join } from 'node:path/posix';
import { type BlockDevice, LSBLK_ARGS, parseLsblk } from './lsblk.ts';
import { type Mount, type Swap, parseMountinfo, parseSwaps } from './mounts.ts';
import { unreadable } from './port.ts';
import { plain } from './text.ts';
import { HERE, TOOL_MS, type World } from './world.ts';

export interface DeviceFacts {
  /** Its number in the partition table; null for what is no partition. */
  partition: number | null;
  /** What the kernel itself knows as its serial. */
  serial: string | null;
  /** The file or device that a loop device or zram shows or fills; null for others. */
  backing: string | null;
  /** udev's words of it, ID_SERIAL_SHORT for example; null where it has not looked at it (yet). */
  udev: Record<string, string> | null;
}

export interface LinuxFacts {
  devices: Map<string, BlockDevice>;
  /** By kname. */
  more: Map<string, DeviceFacts>;
  mounts: Mount[];
  swaps: Swap[];
  /** Sources of mounts and swaps that are links, and where these lead. */
  links: Map<string, string>;
  /** Of each file system that the kernel has in use, also in another mount namespace: the knames of its devices. */
  fileSystems: string[][];
  /** Whether this kernel has ZFS, which does not tell what it holds. */
  zfs: boolean;
  /** Who looks into the disks here. */
  contents: 'udev' | 'blkid' | 'nobody';
}

/** What lsblk prints. Errors: disks_unreadable. */
async function lsblk(world: World): Promise<string> {
  const { stdout, stderr, code } = await world.ran('lsblk', LSBLK_ARGS);
  if (code === 0) return stdout;
  if (code === 'ENOENT') throw unreadable('there is no lsblk', 'Install the package util-linux.');
  if (code === null)
    throw unreadable(
      `lsblk has not ended after ${TOOL_MS / 1000} s`,
      'A disk does not answer: unplug the one attached last, then try again.',
    );
  const detail = stderr.trim() || `lsblk ended with ${code}`;
  throw unreadable(detail, 'It wants util-linux 2.37 or newer; look at what it says.');
}

function words(text: string, prefix = ''): Record<string, string> {
  const pairs = text.split('\n').flatMap((line) => {
    const at = line.indexOf('=');
    return line.startsWith(prefix) && at > 0 ? [[line.slice(prefix.length, at), line.slice(at + 1)]] : [];
  });
  return Object.fromEntries(pairs) as Record<string, string>;
}

function deviceFacts(world: World, { kname, majMin }: BlockDevice, sys: string, udev: string): DeviceFacts {
  const at = (name: string) => world.read(join(sys, 'class/block', kname, name));
  const number = Number(at('partition') ?? '');
  const told = world.read(join(udev, 'data', `b${majMin}`));
  const backing = at('loop/backing_file') ?? at('backing_dev');
  return {
    partition: number > 0 ? number : null,
    serial: at('device/serial') ?? at('serial'),
    backing: backing === null || backing === 'none' ? null : backing.replace(/ \(deleted\)$/, ''),
    udev: told === null ? null : words(told, 'E:'),
  };
}

/** The last word of each link among `links`: the device's kname. */
const linked = (world: World, dir: string, links: readonly string[]): string[] =>
  links.flatMap((name) => {
    const to = world.link(join(dir, name));
    return to === null ? [] : [basename(to)];
  });

/**
 * The list of mounts is that of this process and names one device a mount; btrfs and bcachefs hold several. The kernel tells
 * of these file systems what it has mounted at all, under their UUID or their device.
 */
function fileSystemsOf(world: World, sys: string): string[][] {
  const names = (dir: string) => world.names(dir) ?? [];
  const of = (kind: string, devices: (dir: string) => string[]) =>
    names(join(sys, 'fs', kind)).map((id) => devices(join(sys, 'fs', kind, id)));
  return [
    ...['ext4', 'xfs', 'f2fs'].flatMap((kind) => names(join(sys, 'fs', kind)).map((kname) => [kname])),
    ...of('btrfs', (dir) => linked(world, join(dir, 'devices'), names(join(dir, 'devices')))),
    ...of('bcachefs', (dir) =>
      linked(
        world,
        dir,
        names(dir)
          .filter((name) => name.startsWith('dev-'))
          .map((name) => join(name, 'block')),
      ),
    ),
  ].filter((devices) => devices.length > 0);
}

export const BLKID_ARGS = ['--probe', '--output', 'export'];
/** Nothing that it knows, and more than one thing at once. */
const BLKID_ANSWERS: readonly (number | string | null)[] = [0, 2, 8];

/**
 * Where no udev has looked into the disks, blkid does, which root alone may. Puts in what it finds; answers whether it could
 * look into all of them.
 */
async function probe(world: World, devices: Iterable<BlockDevice>): Promise<boolean> {
  let all = true;
  for (const device of devices) {
    if (device.size === 0) continue;
    const { stdout, code } = await world.ran('blkid', [...BLKID_ARGS, device.path]);
    all &&= BLKID_ANSWERS.includes(code);
    const found = words(stdout);
    const text = (name: string) => plain(found[name]?.replaceAll(/\\(.)/g, '$1'));
    device.fstype ??= text('TYPE');
    device.label ??= text('LABEL');
    device.partlabel ??= text('PART_ENTRY_NAME');
    device.pttype ??= text('PTTYPE');
  }
  return all;
}

export const PLACES = { sys: '/sys', udev: '/run/udev', proc: '/proc' };

/** `world`: this laptop, or a box that was looked at. Errors: disks_unreadable. */
export async function gather(at: typeof PLACES = PLACES, world: World = HERE): Promise<LinuxFacts> {
  const text = await lsblk(world);
  let devices: Map<string, BlockDevice>;
  try {
    devices = parseLsblk(text);
  } catch (error) {
    throw unreadable(
      'lsblk answers in another way than this version knows',
      'Send the detail to support.',
      error,
    );
  }
  // Read after the devices: what is mounted or unplugged meanwhile is in the way rather than overlooked.
  const mountinfo = world.read(join(at.proc, 'self/mountinfo'));
  if (mountinfo === null)
    throw unreadable('the list of mounts cannot be read', 'Look whether /proc is mounted.');
  const mounts = parseMountinfo(mountinfo);
  const swaps = parseSwaps(world.read(join(at.proc, 'swaps')) ?? '');
  const udev = world.names(join(at.udev, 'data')) !== null;
  const probed = !udev && world.root && (await probe(world, devices.values()));
  const links = new Map<string, string>();
  for (const source of [...mounts.map((mount) => mount.source), ...swaps.map((swap) => swap.path)]) {
    if (!source.startsWith('/dev/')) continue;
    // Where the node is gone, or never was (/dev/root), the mount's number tells the device.
    const real = world.real(source);
    if (real !== null) links.set(source, real);
  }
  return {
    devices,
    more: new Map([...devices.values()].map((d) => [d.kname, deviceFacts(world, d, at.sys, at.udev)])),
    mounts,
    swaps,
    links,
    fileSystems: fileSystemsOf(world, at.sys),
    zfs: world.names(join(at.sys, 'module/zfs')) !== null,
    contents: udev ? 'udev' : probed ? 'blkid' : 'nobody',
  };
}
