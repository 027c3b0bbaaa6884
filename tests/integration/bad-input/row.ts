/** One row of the table of bad input: what is done to box or laptop, what is typed, and what must come of it. */
import type { ErrorCode } from '../../../preload/contract/errors.ts';
import type { CliRun, Ended, SecretsGiven } from '../cli.ts';
import type { Bench } from './bench.ts';

/** What may be wrong, in the words of the specification of the command line's bad input; each has a row or more. */
export const ITEMS = [
  ...['unknown host', 'refused port', 'not SSH', 'wrong password', 'banned', 'forced password change'],
  ...['password login off', 'noisy shell rc', 'login shell nologin', 'root-only login'],
  ...['key file missing', 'key file not a key', 'key file world-readable', 'key file wrong passphrase'],
  ...['key file RSA 1024', 'no python3', 'no sudo', 'wrong sudo password', 'sudo wants a tty'],
  ...['UID 1000 taken', 'profile truncated', 'profile of a newer version', 'laptop disk full'],
  ...['journal read-only', 'journal of a newer version', 'box disk full', 'apt lock held'],
  ...['dpkg half-configured', 'clock at 1970', 'clock +10 years'],
] as const;
export type Item = (typeof ITEMS)[number];

/** What must be as it was, beside what always must: everything recorded before, and the pinned host keys. */
export type Unchanged =
  /** Accounts, sudo, sshd, homes, packages and the app's folders on the box, byte for byte. */
  | 'box'
  /** The box's document in the journal. */
  | 'session'
  /** The list of jobs: not even a failed attempt is added. */
  | 'jobs';

/** Takes the cause away again; called once. */
export type Undo = () => Promise<void>;

export interface Row {
  item: Item;
  /** Where an item has several rows: which. */
  which?: string;
  /** Does the bad thing. What it gives takes it away. */
  cause: (bench: Bench) => Promise<Undo>;
  /** Arguments after `vault-cube`. */
  command: (bench: Bench) => string[];
  /** Beside the bench's own. */
  secrets?: SecretsGiven;
  /** Done while the command runs, for what comes in the middle of a job; what it gives is undone, too. */
  during?: (bench: Bench, run: CliRun) => Promise<Undo | void>;
  /** Null where the job waits or mends instead, and ends well. */
  code: ErrorCode | null;
  exit: number;
  /** Words that the sentence must hold, for what is particular to this row. */
  says?: RegExp;
  unchanged: readonly Unchanged[];
  /** Typed when the cause is gone, where it is not the same command again. */
  again?: (bench: Bench) => string[];
  /** Exit codes with which it then goes on; a result, not an error. */
  then: readonly number[];
  /** A look of our own after that. */
  after?: (bench: Bench, ended: Ended, again: Ended) => Promise<void>;
  /** Also typed as a person does, without --json: once for each family of errors. */
  person?: true;
}

export const nameOf = ({ item, which }: Row): string => (which ? `${item}: ${which}` : item);
