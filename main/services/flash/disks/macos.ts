/**
 * The disks of a laptop with macOS. NEVER RUN: written from the manual pages of diskutil, plutil and system_profiler and
 * tested on output made by hand after them. Off until somebody has run it (list.ts).
 */
import { z } from 'zod';
import type { Bus, DiskPart } from '../../../../preload/contract/disk.ts';
import { printed } from '../../programs.ts';
import { type DiskPort, type SeenDisk, type Use, unreadable } from './port.ts';
import { cleanSerial, plain } from './text.ts';

/** system_profiler asks each device of a bus. */
const TOOL_MS = 60_000;

const Mounted = z.object({
  DeviceIdentifier: z.string(),
  Size: z.number().int().nonnegative().default(0),
  Content: z.string().optional(),
  VolumeName: z.string().optional(),
  MountPoint: z.string().optional(),
  /** A sealed system volume is mounted as a snapshot of itself. */
  MountedSnapshots: z.array(z.object({ SnapshotMountPoint: z.string().optional() })).optional(),
});
const Entry = Mounted.extend({
  Partitions: z.array(Mounted).optional(),
  APFSVolumes: z.array(Mounted).optional(),
  APFSPhysicalStores: z.array(z.object({ DeviceIdentifier: z.string() })).optional(),
});
const List = z.object({ AllDisksAndPartitions: z.array(Entry) });

const Info = z.object({
  BusProtocol: z.string().default(''),
  DeviceBlockSize: z.number().int().positive().default(512),
  MediaName: z.string().optional(),
  IORegistryEntryName: z.string().optional(),
  RemovableMediaOrExternalDevice: z.boolean().default(false),
  Size: z.number().int().nonnegative().default(0),
  VirtualOrPhysical: z.string().default('Unknown'),
  /** What is not said may be so. */
  WritableMedia: z.boolean().default(false),
});

export interface MacAnswer {
  /** `diskutil list -plist` as JSON. */
  list: unknown;
  /** `diskutil info -plist` of each whole disk, by identifier (disk0). */
  infos: Record<string, unknown>;
  /** `system_profiler -json` of the buses: diskutil knows no serial. */
  profile: unknown;
}

const BUSES: readonly (readonly [RegExp, Bus])[] = [
  [/usb/i, 'usb'],
  [/pci|nvm|apple fabric|thunderbolt/i, 'nvme'],
  [/sata/i, 'sata'],
  [/sas/i, 'sas'],
  [/secure digital|mmc|sd/i, 'mmc'],
];
const SYSTEM = /^(\/|\/System\/Volumes(\/.*)?|\/private\/var\/vm)$/;

/** Serials by identifier. A disk of USB stands in its device's list of media, and the device has the serial. */
function serialsOf(profile: unknown): Map<string, string> {
  const serials = new Map<string, string>();
  const walk = (node: unknown, above: string | null): void => {
    if (Array.isArray(node)) for (const item of node) walk(item, above);
    if (typeof node !== 'object' || node === null || Array.isArray(node)) return;
    const fields = node as Record<string, unknown>;
    const own = [fields['device_serial'], fields['serial_num']].find((value) => typeof value === 'string');
    const serial = cleanSerial(own) ?? above;
    const name = fields['bsd_name'];
    if (typeof name === 'string' && serial !== null) serials.set(name, serial);
    for (const [key, value] of Object.entries(fields)) {
      // What is plugged into a hub (_items) has a serial of its own or none.
      walk(value, key === '_items' ? null : serial);
    }
  };
  walk(profile, null);
  return serials;
}

const pointsOf = ({ MountPoint, MountedSnapshots }: z.infer<typeof Mounted>): string[] =>
  [MountPoint, ...(MountedSnapshots ?? []).map((s) => s.SnapshotMountPoint)].filter((p) => p !== undefined);

