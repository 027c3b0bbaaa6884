/** Debian packages of the layers: planned before anything is downloaded, then brought, each by its hash. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../../preload/contract/errors.ts';
import type { Apt, Deb } from './apt.ts';
import { linkOrCopy, type BuildFolder } from './folder.ts';
import { AT_ONCE, inParallel, type Hashes } from './hashes.ts';
import type { LayerOrder } from './layers.ts';
import { signRepository, INDEX, type Labels } from './repository.ts';

/** apt writes `:` of an epoch as `%3a`; in a flat repository a plain name is understood by every tool on every system. */
export const plain = (name: string): string => decodeURIComponent(name).replaceAll(':', '-');

/** One command of apt-get, and what it would download on a laptop that has nothing yet. */
interface Step {
  layer: number;
  command: readonly string[];
  wanted: readonly Deb[];
}

/** What the layers need of Debian packages. */
export interface DebPlan {
  steps: readonly Step[];
  /** Every package once, by its name in the bundle. */
  debs: ReadonlyMap<string, Deb>;
  /** Names in the bundle by layer, those that no lower layer has. */
  layers: ReadonlyMap<number, readonly string[]>;
}

/** Asks apt for all layers. Errors: bundle_unresolved. */
export async function planDebs(apt: Apt, orders: readonly LayerOrder[]): Promise<DebPlan> {
  const steps: Step[] = [];
  const debs = new Map<string, Deb>();
  const layers = new Map<number, string[]>();
  for (const { layer, commands } of orders) {
    const own: string[] = [];
    for (const command of commands) {
      const wanted = await apt.plan(`layer ${layer}`, command);
      steps.push({ layer, command, wanted });
      for (const deb of wanted) {
        const name = plain(deb.file);
        if (debs.has(name)) continue;
        debs.set(name, deb);
        own.push(name);
      }
    }
    layers.set(layer, own.sort());
  }
  return { steps, debs, layers };
}

/** What of the plan is not in the folder yet, looked at by hash; what is broken there is removed. */
async function missingOf({ debs }: DebPlan, folder: BuildFolder, hashes: Hashes, signal?: AbortSignal) {
  const all = [...debs];
  const whole = await inParallel(all, AT_ONCE, async ([name, deb]) => {
    const path = folder.place(`apt/${name}`);
    if (!existsSync(path)) return false;
    if ((await hashes.of(path, signal)) === deb.sha256) return true;
    rmSync(path);
    return false;
  });
  return all.filter((_, at) => !whole[at]);
}

/** Bytes that are still to be downloaded, and of how many packages. What apt holds in its cache counts as here. */
export async function missingDebs(
  plan: DebPlan,
  apt: Apt,
  folder: BuildFolder,
  hashes: Hashes,
  signal?: AbortSignal,
): Promise<{ count: number; bytes: number }> {
  const missing = await missingOf(plan, folder, hashes, signal);
  const away = missing.filter(([, deb]) => !existsSync(join(apt.archives, deb.file)));
  return { count: away.length, bytes: away.reduce((sum, [, deb]) => sum + deb.bytes, 0) };
}

/**
 * Brings all packages of the plan into `apt/` of the folder. `onBytes` is told how many of the missing ones are here.
 * Errors: bundle_fetch_failed.
 */
export async function takeDebs(
  plan: DebPlan,
  apt: Apt,
  folder: BuildFolder,
  opts: { hashes: Hashes; onBytes: (done: number) => void; signal?: AbortSignal | undefined },
): Promise<void> {
  const { hashes, signal } = opts;
  const missing = new Set((await missingOf(plan, folder, hashes, signal)).map(([name]) => name));
  for (const [name, deb] of plan.debs) {
    const cached = join(apt.archives, deb.file);
    // apt believes a size; a broken file of the right size must not lie there.
    if (existsSync(cached) && (await hashes.of(cached, signal)) !== deb.sha256) rmSync(cached);
    if (!missing.has(name)) linkOrCopy(folder.place(`apt/${name}`), cached);
  }
  let before = 0;
  for (const { layer, command, wanted } of plan.steps) {
    const away = wanted.filter((deb) => !existsSync(join(apt.archives, deb.file)));
    if (away.length) {
      const bytes = away.reduce((sum, deb) => sum + deb.bytes, 0);
      const told = before;
      await apt.download(`Layer ${layer}`, command, (part) => opts.onBytes(told + part * bytes));
      before += bytes;
      opts.onBytes(before);
    }
    for (const deb of wanted) {
      apt.takeLocal(deb);
      const cached = join(apt.archives, deb.file);
      if (!existsSync(cached) || (await hashes.of(cached, signal)) !== deb.sha256) {
        rmSync(cached, { force: true });
        const detail = `${deb.uri} did not come as the repository's index describes it.`;
        throw new AppError('bundle_fetch_failed', { what: deb.file, detail });
      }
      const place = folder.place(`apt/${plain(deb.file)}`);
      if (!existsSync(place)) linkOrCopy(cached, place);
    }
  }
}

/** Makes the index of exactly these packages and signs it; it waits in the folder until the end. Errors: bundle_tool_failed. */
export async function indexDebs(
  names: Iterable<string>,
  folder: BuildFolder,
  labels: Labels,
  owner: string,
  signal?: AbortSignal,
): Promise<void> {
  const at = folder.scratch('index');
  // Packages of an older bundle may lie in apt/, so the index is made where only ours are.
  for (const name of names) linkOrCopy(folder.place(`apt/${name}`), join(at, name));
  await signRepository(at, labels, owner, signal);
  for (const name of INDEX) {
    linkOrCopy(join(at, name), folder.stage(`apt/${name}`));
  }
}
