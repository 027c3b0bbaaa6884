/** Which packages each layer installs: from the roles' own variables, in the versions that the profile allows of what is offered. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { AppError } from '../../../preload/contract/errors.ts';
import type { Resolved } from '../../../preload/contract/software.ts';
import { productRoot } from '../paths.ts';

const Names = z.array(z.string().min(1));

/** Layers whose software a bundle can carry: all, also the one that is only built in when it is named. */
export const BUNDLE_LAYERS = [0, 1, 2, 3, 4, 5, 6];

/** "0,1" as layers in order. Errors: layer_unknown. */
export function parseBundleLayers(text: string): number[] {
  const layers = text.split(',').map((word) => {
    const layer = BUNDLE_LAYERS.find((known) => String(known) === word.trim());
    if (layer === undefined)
      throw new AppError('layer_unknown', { layer: word.trim(), known: BUNDLE_LAYERS.join(', ') });
    return layer;
  });
  return [...new Set(layers)].sort((a, b) => a - b);
}

function roleFile(path: string): Record<string, unknown> | null {
  const full = join(productRoot(), 'ansible', path);
  return existsSync(full) ? z.record(z.string(), z.unknown()).parse(parse(readFileSync(full, 'utf8'))) : null;
}

/** What the roles install with apt. */
export interface RolePackages {
  base: readonly string[];
  /** Of the driver's series; wanted only where they are offered. */
  pins: readonly string[];
  driver: readonly string[];
  toolkit: readonly string[];
  monitoring: readonly string[];
  hardening: readonly string[];
}

/** The roles' own lists for a distribution, `ubuntu-24.04` for example. Errors: usage for one that the roles do not know. */
export function rolePackages(distribution: string): RolePackages {
  const base = roleFile(`roles/base_system/vars/${distribution}.yml`);
  const driver = roleFile(`roles/driver_stack/vars/${distribution}.yml`);
  if (!base || !driver)
    throw new AppError('usage', { what: `The layers know no packages for ${distribution}.` });
  return {
    base: Names.parse(base['base_system_packages']),
    pins: Names.parse(driver['driver_stack_default_pins']),
    driver: Names.parse(driver['driver_stack_default_packages']),
    toolkit: Names.parse(roleFile('roles/gpu_runtime/defaults/main.yml')?.['gpu_runtime_packages']),
    monitoring: Names.parse(roleFile('roles/monitoring/vars/main.yml')?.['monitoring_packages']),
    hardening: Names.parse(
      roleFile(`roles/extended_hardening/vars/${distribution}.yml`)?.['extended_hardening_packages'],
    ),
  };
}

/** GiB of wheels of each of layer 4's environments, measured. */
export function wheelsGib(): Record<string, number> {
  const vars = roleFile('roles/ai_frameworks/vars/main.yml');
  return z.record(z.string(), z.number()).parse(vars?.['ai_frameworks_wheels_gib']);
}

/** Layer 4's environments. */
export function environments(): string[] {
  return Names.parse(roleFile('roles/ai_frameworks/defaults/main.yml')?.['ai_frameworks_environments']);
}

/** Packages with the headers of every kernel that is installed, as the driver's role asks for them. */
export function headersFor(installed: readonly string[]): string[] {
  const kernels = installed.filter(
    (name) => /^linux-image-/.test(name) && !/-(dbg|extra-virtual)$/.test(name),
  );
  return [
    ...new Set(kernels.map((name) => name.replace(/^linux-image-(unsigned-)?/, 'linux-headers-'))),
  ].sort();
}

export interface LayerOrder {
  layer: number;
  /** Arguments of apt-get, each resolved and downloaded. */
  commands: string[][];
  /** For people: what the sources do not have and goes without. */
  notes: string[];
}

export interface Wanted {
  layers: readonly number[];
  roles: RolePackages;
  /** What the profile decided for layers 2 and 3. */
  chosen: readonly Resolved[];
  /** Names installed on the machine already. */
  installed: readonly string[];
  /** What the sources have of `namesToAsk`. */
  offered: ReadonlyMap<string, readonly string[]>;
  /** Asked for beside the roles' lists, by layer. */
  also: ReadonlyMap<number, readonly string[]>;
}

/** Names whose versions must be known before `orders` can say what to ask for. */
export function namesToAsk(roles: RolePackages, installed: readonly string[]): string[] {
  return [...roles.pins, ...roles.driver, ...roles.toolkit, ...headersFor(installed)];
}

/** A package in its version: a development package follows the library that the profile decided on. */
function pinned(name: string, { chosen, offered }: Wanted, names: readonly string[]): string {
  const decided = chosen.find((c) => c.package === name);
  if (decided) return `${name}=${decided.version}`;
  const same = chosen.find((c) => names.includes(c.package) && offered.get(name)?.includes(c.version));
  return same ? `${name}=${same.version}` : name;
}

function gpuLayer(wanted: Wanted, layer: number, own: readonly string[]): string[] {
  const decided = wanted.chosen.filter((c) => c.layer === layer).map((c) => c.package);
  // The first of a component's names stands for the others: nvidia-open-580 instead of nvidia-open.
  const rest = own.filter((name) => !decided.some((d) => d === name || d.startsWith(`${name}-`)));
  const names = [...decided, ...rest];
  return names.map((name) => pinned(name, wanted, names));
}

/**
 * What to ask apt for, layer after layer. Each layer asks for what the ones below it ask for, too, since it is installed on top of
 * them; what they hold already is then left out of its set.
 */
export function orders(wanted: Wanted): LayerOrder[] {
  const { roles, installed, offered, layers } = wanted;
  const headers = headersFor(installed);
  const without = headers.filter((name) => !offered.has(name));
  const docker = installed.includes('docker-ce') ? ['docker.io', 'docker-cli'] : [];
  const own: Record<number, string[]> = {
    0: ['python3-apt'],
    1: roles.base.filter((name) => !docker.includes(name)),
    2: [
      ...['dkms', ...headers.filter((name) => offered.has(name))],
      ...roles.pins.filter((name) => offered.has(name)),
      ...gpuLayer(wanted, 2, roles.driver),
    ],
    3: gpuLayer(wanted, 3, roles.toolkit),
    5: [...roles.monitoring],
    6: [...roles.hardening],
  };
  const below: string[] = [];
  return layers.flatMap((layer) => {
    const packages = [...(own[layer] ?? []), ...(wanted.also.get(layer) ?? [])];
    if (packages.length === 0) return [];
    const commands = [['install', ...below, ...packages]];
    below.push(...packages);
    if (layer === 1) commands.unshift(['upgrade', '--with-new-pkgs']);
    // What the profile decides on is judged by what the bundle holds, also for a machine that has it already.
    const decided = wanted.chosen.filter((c) => c.layer === layer).map((c) => `${c.package}=${c.version}`);
    if (decided.length) commands.push(['install', '--reinstall', ...decided]);
    const notes =
      layer === 2
        ? without.map(
            (name) =>
              `The sources have no ${name}: layer 2 cannot build the driver for that kernel of the box.`,
          )
        : [];
    return [{ layer, commands, notes }];
  });
}
