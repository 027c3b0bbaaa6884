/** Which devices a mount or a file lies on. Pure. */
import type { LinuxFacts } from './facts.ts';
import { type Mount, lowerLayers, mountOf, upperLayers } from './mounts.ts';

export interface Lies {
  /** Knames of what is right under it; none for what is in memory or on the network. */
  devices: string[];
  /** Whether that is all: false where a part of it was not found. */
  complete: boolean;
}

/** In memory or on another machine: surely on no disk here. */
const NO_DISK =
  /^(tmpfs|ramfs|rootfs|devtmpfs|nfs4?|cifs|smb3|9p|virtiofs|ceph|fuse\.(sshfs|glusterfs|virtiofs))$/;
/** A file system in a file, as live systems have it. */
const PACKED = /^(squashfs|erofs|iso9660)$/;

const NOWHERE: Lies = { devices: [], complete: false };
const all = (parts: readonly Lies[]): Lies => ({
  devices: [...new Set(parts.flatMap(({ devices }) => devices))],
  complete: parts.length > 0 && parts.every(({ complete }) => complete),
});

export class Ground {
  readonly #facts: LinuxFacts;
  readonly #byPath = new Map<string, string>();
  readonly #byNumber = new Map<string, string>();

  constructor(facts: LinuxFacts) {
    this.#facts = facts;
    for (const { kname, path, majMin } of facts.devices.values()) {
      this.#byPath.set(path, kname).set(`/dev/${kname}`, kname);
      this.#byNumber.set(majMin, kname);
    }
  }

  /** The device that a path under /dev is; undefined for other paths. */
  deviceAt(path: string): string | undefined {
    return this.#byPath.get(path) ?? this.#byPath.get(this.#facts.links.get(path) ?? '');
  }

  /** What a file lies on; the device itself where the path is one. */
  ofPath(path: string, seen: ReadonlySet<Mount> = new Set()): Lies {
    const device = this.deviceAt(path);
    if (device !== undefined) return this.#ofDevice(device, seen);
    const mount = mountOf(path, this.#facts.mounts);
    return mount ? this.ofMount(mount, seen) : NOWHERE;
  }

  /** `seen`: the mounts that led here. One that leads to itself is named by a path of another moment, and not found. */
  ofMount(mount: Mount, seen: ReadonlySet<Mount> = new Set()): Lies {
    if (seen.has(mount)) return NOWHERE;
    const now = new Set(seen).add(mount);
    const device = this.#byNumber.get(mount.majMin) ?? this.deviceAt(mount.source);
    if (device !== undefined) return this.#ofDevice(device, now);
    if (mount.fileSystem === 'zfs') {
      // Which pool is on which disk, ZFS does not tell: all of its disks are meant.
      const members = [...this.#facts.devices.values()].filter((d) => d.fstype === 'zfs_member');
      return { devices: members.map(({ kname }) => kname), complete: members.length > 0 };
    }
    if (mount.fileSystem !== 'overlay') return { devices: [], complete: NO_DISK.test(mount.fileSystem) };
    const lower = all(lowerLayers(mount).map((path) => this.ofPath(path, now)));
    const upper = all(upperLayers(mount).map((path) => this.ofPath(path, now)));
    return { devices: [...lower.devices, ...upper.devices], complete: lower.complete };
  }

  /** What the running system's root lies on. */
  ofRoot(): Lies {
    const { mounts } = this.#facts;
    const root = mounts.findLast(({ mountpoint }) => mountpoint === '/');
    if (!root) return NOWHERE;
    const lies = this.ofMount(root);
    if (lies.complete || root.fileSystem !== 'overlay') return lies;
    // A live system may name its layers by paths of its first moments: then it stands on its packed file systems.
    const packed = all(
      mounts.filter(({ fileSystem }) => PACKED.test(fileSystem)).map((mount) => this.ofMount(mount)),
    );
    return { ...packed, devices: [...lies.devices, ...packed.devices] };
  }

  /** A device is found where it is; one that shows a file only where that file is found, too. */
  #ofDevice(kname: string, seen: ReadonlySet<Mount>): Lies {
    const backing = this.#facts.more.get(kname)?.backing ?? null;
    const complete = backing === null || this.ofPath(backing, seen).complete;
    return { devices: [kname], complete };
  }
}
