/** The hand-over archive of a box: one zip with everything, and its signature beside it (spec W7, docs/adr/0016-report.md). */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../../preload/contract/report.ts';
import type { Journal } from '../journal/journal.ts';
import { archiveName, contents } from './archive/contents.ts';
import { signBytes, type SecretKey } from './archive/minisign.ts';
import { publicKeyLine, type PublicKey } from './archive/signature.ts';
import { sha256 } from './archive/names.ts';
import { normalisePdf } from './archive/pdf.ts';
import { serialOf } from './archive/statement.ts';
import { joinZip } from './archive/zipform.ts';
import { writeOut } from './outfiles.ts';

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
  writeOut(outDir, files);
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
