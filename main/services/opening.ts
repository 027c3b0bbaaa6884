/** Opening the data folder for the window: what cannot be written any more can still be looked at, and reports be made of it. */
import { AppError, type ErrorCode } from '../../preload/contract/errors.ts';
import { openApp, type App, type Person } from './app.ts';

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
