/** Serials, verdicts that are alike for all systems, choosing a disk and confirming it. */
import { describe, expect, it } from 'vitest';
import { disksLines } from '../../../../main/cli/disks.ts';
import { confirmDisk } from '../../../../main/services/flash/disks/confirm.ts';
import { chooseDisk, diskPort, listDisks } from '../../../../main/services/flash/disks/list.ts';
import { cleanSerial, isPlaceholder } from '../../../../main/services/flash/disks/text.ts';
import { NotOffered } from '../../../../preload/contract/disk.ts';
import {
  contentsText,
  diskName,
  reasonAction,
  reasonText,
  endOf,
} from '../../../../preload/contract/disk-words.ts';
import { codeOf } from '../../journal/bench.ts';
import { GB, disks, reasons, row, seenOf, systemDisk, usbDisk } from './samples.ts';

describe('a serial', () => {
  it.each([
    ['S6Z1NF0W7F3A', 'S6Z1NF0W7F3A'],
    ['      WD-WX11A2B3  ', 'WD-WX11A2B3'],
    ['AB 12  34', 'AB 12 34'],
    ['AB12\u0000\u0000\u0000', 'AB12'],
    ['AB12\\x00\\x00', 'AB12'],
    ['\u0000\u0000', null],
    ['   ', null],
    [null, null],
    [undefined, null],
  ])('%j is %j', (given, wanted) => {
    expect(cleanSerial(given)).toBe(wanted);
  });

  it.each([
    '000000000000',
    '0000-0000',
    'FFFFFFFF',
    '....',
    '1',
    '0123456789ABCDE',
    '0123456789abcdef',
    '123456789ABC',
    '123456',
    '1234567890123',
    '012345678901',
  ])('%s is what adapters without one say', (serial) => {
    expect(isPlaceholder(serial)).toBe(true);
    const [, disk] = disks({ rows: [systemDisk(), usbDisk({ serial })] });
    expect(disk?.verdict).toEqual({ offered: false, reasons: [{ why: 'no_serial', said: serial }] });
  });
  it.each(['S6Z1NF0W7F3A', '12345A', '0123', '1234', '0123456789ABX', '23131S806592', '1980282172255', '10'])(
    '%s may be one',
    (serial) => {
      expect(isPlaceholder(serial)).toBe(false);
    },
  );

  it("is lsblk's, else udev's, else the kernel's", () => {
    const of = (serial: string | null, udev: string | null, sys: string | null) =>
      seenOf({
        rows: [usbDisk({ serial })],
        more: {
          sda: {
            serial: sys,
            udev: udev === null ? {} : { ID_SERIAL_SHORT: udev, ID_SERIAL: 'Maker_Model_X' },
          },
        },
      })[0]?.serial;
    expect(of('LS', 'UD', 'SY')).toBe('LS');
    expect(of(' ', 'UD', 'SY')).toBe('UD');
    expect(of('\u0000', ' ', 'SY ')).toBe('SY');
    expect(of(null, null, null)).toBeNull();
  });
});

describe('verdicts', () => {
  const two = (a: Record<string, unknown>, b: Record<string, unknown>) =>
    disks({ rows: [systemDisk(), usbDisk(a), row('sdb', 'disk', b)] });

  it('a disk without a serial is not offered', () => {
    expect(reasons(two({ serial: null }, {}), '/dev/sda')).toEqual([{ why: 'no_serial', said: null }]);
  });
  it('two disks with one serial are both not offered, in capitals or not', () => {
    const all = two({ serial: 'DD56419883' }, { serial: 'dd56419883 ' });
    expect(reasons(all, '/dev/sda')).toEqual([{ why: 'same_serial', paths: ['/dev/sdb'] }]);
    expect(reasons(all, '/dev/sdb')).toEqual([{ why: 'same_serial', paths: ['/dev/sda'] }]);
  });
  it('the serial of the system disk counts as well', () => {
    expect(reasons(two({ serial: '23131S806592' }, {}), '/dev/sda')).toEqual([
      { why: 'same_serial', paths: ['/dev/nvme0n1'] },
    ]);
  });
  it('an empty slot of a card reader is not offered, and is not in the way of the full one', () => {
    const all = two({ serial: 'READER58' }, { serial: 'READER58', size: 0, rm: true });
    expect(reasons(all, '/dev/sda')).toBeNull();
    expect(reasons(all, '/dev/sdb')).toEqual([{ why: 'no_medium' }]);
    expect(chooseDisk(all, 'READER58').path).toBe('/dev/sda');
  });
  it('a read-only disk is not offered', () => {
    expect(reasons(two({ ro: true }, {}), '/dev/sda')).toEqual([{ why: 'read_only' }]);
  });
  it('one byte too small is not offered, the very size is', () => {
    const at = (needed: number) =>
      reasons(disks({ rows: [systemDisk(), usbDisk({ size: 32 * GB })], needed }), '/dev/sda');
    expect(at(32 * GB)).toBeNull();
    expect(at(32 * GB + 1)).toEqual([{ why: 'smaller', size: 32 * GB, needed: 32 * GB + 1 }]);
  });
  it('all reasons are told', () => {
    const all = disks({
      rows: [systemDisk(), usbDisk({ ro: true, serial: null, size: GB })],
      needed: 2 * GB,
    });
    expect(reasons(all, '/dev/sda')?.map((r) => r.why)).toEqual(['smaller', 'read_only', 'no_serial']);
  });
});

