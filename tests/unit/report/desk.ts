/** A folder with a journal for each test, and what tests of the report do with them. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite';
import { afterEach, beforeEach, expect } from 'vitest';
import { Journal } from '../../../main/journal/journal.ts';
import { makeReport, type ReportMade } from '../../../main/services/report.ts';
import type { Session } from '../../../preload/contract/session.ts';
import { boxSession, play, type JobPlan } from './box.ts';

export const NOW = new Date('2026-11-24T20:03:11.000Z');
export const text = (path: string): string => readFileSync(path, 'utf8');
/** The page without the data and the script in it: what a browser shows. */
export const markup = (path: string): string =>
  text(path)
    .replace(/<script[\s\S]*?<\/script>/g, '')
    .replace(/\s+/g, ' ');

export class Desk {
  dir = '';
  journal!: Journal;
  session!: Session;

  fill(all: readonly JobPlan[], more: Partial<Session> = {}): { job: string; attempt: number }[] {
    this.session = boxSession(more);
    this.journal.saveSession(this.session);
    return all.map((plan) => play(this.journal, this.session, plan));
  }

  make(out = join(this.dir, 'out')): Promise<ReportMade> {
    return makeReport(this.journal, this.session.id, out, { appVersion: '0.1.0+test' });
  }

  /** Closes the journal, changes its file behind its back, and opens it again. */
  behind(change: (db: DatabaseSyncInstance) => void, opts: { readOnly?: boolean } = {}): void {
    this.journal.close();
    const path = join(this.dir, 'journal.db');
    const db = new DatabaseSync(path);
    try {
      change(db);
    } finally {
      db.close();
      this.journal = Journal.open(path, opts);
    }
  }

  changeLine(job: string, attempt: number, seq: number, change: (line: string) => string): void {
    const line = [...this.journal.events(job, attempt)][seq - 1]?.line ?? '';
    expect(change(line)).not.toBe(line);
    this.behind((db) => {
      const done = db
        .prepare(
          'update events set line = ? where seq = ? and job_id = (select id from jobs where job = ? and attempt = ?)',
        )
        .run(Buffer.from(change(line)), seq, job, attempt);
      expect(done.changes).toBe(1);
    });
  }
}

/** To be called once, at the top of a test file. */
export function openDesk(): Desk {
  const desk = new Desk();
  beforeEach(() => {
    desk.dir = mkdtempSync(join(tmpdir(), 'vc-report-'));
    desk.journal = Journal.open(join(desk.dir, 'journal.db'));
  });
  afterEach(() => {
    desk.journal.close();
    rmSync(desk.dir, { recursive: true, force: true });
  });
  return desk;
}
