/**
 * A disk of a stand-in box that can be chosen there as any other: a loop device under the name of a disk, with a serial that the box's own
 * udev would have told. lsblk alone is helped: the kernel has no such disk. Disks of the host, which a container is told of as if they were
 * its own, are left out: how many there are, and which are in use, is another matter on each machine that runs this. What the box's root
 * lies on is, likewise, a path of the host that means another thing on each; the list has a live medium for it.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RigBox } from '../rig/box.ts';
import { fillStale, tool } from './stale.ts';

/** Before the real one in root's PATH, until the next boot. */
const LSBLK = '/usr/local/sbin/lsblk';

export class BoxDisk {
  readonly serial = 'VCRIG00007F3A';
  readonly model = 'Rig NVMe disk';
  /** The loop device, here and in the box. */
  readonly path: string;
  readonly #box: RigBox;
  readonly #dir = mkdtempSync(join(tmpdir(), 'vc-boxdisk-'));

  private constructor(box: RigBox, size: number) {
    this.#box = box;
    const file = join(this.#dir, 'disk');
    fillStale(file, size, 'w');
    this.path = tool('losetup', '--find', '--show', '--direct-io=on', file);
  }

  /** `size`: bytes, whole blocks of 8 MiB; every byte is stale. */
  static async plugIn(box: RigBox, size: number): Promise<BoxDisk> {
    const disk = new BoxDisk(box, size);
    try {
      await disk.#show(size);
      return disk;
    } catch (error) {
      disk.unplug();
      throw error;
    }
  }

  async #show(size: number): Promise<void> {
    const minor = statSync(this.path).rdev & 0xff;
    const row = {
      ...{ name: 'nvme9n1', kname: 'nvme9n1', path: '/dev/nvme9n1', 'maj:min': `7:${minor}`, type: 'disk' },
      ...{ size, ro: false, rm: false, hotplug: false, tran: 'nvme', vendor: null, model: this.model },
      ...{ serial: this.serial, 'log-sec': 512, pttype: null, fstype: null, label: null, partlabel: null },
      mountpoints: [],
    };
    const medium = {
      ...row,
      ...{
        name: 'sdz',
        kname: 'sdz',
        path: '/dev/sdz',
        size: 8_000_000_000,
        rm: true,
        hotplug: true,
        tran: 'usb',
      },
      ...{ model: 'Rig live medium', serial: 'VCRIGLIVE', mountpoints: ['/'] },
    };
    const literal = (value: unknown): string => JSON.stringify(JSON.stringify(value));
    const wrapper = `#!/usr/bin/python3
import json, os, subprocess, sys
row, medium = json.loads(${literal(row)}), json.loads(${literal(medium)})
found = json.loads(subprocess.run(["/usr/bin/lsblk", *sys.argv[1:]], stdout=subprocess.PIPE, check=True).stdout)
number = os.stat("/").st_dev
root = {**medium, "maj:min": f"{os.major(number)}:{os.minor(number)}"}
found["blockdevices"] = [row, root]
print(json.dumps(found))
`;
    const script = `set -e
      rm -f ${this.path}; mknod ${this.path} b 7 ${minor}
      mkdir -p /run/udev/data
      printf 'E:ID_SERIAL_SHORT=${this.serial}\\n' >/run/udev/data/b7:${minor}
      cat >${LSBLK}; chmod 755 ${LSBLK}`;
    const done = await this.#box.sh(script, { input: wrapper });
    if (done.code !== 0) throw new Error(done.stderr);
  }

  /** What is asked of the disk next, it answers itself. */
  flushed(): string {
    tool('blockdev', '--flushbufs', this.path);
    return this.path;
  }

  unplug(): void {
    tool('losetup', '--detach', this.path);
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
