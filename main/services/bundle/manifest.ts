/** The manifest of a bundle: which files belong to which layer, their sizes and hashes. The rig's bundle is described by this, too. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { BundleManifest } from '../../../preload/contract/bundle.ts';
import { replaceSynced } from '../../synced.ts';
import { AT_ONCE, Hashes, inParallel } from './hashes.ts';
import { INDEX } from './repository.ts';

export const MANIFEST = 'manifest.json';

/** What the layers install from, as names of files in the bundle's folders. */
export interface Contents {
  /** Debian packages by layer, those that no lower layer has. Without any, the bundle has no repository. */
  debs: ReadonlyMap<number, readonly string[]>;
  wheels: readonly string[];
  collections: readonly string[];
  frameworks: readonly string[];
  images: readonly string[];
  /** Paths below `models/`. */
  models: readonly string[];
}

/** Paths by set: `l0` … `l5`, and `models`, which belongs to no layer. Sets that would be empty are left out. */
export function setsOf(contents: Contents): Record<string, string[]> {
  const sets: Record<string, string[]> = {};
  const add = (set: string, folder: string, names: readonly string[]) => {
    if (names.length) sets[set] = [...(sets[set] ?? []), ...names.map((name) => `${folder}/${name}`)];
  };
  // Each layer's set has the index, so that it can be fetched alone; a file is sent to the box once all the same.
  for (const [layer, names] of contents.debs) add(`l${layer}`, 'apt', [...INDEX, ...names]);
  add('l0', 'wheels', contents.wheels);
  add('l0', 'collections', contents.collections);
  add('l1', 'images', contents.images);
  add('l4', 'frameworks', contents.frameworks);
  add('models', 'models', contents.models);
  return Object.fromEntries(Object.entries(sets).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export interface Description {
  name: string;
  distribution: BundleManifest['distribution'];
  evidence: BundleManifest['evidence'];
  sets: Record<string, string[]>;
  /** Where the file of this path lies now. */
  locate: (path: string) => string;
  hashes?: Hashes;
  signal?: AbortSignal | undefined;
}

/** Hashes every file of the sets. Rejects with the system's error when one is not there. */
export async function describeBundle(what: Description): Promise<BundleManifest> {
  const hashes = what.hashes ?? new Hashes();
  const paths = [...new Set(Object.values(what.sets).flat())].sort();
  const files = await inParallel(paths, AT_ONCE, async (path) => {
    const full = what.locate(path);
    return { path, size: statSync(full).size, sha256: await hashes.of(full, what.signal) };
  });
  const { name, distribution, evidence, sets } = what;
  const created = new Date().toISOString();
  return BundleManifest.parse({ v: 1, name, created, distribution, evidence, files, sets });
}

/** Writes the manifest of the folder at once: after a power cut it is there whole, or not at all. */
export function writeManifest(dir: string, manifest: BundleManifest): void {
  replaceSynced(join(dir, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`, 0o644);
}
