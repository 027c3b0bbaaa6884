/** A disk in use is not offered, and the reason names the use; one that is not in use shows what is on it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { disksOf } from '../../../../main/services/flash/disks/linux.ts';
import { parseLsblk } from '../../../../main/services/flash/disks/lsblk.ts';
import { mountOf, parseMountinfo, parseSwaps } from '../../../../main/services/flash/disks/mounts.ts';
import {
  GB,
  disks,
  factsOf,
  mount,
  mounted,
  part,
  reasons,
  row,
  seenOf,
  systemDisk,
  usbDisk,
} from './samples.ts';

const why = (rows: Parameters<typeof disks>[0]['rows'], more: Partial<Parameters<typeof disks>[0]> = {}) =>
  reasons(disks({ rows: [systemDisk(), ...rows], ...more }), '/dev/sda');

describe('a mounted disk', () => {
  it('says where, with all places of one partition and those within each other', () => {
    const disk = usbDisk(
      {},
      part('sda1', { fstype: 'btrfs', ...mounted('/srv/b', '/srv/a') }),
      part('sda2', { fstype: 'ext4', ...mounted('/srv/a/inner') }),
    );
    expect(why([disk])).toEqual([{ why: 'mounted', mountpoints: ['/srv/a', '/srv/a/inner', '/srv/b'] }]);
  });

  it('is one also where only the kernel says so', () => {
    const disk = usbDisk({}, part('sda1', { 'maj:min': '8:1' }));
    const root = mount('/', 'ext4', '259:2', '/dev/nvme0n1p2');
    const mountinfo = [root, mount('/media/kim/My\\040Disk', 'fuseblk', '8:1', '/dev/sda1')];
    expect(why([disk], { mountinfo })).toEqual([{ why: 'mounted', mountpoints: ['/media/kim/My Disk'] }]);
  });

  it('is one where it is mounted as a whole, or through an opened LUKS', () => {
    expect(why([usbDisk({ fstype: 'exfat', ...mounted('/mnt') })])).toEqual([
      { why: 'mounted', mountpoints: ['/mnt'] },
    ]);
    const luks = part(
      'sda1',
      { fstype: 'crypto_LUKS' },
      row('dm-3', 'crypt', { name: 'luks-1', ...mounted('/mnt') }),
    );
    expect(why([usbDisk({}, luks)])).toEqual([
      { why: 'mounted', mountpoints: ['/mnt'] },
      { why: 'in_use', by: 'crypt', names: ['luks-1'] },
    ]);
  });

  it('in a container, or behind an overlay or a loop device, is one as well', () => {
    const rows = [usbDisk({}, part('sda1', { fstype: 'ext4' }))];
    expect(why(rows, { fileSystems: [['sda1']] })).toEqual([
      { why: 'in_use', by: 'file_system', names: ['sda1'] },
    ]);
    const data = usbDisk({}, part('sda1', { 'maj:min': '8:1' }));
    const mountinfo = [
      mount('/', 'ext4', '259:2', '/dev/nvme0n1p2'),
      mount('/data', 'ext4', '8:1', '/dev/sda1'),
      mount('/merged', 'overlay', '0:50', 'overlay', 'rw,lowerdir=/etc:/data/low,upperdir=/data/up'),
    ];
    expect(why([data], { mountinfo })).toEqual([{ why: 'mounted', mountpoints: ['/data', '/merged'] }]);
    const loop = row('loop3', 'loop', mounted('/mnt/image'));
    expect(
      why([data, loop], { mountinfo: mountinfo.slice(0, 2), more: { loop3: { backing: '/data/x.iso' } } }),
    ).toEqual([{ why: 'mounted', mountpoints: ['/data', '/mnt/image'] }]);
  });

  it('says so once: that the kernel has its file system in use adds nothing', () => {
    const disk = usbDisk({}, part('sda1', { fstype: 'ext4', ...mounted('/mnt') }));
    expect(why([disk], { fileSystems: [['sda1']] })).toEqual([{ why: 'mounted', mountpoints: ['/mnt'] }]);
  });

  it('of a system has no list of all its mounts', () => {
    const snap = row('loop3', 'loop', mounted('/snap/core22/1'));
    const all = disks({
      rows: [systemDisk(), snap],
      more: { loop3: { backing: '/var/lib/snapd/snaps/core22_1.snap' } },
    });
    expect(reasons(all, '/dev/nvme0n1')).toEqual([{ why: 'system', mountpoints: ['/', '/boot/efi'] }]);
  });
});

describe('swap', () => {
  it('on a partition, in a file and behind zram', () => {
    expect(why([usbDisk({}, part('sda1', { fstype: 'swap', ...mounted('[SWAP]') }))])).toEqual([
      { why: 'swap', on: ['/dev/sda1'] },
    ]);
    expect(
      why([usbDisk({}, part('sda1', { fstype: 'swap' }))], { swaps: ['/dev/sda1 partition 1 0 -2'] }),
    ).toEqual([{ why: 'swap', on: ['/dev/sda1'] }]);
    const mountinfo = [
      mount('/', 'ext4', '259:2', '/dev/nvme0n1p2'),
      mount('/data', 'ext4', '0:77', '/dev/sda'),
    ];
    expect(why([usbDisk()], { mountinfo, swaps: ['/data/swap\\040file file 1 0 -2'] })).toEqual([
      { why: 'mounted', mountpoints: ['/data'] },
      { why: 'swap', on: ['/data/swap file'] },
    ]);
    const zram = row('zram0', 'disk', mounted('[SWAP]'));
    expect(why([usbDisk({}, part('sda1')), zram], { more: { zram0: { backing: '/dev/sda1' } } })).toEqual([
      { why: 'swap', on: ['/dev/zram0'] },
      { why: 'in_use', by: 'other', names: ['zram0'] },
    ]);
  });
  it('that was only made is no use', () => {
    expect(why([usbDisk({}, part('sda1', { fstype: 'swap' }))])).toBeNull();
  });
});

describe('what holds a disk', () => {
  it.each([
    ['raid5', 'raid'],
    ['lvm', 'lvm'],
    ['crypt', 'crypt'],
    ['mpath', 'multipath'],
    ['dm', 'other'],
  ])('%s', (type, by) => {
    expect(why([usbDisk({}, part('sda1', {}, row('dm-9', type, { name: 'held' })))])).toEqual([
      { why: 'in_use', by, names: ['held'] },
    ]);
  });
  it('without its data in use, it is contents', () => {
    const kinds = ['linux_raid_member', 'LVM2_member', 'crypto_LUKS', 'zfs_member'];
    const parts = kinds.map((fstype, at) => part(`sda${at + 1}`, { fstype }));
    const all = disks({ rows: [systemDisk(), usbDisk({}, ...parts)] });
    expect(reasons(all, '/dev/sda')).toBeNull();
    const shown = all.find((d) => d.path === '/dev/sda')?.contents.map((c) => c.fileSystem);
    expect(shown).toEqual(kinds);
  });
  it('ZFS, which does not say so: where the kernel has it', () => {
    const disk = usbDisk({}, part('sda1', { fstype: 'zfs_member' }));
    expect(why([disk], { zfs: true })).toEqual([{ why: 'in_use', by: 'zfs', names: ['sda1'] }]);
  });
  it('a loop device over the whole of it or a part', () => {
    const more = { loop5: { backing: '/dev/sda1' } };
    expect(why([usbDisk({}, part('sda1')), row('loop5', 'loop')], { more })).toEqual([
      { why: 'in_use', by: 'loop', names: ['loop5'] },
    ]);
  });
});

describe('the disk with the image', () => {
  it('is marked, also through what stands between', () => {
    const luks = part(
      'sda1',
      {},
      row('dm-3', 'crypt', { name: 'c', 'maj:min': '252:3', ...mounted('/data') }),
    );
    const mountinfo = [
      mount('/', 'ext4', '259:2', '/dev/nvme0n1p2'),
      mount('/data', 'ext4', '252:3', '/dev/mapper/c'),
    ];
    const found = why([usbDisk({}, luks)], { mountinfo, image: '/data/images/v1.qcow2' });
    expect(found).toContainEqual({ why: 'holds_image', image: '/data/images/v1.qcow2' });
    expect(why([usbDisk()], { mountinfo: [mountinfo[0] ?? ''], image: '/data/images/v1.qcow2' })).toBeNull();
  });
});

describe('what nobody may look into', () => {
  it('is not offered', () => {
    expect(why([usbDisk()], { contents: 'nobody' })).toEqual([{ why: 'contents_unknown' }]);
    expect(why([usbDisk()], { contents: 'blkid', more: { sda: { udev: null } } })).toBeNull();
  });
  it('is what udev has not read yet, and be it one partition', () => {
    const disk = usbDisk({}, part('sda1'), part('sda2'));
    for (const kname of ['sda', 'sda2'])
      expect(why([disk], { more: { [kname]: { udev: null } } })).toEqual([{ why: 'contents_unknown' }]);
    expect(why([disk])).toBeNull();
  });
});

describe('the list', () => {
  const paths = (rows: Parameters<typeof disks>[0]['rows'], more = {}) =>
    disks({ rows: [systemDisk(), ...rows], ...more }).map((d) => d.path);

  it('has no devices that are no disks', () => {
    const none = [
      'zram0',
      'ram0',
      'dm-0',
      'md127',
      'nbd0',
      'loop0',
      'mmcblk0boot0',
      'mmcblk0rpmb',
      'fd0',
      'bcache0',
    ];
    const rows = [
      ...none.map((kname) => row(kname, 'disk')),
      row('sr0', 'rom', { tran: 'usb' }),
      row('nvme0c0n1', 'disk'),
    ];
    expect(paths(rows)).toEqual(['/dev/nvme0n1']);
    const more = { loop0: { backing: '/tmp/x.img' } };
    expect(paths(rows, { more })).toEqual(['/dev/nvme0n1']);
    expect(paths(rows, { more, alsoLoop: true })).toEqual(['/dev/nvme0n1', '/dev/loop0']);
    expect(paths(rows, { alsoLoop: true })).toEqual(['/dev/nvme0n1']);
  });

  it('has disks of all buses, those with many letters and numbers, too', () => {
    const all = disks({
      rows: [
        row('sdaa', 'disk', { tran: 'sas' }),
        row('nvme10n2', 'disk'),
        row('mmcblk0', 'disk'),
        row('vdb', 'disk'),
        row('sdb', 'disk', { tran: 'ata' }),
        row('sdc', 'disk', { tran: 'spi' }),
        row('sdd', 'disk', { tran: 'usb' }),
      ],
    });
    expect(all.map((d) => d.bus)).toEqual(['sas', 'nvme', 'mmc', 'virtio', 'sata', 'other', 'usb']);
  });

  it('tells a disk as it is', () => {
    const disk = usbDisk(
      { pttype: 'gpt', 'log-sec': 4096, ro: true },
      part('sda10', { fstype: 'ext4', label: 'root', partlabel: 'vault \u001b[31mroot', size: 7 * GB }),
      part('sda2', { fstype: 'vfat', label: 'EFI' }),
    );
    expect(seenOf({ rows: [systemDisk(), disk] })[1]).toEqual({
      path: '/dev/sda',
      serial: 'S6Z1NF0W7F3A',
      model: 'SSD 990 PRO 2TB',
      vendor: 'Samsung',
      size: 2000 * GB,
      bus: 'usb',
      removable: true,
      readOnly: true,
      logicalBlock: 4096,
      table: 'gpt',
      contents: [
        {
          number: 2,
          size: 500 * GB,
          fileSystem: 'vfat',
          label: 'EFI',
          partitionLabel: null,
          mountpoints: [],
        },
        // What would move the cursor of a terminal is taken out.
        {
          number: 10,
          size: 7 * GB,
          fileSystem: 'ext4',
          label: 'root',
          partitionLabel: 'vault [31mroot',
          mountpoints: [],
        },
      ],
      uses: [],
    });
  });

  it('shows a file system without partitions', () => {
    const [, disk] = seenOf({ rows: [systemDisk(), usbDisk({ fstype: 'exfat', label: 'PHOTOS' })] });
    expect(disk?.contents).toMatchObject([{ number: null, fileSystem: 'exfat', label: 'PHOTOS' }]);
  });
});

describe('lsblk', () => {
  const fixture = (name: string) =>
    readFileSync(new URL(`../../../fixtures/lsblk/${name}`, import.meta.url), 'utf8');
  const look = (
    name: string,
    mountinfo: string[],
    more: Parameters<typeof factsOf>[0]['more'] = {},
    alsoLoop = false,
  ) => {
    const devices = parseLsblk(fixture(name));
    const blank = { partition: null, serial: null, backing: null, udev: {} };
    const facts = factsOf({ rows: [], mountinfo });
    const all = [...devices.keys()].map((kname) => [kname, { ...blank, ...more[kname] }] as const);
    return disksOf({ ...facts, devices, more: new Map(all) }, { image: null, alsoLoop });
  };

  it('of Debian 12, 2.38, recorded with a mounted partition of a loop device', () => {
    const root = mount('/', 'ext4', '254:0', '/dev/vda');
    expect(look('debian-12-loop.json', [root]).map((d) => d.path)).toEqual(['/dev/vda']);
    const more = {
      loop0: { backing: '/tmp/DISK7F3A.img' },
      loop0p1: { partition: 1 },
      loop0p2: { partition: 2 },
    };
    const [loop, system] = look('debian-12-loop.json', [root], more, true);
    expect(loop).toMatchObject({ path: '/dev/loop0', serial: 'DISK7F3A', bus: 'loop', size: 67_108_864 });
    expect(loop?.contents.map((c) => [c.number, c.size])).toEqual([
      [1, 16_777_216],
      [2, 33_374_720],
    ]);
    expect(loop?.uses).toEqual([{ why: 'mounted', mountpoints: ['/mnt/usb'] }]);
    expect(system?.uses).toMatchObject([{ why: 'system' }]);
  });

  it('of Ubuntu 24.04, 2.39, recorded on a virtual machine', () => {
    const root = mount('/', 'ext4', '254:0', '/dev/vda');
    const all = look('ubuntu-24.04-vm.json', [root], { vdb: { serial: '1980282172255' } });
    expect(all.map((d) => [d.path, d.bus, d.serial, d.readOnly, d.vendor])).toEqual([
      ['/dev/vda', 'virtio', null, false, null],
      ['/dev/vdb', 'virtio', '1980282172255', true, null],
    ]);
    expect(all.map((d) => d.uses[0]?.why)).toEqual(['system', 'mounted']);
  });

  it('that tells only once what stands on a device is understood as well', () => {
    const md = (...children: Parameters<typeof row>[3][]) => row('md0', 'raid1', {}, ...children);
    const half = (kname: string, array: ReturnType<typeof md>) => row(kname, 'disk', {}, array);
    const rows = [half('sda', md(part('md0p1', mounted('/mnt')))), half('sdb', md())];
    for (const path of ['/dev/sda', '/dev/sdb'])
      expect(reasons(disks({ rows: [systemDisk(), ...rows] }), path)).toContainEqual({
        why: 'mounted',
        mountpoints: ['/mnt'],
      });
  });

  it('of older versions prints numbers and flags as text', () => {
    const old = {
      ...systemDisk(),
      size: '512110190592',
      rm: '0',
      ro: '1',
      hotplug: '0',
      'log-sec': '512',
      children: [],
    };
    expect(parseLsblk(JSON.stringify({ blockdevices: [old] })).get('nvme0n1')).toMatchObject({
      size: 512110190592,
      ro: true,
    });
  });
  it.each(['', '{}', '{"blockdevices":[{"name":"sda"}]}', '{"blockdevices":[{}'])('%j is refused', (text) => {
    expect(() => parseLsblk(text)).toThrow();
  });
});

describe("the kernel's lists", () => {
  it('unescapes names, and leaves out what is no line', () => {
    const [one, ...rest] = parseMountinfo(
      '36 35 98:0 /mnt1 /mnt\\0402\\134x rw,noatime master:1 - ext3 /dev/root rw,errors=continue\nnonsense\n',
    );
    expect(rest).toEqual([]);
    expect(one).toEqual({
      majMin: '98:0',
      mountpoint: '/mnt 2\\x',
      fileSystem: 'ext3',
      source: '/dev/root',
      options: ['rw', 'errors=continue'],
    });
    expect(parseSwaps('Filename\tType\n/dev/dm-1   partition\t1\t0\t-2\n/swap\\040x file 1 0 -3\n')).toEqual([
      { path: '/dev/dm-1', file: false },
      { path: '/swap x', file: true },
    ]);
  });
  it('finds the mount of a path: the longest, and of two at one place the last', () => {
    const mounts = parseMountinfo(
      [
        mount('/', 'a', '1:1'),
        mount('/data', 'b', '1:2'),
        mount('/data', 'c', '1:3'),
        mount('/database', 'd', '1:4'),
      ].join('\n'),
    );
    expect(mountOf('/data/x', mounts)?.fileSystem).toBe('c');
    expect(mountOf('/data', mounts)?.fileSystem).toBe('c');
    expect(mountOf('/datax', mounts)?.fileSystem).toBe('a');
    expect(mountOf('/', [])).toBeNull();
  });
});
