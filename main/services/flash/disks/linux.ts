/** The disks of a laptop with Linux. */
import { realpathSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { Bus, type DiskPart, type InUseBy } from '../../../../preload/contract/disk.ts';
import { AppError } from '../../../../preload/contract/errors.ts';
import { type LinuxFacts, PLACES, gather } from './facts.ts';
import type { BlockDevice } from './lsblk.ts';
import type { DiskPort, SeenDisk, Use } from './port.ts';
import { type Stack, reach, stackOf } from './stack.ts';
import { cleanSerial, plain, visible } from './text.ts';
import { HERE, type World } from './world.ts';

/**
 * Whole disks by the kernel's names for them. A list of what is one, not of what is none: a kind nobody thought of (dm, md,
 * zram, nbd, a RAM disk, the boot areas of an eMMC, a CD) is then left out.
 */
const DISK = /^((sd|hd|vd|xvd)[a-z]+|nvme\d+n\d+|mmcblk\d+)$/;
const LOOP = /^loop\d+$/;

/** Where parts of a running system are mounted. Swap and all other mounts keep a disk from being offered as well. */
const SYSTEM = new Set([
  '/',
  '/boot',
  '/boot/efi',
  '/efi',
  '/usr',
  '/var',
  '/home',
  '/nix',
  '/gnu',
  '/sysroot',
]);

const HOLDERS: readonly (readonly [RegExp, InUseBy])[] = [
  [/^(raid|linear|dmraid|md)/, 'raid'],
  [/^lvm$/, 'lvm'],
  [/^crypt$/, 'crypt'],
  [/^mpath$/, 'multipath'],
  [/^loop$/, 'loop'],
];

function busOf({ tran, kname }: BlockDevice): Bus {
  const known = Bus.safeParse(tran === 'ata' ? 'sata' : tran);
  if (known.success) return known.data;
  if (kname.startsWith('nvme')) return 'nvme';
  if (kname.startsWith('mmcblk')) return 'mmc';
  if (kname.startsWith('vd')) return 'virtio';
  return LOOP.test(kname) ? 'loop' : 'other';
}

/** lsblk's word, else udev's, else the kernel's. A loop device has the name of its file instead. */
function serialOf({ kname, serial }: BlockDevice, { more }: LinuxFacts): string | null {
  const facts = more.get(kname);
  if (LOOP.test(kname)) return cleanSerial(basename(facts?.backing ?? '', extname(facts?.backing ?? '')));
  return cleanSerial(serial) ?? cleanSerial(facts?.udev?.['ID_SERIAL_SHORT']) ?? cleanSerial(facts?.serial);
}

/** What holds the disk or a part of it, by kinds. */
function holdersOf(above: ReadonlySet<string>, disk: string, mounted: boolean, facts: LinuxFacts): Use[] {
  const held = new Map<InUseBy, string[]>();
  const add = (by: InUseBy, name: string) => held.set(by, [...(held.get(by) ?? []), name]);
  for (const kname of above) {
    const device = facts.devices.get(kname);
    if (!device || kname === disk) continue;
    // Another disk, or a part of one, is reached through a file system over several: that is told below.
    if (device.type === 'part' || device.top) continue;
    add(HOLDERS.find(([type]) => type.test(device.type))?.[1] ?? 'other', device.name);
  }
  for (const [kname, { backing }] of facts.more) {
    // A loop device that shows a file is no holder of the disk: the mount in which the file lies is.
    const shown = backing === null ? undefined : [...above].find((at) => `/dev/${at}` === backing);
    if (shown !== undefined) add(LOOP.test(kname) ? 'loop' : 'other', kname);
  }
  for (const over of facts.fileSystems)
    if (over.some((kname) => above.has(kname)) && (over.length > 1 || !mounted))
      add('file_system', over.join(' + '));
  if (facts.zfs)
    for (const kname of partsOf(disk, facts))
      if (facts.devices.get(kname)?.fstype === 'zfs_member')
        add('zfs', facts.devices.get(kname)?.label ?? kname);
  return [...held].map(([by, names]) => ({
    why: 'in_use',
    by,
    names: [...new Set(names)].map(visible).sort(),
  }));
}

/** The disk and its partitions. */
const partsOf = (disk: string, { devices }: LinuxFacts): Set<string> =>
  new Set([disk, ...(devices.get(disk)?.children ?? []).filter((k) => devices.get(k)?.type === 'part')]);

/** A disk that was plugged in this moment is in lsblk's list before udev has read it. */
function lookedInto(disk: string, facts: LinuxFacts): boolean {
  if (facts.contents !== 'udev') return facts.contents === 'blkid';
  return [...partsOf(disk, facts)].every((kname) => (facts.more.get(kname)?.udev ?? null) !== null);
}

function usesOf(disk: string, facts: LinuxFacts, stack: Stack): Use[] {
  const above = stack.above(disk);
  const mountpoints = stack.mountpoints(above);
  const system = mountpoints.filter((point) => SYSTEM.has(point));
  const swaps = stack.swaps(above);
  return [
    // A system has dozens of mounts; those that make it one are enough.
    ...(system.length
      ? [{ why: 'system', mountpoints: system } as const]
      : mountpoints.length
        ? [{ why: 'mounted', mountpoints } as const]
        : []),
    ...(stack.systemKnown ? [] : [{ why: 'system_unknown' } as const]),
    ...(swaps.length ? [{ why: 'swap', on: swaps } as const] : []),
    ...holdersOf(above, disk, mountpoints.length > 0, facts),
    ...(lookedInto(disk, facts) ? [] : [{ why: 'contents_unknown' } as const]),
  ];
}

/** The device with its tree of lsblk alone: files on it that are disks themselves do not belong to its contents. */
const tree = (kname: string, { devices }: LinuxFacts): Set<string> =>
  reach(kname, (at) => devices.get(at)?.children);

function contentsOf(disk: BlockDevice, facts: LinuxFacts, stack: Stack): DiskPart[] {
  const part = (device: BlockDevice): DiskPart => ({
    number: facts.more.get(device.kname)?.partition ?? null,
    size: device.size,
    fileSystem: device.fstype ?? null,
    label: device.label ?? null,
    partitionLabel: device.partlabel ?? null,
    mountpoints: stack.mountpoints(tree(device.kname, facts)),
  });
  const parts = [...partsOf(disk.kname, facts)]
    .filter((kname) => kname !== disk.kname)
    .flatMap((kname) => facts.devices.get(kname) ?? [])
    .map(part)
    .sort((a, b) => (a.number ?? 0) - (b.number ?? 0));
  // A file system without partitions; an ISO image on a stick has both, and its partitions tell more.
  return parts.length || !disk.fstype ? parts : [part(disk)];
}

/** All disks out of the facts. `image`: its real path. Pure. */
export function disksOf(facts: LinuxFacts, opts: { image: string | null; alsoLoop: boolean }): SeenDisk[] {
  const stack = stackOf(facts);
  const imageOn = new Set(opts.image === null ? [] : stack.ground.ofPath(opts.image).devices);
  const isDisk = ({ kname, top }: BlockDevice) =>
    DISK.test(kname) || (opts.alsoLoop && top && LOOP.test(kname) && facts.more.get(kname)?.backing !== null);
  return [...facts.devices.values()].filter(isDisk).map((disk) => {
    const { kname, path, size, ro, rm, hotplug } = disk;
    const holds = opts.image !== null && [...stack.above(kname)].some((at) => imageOn.has(at));
    return {
      path,
      serial: serialOf(disk, facts),
      model: plain(disk.model),
      // Virtio has the number of one here, and no name.
      vendor: /^0x[0-9a-f]+$/i.test(plain(disk.vendor) ?? '') ? null : plain(disk.vendor),
      size,
      bus: busOf(disk),
      removable: rm || hotplug,
      readOnly: ro,
      logicalBlock: disk['log-sec'],
      table: plain(disk.pttype),
      contents: contentsOf(disk, facts, stack),
      uses: [
        ...usesOf(kname, facts, stack),
        ...(holds ? [{ why: 'holds_image', image: opts.image ?? '' } as const] : []),
      ],
    };
  });
}

export class LinuxDisks implements DiskPort {
  readonly system = 'Linux';
  readonly run = true;
  readonly #alsoLoop: boolean;
  readonly #world: () => Promise<World>;

  /**
   * `world`: looked at anew for each list; this laptop where none is given. `alsoLoop`: loop devices that show a file count as disks.
   * For tests alone: no option or setting reaches it.
   */
  constructor({ alsoLoop = false, world }: { alsoLoop?: boolean; world?: () => Promise<World> } = {}) {
    this.#alsoLoop = alsoLoop;
    this.#world = world ?? (() => Promise.resolve(HERE));
  }

  async look(image: string | null): Promise<SeenDisk[]> {
    return disksOf(await gather(PLACES, await this.#world()), {
      image: image === null ? null : realImage(image),
      alsoLoop: this.#alsoLoop,
    });
  }
}

/** Links followed, so that the disk is that of the file itself. Errors: image_missing, image_unreadable. */
function realImage(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new AppError('image_missing', { path }, error);
    throw new AppError('image_unreadable', { path, detail: message }, error);
  }
}
