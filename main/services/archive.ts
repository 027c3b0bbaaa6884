/** The hand-over archive of a box: one zip with everything, and its signature beside it (spec W7, docs/adr/0016-report.md). */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../preload/contract/errors.ts';
import type { Report } from '../../preload/contract/report.ts';
import type { Journal } from '../journal/journal.ts';
import { archiveName, contents } from './archive/contents.ts';
import { signBytes, type SecretKey } from './archive/minisign.ts';
import { publicKeyLine, type PublicKey } from './archive/signature.ts';
import { sha256 } from './archive/names.ts';
import { normalisePdf } from './archive/pdf.ts';
import { serialOf } from './archive/statement.ts';
import { joinZip } from './archive/zipform.ts';

export type Paper = 'A4' | 'Letter';
export type Printed = { pdf: Buffer } | { pdf: null; why: string };

/**
 * Prints a page, which it may be promised before it is there: starting what prints takes as long as reading a record. Where it cannot,
 * `why` completes "report.pdf is left out: …"; it rejects with the page alone.
 */
export type Print = (html: string | Promise<string>, paper: Paper) => Promise<Printed>;

export const WITHOUT_PDF: Print = () => Promise.resolve({ pdf: null, why: 'it was not asked for' });

export interface ArchiveMade {
  report: Report;
  zip: string;
  /** Null where no key was given. */
  signature: string | null;
  /** Why report.pdf is not in it; null where it is. */
  noPdf: string | null;
  bytes: number;
  sha256: string;
}

export interface ArchiveOrder {
  appVersion: string;
  /** Null leaves it unsigned. */
  key: SecretKey | null;
  print: Print;
  /** What report.pdf is printed on; A4 where nothing is said. */
  paper?: Paper;
  /** The clock of the signature alone. */
  now?: Date;
}

/** One line: what the signature covers beside the bytes. As minisign writes it, with the box's serial and the public key. */
const trustedComment = (report: Report, file: string, key: PublicKey, now: Date): string =>
  [
    `timestamp:${Math.floor(now.getTime() / 1000)}`,
    `file:${file}`,
    `serial:${encodeURIComponent(serialOf(report))}`,
    `key:${publicKeyLine(key)}`,
    'hashed',
  ].join('\t');

/**
 * Writes `vault-cube-<serial>-<time>.zip` and, with a key, the same name with `.minisig` into `outDir`, flushes both with their
 * folder, and reads them back. The same record and the same app give the same zip.
 * Errors: unknown_box, report_invalid, output_unwritable, output_differs, laptop_disk_full, those of reading the journal.
 */
export async function makeArchive(
  journal: Journal,
  sessionId: string,
  outDir: string,
  { appVersion, key, print, paper = 'A4', now = new Date() }: ArchiveOrder,
): Promise<ArchiveMade> {
  // After the call of print, which starts what prints: reading takes all of this thread for seconds.
  const reading = Promise.resolve().then(() => contents(journal, sessionId, appVersion));
  const printing = print(
    reading.then(({ html }) => html),
    paper,
  );
  const all = await reading.catch(async (error: unknown) => {
    await printing.catch(() => undefined);
    throw error;
  });
  const printed = await printing;
  if (printed.pdf) all.add('report.pdf', normalisePdf(printed.pdf, all.report.made.utc));
  const bytes = joinZip(await all.entries());
  const name = `${archiveName(all.report)}.zip`;
  const zip = join(outDir, name);
  const signature = key && signBytes(bytes, key, trustedComment(all.report, name, key, now));
  const files = [{ path: zip, bytes }];
  if (signature) files.push({ path: `${zip}.minisig`, bytes: Buffer.from(signature) });
  writeAll(outDir, files);
  // One of an earlier export of the same record, under another key, says nothing of these bytes.
  if (!signature) rmSync(`${zip}.minisig`, { force: true });
  return {
    report: all.report,
    zip,
    signature: signature ? `${zip}.minisig` : null,
    noPdf: printed.pdf ? null : printed.why,
    bytes: bytes.length,
    sha256: sha256(bytes),
  };
}

function writeBytes(path: string, bytes: Buffer): void {
  const fd = openSync(path, 'w');
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function syncFolder(path: string): void {
  // Windows cannot; there the rename alone has to do.
  if (process.platform === 'win32') return;
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** All of them or none; on the disk, which may be one that is pulled out next, and read back from there. */
function writeAll(dir: string, files: readonly { path: string; bytes: Buffer }[]): void {
  const parts = files.map((f) => ({ ...f, part: `${f.path}.part` }));
  try {
    mkdirSync(dir, { recursive: true });
    for (const { part, bytes } of parts) writeBytes(part, bytes);
    for (const { part, path } of parts) renameSync(part, path);
    syncFolder(dir);
  } catch (error) {
    for (const { part } of parts) rmSync(part, { force: true });
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new AppError('laptop_disk_full', { path: dir }, error);
    throw new AppError('output_unwritable', { path: dir, detail: message }, error);
  }
  for (const { path, bytes } of files) readBack(path, bytes);
}

/** Errors: output_differs. */
function readBack(path: string, wanted: Buffer): void {
  let found: Buffer;
  try {
    found = readFileSync(path);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new AppError('output_differs', { path, detail }, error);
  }
  if (found.equals(wanted)) return;
  throw new AppError('output_differs', { path, detail: 'it holds other bytes than were written.' });
}
