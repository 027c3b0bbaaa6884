/** What lies beside an image: its manifest.json and its SHA-256, read and held against it. */
import { readFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { AppError } from '../../../../preload/contract/errors.ts';
import { ImageManifest } from '../../../../preload/contract/image.ts';
import { sha256Of } from '../../bundle/hashes.ts';
import { refusalsOf } from './types.ts';

export interface Sidecars {
  /** Of this image; null where there is none, or it is another image's. */
  manifest: ImageManifest | null;
  /** Of the image file; null where neither says. */
  fileSha256: string | null;
  /** The file that says it, for people. */
  from: string | null;
}

/** A manifest names every package and every chunk: 50 GB are 12,800 chunks. */
const MAX_BYTES = 32 * 1024 * 1024;

function textOf(path: string): string | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw refusalsOf(path).unreadable(error);
  }
  if (bytes.length > MAX_BYTES)
    throw new AppError('image_sidecar_invalid', { path, detail: `it has ${bytes.length} bytes` });
  return bytes.toString('utf8');
}

/** The hash that a file of sha256sum has for `name`; null where it names others only. Pure. Throws a plain Error for other text. */
export function parseSha256(text: string, name: string): string | null {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new Error('it is empty');
  let found: string | null = null;
  for (const line of lines) {
    const [, hex, file] = /^\\?([0-9a-fA-F]{64})(?:\s+\*?(.+?))?\s*$/.exec(line) ?? [];
    if (hex === undefined) throw new Error(`a line of it is none of sha256sum: ${line.slice(0, 80)}`);
    // A hash alone can only be meant for this one.
    if (file !== undefined ? basename(file) !== name : lines.length > 1) continue;
    const sha256 = hex.toLowerCase();
    if (found !== null && found !== sha256) throw new Error(`it has two hashes for ${name}`);
    found = sha256;
  }
  return found;
}

/**
 * Reads them: `IMAGE.sha256`, or the same with the image's ending left out, and `manifest.json` in the same folder, where its
 * `file` is this image. Errors: image_sidecar_invalid, image_sidecars_differ, image_unreadable.
 */
export function readSidecars(imagePath: string): Sidecars {
  const dir = dirname(imagePath);
  const name = basename(imagePath);
  const manifestPath = join(dir, 'manifest.json');
  const manifest = readManifest(manifestPath, name);
  const stem = join(dir, basename(name, extname(name)));
  for (const path of new Set([`${imagePath}.sha256`, `${stem}.sha256`])) {
    const text = textOf(path);
    if (text === null) continue;
    let sha256: string | null;
    try {
      sha256 = parseSha256(text, name);
    } catch (error) {
      throw new AppError('image_sidecar_invalid', { path, detail: (error as Error).message }, error);
    }
    if (sha256 === null) continue;
    if (manifest && manifest.fileSha256 !== sha256)
      throw new AppError('image_sidecars_differ', { path: imagePath, one: path, other: manifestPath });
    return { manifest, fileSha256: sha256, from: path };
  }
  return { manifest, fileSha256: manifest?.fileSha256 ?? null, from: manifest && manifestPath };
}

/** What an order tells of its image, for whoever reads it later; nothing where no manifest lies beside it. Pure. */
export function orderedImage({ manifest }: Sidecars): Record<string, unknown> {
  if (manifest === null) return {};
  const { name, version, fileSha256, labels } = manifest;
  return { manifest: { name, version, fileSha256, ...(labels.length ? { labels } : {}) } };
}

function readManifest(path: string, name: string): ImageManifest | null {
  const text = textOf(path);
  if (text === null) return null;
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (error) {
    throw new AppError('image_sidecar_invalid', { path, detail: 'it is not complete JSON' }, error);
  }
  // Another program's file of this name, or another image's, says nothing about this one.
  if (typeof found !== 'object' || found === null || (found as { file?: unknown }).file !== name) return null;
  const parsed = ImageManifest.safeParse(found);
  if (parsed.success) return parsed.data;
  const detail = parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; ');
  throw new AppError('image_sidecar_invalid', { path, detail });
}

/**
 * Reads the whole file once and compares. Answers whether there was a hash to compare with. Errors: image_changed,
 * image_unreadable.
 */
export async function checkFile(
  imagePath: string,
  { fileSha256, from }: Sidecars,
  opts: { onBytes?: (bytes: number) => void; signal?: AbortSignal } = {},
): Promise<boolean> {
  if (fileSha256 === null) return false;
  let found: string;
  try {
    found = await sha256Of(imagePath, opts);
  } catch (error) {
    opts.signal?.throwIfAborted();
    throw refusalsOf(imagePath).unreadable(error);
  }
  if (found !== fileSha256)
    throw new AppError('image_changed', { path: imagePath, found, wanted: fileSha256, from: from ?? '' });
  return true;
}
