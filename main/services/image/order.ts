/** What is to be built, and where things lie. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../../preload/contract/errors.ts';
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

export const DEFAULTS = {
  name: 'vault-cube-demo-box',
  version: '1.0',
  layers: '1,2,3,4,5',
  memoryMiB: 4096,
  cpus: 4,
  diskSize: '46G',
};

const SIZE = /^[1-9]\d{0,4}[MG]$/;
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const GPU_LAYERS: readonly number[] = [2, 3, 4];

/** Errors: image_order_bad. */
export function checkOrder(order: ImageOrder): void {
  const bad = (detail: string): never => {
    throw new AppError('image_order_bad', { detail });
  };
  if (!NAME.test(order.name))
    bad(`the name "${order.name}" is none of small letters, digits, dots and dashes.`);
  if (!NAME.test(order.version)) bad(`the version "${order.version}" is none.`);
  if (!SIZE.test(order.diskSize)) bad(`the size "${order.diskSize}" is none like 46G.`);
  if (!existsSync(order.source.path) || !statSync(order.source.path).isFile())
    bad(`there is no source ${order.source.path}.`);
  for (const name of ['packer', 'ansible'])
    if (!existsSync(join(order.project, name))) bad(`${order.project} has no folder ${name}.`);
  if (order.layers.length === 0) bad('no layers are named.');
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
