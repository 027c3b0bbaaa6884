/**
 * The ports for Windows and macOS, which nobody has run: their parsers on answers written by hand after the documentation of
 * the tools. These tests prove the parsers and nothing about those systems.
 */
import { describe, expect, it } from 'vitest';
import { parseMac } from '../../../../main/services/flash/disks/macos.ts';
import { parseWindows } from '../../../../main/services/flash/disks/windows.ts';
import { judge } from '../../../../main/services/flash/disks/judge.ts';
import { Disk } from '../../../../preload/contract/disk.ts';

describe('Windows', () => {
  const disk = (Number: number, more: Record<string, unknown> = {}) => ({
    ...{
      Number,
      FriendlyName: 'Samsung SSD 990 PRO',
      Manufacturer: null,
      Model: null,
      SerialNumber: ` S${Number}XA1 `,
    },
    ...{ Size: 2_000_398_934_016, LogicalSectorSize: 512, IsBoot: false, IsSystem: false, IsReadOnly: false },
    ...{ BusType: 'USB', PartitionStyle: 'GPT', ...more },
  });
  const partition = (DiskNumber: number, PartitionNumber: number, more: Record<string, unknown> = {}) => ({
    ...{
      DiskNumber,
      PartitionNumber,
      Size: 1_000_000,
      IsBoot: false,
      IsSystem: false,
      GptType: null,
      AccessPaths: null,
    },
    ...more,
  });
  const system = disk(0, { BusType: 'NVMe', IsBoot: true, IsSystem: true });
  const c = partition(0, 3, { IsBoot: true, AccessPaths: ['C:\\', '\\\\?\\Volume{aa}\\'] });
  const answer = (disks: unknown[], partitions: unknown[] = [], more: Record<string, unknown> = {}) =>
    JSON.stringify({
      disks: [system, ...disks],
      partitions: [c, ...partitions],
      volumes: [],
      pagefiles: [],
      ...more,
    });
  const uses = (text: string, at = 1, image: string | null = null) => parseWindows(text, image)[at]?.uses;

  it('a disk without letters is offered, with what is on it', () => {
    const text = answer(
      [disk(1)],
      [partition(1, 1, { AccessPaths: ['\\\\?\\Volume{bb}\\'] }), partition(1, 2)],
      { volumes: [{ Path: '\\\\?\\Volume{bb}\\', FileSystem: 'NTFS', FileSystemLabel: 'DATA' }] },
    );
    const judged = judge(parseWindows(text, null), null).map((d) => Disk.parse(d));
    expect(judged[1]).toMatchObject({
      ...{
        path: '\\\\.\\PhysicalDrive1',
        serial: 'S1XA1',
        bus: 'usb',
        table: 'gpt',
        verdict: { offered: true },
      },
      contents: [
        { number: 1, fileSystem: 'NTFS', label: 'DATA', mountpoints: [] },
        { number: 2, fileSystem: null, label: null },
      ],
    });
  });
  it("the system's is not, nor one with a part of it", () => {
    expect(uses(answer([]), 0)).toEqual([{ why: 'system', mountpoints: ['C:\\'] }]);
    expect(uses(answer([disk(1)], [partition(1, 1, { IsSystem: true })]))).toEqual([
      { why: 'system', mountpoints: ['Windows'] },
    ]);
  });
  it('one with a letter is not, nor with the page file or the image', () => {
    const text = answer([disk(1)], [partition(1, 1, { AccessPaths: ['D:\\'] })], {
      pagefiles: ['D:\\pagefile.sys'],
    });
    expect(uses(text, 1, 'd:\\images\\v1.qcow2')).toEqual([
      { why: 'mounted', mountpoints: ['D:\\'] },
      { why: 'swap', on: ['D:\\pagefile.sys'] },
      { why: 'holds_image', image: 'd:\\images\\v1.qcow2' },
    ]);
  });
  it('one in a storage pool is not, and the pool is no disk', () => {
    const text = answer(
      [disk(1), disk(2, { BusType: 'Storage Spaces' }), disk(3, { BusType: 'File Backed Virtual' })],
      [partition(1, 2, { GptType: '{E75CAF8F-F680-4CEE-AFA3-B001E56EFC2D}' })],
    );
    expect(uses(text)).toEqual([{ why: 'in_use', by: 'pool', names: ['partition 2'] }]);
    expect(parseWindows(text, null)).toHaveLength(2);
  });
  it('what it does not know is in the way', () => {
    const unsure = JSON.stringify({
      disks: [disk(1, { IsReadOnly: null })],
      partitions: [],
      volumes: [],
      pagefiles: [],
    });
    expect(parseWindows(unsure, null)).toMatchObject([{ readOnly: true, uses: [{ why: 'system_unknown' }] }]);
  });
  it.each(['', '{}', '{"disks":[{}],"partitions":[],"volumes":[],"pagefiles":[]}'])(
    '%j is refused',
    (text) => {
      expect(() => parseWindows(text, null)).toThrow();
    },
  );
});

