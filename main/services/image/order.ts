/** What is to be built, and where things lie. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../../preload/contract/errors.ts';
import { orderFaults, type ShownOrder } from '../../../preload/contract/image-order.ts';
import { productRoot } from '../paths.ts';
import { has } from '../programs.ts';
import type { Accel } from './accel.ts';

export interface ImageOrder {
  /** `disk`: an existing image. `iso`: Ubuntu's installer. */
  source: { kind: 'disk' | 'iso'; path: string; sha256: string | null };
  /** Name or file. */
  profile: string;
  layers: readonly number[];
  /** Folder of a site bundle; null builds from the machine's own sources. */
  bundle: string | null;
  name: string;
  version: string;
  /** Holds cache, logs and what is half built. */
  work: string;
  /** The set of artefacts comes here. */
  out: string;
  /** A secret key of minisign, opened by whoever calls; null leaves the set unsigned. */
  signer: ((bytes: Uint8Array, trusted: string) => string) | null;
  signerId: string | null;
  accel: Accel | 'auto';
  memoryMiB: number;
  cpus: number;
  /** As Packer and QEMU have it: 46G. */
  diskSize: string;
  /** Whether P4 runs the roles once more. */
  secondRun: boolean;
  /** Holds packer/ and ansible/. */
  project: string;
}

const GPU_LAYERS: readonly number[] = [2, 3, 4];

/** Errors: image_order_bad. */
export function checkOrder(order: ImageOrder): void {
  const bad = (detail: string): never => {
    throw new AppError('image_order_bad', { detail });
  };
  const faults = [
    orderFaults.name(order.name),
    orderFaults.version(order.version),
    orderFaults.diskSize(order.diskSize),
    orderFaults.layers(order.layers),
    orderFaults.whole(String(order.memoryMiB), 'memory'),
    orderFaults.whole(String(order.cpus), 'cpus'),
  ];
  for (const fault of faults) if (fault !== null) bad(fault);
  if (!existsSync(order.source.path) || !statSync(order.source.path).isFile())
    bad(`there is no source ${order.source.path}.`);
  for (const name of ['packer', 'ansible'])
    if (!existsSync(join(order.project, name))) bad(`${order.project} has no folder ${name}.`);
}

/** What of it stands with the jobs of its build. */
export function shownOrder(order: ImageOrder): ShownOrder {
  const { source, profile, layers, bundle, name, version, work, out, signerId } = order;
  const { accel, memoryMiB, cpus, diskSize, secondRun, project } = order;
  return {
    ...{ source, profile, layers: [...layers], bundle, name, version, work, out, signerId },
    ...{ accel, memoryMiB, cpus, diskSize, secondRun, project },
  };
}

export const labelsOf = ({ layers }: Pick<ImageOrder, 'layers'>, notProven: string): string[] => [
  `layers ${layers.join(', ')}`,
  ...(layers.some((layer) => GPU_LAYERS.includes(layer)) ? [notProven] : []),
];

/** Ansible's programs: on PATH, else those of this checkout's environment. */
export function ansibleTool(name: string): string {
  if (has(name)) return name;
  const own = join(productRoot(), '.cache/venv/bin', name);
  return existsSync(own) ? own : name;
}

export const stem = ({ name, version }: Pick<ImageOrder, 'name' | 'version'>): string =>
  `${name}-v${version}`;
