/** The disk of the running system is never offered, through whatever stands between it and where it is mounted. */
import { describe, expect, it } from 'vitest';
import { disks, mount, mounted, part, reasons, row, systemDisk, usbDisk } from './samples.ts';

const system = (...mountpoints: string[]) => ({ why: 'system', mountpoints });

describe('the disk of the running system', () => {
  it('is not offered, and another one is', () => {
    const all = disks({ rows: [systemDisk(), usbDisk()] });
    expect(reasons(all, '/dev/nvme0n1')).toEqual([system('/', '/boot/efi')]);
    expect(reasons(all, '/dev/sda')).toBeNull();
  });

  it.each(['/boot', '/boot/efi', '/efi', '/usr', '/home', '/var'])(
    'is also one with %s on it alone',
    (point) => {
      const second = row('sdb', 'disk', { serial: 'A1B2' }, part('sdb1', mounted(point)));
      expect(reasons(disks({ rows: [systemDisk(), second] }), '/dev/sdb')).toEqual([system(point)]);
    },
  );

  it('is found without a partition table', () => {
    const all = disks({ rows: [row('vda', 'disk', { fstype: 'ext4', ...mounted('/') })] });
    expect(reasons(all, '/dev/vda')).toContainEqual(system('/'));
  });

  it('is found through LVM on LUKS on NVMe', () => {
    const lv = (name: string, kname: string, more: Record<string, unknown>) =>
      row(kname, 'lvm', { name, path: `/dev/mapper/${name}`, ...more });
    const disk = row(
      'nvme0n1',
      'disk',
      { serial: 'N1' },
      part('nvme0n1p1', { fstype: 'vfat', ...mounted('/boot/efi') }),
      part(
        'nvme0n1p3',
        { fstype: 'crypto_LUKS' },
        row(
          'dm-0',
          'crypt',
          { name: 'dm_crypt-0', path: '/dev/mapper/dm_crypt-0', fstype: 'LVM2_member' },
          lv('vg-root', 'dm-1', { fstype: 'ext4', ...mounted('/') }),
          lv('vg-swap', 'dm-2', { fstype: 'swap', ...mounted('[SWAP]') }),
        ),
      ),
    );
    const all = disks({ rows: [disk, usbDisk()] });
    expect(reasons(all, '/dev/nvme0n1')).toEqual([
      system('/', '/boot/efi'),
      { why: 'swap', on: ['/dev/mapper/vg-swap'] },
      { why: 'in_use', by: 'crypt', names: ['dm_crypt-0'] },
      { why: 'in_use', by: 'lvm', names: ['vg-root', 'vg-swap'] },
    ]);
    expect(reasons(all, '/dev/sda')).toBeNull();
    expect(all.find((d) => d.path === '/dev/nvme0n1')?.contents[1]?.mountpoints).toEqual(['/']);
  });

  it('is each half of a RAID 1, though lsblk prints the array twice', () => {
    const md = () => row('md0', 'raid1', { fstype: 'ext4', 'maj:min': '9:900', ...mounted('/') });
    const half = (kname: string, serial: string) =>
      row(kname, 'disk', { serial }, part(`${kname}1`, { fstype: 'linux_raid_member' }, md()));
    const all = disks({ rows: [half('sda', 'A'.repeat(3) + '1'), half('sdb', 'B2')] });
    for (const path of ['/dev/sda', '/dev/sdb'])
      expect(reasons(all, path)).toEqual([system('/'), { why: 'in_use', by: 'raid', names: ['md0'] }]);
  });

  it('is every disk of a btrfs over two, of which the list of mounts names one', () => {
    const all = disks({
      rows: [
        row('sda', 'disk', { serial: 'A1' }, part('sda2', { fstype: 'btrfs' })),
        row('sdb', 'disk', { serial: 'B2', fstype: 'btrfs' }),
        row('sdc', 'disk', { serial: 'C3' }, part('sdc1', { fstype: 'btrfs' })),
      ],
      mountinfo: [
        mount('/', 'btrfs', '0:25', '/dev/sda2', 'rw,subvol=/@'),
        mount('/home', 'btrfs', '0:25', '/dev/sda2', 'rw,subvol=/@home'),
      ],
      fileSystems: [['sda2', 'sdb']],
    });
    const expected = [system('/', '/home'), { why: 'in_use', by: 'file_system', names: ['sda2 + sdb'] }];
    expect(reasons(all, '/dev/sda')).toEqual(expected);
    expect(reasons(all, '/dev/sdb')).toEqual(expected);
    expect(reasons(all, '/dev/sdc')).toBeNull();
  });

  it('is found where the mount names a link that lsblk does not know', () => {
    const all = disks({
      rows: [row('sda', 'disk', { serial: 'A1' }, part('sda1'))],
      mountinfo: [mount('/', 'btrfs', '0:30', '/dev/disk/by-label/root')],
      links: { '/dev/disk/by-label/root': '/dev/sda1' },
    });
    expect(reasons(all, '/dev/sda')).toEqual([system('/')]);
  });

  it('is every disk of a ZFS pool', () => {
    const member = (kname: string, serial: string) =>
      row(kname, 'disk', { serial }, part(`${kname}1`, { fstype: 'zfs_member', label: 'rpool' }));
    const given = {
      rows: [member('sda', 'A1'), member('sdb', 'B2'), usbDisk({ kname: 'sdc', path: '/dev/sdc' })],
      mountinfo: [mount('/', 'zfs', '0:28', 'rpool/ROOT/ubuntu')],
      zfs: true,
    };
    const zfs = { why: 'in_use', by: 'zfs', names: ['rpool'] };
    const all = disks(given);
    expect(reasons(all, '/dev/sda')).toEqual([system('/'), zfs]);
    expect(reasons(all, '/dev/sdb')).toEqual([system('/'), zfs]);
    expect(reasons(all, '/dev/sdc')).toBeNull();
    // Where nobody sees which disks are ZFS's, it could be any.
    const blind = disks({ ...given, rows: [row('sda', 'disk', { serial: 'A1' })] });
    expect(reasons(blind, '/dev/sda')).toEqual([{ why: 'system_unknown' }]);
  });
});

