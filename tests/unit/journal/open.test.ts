/** What the journal makes of the file it finds: none, an older one, a newer one, another program's, a broken one. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { DatabaseSync } from '@photostructure/sqlite';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FORMAT, MIGRATIONS } from '../../../main/journal/schema.ts';
import { Journal } from '../../../main/journal/journal.ts';
import { Sql } from '../../../main/journal/sql.ts';
import { benchForEach, codeOf } from './bench.ts';
import { LogWriter, makeSession, makeSpec, sha } from './log.ts';

const bench = benchForEach();
const FORMAT_1 = new URL('../../fixtures/journal-format-1.sql', import.meta.url);

function make(text: string): void {
  const db = new DatabaseSync(bench().path);
  db.exec(text);
  db.close();
}

const formatOf = (path: string): number => {
  const db = new DatabaseSync(path, { readOnly: true });
  const [row] = db.prepare('pragma user_version').all() as { user_version: number }[];
  db.close();
  return row?.user_version ?? -1;
};

/** A file of format 1 with one session and one finished attempt, 2 of its 5 lines samples, as that version stored them. */
function makeFormat1() {
  make(readFileSync(FORMAT_1, 'utf8'));
  const session = makeSession();
  const { spec, bytes } = makeSpec();
  const log = new LogWriter(spec, bytes);
  const samples = (mono: number, value: number | null) =>
    log.line('samples', {
      source: 'gpu',
      fields: ['temperature.gpu'],
      rows: [
        [mono, 0, value],
        [mono, 1, 50],
      ],
    });
  const lines = [log.started(), samples(1, 40), log.log('between'), samples(2, null), log.finished()];
  const last = lines.at(-1) as Buffer;
  const size = lines.reduce((n, l) => n + l.length + 1, 0);
  bench().sql('insert into sessions values (?, ?, ?)', session.id, session.name, JSON.stringify(session));
  bench().sql(
    `insert into jobs values (1, ?, 1, ?, ?, ?, '2026-11-24T05:00:00.000Z', 'passed', 'stand-in', null, ?, 5, ?, ?)`,
    spec.job,
    session.id,
    bytes,
    sha(bytes),
    size,
    last.length,
    sha(last),
  );
  for (const [i, line] of lines.entries()) {
    const { kind } = JSON.parse(line.toString()) as { kind: string };
    bench().sql('insert into events values (1, ?, ?, ?)', i + 1, kind, line);
  }
  return { session, job: spec.job, lines };
}

