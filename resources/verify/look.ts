/** One archive, as `vault-cube verify` looks at it: the same code, on files that a browser was given. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { blake2b } from '@noble/hashes/blake2.js';
import { failed, judge, type Tell } from '../../main/services/archive/judge.ts';
import type { Proving } from '../../main/services/archive/signature.ts';
import type { TrustedKey } from '../../main/services/archive/trust.ts';
import { MAX_ZIP_BYTES } from '../../main/services/archive/zipform.ts';
import { localTime } from '../../main/services/report/words.ts';
import type { Report } from '../../preload/contract/report.ts';
import type { Verification } from '../../preload/contract/verification.ts';
import { readZip } from './inflate.ts';

const PROVING: Proving = {
  blake2b512: (bytes) => blake2b(bytes, { dkLen: 64 }),
  // As OpenSSL does it (RFC 8032), which the app verifies with: what one refuses the other must not take.
  ed25519: (signature, message, key) => {
    try {
      return ed25519.verify(signature, message, key, { zip215: false });
    } catch {
      return false;
    }
  },
};

/** Errors: those of reading the files. */
export async function look(
  zip: File,
  signature: File | null,
  trusted: readonly TrustedKey[],
  tell: Tell,
): Promise<Verification> {
  if (zip.size > MAX_ZIP_BYTES) return failed(zip.name, 'It is too large to be a report.');
  const read = async (file: File) => Buffer.from(await file.arrayBuffer());
  const bytes = await read(zip);
  const given = {
    ...{ path: zip.name, bytes, signature: signature && (await read(signature)), trusted },
    ...{ version: __APP_VERSION__, proving: PROVING, tell },
    // Browsers bring their own names of time zones; where they differ, nothing can be compared that has times in it.
    sameRuntime: ({ made }: Report) => localTime(made.utc, made.zone) === made.local,
  };
  return judge(given, await readZip(bytes, (part) => tell('unpack', part)));
}
