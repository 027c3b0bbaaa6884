/** A site bundle on the laptop: its manifest, checked, and its files by hash (docs/adr/0005-bundle.md). */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, statSync, type ReadStream } from 'node:fs';
import { join } from 'node:path';
import { BundleManifest } from '../../preload/contract/bundle.ts';
import { AppError } from '../../preload/contract/errors.ts';

interface System {
  id: string;
  version: string;
}

/** The error of a bundle that was made for another system than the box's; null for the right one. */
export function otherSystem(madeFor: System, box: System): AppError | null {
  if (madeFor.id === box.id && madeFor.version === box.version) return null;
  const named = ({ id, version }: System) => `${id} ${version}`;
  return new AppError('bundle_wrong_system', { bundle: named(madeFor), box: named(box) });
}

export class Bundle {
  readonly dir: string;
  readonly manifest: BundleManifest;
  readonly manifestBytes: Buffer;
  readonly manifestSha256: string;
  readonly #byHash: Map<string, { path: string; size: number }>;

  /** Reads the manifest and sees that each file is there in its size; hashes are checked where the bytes arrive. */
  constructor(dir: string) {
    const { bytes, sha256, manifest } = readManifest(dir);
    this.dir = dir;
    this.manifestBytes = bytes;
    this.manifestSha256 = sha256;
    this.manifest = manifest;
    this.#byHash = new Map(this.manifest.files.map((f) => [f.sha256, f]));
    for (const file of this.manifest.files) {
      const there = statSync(join(dir, file.path), { throwIfNoEntry: false });
      if (!there) throw new AppError('bundle_corrupt', { detail: `${file.path} is missing.` });
      if (there.size !== file.size) {
        throw new AppError('bundle_corrupt', {
          detail: `${file.path} has ${there.size} bytes, not ${file.size}.`,
        });
      }
    }
  }

  /** Size in bytes of the file with this hash, null when the bundle has none. */
  size(sha256: string): number | null {
    return this.#byHash.get(sha256)?.size ?? null;
  }

  /** Its bytes from `start` to `end`, both included. */
  open(sha256: string, start: number, end: number): ReadStream {
    const file = this.#byHash.get(sha256);
    if (!file) throw new AppError('bundle_corrupt', { detail: `no file has the hash ${sha256}.` });
    return createReadStream(join(this.dir, file.path), { start, end });
  }

  /** Refuses a bundle made for another system than the box's. Errors: bundle_wrong_system. */
  requireFor(box: System): void {
    const error = otherSystem(this.manifest.distribution, box);
    if (error) throw error;
  }

  /** Refuses a bundle that lacks one of these sets. Errors: bundle_lacks. */
  requireSets(sets: readonly string[]): void {
    const missing = sets.filter((set) => !Object.hasOwn(this.manifest.sets, set));
    if (missing.length)
      throw new AppError('bundle_lacks', { what: missing.map((s) => s.toUpperCase()).join(', ') });
  }
}

/** The manifest of a bundle's folder, checked; `sha256` of its bytes names the bundle. Errors: bundle_missing, bundle_corrupt. */
export function readManifest(dir: string): { bytes: Buffer; sha256: string; manifest: BundleManifest } {
  const path = join(dir, 'manifest.json');
  if (!existsSync(path)) throw new AppError('bundle_missing', { path: dir });
  const bytes = readFileSync(path);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { bytes, sha256, manifest: parse(bytes) };
}

function parse(bytes: Buffer): BundleManifest {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new AppError('bundle_corrupt', { detail: 'manifest.json is not complete JSON.' }, error);
  }
  const parsed = BundleManifest.safeParse(json);
  if (!parsed.success) {
    throw new AppError('bundle_corrupt', {
      detail: `manifest.json: ${parsed.error.issues[0]?.message ?? 'invalid'}`,
    });
  }
  return parsed.data;
}
