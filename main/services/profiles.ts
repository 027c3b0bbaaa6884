/** Hardware profiles: read, checked, and named by their hash, so that a result can say what it was judged by. */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AppError } from '../../preload/contract/errors.ts';
import { PROFILE_VERSION, Profile } from '../../preload/contract/profile.ts';
import { productRoot } from './paths.ts';

/** The profile of those that name none. */
export const DEFAULT_PROFILE = 'vault-cube';

const SUFFIX = '.json';
const MAX_NAMED = 3;

const folder = (): string => join(productRoot(), 'resources/profiles');

/** Names of the profiles that come with the app, sorted. */
export function profileNames(): string[] {
  return readdirSync(folder())
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .sort();
}

export interface LoadedProfile {
  profile: Profile;
  /** Of the file's bytes, in hex. */
  sha256: string;
  /** Absolute. */
  path: string;
}

/**
 * A profile of the app by its name, or any by the path of its file.
 * Errors: profile_missing, profile_truncated, profile_invalid (naming the field), profile_newer.
 */
export function loadProfile(nameOrPath: string): LoadedProfile {
  const known = profileNames();
  const path = known.includes(nameOrPath) ? join(folder(), nameOrPath + SUFFIX) : resolve(nameOrPath);
  const bytes = read(path, nameOrPath, known);
  const json = parse(bytes, path);
  const found = version(json);
  if (found !== null && found > PROFILE_VERSION)
    throw new AppError('profile_newer', { path, found, known: PROFILE_VERSION });
  const parsed = Profile.safeParse(json);
  if (!parsed.success) {
    const named = parsed.error.issues.map(
      ({ path: at, message }) => `${at.join('.') || 'the file'}: ${message}`,
    );
    const more = named.length > MAX_NAMED ? `; and ${named.length - MAX_NAMED} more` : '';
    throw new AppError(
      'profile_invalid',
      { path, detail: named.slice(0, MAX_NAMED).join('; ') + more },
      parsed.error,
    );
  }
  return { profile: parsed.data, sha256: createHash('sha256').update(bytes).digest('hex'), path };
}

function read(path: string, asked: string, known: readonly string[]): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new AppError('profile_missing', { path: asked, known: known.join(', ') }, error);
  }
}

function parse(bytes: Buffer, path: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new AppError('profile_truncated', { path, detail: (error as Error).message }, error);
  }
}

/** The format's number, known before anything else of a newer format can be judged. */
function version(json: unknown): number | null {
  const v = typeof json === 'object' && json !== null && 'v' in json ? json.v : null;
  return typeof v === 'number' ? v : null;
}
