/** Opening the data folder for the window: what cannot be written any more can still be looked at, and reports be made of it. */
import { accessSync, constants, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { AppError, type ErrorCode } from '../../preload/contract/errors.ts';
import { openApp, type App, type Person } from './app.ts';
import { dataHome } from './paths.ts';

/** The record is whole, and nothing can be added to it. */
const READABLE: readonly ErrorCode[] = ['journal_newer', 'journal_readonly', 'laptop_disk_full'];

export interface Opening {
  core: App;
  /** Why nothing can be recorded; null where all is well. */
  problem: AppError | null;
}

/** Errors: those of openApp, where there is not even something to read. */
export function openForWindow(person: Person): Opening {
  try {
    return { core: openApp(person), problem: null };
  } catch (error) {
    if (!(error instanceof AppError) || !READABLE.includes(error.code)) throw error;
    return { core: openApp(person, { readOnly: true }), problem: error };
  }
}

/** Where Chromium keeps its own files: with the app's data; in a folder for this once where nothing can be written there. */
export function chromiumFolder(): string {
  const own = resolve(dataHome(), 'chromium');
  try {
    mkdirSync(own, { recursive: true, mode: 0o700 });
    accessSync(own, constants.W_OK);
    return own;
  } catch {
    return mkdtempSync(join(tmpdir(), 'vault-cube-chromium-'));
  }
}
