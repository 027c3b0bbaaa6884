/** What is gathered: the real lsblk of this machine, beside a /sys, /proc and udev made for the test. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gather } from '../../../../main/services/flash/disks/facts.ts';

/** Any device will do: a container without one can list nothing. */
const device = (() => {
  try {
    const args = ['--all', '--noheadings', '--nodeps', '--raw', '--output', 'KNAME,MAJ:MIN'];
    const [kname, majMin] = execFileSync('lsblk', args, { encoding: 'utf8' }).trim().split(/\s+/);
    return kname && majMin ? { kname, majMin } : null;
  } catch {
    return null;
  }
})();

describe.runIf(device !== null)(`facts${device ? '' : ' (not run: lsblk lists nothing here)'}`, () => {
  const { kname, majMin } = device ?? { kname: '', majMin: '' };
  let dir: string;
  const made: string[] = [];
  const path = process.env['PATH'];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'vc-facts-'));
    made.push(dir);
    put('proc/self/mountinfo', '1 1 8:1 / / rw - ext4 /dev/no-such-device rw\n');
  });
  afterEach(() => {
    process.env['PATH'] = path;
  });
  afterAll(() => {
    for (const one of made) rmSync(one, { recursive: true, force: true });
  });

  const put = (name: string, text: string) => {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  };
  const link = (name: string, to: string) => {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    symlinkSync(to, join(dir, name));
  };
  const at = () => ({ sys: join(dir, 'sys'), proc: join(dir, 'proc'), udev: join(dir, 'udev') });
  /** A lsblk of the test's own. */
  const lsblk = (script: string) => {
    put('bin/lsblk', `#!/bin/sh\n${script}\n`);
    execFileSync('chmod', ['+x', join(dir, 'bin/lsblk')]);
    process.env['PATH'] = `${join(dir, 'bin')}:${path}`;
  };

  it("are udev's and the kernel's of each device", async () => {
    put(`udev/data/b${majMin}`, 'S:disk/by-id/x\nE:ID_SERIAL_SHORT=S6Z1=A\nE:ID_MODEL=M\nG:systemd\n');
    put(`sys/class/block/${kname}/partition`, '7\n');
    put(`sys/class/block/${kname}/device/serial`, 'SYS1  \n');
    put(`sys/class/block/${kname}/loop/backing_file`, '/tmp/a file.img (deleted)\n');
    const facts = await gather(at());
    expect(facts.more.get(kname)).toEqual({
      ...{ partition: 7, serial: 'SYS1', backing: '/tmp/a file.img' },
      udev: { ID_SERIAL_SHORT: 'S6Z1=A', ID_MODEL: 'M' },
    });
    expect(facts).toMatchObject({ contents: 'udev', zfs: false, fileSystems: [], swaps: [] });
    expect(facts.mounts.map((m) => m.mountpoint)).toEqual(['/']);
  });

  it('know what udev has not looked at', async () => {
    put('udev/data/b999:999', 'E:ID_SERIAL_SHORT=OTHER\n');
    expect((await gather(at())).more.get(kname)?.udev).toBeNull();
  });

  it('are the file systems that the kernel has in use', async () => {
    put('udev/data/x', '');
    put('sys/module/zfs/version', '2');
    put('sys/fs/ext4/features/x', '');
    put('sys/fs/ext4/dm-0/x', '');
    put('sys/fs/btrfs/features/x', '');
    link('sys/fs/btrfs/0f1e/devices/sda2', '../../../block/sda/sda2');
    link('sys/fs/btrfs/0f1e/devices/sdb', '../../../block/sdb');
    link('sys/fs/bcachefs/77aa/dev-0/block', '../../../block/nvme0n1/nvme0n1p1');
    const { zfs, fileSystems } = await gather(at());
    expect(zfs).toBe(true);
    expect(fileSystems).toEqual(expect.arrayContaining([['dm-0'], ['sda2', 'sdb'], ['nvme0n1p1']]));
    expect(fileSystems.flat()).not.toContain('sdc');
  });

  it.each([
    [
      'that is too old',
      'echo "lsblk: unknown column: MOUNTPOINTS" >&2; exit 1',
      /unknown column: MOUNTPOINTS/,
    ],
    ['that prints something else', 'echo "{}"', /in another way/],
    ['that dies', 'exit 64', /ended with 64/],
  ])('a lsblk %s is told of', async (_, script, message) => {
    lsblk(script);
    await expect(gather(at())).rejects.toMatchObject({
      code: 'disks_unreadable',
      message: expect.stringMatching(message),
    });
  });

  it('no lsblk, and no list of mounts, are told of', async () => {
    process.env['PATH'] = join(dir, 'none');
    await expect(gather(at())).rejects.toThrow('there is no lsblk');
    process.env['PATH'] = path;
    rmSync(join(dir, 'proc'), { recursive: true });
    await expect(gather(at())).rejects.toThrow('the list of mounts cannot be read');
  });
});
