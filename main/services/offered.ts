/** What a site bundle offers: versions of Debian packages from its index, of wheels from their file names. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asAppError } from '../../preload/contract/errors.ts';
import type { BundleManifest } from '../../preload/contract/bundle.ts';
import type { Offered } from '../../preload/contract/software.ts';
import { Bundle } from './bundle.ts';
import { wheelName } from './bundle/locks.ts';
import type { BundleLook } from './preflight/judge.ts';

/** The repository's index in a bundle. */
export const INDEX = 'apt/Packages';

function add(to: Map<string, string[]>, name: string, version: string): void {
  const known = to.get(name) ?? [];
  if (!known.includes(version)) to.set(name, [...known, version]);
}

/** Versions by package name, of the text of a repository's index `Packages`. */
export function debsIn(index: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const stanza of index.split(/\n\n+/)) {
    const name = /^Package: (\S+)$/m.exec(stanza)?.[1];
    const version = /^Version: (\S+)$/m.exec(stanza)?.[1];
    if (name && version) add(found, name, version);
  }
  return found;
}

/** Versions by project name, of paths of which some are wheels (`wheels/torch-2.9.1-cp312-cp312-….whl`). */
export function wheelsIn(paths: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const path of paths) {
    const named = wheelName(path.split('/').at(-1) ?? '');
    if (named) add(found, named.name, named.version);
  }
  return found;
}

/** What preflight is told of the bundle in this folder; null for no folder. */
export function lookAtBundle(dir: string | null): BundleLook | null {
  if (dir === null) return null;
  try {
    const bundle = new Bundle(dir);
    return { dir, offered: offeredBy(bundle), distribution: bundle.manifest.distribution };
  } catch (error) {
    const { message, nextAction } = asAppError(error);
    return { dir, problem: message, nextAction };
  }
}

export function offeredBy({ dir, manifest }: { dir: string; manifest: BundleManifest }): Offered {
  const paths = manifest.files.map((f) => f.path);
  return {
    apt: paths.includes(INDEX) ? debsIn(readFileSync(join(dir, INDEX), 'utf8')) : new Map(),
    wheel: wheelsIn(paths),
  };
}
