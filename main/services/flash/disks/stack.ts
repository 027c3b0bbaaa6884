/**
 * What stands on each disk: partitions, RAID, LVM, encryption, loop devices with files on it, and the mounts and swaps of all
 * of these. Pure.
 */
import type { LinuxFacts } from './facts.ts';
import { Ground } from './ground.ts';
import { visible } from './text.ts';

export interface Stack {
  /** The device and all that stands on it, by kname. */
  above(kname: string): Set<string>;
  /** Of these devices, in order and once each. */
  mountpoints(knames: Iterable<string>): string[];
  /** Partitions and files on these devices that are swap. */
  swaps(knames: Iterable<string>): string[];
  ground: Ground;
  /** Whether the root of the running system was found: on devices here, in memory or on the network. */
  systemKnown: boolean;
}

type Sets = Map<string, Set<string>>;
const put = (sets: Sets, key: string, value: string): void => {
  sets.set(key, (sets.get(key) ?? new Set()).add(value));
};
const collect = (sets: Sets, keys: Iterable<string>): string[] => {
  const found = new Set<string>();
  for (const key of keys) for (const value of sets.get(key) ?? []) found.add(value);
  return [...found].map(visible).sort();
};

/** Where one comes to from there, step by step, the beginning included. */
export function reach(from: string, next: (at: string) => Iterable<string> | undefined): Set<string> {
  // A set that is gone through sees also what is added meanwhile.
  const found = new Set([from]);
  for (const at of found) for (const one of next(at) ?? []) found.add(one);
  return found;
}

export function stackOf(facts: LinuxFacts): Stack {
  const up: Sets = new Map();
  const points: Sets = new Map();
  const swaps: Sets = new Map();
  const ground = new Ground(facts);

  for (const { kname, path, children, mountpoints } of facts.devices.values()) {
    for (const child of children) put(up, kname, child);
    for (const point of mountpoints)
      if (point === '[SWAP]') put(swaps, kname, path);
      else put(points, kname, point);
  }
  for (const mount of facts.mounts)
    for (const kname of ground.ofMount(mount).devices) put(points, kname, mount.mountpoint);
  const root = ground.ofRoot();
  for (const kname of root.devices) put(points, kname, '/');
  for (const { path } of facts.swaps)
    for (const kname of ground.ofPath(path).devices) put(swaps, kname, path);
  for (const [kname, { backing }] of facts.more)
    if (backing !== null) for (const below of ground.ofPath(backing).devices) put(up, below, kname);
  for (const over of facts.fileSystems) for (const one of over) for (const other of over) put(up, one, other);

  return {
    above: (kname) => reach(kname, (at) => up.get(at)),
    mountpoints: (knames) => collect(points, knames),
    swaps: (knames) => collect(swaps, knames),
    ground,
    systemKnown: root.complete,
  };
}
