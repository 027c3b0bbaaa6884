/** What was changed in the file after it was stored is found, and is never shown as if nothing had happened. */
import { describe, expect, it } from 'vitest';
import { benchForEach, codeOf, type JournalBench } from './bench.ts';

const bench = benchForEach();

/** Five lines, stored: started, three of output, finished. */
function stored() {
  const begun = bench().begin();
  const { log, job } = begun;
  const lines = [log.started(), log.log('one'), log.log('two'), log.log('three'), log.finished()];
  bench().journal.append(job, 1, lines);
  expect(bench().journal.verify(job, 1)).toEqual({ ok: true, events: 5 });
  return { ...begun, lines };
}

const change = (seq: number, from: string, to: string) => (b: JournalBench) => {
  const [row] = b.ask<{ line: Uint8Array }>('select line from events where seq = ?', seq);
  const line = Buffer.from(row?.line ?? '').toString('utf8');
  expect(line).toContain(from);
  b.sql('update events set line = ? where seq = ?', Buffer.from(line.replace(from, to)), seq);
};

describe('verify', () => {
  it.each<[string, (b: JournalBench) => void, number, RegExp]>([
    ['a word of a line', change(2, '"one"', '"ONE"'), 3, /does not follow the line 2/],
    [
      'a number that keeps the length',
      change(1, '"pid":4711', '"pid":4712'),
      2,
      /does not follow the line 1/,
    ],
    ['the last line', change(5, '"passed"', '"failed"'), 5, /end of the log is not the one recorded/],
    ['a space in a line', change(3, '{"v":1', '{ "v":1'), 4, /does not follow the line 3/],
    ['a line made unreadable', change(4, '"seq":4', '"seq":'), 4, /not whole JSON/],
    ['a line given another job', change(4, '"job":"', '"job":"f'), 4, /envelope/],
    [
      'a line taken out',
      (b) => b.sql('delete from events where seq = 3'),
      4,
      /line 3 is due and line 4 came/,
    ],
    ['the end cut off', (b) => b.sql('delete from events where seq > 3'), 3, /recorded \(line 5\)/],
    ['everything cut off', (b) => b.sql('delete from events'), 0, /recorded \(line 5\)/],
    ['the first line', (b) => b.sql('delete from events where seq = 1'), 2, /line 1 is due and line 2 came/],
    [
      'the recorded end',
      (b) => b.sql(`update jobs set last_sha256 = '${'0'.repeat(64)}'`),
      5,
      /end of the log/,
    ],
    [
      'the spec',
      (b) => b.sql("update jobs set spec = cast(cast(spec as text) || ' ' as blob)"),
      0,
      /spec was changed/,
    ],
    [
      'the spec with its hash',
      (b) => b.sql(`update jobs set spec_sha256 = '${'0'.repeat(64)}'`),
      0,
      /spec was changed/,
    ],
    ['a result of the row', (b) => b.sql("update jobs set state = 'failed'"), 5, /not what its log says/],
    ['a result into lost', (b) => b.sql("update jobs set state = 'lost'"), 5, /not what its log says/],
    [
      'the evidence of the row',
      (b) => b.sql("update jobs set evidence = 'real'"),
      5,
      /not what its log says/,
    ],
    ['the size of the log', (b) => b.sql('update jobs set bytes = bytes + 1'), 5, /not what its log says/],
  ])('finds %s changed', (_what, spoil, seq, detail) => {
    const { job } = stored();
    spoil(bench());
    const found = bench().journal.verify(job, 1);
    expect(found).toMatchObject({ ok: false, seq });
    expect('detail' in found && found.detail).toMatch(detail);
    bench().closeAll();
    expect(bench().open({ readOnly: true }).verify(job, 1)).toEqual(found);
  });

  it('follows the chain over more lines than one page holds', () => {
    const { log, job } = bench().begin();
    const lines = Array.from({ length: 2500 }, (_, i) => log.log(`line ${i}`));
    bench().journal.append(job, 1, lines);
    expect(bench().journal.verify(job, 1)).toEqual({ ok: true, events: 2500 });
    change(2001, 'line 2000', 'line 2OOO')(bench());
    expect(bench().journal.verify(job, 1)).toMatchObject({ ok: false, seq: 2002 });
  });

  it('takes lost for an attempt that has no result', () => {
    const { log, job } = bench().begin();
    bench().journal.append(job, 1, [log.started()]);
    bench().journal.markLost(job, 1, 'The box was cut from power.');
    expect(bench().journal.verify(job, 1)).toEqual({ ok: true, events: 1 });
  });

  it('of an attempt without lines holds the spec only', () => {
    const { job } = bench().begin();
    expect(bench().journal.verify(job, 1)).toEqual({ ok: true, events: 0 });
  });

  it('knows no job that was never recorded', () => {
    expect(codeOf(() => bench().journal.verify('nobody', 1))).toBe('job_unknown');
  });
});

describe('a spoiled record', () => {
  it('is damaged, not empty, for whoever reads its lines', () => {
    const { job } = stored();
    change(2, '"seq":2', '"seq":')(bench());
    expect(codeOf(() => [...bench().journal.events(job, 1)])).toBe('journal_damaged');
    bench().closeAll();
    expect(codeOf(() => bench().journal.view(job, 1))).toBe('journal_damaged');
  });

  it('is damaged for whoever reads its spec or its session', () => {
    const { job, session } = stored();
    bench().sql("update jobs set spec = x'7b7d'");
    expect(codeOf(() => bench().journal.attempt(job, 1))).toBe('journal_damaged');
    bench().sql("update sessions set doc = '{}'");
    expect(codeOf(() => bench().journal.session(session.id))).toBe('journal_damaged');
    bench().sql("update sessions set doc = 'torn'");
    expect(codeOf(() => bench().journal.sessions())).toBe('journal_damaged');
  });

  it('takes no line that does not follow the one it holds now', () => {
    const { log, job } = bench().begin();
    bench().journal.append(job, 1, [log.started(), log.log('one')]);
    bench().sql(`update jobs set last_sha256 = '${'0'.repeat(64)}'`);
    expect(codeOf(() => bench().journal.append(job, 1, [log.log('two')]))).toBe('log_diverged');
    expect(bench().journal.position(job, 1).seq).toBe(2);
  });
});