describe('macOS', () => {
  const list = {
    AllDisksAndPartitions: [
      {
        ...{ Content: 'GUID_partition_scheme', DeviceIdentifier: 'disk0', Size: 500_277_792_768 },
        Partitions: [{ Content: 'Apple_APFS', DeviceIdentifier: 'disk0s2', Size: 494_384_795_648 }],
      },
      {
        ...{
          Content: 'EF57347C-0000-11AA-AA11-00306543ECAC',
          DeviceIdentifier: 'disk3',
          Size: 494_384_795_648,
        },
        APFSPhysicalStores: [{ DeviceIdentifier: 'disk0s2' }],
        APFSVolumes: [
          {
            ...{ DeviceIdentifier: 'disk3s1', VolumeName: 'Macintosh HD', Size: 1 },
            MountedSnapshots: [{ SnapshotMountPoint: '/' }],
          },
          { DeviceIdentifier: 'disk3s5', VolumeName: 'Data', MountPoint: '/System/Volumes/Data', Size: 1 },
        ],
      },
      {
        ...{ Content: 'FDisk_partition_scheme', DeviceIdentifier: 'disk4', Size: 2_000_398_934_016 },
        Partitions: [
          {
            Content: 'DOS_FAT_32',
            DeviceIdentifier: 'disk4s1',
            VolumeName: 'STICK',
            MountPoint: '/Volumes/STICK',
            Size: 7,
          },
        ],
      },
      { Content: '', DeviceIdentifier: 'disk5', Size: 2_000_398_934_016 },
      { Content: 'GUID_partition_scheme', DeviceIdentifier: 'disk6', Size: 1 },
    ],
  };
  const usb = {
    BusProtocol: 'USB',
    DeviceBlockSize: 512,
    VirtualOrPhysical: 'Physical',
    WritableMedia: true,
  };
  const infos = {
    disk0: {
      ...usb,
      BusProtocol: 'Apple Fabric',
      DeviceBlockSize: 4096,
      MediaName: 'APPLE SSD AP0512Q',
      Size: 500_277_792_768,
    },
    disk3: { VirtualOrPhysical: 'Virtual' },
    disk4: {
      ...usb,
      MediaName: 'Portable SSD',
      RemovableMediaOrExternalDevice: true,
      Size: 2_000_398_934_016,
    },
    disk5: { ...usb, MediaName: 'Enclosure', Size: 2_000_398_934_016 },
    disk6: { ...usb, BusProtocol: 'Disk Image', VirtualOrPhysical: 'Virtual', Size: 1 },
  };
  const profile = {
    SPNVMeDataType: [{ _items: [{ bsd_name: 'disk0', device_serial: '0ba0123456789' }] }],
    SPUSBDataType: [
      {
        _items: [
          {
            ...{ _name: 'Hub', serial_num: 'HUB1' },
            _items: [
              {
                _name: 'Portable SSD',
                serial_num: 'S4XYZ1 ',
                Media: [{ bsd_name: 'disk4', volumes: [{ bsd_name: 'disk4s1' }] }],
              },
              { _name: 'Enclosure', Media: [{ bsd_name: 'disk5' }] },
            ],
          },
        ],
      },
    ],
  };
  const parsed = (image: string | null = null) => parseMac({ list, infos, profile }, image);

  it('lists things that can be held in a hand, and what is on them', () => {
    expect(judge(parsed(), null).map((d) => Disk.parse(d).path)).toEqual([
      '/dev/disk0',
      '/dev/disk4',
      '/dev/disk5',
    ]);
    expect(parsed()[1]).toMatchObject({
      ...{
        serial: 'S4XYZ1',
        model: 'Portable SSD',
        bus: 'usb',
        removable: true,
        readOnly: false,
        table: 'dos',
      },
      contents: [{ number: 1, fileSystem: 'DOS_FAT_32', label: 'STICK', mountpoints: ['/Volumes/STICK'] }],
      uses: [{ why: 'mounted', mountpoints: ['/Volumes/STICK'] }],
    });
  });
  it('finds the system through its container of APFS', () => {
    expect(parsed()[0]).toMatchObject({
      ...{ serial: '0ba0123456789', bus: 'nvme', logicalBlock: 4096, table: 'gpt' },
      contents: [{ number: 2, fileSystem: 'Apple_APFS', label: 'Macintosh HD, Data' }],
      uses: [{ why: 'system', mountpoints: ['/', '/System/Volumes/Data'] }],
    });
  });
  it('does not take the serial of a hub for that of a disk', () => {
    expect(judge(parsed(), null)[2]).toMatchObject({
      serial: null,
      verdict: { offered: false, reasons: [{ why: 'no_serial', said: null }] },
    });
  });
  it('marks the disk of the image, and the root only where no other is nearer', () => {
    const holding = (image: string) =>
      parsed(image)
        .filter((d) => d.uses.some((use) => use.why === 'holds_image'))
        .map((d) => d.path);
    expect(holding('/Volumes/STICK/v1.qcow2')).toEqual(['/dev/disk4']);
    expect(holding('/Users/kim/v1.qcow2')).toEqual(['/dev/disk0']);
  });
  it('what it does not know is in the way', () => {
    const bare = { AllDisksAndPartitions: [{ DeviceIdentifier: 'disk9' }] };
    const [disk] = parseMac({ list: bare, infos: {}, profile: {} }, null);
    expect(disk).toMatchObject({ readOnly: true, size: 0, serial: null, uses: [{ why: 'system_unknown' }] });
    expect(() => parseMac({ list: {}, infos: {}, profile: {} }, null)).toThrow();
  });
});
