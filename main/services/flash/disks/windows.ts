/**
 * The disks of a laptop with Windows. NEVER RUN: written from Microsoft's documentation of the Storage module (MSFT_Disk,
 * MSFT_Partition, MSFT_Volume) and tested on output made by hand after it. Off until somebody has run it (list.ts).
 */
import { z } from 'zod';
import type { Bus, DiskPart } from '../../../../preload/contract/disk.ts';
import { printed } from '../../programs.ts';
import { type DiskPort, type SeenDisk, type Use, unreadable } from './port.ts';
import { cleanSerial, plain } from './text.ts';

/** The first call of the Storage module takes seconds. */
const POWERSHELL_MS = 60_000;

/** Names of numbers are asked for as text: versions of PowerShell differ in which of both they give. */
const SCRIPT = `
$ErrorActionPreference = 'Stop'
[Console]::OutputEncoding = [Text.Encoding]::UTF8
$disks = @(Get-Disk | Select-Object Number, FriendlyName, Manufacturer, Model, SerialNumber, Size, LogicalSectorSize,
  IsBoot, IsSystem, IsReadOnly, @{n='BusType';e={"$($_.BusType)"}}, @{n='PartitionStyle';e={"$($_.PartitionStyle)"}})
$partitions = @(Get-Partition | Select-Object DiskNumber, PartitionNumber, Size, IsBoot, IsSystem, GptType, AccessPaths)
$volumes = @(Get-Volume | Select-Object Path, FileSystem, FileSystemLabel)
$pagefiles = @(Get-CimInstance Win32_PageFileUsage | Select-Object -ExpandProperty Name)
@{ disks = $disks; partitions = $partitions; volumes = $volumes; pagefiles = $pagefiles } | ConvertTo-Json -Depth 4 -Compress
`;

const Text = z.string().nullish();
/** Null where Windows does not know. */
const Flag = z.boolean().nullish();

const Answer = z.object({
  disks: z.array(
    z.object({
      Number: z.number().int().nonnegative(),
      FriendlyName: Text,
      Manufacturer: Text,
      Model: Text,
      SerialNumber: Text,
      Size: z.number().int().nonnegative(),
      LogicalSectorSize: z.number().int().positive(),
      IsBoot: Flag,
      IsSystem: Flag,
      IsReadOnly: Flag,
      BusType: z.string(),
      PartitionStyle: Text,
    }),
  ),
  partitions: z.array(
    z.object({
      DiskNumber: z.number().int().nonnegative(),
      PartitionNumber: z.number().int().positive(),
      Size: z.number().int().nonnegative(),
      IsBoot: Flag,
      IsSystem: Flag,
      GptType: Text,
      AccessPaths: z.array(z.string()).nullish(),
    }),
  ),
  volumes: z.array(z.object({ Path: Text, FileSystem: Text, FileSystemLabel: Text })),
  pagefiles: z.array(z.string()),
});

