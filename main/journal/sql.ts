/** A thin typed layer over the database: prepared statements kept, transactions, and errors that people can read. */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type DatabaseSyncInstance, type StatementSyncInstance } from '@photostructure/sqlite';
import { AppError } from '../../preload/contract/errors.ts';

export type Value = string | number | null | Uint8Array;

/** How long a write waits for another process of the app, in ms. Each of ours holds the lock for milliseconds. */
const BUSY_MS = 10_000;
/** Less room than this on the disk and SQLite's plain "I/O error" means that it is full. */
const ROOM_BYTES = 1024 * 1024;

const BUSY = 5;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

/** SQLite's own words: what the library throws while it reads many rows carries no code. */
const BY_TEXT: ReadonlyMap<string, number> = new Map([
  ['database is locked', BUSY],
  ['attempt to write a readonly database', READONLY],
  ['disk I/O error', IOERR],
  ['database disk image is malformed', CORRUPT],
  ['database or disk is full', FULL],
  ['unable to open database file', CANTOPEN],
  ['file is not a database', NOTADB],
]);

function primaryCode(error: unknown): number {
  if (!(error instanceof Error)) return 0;
  if ('errcode' in error && typeof error.errcode === 'number') return error.errcode & 0xff;
  return BY_TEXT.get(error.message) ?? 0;
}

function diskIsFull(path: string): boolean {
  try {
    const { bavail, bsize, ffree, files } = statfsSync(dirname(path));
    return bavail * bsize < ROOM_BYTES || (files > 0 && ffree === 0);
  } catch {
    return false;
  }
}

/** What the database threw, as the app's error. `path` is the journal's file. */
export function journalError(error: unknown, path: string): AppError {
  if (error instanceof AppError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  const full = () => new AppError('laptop_disk_full', { path: dirname(path) }, error);
  switch (primaryCode(error)) {
    case FULL:
      return full();
    case BUSY:
      return new AppError('journal_busy', { path, seconds: BUSY_MS / 1000 }, error);
    case READONLY:
      return new AppError('journal_readonly', { path }, error);
    case CANTOPEN:
      return diskIsFull(path) ? full() : new AppError('journal_readonly', { path }, error);
    case IOERR:
      return diskIsFull(path) ? full() : new AppError('journal_damaged', { path, detail }, error);
    case CORRUPT:
    case NOTADB:
      return new AppError('journal_damaged', { path, detail }, error);
    default:
      return new AppError('internal', { detail }, error);
  }
}

/** A connection. Every method throws AppError only. */
export class Sql {
  readonly path: string;
  readonly #db: DatabaseSyncInstance;
  readonly #statements = new Map<string, StatementSyncInstance>();
  #depth = 0;

  /** `location` differs from `path` where the file is opened by a URL with options. */
  constructor(path: string, readOnly: boolean, location: string | URL = path) {
    this.path = path;
    try {
      this.#db = new DatabaseSync(location, {
        readOnly,
        timeout: BUSY_MS,
        enableForeignKeyConstraints: true,
      });
    } catch (error) {
      throw journalError(error, path);
    }
  }

  exec(text: string): void {
    this.#guard(() => this.#db.exec(text));
  }

  run(text: string, ...values: Value[]): number {
    return this.#guard(() => this.#prepare(text).run(...values).changes);
  }

  get<T>(text: string, ...values: Value[]): T | undefined {
    return this.#guard(() => this.#prepare(text).get(...values) as T | undefined);
  }

  all<T>(text: string, ...values: Value[]): T[] {
    return this.#guard(() => this.#prepare(text).all(...values) as T[]);
  }

  /** The id of the row inserted last. */
  lastId(): number {
    return this.get<{ id: number }>('select last_insert_rowid() as id')?.id ?? 0;
  }

  get inTransaction(): boolean {
    return this.#depth > 0;
  }

  /** Reads of `fn` see one state of the file, whatever other processes write meanwhile. */
  snapshot<T>(fn: () => T): T {
    if (this.#depth > 0) return fn();
    this.exec('begin');
    this.#depth = 1;
    try {
      return fn();
    } finally {
      this.#depth = 0;
      if (this.#db.isTransaction) this.exec('commit');
    }
  }

  /** All of `fn` or nothing. Inside another it joins that one. The write lock is taken at once, so that a read stays true. */
  transaction<T>(fn: () => T): T {
    if (this.#depth > 0) return fn();
    this.exec('begin immediate');
    this.#depth = 1;
    try {
      const result = fn();
      this.exec('commit');
      return result;
    } catch (error) {
      // A full disk makes SQLite roll back by itself.
      if (this.#db.isTransaction) this.exec('rollback');
      throw error;
    } finally {
      this.#depth = 0;
    }
  }

  /**
   * Ends the use of the connection. The library lets the file itself go only when its statements were collected as garbage,
   * so the empty -wal file may stay beside until the process ends.
   */
  close(): void {
    this.#statements.clear();
    if (this.#db.isOpen) this.#db.close();
  }

  #prepare(text: string): StatementSyncInstance {
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = this.#db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }

  #guard<T>(fn: () => T): T {
    try {
      return fn();
    } catch (error) {
      throw journalError(error, this.path);
    }
  }
}
