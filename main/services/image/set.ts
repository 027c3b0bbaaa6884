/** A set of an image as the window shows it: its files by the manifest, and the proof that they are those. */
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ImageProof, ImageSet } from '../../../preload/contract/image-desk.ts';
import type { ImageManifest } from '../../../preload/contract/image.ts';
import type { Outcome } from '../../../preload/contract/outcome.ts';
import {
  MANIFEST,
  SIGNATURE,
  readSet,
  verifySet,
  type KnownKey,
  type Signed,
  type VerifiedSet,
} from './verify.ts';

const bytesOf = (path: string): number | null => statSync(path, { throwIfNoEntry: false })?.size ?? null;

function setOf(dir: string, manifest: ImageManifest): ImageSet {
  const { name, version, created, labels, file, virtualSize, build } = manifest;
  const names = [file, ...(build?.artefacts.map((one) => one.file) ?? []), MANIFEST];
  const signature = bytesOf(join(dir, SIGNATURE));
  const files = names.map((one) => ({ file: one, bytes: bytesOf(join(dir, one)) }));
  return {
    ...{ dir, image: join(dir, file), name, version, created, labels, virtualSize },
    ...{ evidence: build?.evidence ?? null, build: build?.id ?? null },
    files: signature === null ? files : [...files, { file: SIGNATURE, bytes: signature }],
  };
}

/** Reads the manifest alone. Errors: image_set_unreadable. */
export function lookAtSet(given: string): ImageSet {
  const dir = resolve(given);
  return setOf(dir, readSet(dir).manifest);
}

/** By whom the set is, in words that follow "whole" or "not whole". */
export function signedWords(signature: Signed): string {
  switch (signature.state) {
    case 'valid':
      return `signed by ${signature.by} (${signature.keyId})`;
    case 'unknown':
      return `signed by a key that is not known here (${signature.keyId})`;
    case 'unsigned':
      return 'not signed';
    case 'invalid':
      return 'its signature does not hold';
  }
}

/** `incomplete` where it is whole, and nobody known signed it. */
export function outcomeOfSet({ problems, signature }: Pick<VerifiedSet, 'problems' | 'signature'>): Outcome {
  if (problems.length) return 'failed';
  return signature.state === 'valid' ? 'passed' : 'incomplete';
}

/** Reads the whole set. Errors: image_set_unreadable. */
export async function proveSet(given: string, keys: readonly KnownKey[]): Promise<ImageProof> {
  const dir = resolve(given);
  const { manifest, problems, signature } = await verifySet(dir, { keys });
  const whole = problems.length
    ? `not whole, ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`
    : 'whole';
  return {
    set: setOf(dir, manifest),
    outcome: outcomeOfSet({ problems, signature }),
    sentence: `${manifest.name} ${manifest.version}: ${whole}, ${signedWords(signature)}.`,
    problems,
  };
}
