/** A box's archive for tests: made from a journal, signed with a key, looked at as its receiver does. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  makeArchive,
  WITHOUT_PDF,
  type ArchiveMade,
  type ArchiveOrder,
} from '../../../main/services/archive.ts';
import { sha256, SUMS } from '../../../main/services/archive/names.ts';
import { newSecretKey, signBytes, type SecretKey } from '../../../main/services/archive/minisign.ts';
import type { TrustedKey } from '../../../main/services/archive/trust.ts';
import { pack, readZip } from '../../../main/services/archive/zip.ts';
import { joinZip } from '../../../main/services/archive/zipform.ts';
import { verifyArchive } from '../../../main/services/verify.ts';
import type { Verification } from '../../../preload/contract/verification.ts';
import { NOW, type Desk } from '../report/desk.ts';

export const KEY: SecretKey = newSecretKey();
export const VERSION = '0.1.0+test';
export const TRUSTED: TrustedKey[] = [{ name: 'Kim', key: KEY, from: 'imported' }];

export const archive = (desk: Desk, more: Partial<ArchiveOrder> = {}, out = 'out'): Promise<ArchiveMade> =>
  makeArchive(desk.journal, desk.session.id, join(desk.dir, out), {
    appVersion: VERSION,
    key: KEY,
    print: WITHOUT_PDF,
    now: NOW,
    ...more,
  });

export const verify = (path: string, trusted: readonly TrustedKey[] = TRUSTED): Verification =>
  verifyArchive(path, { trusted, version: VERSION });

/** Changes files of the archive with SHA256SUMS made right again, and signs it anew: as whoever holds the key could. */
export async function edited(
  path: string,
  change: (files: Map<string, Buffer>) => void,
  key: SecretKey = KEY,
): Promise<void> {
  const files = readZip(readFileSync(path));
  change(files);
  files.delete(SUMS);
  const names = [...files.keys()].sort();
  const sums = names.map((n) => `${sha256(files.get(n) ?? Buffer.alloc(0))}  ${n}\n`).join('');
  files.set(SUMS, Buffer.from(sums));
  const bytes = joinZip(await Promise.all([...files].map(([name, content]) => pack(name, content))));
  writeFileSync(path, bytes);
  writeFileSync(`${path}.minisig`, signBytes(bytes, key, 'timestamp:1795500000'));
}
