/** What every service stands on: the journal, the pinned host keys, the code for the box, and whom to ask. */
import { existsSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import type { LinkState } from '../../preload/contract/job.ts';
import { reconcileLocal } from '../journal/localjob.ts';
import { Journal } from '../journal/journal.ts';
import type { HostKeyQuestion } from '../remote/connection.ts';
import { KnownHosts } from '../remote/hostkeys.ts';
import { packBoxCode, type BoxCode } from './boxcode.ts';
import { dataHome } from './datahome.ts';
import { privateFolder } from './paths.ts';
import { PracticeBoxes } from './practiceboxes.ts';

export interface RebootQuestion {
  /** The box's name. */
  box: string;
  why: string;
  seconds: number;
}

/** The person, or what stands in for one: the command line and the window each bring theirs. */
export interface Person {
  /** True when the shown fingerprint was compared and is right. */
  confirmHostKey(question: HostKeyQuestion): Promise<boolean>;
  /** True where the box may reboot now; asked with what for, and answered by itself with yes after `seconds`. */
  confirmReboot(question: RebootQuestion): Promise<boolean>;
  /** A line for whoever looks on; not part of any record. */
  note(text: string): void;
  link(state: LinkState, detail: string): void;
}

declare const __APP_VERSION__: string | undefined;

/** Version and commit, put in by the bundler; "development" when run from source. */
export const APP_VERSION = typeof __APP_VERSION__ === 'string' ? __APP_VERSION__ : 'development';

export interface App {
  readonly home: string;
  readonly journal: Journal;
  readonly knownHosts: KnownHosts;
  readonly laptop: { name: string; user: string };
  readonly version: string;
  readonly person: Person;
  /** The practice boxes of this laptop; one is started when it is first dialled. */
  readonly practice: PracticeBoxes;
  /** Packed on first use. */
  boxCode(): Promise<BoxCode>;
  close(): void;
}

/** The user's name; some containers have none for their uid. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

/**
 * Opens the app's data folder. With `readOnly` nothing is written to the journal, as for status and reports; without it a
 * journal that cannot be written is refused here, before anything is done with a box.
 * Errors: journal_readonly, journal_newer, journal_damaged, journal_busy, journal_older, laptop_disk_full.
 */
export function openApp(person: Person, opts: { home?: string; readOnly?: boolean } = {}): App {
  const home = privateFolder(opts.home ?? dataHome());
  const path = join(home, 'journal.db');
  // A laptop that knows no box yet has no journal to read: an empty one says so.
  const journal = Journal.open(path, { readOnly: (opts.readOnly ?? false) && existsSync(path) });
  try {
    if (!opts.readOnly) journal.mustWrite();
    if (!journal.readOnly) reconcileLocal(journal);
  } catch (error) {
    journal.close();
    throw error;
  }
  let code: Promise<BoxCode> | null = null;
  const boxCode = () => (code ??= packBoxCode());
  const practice = new PracticeBoxes(home, boxCode);
  return {
    home,
    journal,
    knownHosts: new KnownHosts(join(home, 'known_hosts')),
    laptop: { name: hostname(), user: userName() },
    version: APP_VERSION,
    person,
    practice,
    boxCode,
    close: () => {
      void practice.stop();
      journal.close();
    },
  };
}