describe('choosing', () => {
  const all = disks({ rows: [systemDisk(), usbDisk()] });
  it('goes by the serial, in capitals or not', () => {
    expect(chooseDisk(all, ' s6z1nf0w7f3a ')).toMatchObject({ path: '/dev/sda', serial: 'S6Z1NF0W7F3A' });
  });
  it.each(['', 'S6Z1NF0W7F3', '7F3A', '/dev/sda'])('%j is no disk', (serial) => {
    expect(codeOf(() => chooseDisk(all, serial))).toBe('disk_missing');
  });
  it('refuses a disk that is not offered, with the reason', () => {
    expect(() => chooseDisk(all, '23131S806592')).toThrow(
      "The disk WD_BLACK SN770 1TB (23131S806592) is the disk of this laptop's running system (/, /boot/efi), so nothing is written to it.",
    );
    const twins = disks({ rows: [systemDisk(), usbDisk(), row('sdb', 'disk', { serial: 'S6Z1NF0W7F3A' })] });
    expect(codeOf(() => chooseDisk(twins, 'S6Z1NF0W7F3A'))).toBe('disk_not_offered');
  });
  it('says of an empty slot that it is empty, not that there is none', () => {
    const empty = disks({ rows: [systemDisk(), usbDisk({ size: 0 })] });
    expect(() => chooseDisk(empty, 'S6Z1NF0W7F3A')).toThrow('has no medium in it');
  });
  it('puts what is offered first, and asks the port for the image', async () => {
    const asked: (string | null)[] = [];
    const port = {
      ...{ system: 'Test', run: true },
      look: (image: string | null) => {
        asked.push(image);
        return Promise.resolve(seenOf({ rows: [systemDisk(), usbDisk()] }));
      },
    };
    const listed = await listDisks(port, { path: '/i.qcow2', virtualSize: 1500 * GB });
    expect(listed.map((d) => [d.path, d.verdict.offered])).toEqual([
      ['/dev/sda', true],
      ['/dev/nvme0n1', false],
    ]);
    await listDisks(port, null);
    expect(asked).toEqual(['/i.qcow2', null]);
  });
  it('a system that nobody has run is off', () => {
    expect(diskPort({}, 'linux').run).toBe(true);
    for (const platform of ['win32', 'darwin'] as const) {
      expect(codeOf(() => diskPort({}, platform))).toBe('disks_never_run');
      expect(diskPort({ neverRun: true }, platform).run).toBe(false);
    }
    expect(codeOf(() => diskPort({ neverRun: true }, 'freebsd'))).toBe('disks_never_run');
  });
});

