/** Whether a set of an image is whole, and by whom: with nothing but the set and the keys that are known here. */
import { existsSync, lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../../preload/contract/errors.ts';
import { ImageManifest } from '../../../preload/contract/image.ts';
import { PROVING } from '../archive/minisign.ts';
import { keyId, parseSignature, signed } from '../archive/signature.ts';
import type { TrustedKey } from '../archive/trust.ts';
import { sha256Of } from '../bundle/hashes.ts';
import { parseSha256 } from '../flash/source/sidecars.ts';
import { chunkMap } from './chunks.ts';

export type KnownKey = Pick<TrustedKey, 'name' | 'key'>;

/** `unsigned` and `unknown` leave it open by whom the set is. */
export type Signed =
  | { state: 'valid'; by: string; keyId: string; comment: string }
  | { state: 'unknown'; keyId: string }
  | { state: 'unsigned' }
  | { state: 'invalid' };

export interface VerifiedSet {
  manifest: ImageManifest;
  problems: string[];
  signature: Signed;
}

export const MANIFEST = 'manifest.json';
export const SIGNATURE = `${MANIFEST}.minisig`;

/** Errors: image_set_unreadable. */
export function readSet(dir: string): { manifest: ImageManifest; bytes: Buffer } {
  const unreadable = (detail: string, cause?: unknown): AppError =>
    new AppError('image_set_unreadable', { path: dir, detail }, cause);
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(dir, MANIFEST));
  } catch (error) {
    throw unreadable(`there is no ${MANIFEST} in it.`, error);
  }
  try {
    const parsed = ImageManifest.safeParse(JSON.parse(bytes.toString('utf8')));
    if (parsed.success) return { manifest: parsed.data, bytes };
    const [first] = parsed.error.issues;
    throw new Error(`${first?.path.join('.')}: ${first?.message}`);
  } catch (error) {
    throw unreadable(`its manifest is none of an image: ${(error as Error).message}.`, error);
  }
}

function judgeSignature(dir: string, bytes: Buffer, keys: readonly KnownKey[], problems: string[]): Signed {
  const path = join(dir, SIGNATURE);
  if (!existsSync(path)) return { state: 'unsigned' };
  try {
    const signature = parseSignature(readFileSync(path));
    const known = keys.find(({ key }) => key.id.equals(signature.id));
    if (!known) return { state: 'unknown', keyId: keyId(signature.id) };
    if (signed(bytes, signature, known.key, PROVING))
      return { state: 'valid', by: known.name, keyId: keyId(signature.id), comment: signature.trusted };
    problems.push(`${MANIFEST} is not what the key of ${known.name} signed.`);
  } catch (error) {
    problems.push(`${SIGNATURE} is no signature: ${(error as Error).message}.`);
  }
  return { state: 'invalid' };
}

async function judgeFile(
  dir: string,
  file: string,
  sha256: string,
  bytes: number | null,
  signal?: AbortSignal,
): Promise<string[]> {
  const path = join(dir, file);
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return [`${file} is missing.`];
  if (!stat.isFile()) return [`${file} is no plain file.`];
  if (bytes !== null && stat.size !== bytes) return [`${file} has ${stat.size} bytes, not ${bytes}.`];
  const found = await sha256Of(path, { signal });
  return found === sha256 ? [] : [`${file} has other bytes than the manifest says.`];
}

/** The disk within the image: each chunk that is another one is named. */
async function judgeDisk(dir: string, manifest: ImageManifest, signal?: AbortSignal): Promise<string[]> {
  const map = await chunkMap(join(dir, manifest.file), signal ? { signal } : {});
  if (map.virtualSize !== manifest.virtualSize)
    return [`the disk in ${manifest.file} has ${map.virtualSize} bytes, not ${manifest.virtualSize}.`];
  const wanted = manifest.chunks;
  const bad = wanted ? map.chunks.flatMap((hash, i) => (hash === wanted[i] ? [] : [i])) : [];
  if (wanted && wanted.length !== map.chunks.length)
    return ['the chunk map has another length than the disk.'];
  if (bad.length) return [`${bad.length} chunks of the disk differ, the first is number ${bad[0]}.`];
  return map.diskRoot === manifest.diskRoot
    ? []
    : ['the disk hashes to another number than the manifest says.'];
}

/** Errors: image_set_unreadable where there is no set at all. All else that is wrong is among the problems. */
export async function verifySet(
  dir: string,
  { keys, signal }: { keys: readonly KnownKey[]; signal?: AbortSignal },
): Promise<VerifiedSet> {
  const { manifest, bytes } = readSet(dir);
  const problems: string[] = [];
  const signature = judgeSignature(dir, bytes, keys, problems);
  const { build } = manifest;
  if (!build) problems.push('the manifest does not say how the image was built.');
  if (!manifest.chunks) problems.push('the manifest has no chunk map.');
  if (!manifest.sbom?.components.length) problems.push('the manifest does not say what is installed.');
  const others = build?.artefacts ?? [];
  const known = new Set([MANIFEST, SIGNATURE, manifest.file, ...others.map(({ file }) => file)]);
  for (const name of readdirSync(dir))
    if (!known.has(name)) problems.push(`${name} is in the folder and not in the manifest.`);
  for (const { file, bytes: size, sha256 } of others)
    problems.push(...(await judgeFile(dir, file, sha256, size, signal)));
  problems.push(
    ...judgeSidecar(
      dir,
      manifest,
      others.map(({ file }) => file),
    ),
  );
  const image = await judgeFile(dir, manifest.file, manifest.fileSha256, build?.fileBytes ?? null, signal);
  problems.push(...image);
  // Of a file that is another one, its chunks tell where.
  if (existsSync(join(dir, manifest.file)))
    try {
      problems.push(...(await judgeDisk(dir, manifest, signal)));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      problems.push(error.message);
    }
  return { manifest, problems, signature };
}

/** sha256sum's file, for people who have nothing else. */
function judgeSidecar(dir: string, manifest: ImageManifest, files: readonly string[]): string[] {
  const name = files.find((file) => file.endsWith('.sha256'));
  if (name === undefined) return ['the set has no .sha256.'];
  const path = join(dir, name);
  if (!existsSync(path)) return [];
  try {
    const found = parseSha256(readFileSync(path, 'utf8'), manifest.file);
    return found === manifest.fileSha256 ? [] : [`${name} names another hash than the manifest.`];
  } catch (error) {
    return [`${name}: ${(error as Error).message}.`];
  }
}
