import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../../main/journal/journal.ts';
import { LogWriter, makeSession, makeSpec, sha } from './log.ts';

let dir: string;
let journal: Journal;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vc-journal-'));
  journal = Journal.open(join(dir, 'journal.db'));
});
afterEach(() => {
  journal.close();
  rmSync(dir, { recursive: true, force: true });
});

function begin() {
  const session = makeSession();
  journal.saveSession(session);
  const { spec, bytes } = makeSpec();
  journal.createAttempt(session.id, spec, bytes);
  return { session, spec, bytes, log: new LogWriter(spec, bytes), job: spec.job };
}

const stored = (job: string, attempt = 1) => [...journal.events(job, attempt)].map((e) => e.line);

describe('sessions', () => {
  it('come back as they were saved, by id and by name', () => {
    const session = makeSession({ name: 'cube-1' });
    journal.saveSession(session);
    journal.saveSession({ ...session, user: 'vaultadmin' });
    expect(journal.session(session.id)).toEqual({ ...session, user: 'vaultadmin' });
    expect(journal.sessionByName('cube-1')?.id).toBe(session.id);
    expect(journal.sessions()).toHaveLength(1);
    expect(journal.session('no such')).toBeNull();
  });

  it('refuse a name that another box has', () => {
    journal.saveSession(makeSession({ name: 'cube-1' }));
    expect(() => journal.saveSession(makeSession({ name: 'cube-1' }))).toThrowError(
      expect.objectContaining({ code: 'box_name_taken' }),
    );
  });
});

describe('attempts', () => {
  it('are created once for the same bytes, and conflict for others', () => {
    const { session, spec, bytes } = begin();
    expect(journal.createAttempt(session.id, spec, bytes).state).toBe('starting');
    expect(journal.jobs(session.id)).toHaveLength(1);
    const other = makeSpec({ job: spec.job, title: 'Other orders' });
    expect(() => journal.createAttempt(session.id, other.spec, other.bytes)).toThrowError(
      expect.objectContaining({ code: 'job_conflict' }),
    );
    expect(() => journal.createAttempt(session.id, spec, Buffer.from('{}'))).toThrowError(
      /not those of its spec/,
    );
  });

  it('are listed oldest first, and latest is the highest', () => {
    const { session, spec } = begin();
    const second = makeSpec({ job: spec.job, attempt: 2 });
    journal.createAttempt(session.id, second.spec, second.bytes);
    expect(journal.jobs(session.id).map((r) => r.attempt)).toEqual([1, 2]);
    expect(journal.latest(spec.job)?.attempt).toBe(2);
    expect(journal.attempt(spec.job, 3)).toBeNull();
  });

  it('need a session and a known job', () => {
    const { spec, bytes } = makeSpec();
    expect(() => journal.createAttempt('no such session', spec, bytes)).toThrow();
    expect(() => journal.position(spec.job, 1)).toThrowError(
      expect.objectContaining({ code: 'job_unknown' }),
    );
  });
});

