/** Laptops for tests, as lsblk and the kernel describe them. What lsblk prints goes through the real parser. */
import type { DeviceFacts, LinuxFacts } from '../../../../main/services/flash/disks/facts.ts';
import { judge } from '../../../../main/services/flash/disks/judge.ts';
import { disksOf } from '../../../../main/services/flash/disks/linux.ts';
import { parseLsblk } from '../../../../main/services/flash/disks/lsblk.ts';
import { parseMountinfo, parseSwaps } from '../../../../main/services/flash/disks/mounts.ts';
import type { SeenDisk } from '../../../../main/services/flash/disks/port.ts';
import { Disk, type NotOffered } from '../../../../preload/contract/disk.ts';

export const GB = 1_000_000_000;

type Row = Record<string, unknown> & { kname: string; children?: Row[] };

let minor = 0;
/** One row of lsblk's JSON, with what is not told as lsblk leaves it. */
export const row = (
  kname: string,
  type: string,
  fields: Record<string, unknown> = {},
  ...children: Row[]
): Row => ({
  ...{ name: kname, kname, path: `/dev/${kname}`, 'maj:min': `9:${minor++}`, type, size: 500 * GB },
  ...{ ro: false, rm: false, hotplug: false, tran: null, vendor: null, model: null, serial: null },
  ...{ 'log-sec': 512, pttype: null, fstype: null, label: null, partlabel: null, mountpoints: [null] },
  ...fields,
  ...(children.length ? { children } : {}),
});
export const part = (kname: string, fields: Record<string, unknown> = {}, ...children: Row[]): Row =>
  row(kname, 'part', fields, ...children);
export const mounted = (...mountpoints: string[]) => ({ mountpoints });

/** An NVMe disk with a system as Ubuntu installs it, but for swap. */
export const systemDisk = (): Row =>
  row(
    'nvme0n1',
    'disk',
    { tran: 'nvme', model: 'WD_BLACK SN770 1TB', serial: '23131S806592', pttype: 'gpt' },
    part('nvme0n1p1', { fstype: 'vfat', ...mounted('/boot/efi') }),
    part('nvme0n1p2', { fstype: 'ext4', ...mounted('/') }),
  );
/** An NVMe drive in a USB enclosure. */
export const usbDisk = (fields: Record<string, unknown> = {}, ...children: Row[]): Row =>
  row(
    'sda',
    'disk',
    {
      ...{ tran: 'usb', hotplug: true, vendor: 'Samsung ', model: 'SSD 990 PRO 2TB', serial: 'S6Z1NF0W7F3A' },
      ...{ size: 2000 * GB, ...fields },
    },
    ...children,
  );

interface Given {
  rows: Row[];
  mountinfo?: string[];
  swaps?: string[];
  /** Fields by kname; the number of a partition is taken from its name. */
  more?: Record<string, Partial<DeviceFacts>>;
  links?: Record<string, string>;
  fileSystems?: string[][];
  zfs?: boolean;
  contents?: LinuxFacts['contents'];
  image?: string;
  alsoLoop?: boolean;
  needed?: number;
}

/** One line of mountinfo; `device`: a kname, or `0:…` where it is on no device. */
export const mount = (
  mountpoint: string,
  fileSystem: string,
  majMin: string,
  source = 'none',
  options = 'rw',
) => `1 1 ${majMin} / ${mountpoint} rw - ${fileSystem} ${source} ${options}`;

export function factsOf(given: Given): LinuxFacts {
  const devices = parseLsblk(JSON.stringify({ blockdevices: given.rows }));
  const more = [...devices.keys()].map((kname): [string, DeviceFacts] => {
    const number = devices.get(kname)?.type === 'part' ? Number(/(\d+)$/.exec(kname)?.[1]) : null;
    return [kname, { partition: number, serial: null, backing: null, udev: {}, ...given.more?.[kname] }];
  });
  const root = [...devices.values()].find(({ mountpoints }) => mountpoints.includes('/'));
  const mountinfo = given.mountinfo ?? (root ? [mount('/', 'ext4', root.majMin, root.path)] : []);
  return {
    devices,
    more: new Map(more),
    mounts: parseMountinfo(mountinfo.join('\n')),
    swaps: parseSwaps(['Filename Type Size Used Priority', ...(given.swaps ?? [])].join('\n')),
    links: new Map(Object.entries(given.links ?? {})),
    fileSystems: given.fileSystems ?? [],
    zfs: given.zfs ?? false,
    contents: given.contents ?? 'udev',
  };
}

export const seenOf = (given: Given): SeenDisk[] =>
  disksOf(factsOf(given), { image: given.image ?? null, alsoLoop: given.alsoLoop ?? false });

/** The disks with their verdicts, each proven to fit the contract. */
export const disks = (given: Given): Disk[] =>
  judge(seenOf(given), given.needed ?? null).map((disk) => Disk.parse(disk));

/** Why a disk of these is not offered; null where it is. Throws where it is not listed. */
export function reasons(all: readonly Disk[], path: string): NotOffered[] | null {
  const disk = all.find((one) => one.path === path);
  if (!disk) throw new Error(`${path} is not listed: ${all.map((one) => one.path).join(', ')}`);
  return disk.verdict.offered ? null : disk.verdict.reasons;
}