describe('a new file', () => {
  it('is made where there is none, and where it is empty', () => {
    expect(bench().journal.readOnly).toBe(false);
    bench().closeAll();
    expect(formatOf(bench().path)).toBe(FORMAT);
    const empty = join(bench().dir, 'empty.db');
    writeFileSync(empty, '');
    const journal = Journal.open(empty);
    journal.saveSession(makeSession());
    expect(journal.sessions()).toHaveLength(1);
    journal.close();
    // No copy is made of nothing.
    expect(readdirSync(bench().dir).filter((name) => name.includes('.bak'))).toEqual([]);
  });

  it('keeps every commit through a power cut: a log of its own, synced at each', () => {
    const sql = new Sql(bench().path, false);
    sql.close();
    const journal = bench().journal;
    expect(bench().ask('pragma journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    journal.saveSession(makeSession());
    expect(existsSync(`${bench().path}-wal`)).toBe(true);
  });
});

describe('an older file', () => {
  it('of format 1 has the tables that this version would have made for it', () => {
    make(readFileSync(FORMAT_1, 'utf8'));
    const tables = () => bench().ask('select type, name, sql from sqlite_schema order by name');
    const frozen = tables();
    writeFileSync(bench().path, '');
    const sql = new Sql(bench().path, false);
    MIGRATIONS[0]?.(sql);
    sql.close();
    expect(tables()).toEqual(frozen);
  });

  it('is copied, brought forward, and loses nothing', () => {
    const { session, job, lines } = makeFormat1();
    const { journal } = bench();
    expect(journal.session(session.id)).toEqual(session);
    expect([...journal.events(job, 1)].map((e) => e.line)).toEqual(lines.map(String));
    expect(journal.verify(job, 1)).toEqual({ ok: true, events: 5 });
    expect(journal.view(job, 1)).toMatchObject({ state: 'passed', sampleRows: 4, evidence: 'stand-in' });
    // What format 2 added is made from the lines.
    expect(journal.samples(job, 1, { field: 'temperature.gpu', series: 0 })).toEqual([
      { mono: 1, value: 40 },
    ]);
    expect(journal.samples(job, 1, { field: 'temperature.gpu', series: 1 })).toHaveLength(2);
    expect(formatOf(bench().path)).toBe(FORMAT);
    const copy = `${bench().path}.v1.bak`;
    expect(formatOf(copy)).toBe(1);
    const db = new DatabaseSync(copy, { readOnly: true });
    expect(db.prepare('select count(*) as n from events').get()).toEqual({ n: 5 });
    db.close();
    bench().closeAll();
    expect(
      readdirSync(bench().dir)
        .filter((name) => !/-(wal|shm)$/.test(name))
        .sort(),
    ).toEqual(['journal.db', 'journal.db.v1.bak']);
    expect(bench().journal.verify(job, 1)).toMatchObject({ ok: true });
  });

  it('stays as it was when it cannot be brought forward', () => {
    const { job } = makeFormat1();
    bench().sql("update events set line = cast('torn' as blob) where seq = 4");
    expect(codeOf(() => bench().open())).toBe('journal_damaged');
    expect(formatOf(bench().path)).toBe(1);
    expect(bench().ask('select seq from events')).toHaveLength(5);
    expect(bench().ask("select name from sqlite_schema where name like 'sample%'")).toEqual([]);
    expect(codeOf(() => bench().open())).toBe('journal_damaged');
    expect(job).toBeTruthy();
  });

  it('is not brought forward where it is to be read only', () => {
    makeFormat1();
    expect(codeOf(() => bench().open({ readOnly: true }))).toBe('journal_older');
    expect(formatOf(bench().path)).toBe(1);
    expect(readdirSync(bench().dir)).toEqual(['journal.db']);
  });
});

describe('a newer file', () => {
  it('is opened for reading, and says so to whoever writes', () => {
    const { log, job, session, spec, bytes } = bench().begin();
    bench().journal.append(job, 1, [log.started()]);
    bench().closeAll();
    make(`pragma user_version = ${FORMAT + 7}`);
    const { journal } = bench();
    expect([journal.readOnly, journal.newerFormat]).toEqual([true, FORMAT + 7]);
    expect(journal.sessions()).toHaveLength(1);
    expect(journal.view(job, 1).state).toBe('running');
    expect(journal.verify(job, 1)).toEqual({ ok: true, events: 1 });
    const writes: (() => unknown)[] = [
      () => journal.append(job, 1, [log.finished()]),
      () => journal.saveSession(session),
      () => journal.createAttempt(session.id, spec, bytes),
      () => journal.markLost(job, 1, 'gone'),
      () => journal.together(() => undefined),
    ];
    for (const write of writes) expect(codeOf(write)).toBe('journal_newer');
    expect(existsSync(`${bench().path}.v${FORMAT}.bak`)).toBe(false);
  });

  it('with documents that this version cannot read is newer, not damaged', () => {
    const { session } = bench().begin();
    bench().closeAll();
    bench().sql("update sessions set doc = json_set(doc, '$.v', 2)");
    make(`pragma user_version = ${FORMAT + 1}`);
    expect(codeOf(() => bench().journal.session(session.id))).toBe('journal_newer');
  });
});

describe('a file that is no journal', () => {
  it.each<[string, () => void]>([
    ['another program’s database', () => make('create table t (x); insert into t values (1)')],
    [
      'another program’s database with a high version',
      () => make('create table t (x); pragma user_version = 900'),
    ],
    [
      'a database with another program’s mark',
      () => make('create table t (x); pragma application_id = 77; pragma user_version = 2'),
    ],
    ['a text', () => writeFileSync(bench().path, 'Dear diary, '.repeat(500))],
    ['a short text', () => writeFileSync(bench().path, 'no')],
    ['zeros', () => writeFileSync(bench().path, Buffer.alloc(8192))],
  ])('%s is damaged and is not touched', (_what, write) => {
    write();
    const before = readFileSync(bench().path);
    expect(codeOf(() => bench().open())).toBe('journal_damaged');
    expect(codeOf(() => bench().open({ readOnly: true }))).toBe('journal_damaged');
    expect(readFileSync(bench().path).equals(before)).toBe(true);
    expect(readdirSync(bench().dir)).toEqual(['journal.db']);
  });

  it('a folder in its place, a missing folder and a missing file cannot be opened', () => {
    mkdirSync(bench().path);
    expect(codeOf(() => bench().open())).toBe('journal_readonly');
    expect(codeOf(() => Journal.open(`${bench().dir}/no/such/folder/journal.db`))).toBe('journal_readonly');
    const missing = `${bench().dir}/none.db`;
    expect(codeOf(() => Journal.open(missing, { readOnly: true }))).toBe('journal_readonly');
    expect(existsSync(missing)).toBe(false);
  });

  it('a journal that was cut short is damaged, at once or when the missing part is read', () => {
    const { log, job } = bench().begin();
    bench().journal.append(
      job,
      1,
      Array.from({ length: 2000 }, (_, i) => log.log(`line ${i}`)),
    );
    bench().closeAll();
    truncateSync(bench().path, 40_000);
    const read = () => {
      const journal = bench().open();
      for (const e of journal.events(job, 1)) expect(e.line).not.toBe('');
    };
    expect(codeOf(read)).toBe('journal_damaged');
  });

  it('a journal with a page of zeros inside is damaged for whoever reads there', () => {
    const { log, job } = bench().begin();
    const lines = Array.from({ length: 2000 }, (_, i) => log.log(`line ${i}`));
    bench().journal.append(job, 1, lines);
    bench().closeAll();
    const bytes = readFileSync(bench().path);
    bytes.fill(0, 100 * 4096, 101 * 4096);
    writeFileSync(bench().path, bytes);
    expect(codeOf(() => [...bench().journal.events(job, 1)])).toBe('journal_damaged');
  });
});

describe('opened for reading', () => {
  it('sees what another connection writes, and writes nothing', () => {
    const { log, job, session } = bench().begin();
    const reader = bench().open({ readOnly: true });
    bench().journal.append(job, 1, [log.started()]);
    expect(reader.view(job, 1).state).toBe('running');
    expect(codeOf(() => reader.saveSession(session))).toBe('journal_readonly');
    expect(codeOf(() => reader.append(job, 1, [log.finished()]))).toBe('journal_readonly');
  });

  it('a copy of the file alone has everything after it was closed', () => {
    const { log, job } = bench().begin();
    bench().journal.append(job, 1, [log.started(), log.finished()]);
    bench().closeAll();
    expect(statSync(`${bench().path}-wal`, { throwIfNoEntry: false })?.size ?? 0).toBe(0);
    const copy = join(bench().dir, 'copy.db');
    copyFileSync(bench().path, copy);
    const reader = Journal.open(copy, { readOnly: true });
    expect(reader.verify(job, 1)).toEqual({ ok: true, events: 2 });
    reader.close();
  });
});
