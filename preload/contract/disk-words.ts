/** What a person reads of a disk: its name, what is on it, why it is not offered and what to do about that. Pure. */
import type { Disk, DiskPart, InUseBy, NotOffered } from './disk.ts';

const USERS: Record<InUseBy, string> = {
  raid: 'a RAID',
  lvm: 'LVM',
  crypt: 'an opened encryption (LUKS)',
  zfs: 'ZFS',
  file_system: 'a file system that is mounted',
  multipath: 'multipath',
  loop: 'a loop device',
  pool: 'a storage pool',
  other: 'another device',
};

const FREE: Record<InUseBy, string> = {
  raid: 'Stop the RAID (mdadm --stop) if its data may be lost.',
  lvm: 'Switch the volume group off (vgchange -an) if its data may be lost.',
  crypt: 'Lock it (cryptsetup close, or eject it in the file manager) if its data may be lost.',
  zfs: 'Export the pool (zpool export), then clear the disk of it (zpool labelclear) if its data may be lost.',
  file_system: 'Unmount it if its data may be lost; a container can have it mounted, too.',
  multipath: 'Use a disk that is attached by one way only.',
  loop: 'Detach the loop device (losetup -d).',
  pool: 'Remove the disk from the pool if its data may be lost.',
  other: 'Take down what uses it, if its data may be lost.',
};

const list = (names: readonly string[]): string => names.join(', ');
const count = (bytes: number): string => bytes.toLocaleString('en-US');

/** One clause that follows the name of a disk, without a full stop: "is mounted at /media/kim/USB". */
export function reasonText(reason: NotOffered): string {
  switch (reason.why) {
    case 'system':
      return `is the disk of this laptop's running system (${list(reason.mountpoints)})`;
    case 'system_unknown':
      return "could be the disk of this laptop's running system, which was not found";
    case 'mounted':
      return `is mounted at ${list(reason.mountpoints)}`;
    case 'swap':
      return `is used as swap (${list(reason.on)})`;
    case 'in_use':
      return `is in use by ${USERS[reason.by]} (${list(reason.names)})`;
    case 'holds_image':
      return `holds the image itself (${reason.image})`;
    case 'smaller':
      return `has ${count(reason.size)} bytes, and the image needs ${count(reason.needed)}`;
    case 'read_only':
      return 'is read-only';
    case 'no_medium':
      return 'has no medium in it';
    case 'no_serial':
      return reason.said === null
        ? 'tells no serial number'
        : `tells the serial number ${reason.said}, which many adapters have`;
    case 'same_serial':
      return `has the same serial number as ${list(reason.paths)}`;
    case 'contents_unknown':
      return 'cannot be looked into, so what would be lost is not known';
  }
}

/** What to do so that the disk is offered, or instead: whole sentences. */
export function reasonAction(reason: NotOffered): string {
  switch (reason.why) {
    case 'system':
      return 'Attach the disk that is to be flashed to this laptop, or start the laptop from another one.';
    case 'system_unknown':
      return 'Flash from a laptop whose system lies on a disk of its own, outside of a container.';
    case 'mounted':
      return 'Eject or unmount it if its data may be lost.';
    case 'swap':
      return 'Switch the swap off (swapoff).';
    case 'in_use':
      return FREE[reason.by];
    case 'holds_image':
      return 'Copy the image to another disk first.';
    case 'smaller':
      return 'Use a larger disk, or an image that was made for this size.';
    case 'read_only':
      return "Look for the lock's slide on card or adapter; a worn-out disk can lock itself for good.";
    case 'no_medium':
      return 'Put the card in, or use another slot.';
    case 'no_serial':
      return "Attach it by another adapter that passes on the disk's own serial number.";
    case 'same_serial':
      return 'Unplug the other one.';
    case 'contents_unknown':
      return 'Look again in a moment; without udev on this laptop, only root can look into it.';
  }
}

const ENOUGH = 4;

/** What has to be typed before a disk is erased: the last four characters of its serial; all of it where it has fewer. */
export function endOf(serial: string): string {
  // By characters, not UTF-16 units: half of one could not be typed.
  return [...serial.trim()].slice(-ENOUGH).join('').trim();
}

/**
 * The rule: the last four characters of the serial as it is shown, or the whole serial where it is shorter; capitals and small letters
 * count as the same, blanks before and after do not count; nothing else is overlooked, and typing the whole of a longer serial is not
 * enough, since that is pasted and not read.
 */
export function isEndOf(serial: string, typed: string): boolean {
  const wanted = endOf(serial).toLowerCase();
  return wanted !== '' && typed.trim().toLowerCase() === wanted;
}

/** Maker and model, as far as they are known: "Samsung SSD 990 PRO". */
export function diskName({ vendor, model, path }: Pick<Disk, 'vendor' | 'model' | 'path'>): string {
  if (model === null) return vendor ?? path;
  if (vendor === null || model.toLowerCase().startsWith(vendor.toLowerCase())) return model;
  // SCSI's stand-in for a maker.
  return /^(ata|usb|nvme|generic)$/i.test(vendor) ? model : `${vendor} ${model}`;
}

/** One partition: `2 ext4 "root" (vault root)`. */
export function partText({ number, fileSystem, label, partitionLabel }: DiskPart): string {
  const words = [
    number === null ? 'whole disk' : String(number),
    fileSystem ?? 'no known file system',
    ...(label === null ? [] : [`"${label}"`]),
    ...(partitionLabel === null || partitionLabel === label ? [] : [`(${partitionLabel})`]),
  ];
  return words.join(' ');
}

/** What would be lost, on one line. */
export function contentsText({ table, contents }: Pick<Disk, 'table' | 'contents'>): string {
  if (contents.length) return contents.map(partText).join(', ');
  return table === null
    ? 'nothing known'
    : `a partition table (${table}) without partitions that this laptop sees`;
}
