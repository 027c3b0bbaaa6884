/** Files that are handed out, perhaps on a drive that is pulled next: flushed with their folder, and read back. */
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
import { AppError } from '../../preload/contract/errors.ts';

export interface OutFile {
  path: string;
  bytes: Buffer;
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

/**
 * All of them or none, on the disk, and read back from there. `dir`: where all of them lie; made if it is not there.
 * Errors: output_unwritable, output_differs, laptop_disk_full.
 */
export function writeOut(dir: string, files: readonly OutFile[]): void {
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