const BUSES: Record<string, Bus> = {
  ...{
    usb: 'usb',
    nvme: 'nvme',
    sata: 'sata',
    ata: 'sata',
    raid: 'other',
    sas: 'sas',
    sd: 'mmc',
    mmc: 'mmc',
  },
  ...{ iscsi: 'iscsi', 'fibre channel': 'fc', scsi: 'other', '1394': 'other' },
};
/** Windows' own marks on disks that belong to a pool: LDM metadata, LDM data, Storage Spaces. */
const POOLED = new Set([
  '{5808c8aa-7e8f-42e0-85d2-e1e90434cfb3}',
  '{af9b60a0-1431-4f62-bc68-3311714a69ad}',
  '{e75caf8f-f680-4cee-afa3-b001e56efc2d}',
]);
const VOLUME = /^\\\\\?\\Volume\{/i;

/** What the script prints, as disks. `image`: its absolute path. Throws a ZodError or SyntaxError for other text. Pure. */
export function parseWindows(text: string, image: string | null): SeenDisk[] {
  const { disks, partitions, volumes, pagefiles } = Answer.parse(JSON.parse(text));
  const under = (file: string, points: readonly string[]) =>
    points.some((point) => file.toLowerCase().startsWith(point.toLowerCase()));
  const systemKnown = disks.some((disk) => disk.IsBoot);
  return disks.flatMap((disk): SeenDisk[] => {
    const bus = BUSES[disk.BusType.toLowerCase()];
    // Virtual, file-backed and Storage Spaces' own disks are none that can be plugged in.
    if (bus === undefined) return [];
    const own = partitions.filter((partition) => partition.DiskNumber === disk.Number);
    const points = (paths: readonly string[] | null | undefined) =>
      (paths ?? []).filter((path) => !VOLUME.test(path));
    const mountpoints = own.flatMap((partition) => points(partition.AccessPaths));
    const system = disk.IsBoot || disk.IsSystem || own.some((p) => p.IsBoot || p.IsSystem);
    const paged = pagefiles.filter((file) => under(file, mountpoints));
    const pooled = own.filter((p) => POOLED.has(p.GptType?.toLowerCase() ?? ''));
    const uses: Use[] = [
      ...(system
        ? [{ why: 'system', mountpoints: mountpoints.length ? mountpoints : ['Windows'] } as const]
        : []),
      ...(!system && mountpoints.length ? [{ why: 'mounted', mountpoints } as const] : []),
      ...(systemKnown ? [] : [{ why: 'system_unknown' } as const]),
      ...(paged.length ? [{ why: 'swap', on: paged } as const] : []),
      ...(pooled.length
        ? [{ why: 'in_use', by: 'pool', names: pooled.map((p) => `partition ${p.PartitionNumber}`) } as const]
        : []),
      ...(image !== null && under(image, mountpoints) ? [{ why: 'holds_image', image } as const] : []),
    ];
    const contents = own.map((partition): DiskPart => {
      const volume = volumes.find(({ Path }) => Path && partition.AccessPaths?.includes(Path));
      return {
        number: partition.PartitionNumber,
        size: partition.Size,
        fileSystem: plain(volume?.FileSystem),
        label: plain(volume?.FileSystemLabel),
        partitionLabel: null,
        mountpoints: points(partition.AccessPaths),
      };
    });
    const style = plain(disk.PartitionStyle)?.toLowerCase() ?? null;
    return [
      {
        path: `\\\\.\\PhysicalDrive${disk.Number}`,
        serial: cleanSerial(disk.SerialNumber),
        model: plain(disk.FriendlyName) ?? plain(disk.Model),
        vendor: plain(disk.Manufacturer),
        size: disk.Size,
        bus,
        removable: bus === 'usb' || bus === 'mmc',
        // What Windows does not know may be so.
        readOnly: disk.IsReadOnly ?? true,
        logicalBlock: disk.LogicalSectorSize,
        table: style === 'raw' ? null : style === 'mbr' ? 'dos' : style,
        contents,
        uses,
      },
    ];
  });
}

export class WindowsDisks implements DiskPort {
  readonly system = 'Windows';
  readonly run = false;

  async look(image: string | null): Promise<SeenDisk[]> {
    const encoded = Buffer.from(SCRIPT, 'utf16le').toString('base64');
    const args = ['-NoProfile', '-NonInteractive', '-EncodedCommand', encoded];
    const { stdout, stderr, error } = await printed('powershell.exe', args, { timeout: POWERSHELL_MS });
    if (error)
      throw unreadable(
        stderr.trim() || error.message,
        'Run Get-Disk in PowerShell and look at what it says.',
        error,
      );
    try {
      return parseWindows(stdout, image);
    } catch (error) {
      throw unreadable(
        'PowerShell answers in another way than this version knows',
        'Send the detail to support.',
        error,
      );
    }
  }
}
