/** Whose keys are known: those that ship with the app, and those that were imported on this laptop. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../../preload/contract/errors.ts';
import { replaceSynced } from '../../synced.ts';
import { productRoot } from '../paths.ts';
import { keyId, parsePublicKey, publicKeyLine, type PublicKey } from './signature.ts';

const Entry = z.strictObject({ name: z.string().trim().min(1).max(100), key: z.string() });
const List = z.array(Entry);

export interface TrustedKey {
  name: string;
  key: PublicKey;
  from: 'shipped' | 'imported';
}

const importedPath = (home: string): string => join(home, 'trusted-keys.json');

function read(path: string, from: TrustedKey['from']): TrustedKey[] {
  if (!existsSync(path)) return [];
  try {
    const all = List.parse(JSON.parse(readFileSync(path, 'utf8')));
    return all.map(({ name, key }) => ({ name, key: parsePublicKey(key), from }));
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new AppError('trust_bad', { path, detail }, error);
  }
}

/** Errors: trust_bad. */
export const trustedKeys = (home: string): TrustedKey[] => [
  ...read(join(productRoot(), 'resources/trust/keys.json'), 'shipped'),
  ...read(importedPath(home), 'imported'),
];

function keep(home: string, keys: readonly TrustedKey[]): void {
  const list = keys.map(({ name, key }) => ({ name, key: publicKeyLine(key) }));
  replaceSynced(importedPath(home), `${JSON.stringify(list, null, 2)}\n`, 0o600);
}

/** A file that holds one, or the line itself. Errors: public_key_bad. */
export function publicKeyFrom(given: string): PublicKey {
  try {
    return parsePublicKey(existsSync(given) ? readFileSync(given, 'utf8').slice(0, 4096) : given);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new AppError('public_key_bad', { path: given, detail }, error);
  }
}

/** From now on what this key signs is by `name`. Errors: trust_bad. */
export function trustKey(home: string, key: PublicKey, name: string): void {
  const others = read(importedPath(home), 'imported').filter((t) => !t.key.key.equals(key.key));
  keep(home, [...others, { name, key, from: 'imported' }]);
}

/** True where an imported key of this id was taken out. Errors: trust_bad. */
export function distrustKey(home: string, id: string): boolean {
  const all = read(importedPath(home), 'imported');
  const left = all.filter((t) => keyId(t.key.id) !== id.toUpperCase());
  if (left.length < all.length) keep(home, left);
  return left.length < all.length;
}
