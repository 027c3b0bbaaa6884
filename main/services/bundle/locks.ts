/** Lock files: which wheels an environment is made of, each by its hashes. */
import { readFileSync } from 'node:fs';
import { AppError } from '../../../preload/contract/errors.ts';

export interface Locked {
  /** As PEP 503 writes it. */
  name: string;
  version: string;
  /** Of the wheels that are allowed, one for each kind of machine. */
  sha256: readonly string[];
}

/** Names of Python projects are the same whatever their case and whether `-`, `_` or `.` joins their words (PEP 503). */
export const project = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, '-');

const PIN = /^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;#]+)/;

/** What a lock file pins. Errors: bundle_input_bad, naming the line that pins nothing or has no hash. */
export function readLock(path: string): Locked[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new AppError('bundle_input_bad', { path, detail: (error as Error).message }, error);
  }
  const lines = text
    .replaceAll(/\\\r?\n/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const [, name, version] = PIN.exec(line) ?? [];
    const sha256 = [...line.matchAll(/--hash=sha256:([0-9a-f]{64})\b/g)].map(([, hash]) => hash ?? '');
    if (!name || !version || sha256.length === 0)
      throw new AppError('bundle_input_bad', {
        path,
        detail: `"${line.slice(0, 80)}" is no pin with a hash.`,
      });
    return { name: project(name), version, sha256 };
  });
}

/** Project and version of a wheel by its file name; null for another file. */
export function wheelName(file: string): { name: string; version: string } | null {
  const [name, version, ...tags] = file.endsWith('.whl') ? file.split('-') : [];
  return name && version && tags.length >= 3 ? { name: project(name), version } : null;
}
