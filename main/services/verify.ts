/** Looks at a hand-over archive that lies on this laptop. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import type { Verification } from '../../preload/contract/verification.ts';
import { failed, judge, said } from './archive/judge.ts';
import { PROVING } from './archive/minisign.ts';
import type { TrustedKey } from './archive/trust.ts';
import { readZip } from './archive/zip.ts';
import { MAX_ZIP_BYTES, ZipError } from './archive/zipform.ts';

export interface VerifyOptions {
  trusted: readonly TrustedKey[];
  /** Where the signature lies; beside the file by default. */
  signature?: string | undefined;
  version: string;
}

/** More is no signature, and is not read. */
const MAX_SIGNATURE_BYTES = 1024 ** 2;

function signatureAt(path: string): Buffer | null {
  if (!existsSync(path)) return null;
  return statSync(path).size > MAX_SIGNATURE_BYTES ? Buffer.alloc(MAX_SIGNATURE_BYTES) : readFileSync(path);
}

function unpacked(bytes: Buffer): ReadonlyMap<string, Buffer> | ZipError {
  try {
    return readZip(bytes);
  } catch (error) {
    if (error instanceof ZipError) return error;
    throw error;
  }
}

/** Never throws for what the file holds: that is in the answer, in words. */
export function verifyArchive(path: string, { trusted, signature, version }: VerifyOptions): Verification {
  let bytes: Buffer;
  let sig: Buffer | null;
  try {
    if (statSync(path).size > MAX_ZIP_BYTES) return failed(path, 'It is too large to be a report.');
    bytes = readFileSync(path);
    sig = signatureAt(signature ?? `${path}.minisig`);
  } catch (error) {
    return failed(path, `The file cannot be read: ${said(error)}.`);
  }
  const given = { path, bytes, signature: sig, trusted, version, proving: PROVING, sameRuntime: () => true };
  return judge(given, unpacked(bytes));
}