describe('append', () => {
  it('stores lines, moves the position by their bytes, and tells who listens', () => {
    const { log, job, bytes } = begin();
    expect(journal.position(job, 1)).toEqual({ offset: 0, seq: 0, lastLength: 0, lastSha256: '' });
    const told: number[] = [];
    const off = journal.onAppend((_job, _attempt, events) => told.push(...events.map((e) => e.env.seq)));
    const lines = [log.started(), log.log('größer'), log.log('x')];
    const events = journal.append(job, 1, lines);
    expect(events.map((e) => e.kind)).toEqual(['started', 'log', 'log']);
    const last = lines[2] as Buffer;
    expect(journal.position(job, 1)).toEqual({
      offset: lines.reduce((n, l) => n + l.length + 1, 0),
      seq: 3,
      lastLength: last.length,
      lastSha256: sha(last),
    });
    off();
    journal.append(job, 1, [log.finished()]);
    expect(told).toEqual([1, 2, 3]);
    expect(journal.attempt(job, 1)).toMatchObject({
      state: 'passed',
      evidence: 'stand-in',
      specSha256: sha(bytes),
    });
    expect(journal.verify(job, 1)).toEqual({ ok: true, events: 4 });
  });

  it('counts a line once however often it comes', () => {
    const { log, job } = begin();
    const lines = [log.started(), log.log('1'), log.log('2'), log.log('3')];
    journal.append(job, 1, lines.slice(0, 3));
    expect(journal.append(job, 1, lines).map((e) => e.env.seq)).toEqual([4]);
    expect(journal.append(job, 1, lines)).toEqual([]);
    expect(stored(job)).toEqual(lines.map(String));
  });

  const spoiled: [string, (log: LogWriter) => Buffer[], RegExp][] = [
    ['a torn line', (log) => [log.log('whole').subarray(0, 40)], /not whole JSON/],
    ['a gap', (log) => (log.log('lost'), [log.log('next')]), /line 3 is due and line 4 came/],
    [
      'a changed line before',
      (log) => {
        const line = String(log.log('0 errors'));
        return [Buffer.from(line.replace('0 errors', '9 errors')), log.log('next')];
      },
      /line 4 does not follow the line 3/,
    ],
    [
      'a line of another job',
      (log) => {
        const { spec, bytes } = makeSpec();
        const other = new LogWriter(spec, bytes);
        other.seq = log.seq;
        other.prev = log.prev;
        return [other.log('x')];
      },
      /belongs to job/,
    ],
    [
      'another line under a stored number',
      (log) => [((log.seq = 1), log.log('other'))],
      /another than the one/,
    ],
    [
      'a newline inside',
      (log) => [Buffer.concat([log.log('a'), Buffer.from('\n'), log.log('b')])],
      /newline/,
    ],
    ['bytes that are not UTF-8', (log) => [Buffer.concat([log.log('a'), Buffer.from([0xff])])], /UTF-8/],
    ['no envelope', () => [Buffer.from('{"v":1}')], /envelope/],
  ];
  it.each(spoiled)('refuses %s, and the record stays as it was', (_name, lines, why) => {
    const { log, job } = begin();
    const good = [log.started(), log.log('good')];
    journal.append(job, 1, good);
    const before = stored(job);
    let error: unknown;
    try {
      journal.append(job, 1, lines(log));
    } catch (e) {
      error = e;
    }
    expect(error).toMatchObject({ code: 'log_diverged' });
    expect((error as Error).cause).toMatchObject({ message: expect.stringMatching(why) });
    expect(stored(job).slice(0, 2)).toEqual(before);
    expect(journal.verify(job, 1)).toMatchObject({ ok: true });
  });

  it('counts a line once that comes twice in one call, and refuses another under its number', () => {
    const { log, job } = begin();
    const [a, b] = [log.started(), log.log('b')];
    expect(journal.append(job, 1, [a, a, b, a, b, b]).map((e) => e.env.seq)).toEqual([1, 2]);
    log.seq = 1;
    const other = log.log('another second line');
    const third = log.log('c');
    expect(() => journal.append(job, 1, [third, other])).toThrowError(
      expect.objectContaining({ code: 'log_diverged' }),
    );
    expect(stored(job)).toEqual([a, b].map(String));
  });

  it('keeps the good lines before a bad one, so that following again starts behind them', () => {
    const { log, job } = begin();
    const lines = [log.started(), log.log('good'), Buffer.from('{"torn')];
    expect(() => journal.append(job, 1, lines)).toThrowError(
      expect.objectContaining({ code: 'log_diverged' }),
    );
    expect(journal.position(job, 1).seq).toBe(2);
    expect(journal.append(job, 1, [log.finished()])).toHaveLength(1);
  });

  it('does not take a first line that does not follow the spec', () => {
    const { spec, job } = begin();
    const log = new LogWriter(spec, Buffer.from('other bytes'));
    expect(() => journal.append(job, 1, [log.started()])).toThrowError(
      expect.objectContaining({ code: 'log_diverged' }),
    );
  });

  it('keeps an unknown kind raw', () => {
    const { log, job } = begin();
    journal.append(job, 1, [log.started(), log.line('hologram', { shape: 'cube' })]);
    expect(journal.view(job, 1).unknown).toMatchObject([{ seq: 2, kind: 'hologram' }]);
    expect(stored(job)[1]).toContain('"shape":"cube"');
  });

  it('tells each process that follows an attempt everything once and in order, whoever stores it', () => {
    const { log, job } = begin();
    const other = Journal.open(join(dir, 'journal.db'));
    const told = (of: Journal) => {
      const seqs: number[] = [];
      of.onAppend((_job, _attempt, events) => seqs.push(...events.map((e) => e.env.seq)));
      return seqs;
    };
    const [mine, its] = [told(journal), told(other)];
    try {
      const lines = [log.started(), log.log('a'), log.log('b'), log.finished('passed')];
      journal.position(job, 1);
      other.position(job, 1);
      expect(other.append(job, 1, lines.slice(0, 2)).map((e) => e.env.seq)).toEqual([1, 2]);
      expect(journal.append(job, 1, lines.slice(0, 1)).map((e) => e.env.seq)).toEqual([1, 2]);
      expect(journal.append(job, 1, lines.slice(1, 3)).map((e) => e.env.seq)).toEqual([3]);
      expect(other.append(job, 1, lines.slice(2, 4)).map((e) => e.env.seq)).toEqual([3, 4]);
      expect(journal.append(job, 1, lines.slice(3)).map((e) => e.env.seq)).toEqual([4]);
      expect([mine, its]).toEqual([
        [1, 2, 3, 4],
        [1, 2, 3, 4],
      ]);
    } finally {
      other.close();
    }
  });

  it('stores nothing of calls that belong together when one throws, and tells nobody', () => {
    const { log, job } = begin();
    let told = 0;
    journal.onAppend(() => told++);
    expect(() =>
      journal.together(() => {
        journal.append(job, 1, [log.started()]);
        throw new Error('no');
      }),
    ).toThrowError('no');
    expect(told).toBe(0);
    expect(stored(job)).toEqual([]);
  });
});

