/** What lsblk prints, as a list of devices with what stands on each. Pure; `--output` below is what is asked for. */
import { z } from 'zod';
import { plain } from './text.ts';

/** Known to util-linux 2.37 (2021) and newer. */
export const LSBLK_COLUMNS = [
  ...[
    'NAME',
    'KNAME',
    'PATH',
    'MAJ:MIN',
    'TYPE',
    'SIZE',
    'RO',
    'RM',
    'HOTPLUG',
    'TRAN',
    'VENDOR',
    'MODEL',
    'SERIAL',
  ],
  ...['LOG-SEC', 'PTTYPE', 'FSTYPE', 'LABEL', 'PARTLABEL', 'MOUNTPOINTS'],
];
/** `--all`: also empty slots of card readers. */
export const LSBLK_ARGS = ['--all', '--json', '--bytes', '--output', LSBLK_COLUMNS.join(',')];

const Text = z.string().nullish();
/** Older versions print numbers and flags as text. */
const Flag = z.union([z.boolean(), z.enum(['0', '1']).transform((text) => text === '1')]);
const Bytes = z
  .union([z.number(), z.string().regex(/^\d+$/).transform(Number)])
  .pipe(z.number().int().nonnegative());

const Row = z.object({
  name: z.string(),
  kname: z.string(),
  path: z.string(),
  'maj:min': z.string(),
  type: z.string(),
  size: Bytes.nullable().transform((size) => size ?? 0),
  ro: Flag,
  rm: Flag,
  hotplug: Flag,
  tran: Text,
  vendor: Text,
  model: Text,
  serial: Text,
  'log-sec': Bytes,
  pttype: Text,
  fstype: Text,
  label: Text,
  partlabel: Text,
  mountpoints: z.array(z.string().nullable()).nullish(),
  children: z.array(z.unknown()).optional(),
});
type Row = z.infer<typeof Row>;

const Whole = z.object({ blockdevices: z.array(z.unknown()) });

export interface BlockDevice extends Omit<Row, 'children' | 'mountpoints' | 'maj:min'> {
  majMin: string;
  /** `[SWAP]` among them stands for swap. */
  mountpoints: string[];
  /** Knames of its partitions and of what holds it, as RAID, LVM and dm-crypt do. */
  children: string[];
  /** Whether it lies on no other. */
  top: boolean;
}

/** All devices by kname; one that stands on several disks is once in it. Throws a ZodError or SyntaxError for other text. */
export function parseLsblk(text: string): Map<string, BlockDevice> {
  const devices = new Map<string, BlockDevice>();
  const add = (found: unknown, top: boolean): string => {
    const { children = [], mountpoints, 'maj:min': majMin, ...row } = Row.parse(found);
    const below = children.map((child) => add(child, false));
    const known = devices.get(row.kname);
    devices.set(row.kname, {
      ...row,
      majMin: majMin.trim(),
      fstype: plain(row.fstype),
      label: plain(row.label),
      partlabel: plain(row.partlabel),
      mountpoints: (mountpoints ?? []).filter((point) => point !== null),
      children: [...new Set([...(known?.children ?? []), ...below])],
      top,
    });
    return row.kname;
  };
  for (const found of Whole.parse(JSON.parse(text)).blockdevices) add(found, true);
  return devices;
}