/** The tools' answers as disks. `image`: its absolute path. Throws a ZodError for other answers. Pure. */
export function parseMac({ list, infos, profile }: MacAnswer, image: string | null): SeenDisk[] {
  const entries = List.parse(list).AllDisksAndPartitions;
  const serials = serialsOf(profile);
  const containersOn = (identifiers: ReadonlySet<string>) =>
    entries.filter((entry) => entry.APFSPhysicalStores?.some((s) => identifiers.has(s.DeviceIdentifier)));
  const points = (identifier: string, own: string[]): string[] => [
    ...own,
    ...containersOn(new Set([identifier])).flatMap((c) => (c.APFSVolumes ?? []).flatMap(pointsOf)),
  ];
  const all = entries.flatMap((entry) => [entry, ...(entry.Partitions ?? []), ...(entry.APFSVolumes ?? [])]);
  const systemKnown = all.some((volume) => pointsOf(volume).includes('/'));

  // The root is a beginning of every path: the longest one is where the image lies.
  const [home] = all
    .flatMap(pointsOf)
    .filter((point) => image?.startsWith(point === '/' ? point : `${point}/`))
    .sort((a, b) => b.length - a.length);

  return entries.flatMap((entry): SeenDisk[] => {
    const { DeviceIdentifier: identifier, Partitions = [] } = entry;
    const info = Info.parse(infos[identifier] ?? {});
    // Containers of APFS, disk images and RAID sets are Virtual; what is not known to be a thing is none.
    if (info.VirtualOrPhysical === 'Virtual' || entry.APFSPhysicalStores) return [];
    const bus = BUSES.find(([word]) => word.test(info.BusProtocol))?.[1] ?? 'other';
    const own = new Set([identifier, ...Partitions.map((p) => p.DeviceIdentifier)]);
    const contents = (Partitions.length ? Partitions : [entry]).flatMap((part): DiskPart[] => {
      const whole = part === entry;
      if (whole && entry.VolumeName === undefined && entry.MountPoint === undefined) return [];
      const volumes = containersOn(new Set([part.DeviceIdentifier])).flatMap((c) => c.APFSVolumes ?? []);
      return [
        {
          number: whole ? null : Number(/s(\d+)$/.exec(part.DeviceIdentifier)?.[1] ?? 0) || null,
          size: part.Size,
          fileSystem: plain(part.Content),
          label: plain(part.VolumeName) ?? plain(volumes.map((v) => v.VolumeName).join(', ')),
          partitionLabel: null,
          mountpoints: points(part.DeviceIdentifier, pointsOf(part)),
        },
      ];
    });
    const mountpoints = [...new Set(contents.flatMap((part) => part.mountpoints))].sort();
    const system = mountpoints.filter((point) => SYSTEM.test(point));
    const raids = [entry, ...Partitions].filter((p) => /raid|corestorage/i.test(p.Content ?? ''));
    const uses: Use[] = [
      ...(system.length ? [{ why: 'system', mountpoints: system } as const] : []),
      ...(!system.length && mountpoints.length ? [{ why: 'mounted', mountpoints } as const] : []),
      ...(systemKnown ? [] : [{ why: 'system_unknown' } as const]),
      ...(raids.length
        ? [{ why: 'in_use', by: 'pool', names: raids.map((p) => p.DeviceIdentifier) } as const]
        : []),
      ...(image !== null && home !== undefined && mountpoints.includes(home)
        ? [{ why: 'holds_image', image } as const]
        : []),
    ];
    return [
      {
        path: `/dev/${identifier}`,
        serial: [...own].map((name) => serials.get(name)).find((serial) => serial !== undefined) ?? null,
        model: plain(info.MediaName) ?? plain(info.IORegistryEntryName),
        vendor: null,
        size: info.Size,
        bus,
        removable: info.RemovableMediaOrExternalDevice,
        readOnly: !info.WritableMedia,
        logicalBlock: info.DeviceBlockSize,
        table: tableOf(entry.Content),
        contents,
        uses,
      },
    ];
  });
}

function tableOf(content: string | undefined): string | null {
  if (content === 'GUID_partition_scheme') return 'gpt';
  return content === 'FDisk_partition_scheme' ? 'dos' : null;
}

/** Errors: disks_unreadable. */
async function said(command: string, args: readonly string[], input = ''): Promise<string> {
  const { stdout, stderr, error } = await printed(command, args, { timeout: TOOL_MS, input });
  if (error === null) return stdout;
  const detail = `${command}: ${stderr.trim() || error.message}`;
  throw unreadable(detail, 'Run "diskutil list" in a terminal and look at what it says.', error);
}

const plist = async (...args: string[]): Promise<unknown> =>
  JSON.parse(await said('plutil', ['-convert', 'json', '-o', '-', '-'], await said('diskutil', args)));

export class MacDisks implements DiskPort {
  readonly system = 'macOS';
  readonly run = false;

  async look(image: string | null): Promise<SeenDisk[]> {
    const list = await plist('list', '-plist');
    const buses = ['SPNVMeDataType', 'SPSerialATADataType', 'SPUSBDataType', 'SPCardReaderDataType'];
    try {
      const infos: Record<string, unknown> = {};
      for (const { DeviceIdentifier: identifier } of List.parse(list).AllDisksAndPartitions)
        infos[identifier] = await plist('info', '-plist', identifier);
      const profile: unknown = JSON.parse(await said('system_profiler', ['-json', ...buses]));
      return parseMac({ list, infos, profile }, image);
    } catch (error) {
      if (!(error instanceof z.ZodError || error instanceof SyntaxError)) throw error;
      throw unreadable(
        'the tools answer in another way than this version knows',
        'Send the detail to support.',
        error,
      );
    }
  }
}
