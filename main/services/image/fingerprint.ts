/** What a stage is made from, as one hash: the same inputs need not be built twice. */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { replaceSynced } from '../../synced.ts';
import { sha256Of } from '../bundle/hashes.ts';

/** Made by tools beside the sources; nothing is built from them. */
const LEFT_OUT: ReadonlySet<string> = new Set(['__pycache__', '.ansible', 'inventory', '.cache', 'tests']);

const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Over names, modes and contents of all files below. */
export function treeHash(root: string, only: (path: string) => boolean = () => true): string {
  const lines: string[] = [];
  const walk = (below: string): void => {
    for (const name of readdirSync(join(root, below)).sort()) {
      if (LEFT_OUT.has(name) || name.endsWith('.pyc')) continue;
      const path = below === '' ? name : `${below}/${name}`;
      const full = join(root, path);
      const stat = lstatSync(full);
      if (stat.isDirectory()) walk(path);
      else if (!only(path)) continue;
      else if (stat.isSymbolicLink()) lines.push(`l ${path} ${readlinkSync(full)}`);
      else lines.push(`f ${path} ${(stat.mode & 0o111) === 0 ? '-' : 'x'} ${sha256(readFileSync(full))}`);
    }
  };
  walk('');
  return sha256(lines.join('\n'));
}

/** Names, sizes and dates alone: for folders of gigabytes whose manifest has the hashes. */
export function statHash(root: string): string {
  const lines: string[] = [];
  const walk = (below: string): void => {
    for (const name of readdirSync(join(root, below)).sort()) {
      const path = join(below, name);
      const stat = lstatSync(join(root, path));
      if (stat.isDirectory()) walk(path);
      else lines.push(`${path} ${stat.size} ${stat.mtimeMs}`);
    }
  };
  walk('');
  return sha256(lines.join('\n'));
}

/** In a fixed order, so that the order in which they are named does not count. */
export const fingerprint = (inputs: Record<string, unknown>): string =>
  sha256(JSON.stringify(Object.entries(inputs).sort(([a], [b]) => (a < b ? -1 : 1))));

/** Hashes of large files, kept beside their size, date and place: an ISO is read once. */
export class FileHashes {
  readonly #path: string;
  readonly #known: Record<string, string>;

  constructor(path: string) {
    this.#path = path;
    this.#known = existsSync(path) ? readKnown(path) : {};
  }

  async of(path: string, signal?: AbortSignal): Promise<string> {
    const { ino, dev, size, mtimeMs } = lstatSync(path);
    const key = `${dev}:${ino}:${size}:${mtimeMs}:${path}`;
    const known = this.#known[key];
    if (known !== undefined) return known;
    const found = await sha256Of(path, { signal });
    this.#known[key] = found;
    replaceSynced(this.#path, JSON.stringify(this.#known), 0o600);
    return found;
  }
}

function readKnown(path: string): Record<string, string> {
  try {
    const found: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof found === 'object' && found !== null ? (found as Record<string, string>) : {};
  } catch {
    // Only a memory: what is not in it is hashed anew.
    return {};
  }
}