describe('a live system', () => {
  const stick = () =>
    row(
      'sda',
      'disk',
      { tran: 'usb', rm: true, serial: 'STICK1' },
      part('sda1', { 'maj:min': '8:1', ...mounted('/cdrom') }),
    );
  const packed = () => row('loop0', 'loop', { 'maj:min': '7:0', fstype: 'squashfs', ...mounted('/rofs') });
  const target = () => row('nvme0n1', 'disk', { serial: 'N1' });
  const cdrom = mount('/cdrom', 'iso9660', '8:1', '/dev/sda1', 'ro');
  const rofs = mount('/rofs', 'squashfs', '7:0', '/dev/loop0', 'ro');
  const more = { loop0: { backing: '/cdrom/casper/filesystem.squashfs' } };

  it('stands on the stick that its layers lie on', () => {
    const root = mount('/', 'overlay', '0:20', 'overlay', 'rw,lowerdir=/rofs,upperdir=/cow/upper');
    const all = disks({ rows: [stick(), packed(), target()], mountinfo: [cdrom, rofs, root], more });
    expect(reasons(all, '/dev/sda')).toEqual([system('/')]);
    expect(reasons(all, '/dev/nvme0n1')).toBeNull();
  });

  it('stands on it also where its layers have names of its first moments', () => {
    const root = mount('/', 'overlay', '0:20', '/cow', 'rw,lowerdir=/minimal.squashfs,upperdir=/cow/upper');
    const all = disks({ rows: [stick(), packed(), target()], mountinfo: [root, cdrom, rofs], more });
    expect(reasons(all, '/dev/sda')).toEqual([system('/')]);
    expect(reasons(all, '/dev/nvme0n1')).toBeNull();
  });

  it('makes no system of another packed file system where its own layers are known', () => {
    const root = mount('/', 'overlay', '0:20', 'overlay', 'rw,lowerdir=/rofs,upperdir=/cow/upper');
    const other = row('sdb', 'disk', { serial: 'ISO1', fstype: 'iso9660', 'maj:min': '8:16' });
    const iso = mount('/media/iso', 'iso9660', '8:16', '/dev/sdb', 'ro');
    const all = disks({ rows: [stick(), packed(), other], mountinfo: [cdrom, rofs, root, iso], more });
    expect(reasons(all, '/dev/sda')).toEqual([system('/')]);
    expect(reasons(all, '/dev/sdb')).toEqual([{ why: 'mounted', mountpoints: ['/media/iso'] }]);
  });

  it('that was copied to memory leaves its stick free', () => {
    const root = mount('/', 'overlay', '0:20', 'overlay', 'rw,lowerdir=/rofs,upperdir=/cow/upper');
    const memory = mount('/cdrom', 'tmpfs', '0:21', 'tmpfs');
    const bare = row('sda', 'disk', { serial: 'STICK1' });
    const all = disks({ rows: [bare, packed()], mountinfo: [memory, rofs, root], more });
    expect(reasons(all, '/dev/sda')).toBeNull();
  });

  it('whose medium is mounted where nobody sees it: no disk is offered', () => {
    const root = mount('/', 'overlay', '0:20', 'overlay', 'rw,lowerdir=/rofs,upperdir=/cow/upper');
    const all = disks({ rows: [stick(), packed(), target()], mountinfo: [root, rofs], more });
    expect(reasons(all, '/dev/nvme0n1')).toEqual([{ why: 'system_unknown' }]);
  });
});

describe('a root that is on no disk here', () => {
  const one = () => row('sda', 'disk', { serial: 'A1' });
  it.each(['tmpfs', 'nfs4', 'virtiofs', 'rootfs'])('%s leaves the disks free', (kind) => {
    expect(reasons(disks({ rows: [one()], mountinfo: [mount('/', kind, '0:2')] }), '/dev/sda')).toBeNull();
  });
  it.each([
    ['an unknown kind', [mount('/', 'newfs', '0:2')]],
    [
      "a container's overlay",
      [
        mount(
          '/',
          'overlay',
          '0:2',
          'overlay',
          'rw,lowerdir=/var/lib/docker/l/A:/var/lib/docker/l/B,upperdir=/u',
        ),
      ],
    ],
    ['an overlay with relative layers', [mount('/', 'overlay', '0:2', 'overlay', 'rw,lowerdir=l/A:l/B')]],
    ['none in the list', [mount('/proc', 'proc', '0:3')]],
  ])('%s: no disk is offered', (_, mountinfo) => {
    expect(reasons(disks({ rows: [one()], mountinfo }), '/dev/sda')).toEqual([{ why: 'system_unknown' }]);
  });
});
