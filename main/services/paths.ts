/** Folders of the app: private ones, and where its resources are. */
import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../preload/contract/errors.ts';

/** Makes a folder that only this user can read. Errors: journal_readonly, laptop_disk_full. */
export function privateFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    // One that is right already may be where nothing can be written, and be read all the same.
    if (process.platform !== 'win32' && statSync(path).mode & 0o077) chmodSync(path, 0o700);
    return path;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new AppError(code === 'ENOSPC' ? 'laptop_disk_full' : 'journal_readonly', { path }, error);
  }
}

/** The folder that holds `resources/` and `ansible/`: the checkout, or what the package carries. */
export function productRoot(): string {
  let dir = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(dir, 'resources/box'))) {
    const up = dirname(dir);
    if (up === dir)
      throw new AppError('internal', { detail: 'the resources folder is not beside the program' });
    dir = up;
  }
  return dir;
}
