/** Whether a bundle is whole: every file against the manifest, the repository against its index and signature. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { BundleManifest } from '../../../preload/contract/bundle.ts';
import { readManifest } from '../bundle.ts';
import { WORK, filesBelow } from './folder.ts';
import { AT_ONCE, inParallel, sha256Of } from './hashes.ts';
import { MANIFEST } from './manifest.ts';
import { INDEX, badSignatures, canCheckSignature, indexFaults } from './repository.ts';

export interface Problem {
  path: string;
  /** `repository`: all files may be whole, and apt would refuse them all the same. */
  kind: 'missing' | 'short' | 'long' | 'changed' | 'no_file' | 'surplus' | 'repository';
  /** A sentence for people. */
  detail: string;
}

export interface Verified {
  manifest: BundleManifest;
  /** Of the manifest's bytes, in hex: the name under which a box knows the bundle. */
  manifestSha256: string;
  bytes: number;
  problems: Problem[];
  /** Why the signature could not be looked at; null when it was, or there is none to look at. */
  notChecked: string | null;
}

type Entry = BundleManifest['files'][number];

async function look(dir: string, file: Entry, onBytes: (more: number) => void): Promise<Problem | string> {
  const { path, size } = file;
  const full = join(dir, path);
  const stat = lstatSync(full, { throwIfNoEntry: false });
  if (!stat) return { path, kind: 'missing', detail: `${path} is missing.` };
  if (!stat.isFile()) return { path, kind: 'no_file', detail: `${path} is no plain file.` };
  if (stat.size !== size) {
    const kind = stat.size < size ? 'short' : 'long';
    return { path, kind, detail: `${path} has ${stat.size} bytes, not ${size}.` };
  }
  try {
    const sha256 = await sha256Of(full, { onBytes });
    if (sha256 === file.sha256) return sha256;
    return { path, kind: 'changed', detail: `${path} has other bytes than the manifest says.` };
  } catch (error) {
    return { path, kind: 'no_file', detail: `${path} cannot be read: ${(error as Error).message}.` };
  }
}

/**
 * Reads every file, several at a time. `onBytes` is told how many were read, and of how many.
 * Errors: bundle_missing, bundle_corrupt for a folder whose manifest is none.
 */
export async function verifyBundle(
  dir: string,
  onBytes: (done: number, total: number) => void = () => undefined,
): Promise<Verified> {
  const { manifest, sha256: manifestSha256 } = readManifest(dir);
  const total = manifest.files.reduce((sum, f) => sum + f.size, 0);
  let done = 0;
  const more = (bytes: number) => {
    done += bytes;
    onBytes(done, total);
  };
  // The largest first: what is read last is then small, and no single file is waited for.
  const files = manifest.files.toSorted((a, b) => b.size - a.size);
  const found = await inParallel(files, AT_ONCE, (file) => look(dir, file, more));
  const problems = found.filter((f) => typeof f !== 'string');
  const known = new Set([MANIFEST, ...manifest.files.map((f) => f.path)]);
  for (const path of filesBelow(dir)) {
    if (known.has(path) || path.startsWith(`${WORK}/`)) continue;
    problems.push({ path, kind: 'surplus', detail: `${path} is in the folder and not in the manifest.` });
  }
  const hashes = new Map(
    files.flatMap((f, at) => (typeof found[at] === 'string' ? [[f.path, found[at]]] : [])),
  );
  const repository = manifest.files.some((f) => f.path.startsWith('apt/'));
  const apt = join(dir, 'apt');
  // Of an index that is broken itself nothing more can be said.
  const indexWhole = INDEX.every((name) => hashes.has(`apt/${name}`) || !repository);
  const fault = (detail: string): Problem => ({ path: 'apt', kind: 'repository', detail });
  if (repository && indexWhole) {
    // What is broken has been named; the index is compared with what the manifest promises.
    problems.push(...indexFaults(apt, new Map(files.map((f) => [f.path, f.sha256]))).map(fault));
  }
  const checkable = repository && canCheckSignature();
  if (checkable) problems.push(...(await badSignatures(apt)).map(fault));
  const notChecked = repository && !checkable ? 'there is no gpgv on this machine' : null;
  problems.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return { manifest, manifestSha256, bytes: total, problems, notChecked };
}
