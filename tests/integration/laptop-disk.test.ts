/** A laptop whose disk is full or cannot be written: what was recorded stays whole, and it goes on when there is room. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../main/journal/journal.ts';
import { LocalJob } from '../../main/journal/localjob.ts';
import { FORMAT } from '../../main/journal/schema.ts';
import { KnownHosts } from '../../main/remote/hostkeys.ts';
import { generateKey } from '../../main/remote/keyfiles.ts';
import { codeOf } from '../unit/journal/bench.ts';
import { LogWriter, makeSession, makeSpec } from '../unit/journal/log.ts';

const why =
  process.platform !== 'linux'
    ? 'not Linux'
    : process.getuid?.() !== 0
      ? 'not root: nothing can be mounted'
      : null;

describe.runIf(why === null)(`the laptop's disk${why ? ` (not run: ${why})` : ''}`, () => {
  let dir: string;
  let path: string;
  let locked: string;
  const open = new Set<Journal>();

  const mount = (...args: string[]) => execFileSync('mount', args, { stdio: 'pipe' });
  const resize = (size: string) => mount('-o', `remount,size=${size}`, dir);
  /** The same disk once more, where nobody can write to it. */
  const readOnly = (): string => {
    mkdirSync(locked);
    mount('--bind', dir, locked);
    mount('-o', 'remount,bind,ro', locked);
    return locked;
  };
  /** Fills the disk to its last byte. */
  const fill = () => {
    const put = () => writeFileSync(join(dir, 'filler'), Buffer.alloc(4096), { flag: 'a' });
    try {
      for (;;) put();
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
    }
  };
  const journal = (opts: { readOnly?: boolean } = {}, at = path): Journal => {
    const opened = Journal.open(at, opts);
    open.add(opened);
    return opened;
  };
  const closeAll = () => {
    for (const j of open) j.close();
    open.clear();
  };
  const begin = (j: Journal) => {
    const session = makeSession();
    j.saveSession(session);
    const { spec, bytes } = makeSpec();
    j.createAttempt(session.id, spec, bytes);
    return { session, job: spec.job, log: new LogWriter(spec, bytes) };
  };

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'vc-disk-'));
    mount('-t', 'tmpfs', '-o', 'size=512k,mode=0700', 'tmpfs', dir);
    path = join(dir, 'journal.db');
    locked = `${dir}-locked`;
  });
  afterEach(() => {
    closeAll();
    for (const point of [locked, dir].filter((p) => existsSync(p))) {
      execFileSync('umount', ['-l', point]);
      rmSync(point, { recursive: true });
    }
  });

  it('full in the middle of a job: nothing of the refused call is kept, and the same call works when there is room', () => {
    const j = journal();
    const { job, log } = begin(j);
    const batch = () => Array.from({ length: 50 }, () => log.log('x'.repeat(500)));
    let refused: Buffer[] = [log.started()];
    j.append(job, 1, refused);
    let stored = 1;
    const append = () => {
      for (;;) {
        refused = batch();
        j.append(job, 1, refused);
        stored += refused.length;
      }
    };
    expect(codeOf(append)).toBe('laptop_disk_full');
    expect(j.position(job, 1).seq).toBe(stored);
    expect(j.verify(job, 1)).toEqual({ ok: true, events: stored });
    expect(j.view(job, 1).lastSeq).toBe(stored);
    // It stays refused, and another process sees the same record.
    expect(codeOf(() => j.append(job, 1, refused))).toBe('laptop_disk_full');
    expect(journal({ readOnly: true }).verify(job, 1)).toEqual({ ok: true, events: stored });
    resize('4m');
    expect(j.append(job, 1, refused)).toHaveLength(refused.length);
    j.append(job, 1, [log.finished()]);
    closeAll();
    expect(journal().verify(job, 1)).toEqual({ ok: true, events: stored + refused.length + 1 });
  });

  it('full in the middle of a local job: it goes on in its chain', () => {
    const j = journal();
    const session = makeSession();
    j.saveSession(session);
    const local = LocalJob.start(j, {
      sessionId: session.id,
      kind: 'keys',
      title: 'Keys',
      laptop: { name: 'lap-7', user: 'kim' },
      app: '0.1.0',
      evidence: 'real',
    });
    fill();
    let logged = 0;
    const write = () => {
      for (;;) {
        local.log('y'.repeat(4000));
        logged += 1;
      }
    };
    expect(codeOf(write)).toBe('laptop_disk_full');
    expect(codeOf(() => local.finish('passed'))).toBe('laptop_disk_full');
    resize('4m');
    local.finish('failed');
    expect(j.verify(local.job, 1)).toEqual({ ok: true, events: logged + 2 });
    expect(j.view(local.job, 1).state).toBe('failed');
  });

  it('full before there is a journal, and before an older one was copied', () => {
    fill();
    expect(codeOf(() => journal())).toBe('laptop_disk_full');
    rmSync(join(dir, 'filler'));
    for (const name of readdirSync(dir)) rmSync(join(dir, name));
    const { job, log } = begin(journal());
    for (const j of open)
      j.append(job, 1, [log.started(), ...Array.from({ length: 100 }, () => log.log('z'.repeat(500)))]);
    closeAll();
    const db = new DatabaseSync(path);
    db.exec(
      'drop table sample_blocks; drop table sample_sets; pragma user_version = 1; pragma wal_checkpoint(truncate)',
    );
    db.close();
    fill();
    expect(codeOf(() => journal())).toBe('laptop_disk_full');
    expect(readdirSync(dir).filter((name) => /bak|part/.test(name))).toEqual([]);
    expect(codeOf(() => journal({ readOnly: true }))).toBe('journal_older');
    resize('4m');
    expect(journal().verify(job, 1)).toEqual({ ok: true, events: 101 });
    expect(readdirSync(dir)).toContain(`journal.db.v1.bak`);
    expect(FORMAT).toBeGreaterThan(1);
  });

  it('full, with nothing beside the file: it can still be read', () => {
    const { job, log } = begin(journal());
    for (const j of open) j.append(job, 1, [log.started()]);
    closeAll();
    for (const name of readdirSync(dir)) if (name !== 'journal.db') rmSync(join(dir, name));
    fill();
    expect(journal({ readOnly: true }).verify(job, 1)).toEqual({ ok: true, events: 1 });
  });

  it('that cannot be written: refused by name, and can be read', () => {
    resize('4m');
    const { job, log, session } = begin(journal());
    for (const j of open) j.append(job, 1, [log.started()]);
    closeAll();
    for (const name of readdirSync(dir)) if (name !== 'journal.db') rmSync(join(dir, name));
    const before = readFileSync(path);
    const there = join(readOnly(), 'journal.db');
    expect(codeOf(() => journal({}, there))).toBe('journal_readonly');
    const reader = journal({ readOnly: true }, there);
    expect(reader.verify(job, 1)).toEqual({ ok: true, events: 1 });
    expect(reader.session(session.id)).toEqual(session);
    expect(codeOf(() => reader.saveSession(session))).toBe('journal_readonly');
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('that cannot be written, with a part of the record beside the file: not shown without it', () => {
    resize('4m');
    const writer = journal();
    const { job, log } = begin(writer);
    writer.append(job, 1, [log.started(), log.finished()]);
    // As after a crash: the newest commits lie in the -wal file only.
    const crashed = join(dir, 'crashed.db');
    for (const end of ['', '-wal']) writeFileSync(`${crashed}${end}`, readFileSync(`${path}${end}`));
    expect(codeOf(() => journal({ readOnly: true }, join(readOnly(), 'crashed.db')))).toBe(
      'journal_readonly',
    );
    expect(journal({ readOnly: true }, crashed).verify(job, 1)).toEqual({ ok: true, events: 2 });
  });

  it('keeps the known hosts and makes no half a key', async () => {
    const key = await generateKey(join(dir, 'first'), { comment: '' });
    const wire = Buffer.from(key.publicKey.split(' ')[1] ?? '', 'base64');
    const known = new KnownHosts(join(dir, 'known_hosts'));
    for (let i = 0; i < 40; i++) known.pin(`box-${i}`, 22, wire);
    const before = readFileSync(known.path, 'utf8');
    fill();
    expect(codeOf(() => known.pin('one more', 22, wire))).toBe('host_unknown');
    expect(codeOf(() => known.pin('one-more', 22, wire))).toBe('laptop_disk_full');
    await expect(generateKey(join(dir, 'id'), { comment: '' })).rejects.toMatchObject({
      code: 'laptop_disk_full',
    });
    expect(readFileSync(known.path, 'utf8')).toBe(before);
    expect(readdirSync(dir).sort()).toEqual(['filler', 'first', 'first.pub', 'known_hosts']);
    rmSync(join(dir, 'filler'));
    const there = readOnly();
    const kept = new KnownHosts(join(there, 'known_hosts'));
    expect(codeOf(() => kept.pin('one-more', 22, wire))).toBe('file_unwritable');
    expect(kept.lookup('box-39')).toHaveLength(1);
    const made = generateKey(join(there, 'id'), { comment: '' });
    await expect(made).rejects.toMatchObject({ code: 'file_unwritable' });
  });
});
