/** A journal in a folder of its own for each test, and the way past it to the database for tests that spoil it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { afterEach, beforeEach } from 'vitest';
import { Journal } from '../../../main/journal/journal.ts';
import type { JobSpec } from '../../../preload/contract/job.ts';
import { LogWriter, makeSession, makeSpec } from './log.ts';

export class JournalBench {
  readonly dir = mkdtempSync(join(tmpdir(), 'vc-journal-'));
  readonly path = join(this.dir, 'journal.db');
  readonly #open = new Set<Journal>();
  #journal: Journal | null = null;

  /** The test's journal, opened when it is first asked for. */
  get journal(): Journal {
    return (this.#journal ??= this.open());
  }

  /** Another connection to the same file. */
  open(opts: { readOnly?: boolean } = {}): Journal {
    const journal = Journal.open(this.path, opts);
    this.#open.add(journal);
    return journal;
  }

  /** A session with one attempt, and the writer of its log. */
  begin(more: Partial<JobSpec> = {}) {
    const session = makeSession();
    this.journal.saveSession(session);
    const { spec, bytes } = makeSpec(more);
    this.journal.createAttempt(session.id, spec, bytes);
    return { session, spec, bytes, log: new LogWriter(spec, bytes), job: spec.job };
  }

  /** Runs statements on the file behind the journal's back. */
  sql(text: string, ...values: (string | number | Uint8Array)[]): void {
    this.ask(text, ...values);
  }

  ask<T>(text: string, ...values: (string | number | Uint8Array)[]): T[] {
    const db = new DatabaseSync(this.path);
    try {
      return db.prepare(text).all(...values) as T[];
    } finally {
      db.close();
    }
  }

  /** Closes every connection; the next use of `journal` opens the file anew. */
  closeAll(): void {
    for (const journal of this.#open) journal.close();
    this.#open.clear();
    this.#journal = null;
  }

  remove(): void {
    this.closeAll();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Gives each test of the file a bench and takes it away afterwards. */
export function benchForEach(): () => JournalBench {
  let bench: JournalBench;
  beforeEach(() => {
    bench = new JournalBench();
  });
  afterEach(() => bench.remove());
  return () => bench;
}

/** The code of what `fn` throws; it must be an AppError. */
export function codeOf(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code);
    throw error;
  }
  throw new Error('it succeeded');
}
