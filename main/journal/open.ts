/** Opening the journal's file: settings, format, migration after a copy, and the refusals. */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { pathToFileURL } from 'node:url';
import { AppError } from '../../preload/contract/errors.ts';
import { APPLICATION_ID, FORMAT, MIGRATIONS } from './schema.ts';
import { Sql, journalError } from './sql.ts';

export interface Opened {
  sql: Sql;
  readOnly: boolean;
  /** The file's format where it is newer than this version's. */
  newerFormat: number | null;
}

function format(sql: Sql): number {
  return sql.get<{ user_version: number }>('pragma user_version')?.user_version ?? 0;
}

function hasTables(sql: Sql): boolean {
  return sql.get('select 1 from sqlite_schema limit 1') !== undefined;
}

function mustBeOurs(sql: Sql): void {
  const id = sql.get<{ application_id: number }>('pragma application_id')?.application_id;
  if (id !== APPLICATION_ID && hasTables(sql)) {
    throw new AppError('journal_damaged', { path: sql.path, detail: 'it is a database of another program.' });
  }
}

/**
 * Opens for reading. Even that makes a file beside it; where the folder cannot be written or the disk is full, the file is
 * read as it is, if no other file holds a part of it.
 */
function openToRead(path: string): Sql {
  if (!existsSync(path)) throw new AppError('journal_readonly', { path });
  const read = (location: string | URL) => {
    const sql = new Sql(path, true, location);
    try {
      format(sql);
      return sql;
    } catch (error) {
      sql.close();
      throw error;
    }
  };
  try {
    return read(path);
  } catch (error) {
    const wal = statSync(`${path}-wal`, { throwIfNoEntry: false });
    const alone = !wal || wal.size === 0;
    const unwritable =
      error instanceof AppError && (error.code === 'journal_readonly' || error.code === 'laptop_disk_full');
    if (!unwritable || !alone) throw error;
    const url = pathToFileURL(path);
    url.searchParams.set('immutable', '1');
    return read(url);
  }
}

function mustBeWritable(path: string): void {
  try {
    if (existsSync(path)) accessSync(path, constants.W_OK);
  } catch (error) {
    throw new AppError('journal_readonly', { path }, error);
  }
}

/** A whole copy of the file as it is now, beside it. A second connection reads while the first keeps writers out. */
function copyBeside(path: string, found: number): void {
  const target = `${path}.v${found}.bak`;
  const part = `${target}.part`;
  const reader = new Sql(path, true);
  try {
    rmSync(part, { force: true });
    reader.run('vacuum into ?', part);
    const fd = openSync(part, 'r+');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(part, target);
  } catch (error) {
    rmSync(part, { force: true });
    throw journalError(error, path);
  } finally {
    reader.close();
  }
}

/** Brings the file to this version's format in one transaction. Nothing of it happened if it throws. */
function migrate(sql: Sql): void {
  sql.transaction(() => {
    // Read again under the lock: another process may have done it meanwhile.
    const found = format(sql);
    if (found >= FORMAT) return;
    if (hasTables(sql)) copyBeside(sql.path, found);
    try {
      for (const step of MIGRATIONS.slice(found)) step(sql);
    } catch (error) {
      if (error instanceof AppError) throw error;
      const detail = `it cannot be brought to format ${FORMAT}: ${error instanceof Error ? error.message : String(error)}`;
      throw new AppError('journal_damaged', { path: sql.path, detail }, error);
    }
    sql.exec(`pragma user_version = ${FORMAT}`);
  });
}

/**
 * Opens or creates the journal. Errors: journal_readonly, journal_damaged, journal_busy, laptop_disk_full. A file of a
 * newer format is opened for reading, and so is one with `readOnly`.
 */
export function openJournal(path: string, readOnly: boolean): Opened {
  if (readOnly) return reading(path);
  mustBeWritable(path);
  const sql = new Sql(path, false);
  try {
    const found = format(sql);
    if (found > FORMAT) {
      sql.close();
      return reading(path);
    }
    mustBeOurs(sql);
    sql.exec('pragma journal_mode = wal');
    sql.exec('pragma synchronous = full');
    if (found < FORMAT) migrate(sql);
    return { sql, readOnly: false, newerFormat: null };
  } catch (error) {
    sql.close();
    throw error;
  }
}

function reading(path: string): Opened {
  const sql = openToRead(path);
  try {
    mustBeOurs(sql);
    const found = format(sql);
    if (found < FORMAT) throw new AppError('journal_older', { path, found, known: FORMAT });
    return { sql, readOnly: true, newerFormat: found > FORMAT ? found : null };
  } catch (error) {
    sql.close();
    throw error;
  }
}
