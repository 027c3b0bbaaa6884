/** Disks attached to this laptop, and whether one may be written to (docs/adr/0010-disks.md). */
import { z } from 'zod';

export const Bus = z.enum([
  ...(['usb', 'nvme', 'sata', 'sas', 'mmc', 'virtio', 'iscsi', 'fc'] as const),
  // A file as a disk; in tests only.
  'loop',
  'other',
]);
export type Bus = z.infer<typeof Bus>;

const Paths = z.array(z.string()).min(1);

/** What a disk, or a part of it, is used for by something that is no mount. */
export const InUseBy = z.enum([
  'raid',
  'lvm',
  'crypt',
  'zfs',
  'file_system',
  'multipath',
  'loop',
  'pool',
  'other',
]);
export type InUseBy = z.infer<typeof InUseBy>;

/** Why a disk is not offered. Each has its sentence and its next action in disk-words.ts. */
export const NotOffered = z.discriminatedUnion('why', [
  /** The running system stands on it, through whatever layers; where these are mounted. */
  z.strictObject({ why: z.literal('system'), mountpoints: Paths }),
  /** The disk of the running system was not found, so it could be any. */
  z.strictObject({ why: z.literal('system_unknown') }),
  z.strictObject({ why: z.literal('mounted'), mountpoints: Paths }),
  /** `on`: partitions or files. */
  z.strictObject({ why: z.literal('swap'), on: Paths }),
  z.strictObject({ why: z.literal('in_use'), by: InUseBy, names: Paths }),
  /** The image lies on it. */
  z.strictObject({ why: z.literal('holds_image'), image: z.string() }),
  /** Both in bytes. */
  z.strictObject({ why: z.literal('smaller'), size: z.number().int(), needed: z.number().int() }),
  z.strictObject({ why: z.literal('read_only') }),
  /** A card reader without a card. */
  z.strictObject({ why: z.literal('no_medium') }),
  /** `said`: a number that many adapters have, such as 0123456789ABCDEF; null where there is none at all. */
  z.strictObject({ why: z.literal('no_serial'), said: z.string().nullable() }),
  /** `paths`: the other disks with this serial. */
  z.strictObject({ why: z.literal('same_serial'), paths: Paths }),
  /** Nobody has read it (yet) or may, so what is on it cannot be shown before it is lost. */
  z.strictObject({ why: z.literal('contents_unknown') }),
]);
export type NotOffered = z.infer<typeof NotOffered>;

export const DiskPart = z.strictObject({
  /** As in the partition table; null where the disk has a file system and no partitions. */
  number: z.number().int().positive().nullable(),
  /** Bytes. */
  size: z.number().int().nonnegative(),
  fileSystem: z.string().nullable(),
  label: z.string().nullable(),
  partitionLabel: z.string().nullable(),
  /** Also of what stands on it: a volume of LVM, an opened LUKS. */
  mountpoints: z.array(z.string()),
});
export type DiskPart = z.infer<typeof DiskPart>;

export const Verdict = z.discriminatedUnion('offered', [
  z.strictObject({ offered: z.literal(true) }),
  z.strictObject({ offered: z.literal(false), reasons: z.array(NotOffered).min(1) }),
]);

export const Disk = z.strictObject({
  /** Where it is now; another time it may be another disk's. */
  path: z.string().min(1),
  /** Cleaned of blanks and NULs at its ends; null where it has none. */
  serial: z.string().min(1).nullable(),
  model: z.string().min(1).nullable(),
  vendor: z.string().min(1).nullable(),
  /** Bytes; 0 without a medium. */
  size: z.number().int().nonnegative(),
  bus: Bus,
  /** Can be unplugged while the laptop runs. */
  removable: z.boolean(),
  readOnly: z.boolean(),
  /** Bytes of a logical block. */
  logicalBlock: z.number().int().positive(),
  /** The kind of partition table: gpt, dos; null where none is seen. */
  table: z.string().nullable(),
  contents: z.array(DiskPart),
  verdict: Verdict,
});
export type Disk = z.infer<typeof Disk>;