describe('view', () => {
  it('is made of new events only, and follows what another connection wrote', () => {
    const { log, job } = begin();
    journal.append(job, 1, [log.started()]);
    expect(journal.view(job, 1).state).toBe('running');
    const other = Journal.open(join(dir, 'journal.db'));
    other.append(job, 1, [log.log('x'), log.finished('failed', { code: 'job_failed', detail: 'apt' })]);
    other.close();
    expect(journal.view(job, 1)).toMatchObject({ state: 'failed', lastSeq: 3, code: 'job_failed' });
  });

  it('counts samples and weakens its evidence by them without reading them, but for the newest line', () => {
    const { log, job } = begin();
    const samples = (mono: number) =>
      log.line('samples', {
        source: 'gpu',
        fields: ['power.draw'],
        rows: [
          [mono, 0, 70],
          [mono, 1, 71],
        ],
      });
    log.evidence = 'real';
    const lines = [log.started(), samples(1)];
    log.evidence = 'stand-in';
    lines.push(samples(2));
    log.evidence = 'real';
    lines.push(log.log('heat'), samples(3));
    journal.append(job, 1, lines);
    const text = (at: number) => lines[at]?.toString() ?? '';
    expect(journal.linesAfter(job, 1, 0, 10, { samples: false })).toEqual([0, 3, 4].map(text));
    expect(journal.linesAfter(job, 1, 0, 10)).toEqual(lines.map(String));
    expect(journal.linesAfter(job, 1, 1, 1, { samples: false })).toEqual([text(3)]);
    expect(journal.sampleRows(job, 1)).toBe(6);
    const view = { sampleRows: 6, evidence: 'stand-in', lastSeq: 5, lastAt: '2026-11-24T05:10:00.100Z' };
    expect(journal.view(job, 1)).toMatchObject(view);
    journal.append(job, 1, [samples(4), log.finished()]);
    expect(journal.view(job, 1)).toMatchObject({ sampleRows: 8, lastSeq: 7, state: 'passed' });
    const other = Journal.open(join(dir, 'journal.db'));
    expect(other.view(job, 1)).toEqual(journal.view(job, 1));
    other.close();
  });

  it('shows lost, and the result of one that was only thought lost', () => {
    const { log, job } = begin();
    journal.append(job, 1, [log.started()]);
    journal.markLost(job, 1, 'The box was cut from power.');
    expect(journal.view(job, 1)).toMatchObject({ state: 'lost', detail: 'The box was cut from power.' });
    expect(journal.attempt(job, 1)?.state).toBe('lost');
    journal.append(job, 1, [log.log('still here')]);
    expect(journal.attempt(job, 1)?.state).toBe('lost');
    journal.append(job, 1, [log.finished()]);
    expect(journal.view(job, 1).state).toBe('passed');
    journal.markLost(job, 1, 'again');
    expect(journal.attempt(job, 1)?.state).toBe('passed');
  });
});