describe('confirming', () => {
  const right = (serial: string, typed: string) => confirmDisk({ name: 'Disk', serial }, typed);
  it.each([
    ['S6Z1NF0W7F3A', '7F3A'],
    ['S6Z1NF0W7F3A', ' 7f3a '],
    ['s6z1nf0w7f3a', '7F3A'],
    ['A1', 'a1'],
    ['AB12', 'ab12'],
    ['WD-1 2', '-1 2'],
    ['ABC 123', '123'],
    ['AB\u{1F600}\u{1F601}1', 'b\u{1F600}\u{1F601}1'],
  ])('%s by %j', (serial, typed) => {
    expect(() => right(serial, typed)).not.toThrow();
  });
  it.each([
    ['S6Z1NF0W7F3A', ''],
    ['S6Z1NF0W7F3A', 'F3A'],
    ['S6Z1NF0W7F3A', '7F3B'],
    ['S6Z1NF0W7F3A', 'W7F3A'],
    ['S6Z1NF0W7F3A', 'S6Z1NF0W7F3A'],
    ['S6Z1NF0W7F3A', '7F 3A'],
    ['A1', '1'],
    ['WD-1 2', '12'],
    ['', ''],
    ['  ', ' '],
  ])('%j not by %j', (serial, typed) => {
    expect(codeOf(() => right(serial, typed))).toBe('disk_confirm_wrong');
  });
  it('the error does not give the answer away', () => {
    expect(() => right('S6Z1NF0W7F3A', 'nope')).toThrow(
      'nope is not the end of the serial of Disk. Nothing was written.',
    );
    expect(endOf('S6Z1NF0W7F3A')).toBe('7F3A');
  });
});

describe('words', () => {
  const every: NotOffered[] = [
    { why: 'system', mountpoints: ['/'] },
    { why: 'system_unknown' },
    { why: 'mounted', mountpoints: ['/mnt'] },
    { why: 'swap', on: ['/dev/sda1'] },
    { why: 'in_use', by: 'raid', names: ['md0'] },
    { why: 'holds_image', image: '/i.qcow2' },
    { why: 'smaller', size: 31_914_983_424, needed: 32_212_254_720 },
    { why: 'read_only' },
    { why: 'no_medium' },
    { why: 'no_serial', said: null },
    { why: 'same_serial', paths: ['/dev/sdb'] },
    { why: 'contents_unknown' },
  ];
  it('there are some for each reason', () => {
    expect(every.map((r) => r.why).sort()).toEqual(NotOffered.options.map((o) => o.shape.why.value).sort());
    expect(new Set(every.map(reasonText)).size).toBe(every.length);
    for (const reason of every) {
      expect(reasonText(reason)).toMatch(/^(is|has|could|holds|tells|cannot) .*[^.]$/);
      expect(reasonAction(reason)).toMatch(/^[A-Z].*\.$/);
    }
    expect(reasonText({ why: 'smaller', size: 31_914_983_424, needed: 32_212_254_720 })).toBe(
      'has 31,914,983,424 bytes, and the image needs 32,212,254,720',
    );
  });
  it('name a disk by what is known', () => {
    const named = (vendor: string | null, model: string | null) =>
      diskName({ vendor, model, path: '/dev/sda' });
    expect(named('Samsung', 'SSD 990')).toBe('Samsung SSD 990');
    expect(named('Samsung', 'Samsung SSD 990')).toBe('Samsung SSD 990');
    expect(named('ATA', 'WDC X')).toBe('WDC X');
    expect(named(null, null)).toBe('/dev/sda');
  });
  it('tell what is on a disk', () => {
    const one = {
      number: 1,
      size: 1,
      fileSystem: 'ext4',
      label: 'root',
      partitionLabel: 'vault',
      mountpoints: [],
    };
    const bare = { ...one, number: null, fileSystem: null, label: null, partitionLabel: null };
    expect(contentsText({ table: 'gpt', contents: [one, bare] })).toBe(
      '1 ext4 "root" (vault), whole disk no known file system',
    );
    expect(contentsText({ table: null, contents: [] })).toBe('nothing known');
    expect(contentsText({ table: 'gpt', contents: [] })).toContain('(gpt) without partitions');
  });
  it('list offered disks in a table and the others below, with reason and action', () => {
    const lines = disksLines(disks({ rows: [systemDisk(), usbDisk()] }));
    expect(lines).toEqual([
      'MODEL                    SIZE    BUS  SERIAL        NOW AT    WHAT IS ON IT',
      'Samsung SSD 990 PRO 2TB  2.0 TB  usb  S6Z1NF0W7F3A  /dev/sda  nothing known',
      '',
      'Not offered:',
      '  WD_BLACK SN770 1TB, 500.0 GB, nvme, serial 23131S806592, now at /dev/nvme0n1',
      "    – is the disk of this laptop's running system (/, /boot/efi)",
      '      → Attach the disk that is to be flashed to this laptop, or start the laptop from another one.',
    ]);
    expect(disksLines(disks({ rows: [systemDisk()] }))[0]).toBe('No disk is offered.');
    expect(disksLines([])).toEqual(['No disk is offered.']);
  });
});
