/** Samples for charts: what is stored comes back as it was measured, and thinning never loses a peak. */
import { describe, expect, it } from 'vitest';
import { benchForEach } from './bench.ts';
import type { LogWriter } from './log.ts';

const bench = benchForEach();

type Row = (number | string | null)[];

const samples = (log: LogWriter, fields: string[], rows: Row[], source = 'gpu') =>
  log.line('samples', { source, fields, rows });

function begin() {
  const { log, job } = bench().begin();
  const add = (...lines: Buffer[]) => bench().journal.append(job, 1, lines);
  add(log.started());
  return { log, job, add };
}

/** One GPU's temperature each second: a slow wave with one spike and one dip that last a single sample. */
const wave = (i: number): number => {
  if (i === 5_000) return 99;
  if (i === 5_001) return 1;
  return 50 + Math.round(10 * Math.sin(i / 500));
};

describe('samples', () => {
  it('come back by field and series, with their time', () => {
    const { log, job, add } = begin();
    const fields = ['temperature.gpu', 'power.draw'];
    add(
      samples(log, fields, [
        [1, 0, 40, 70.5],
        [1.001, 1, 41, 71.5],
        [2, 0, 42, 72.5],
      ]),
      samples(log, fields, [[3, 0, 44, 74.5]]),
    );
    const ask = (field: string, series?: number | string) =>
      bench().journal.samples(job, 1, { field, series });
    expect(ask('power.draw', 0)).toEqual([
      { mono: 1, value: 70.5 },
      { mono: 2, value: 72.5 },
      { mono: 3, value: 74.5 },
    ]);
    expect(ask('temperature.gpu', '1')).toEqual([{ mono: 1.001, value: 41 }]);
    expect(ask('temperature.gpu').map((s) => s.value)).toEqual([40, 41, 42, 44]);
    expect(ask('fan.speed')).toEqual([]);
    expect(ask('power.draw', 7)).toEqual([]);
    expect(bench().journal.sampleSeries(job)).toEqual([
      { source: 'gpu', series: '0', fields, rows: 3 },
      { source: 'gpu', series: '1', fields, rows: 1 },
    ]);
    expect(bench().journal.sampleSeries('nobody')).toEqual([]);
  });

  it('leave a gap where the card said nothing, and never a zero', () => {
    const { log, job, add } = begin();
    add(
      samples(
        log,
        ['fan.speed', 'power.draw'],
        [
          [1, 0, null, 70],
          [2, 0, 30, null],
          [3, 0, null, 0],
          [4, 0, 31],
        ],
      ),
    );
    expect(bench().journal.samples(job, 1, { field: 'fan.speed' })).toEqual([
      { mono: 2, value: 30 },
      { mono: 4, value: 31 },
    ]);
    expect(bench().journal.samples(job, 1, { field: 'power.draw' })).toEqual([
      { mono: 1, value: 70 },
      { mono: 3, value: 0 },
    ]);
  });

  it('of text are numbers where they are numbers: bit masks too', () => {
    const { log, job, add } = begin();
    add(
      samples(
        log,
        ['clocks_event_reasons.active'],
        [
          [1, 0, '0x0000000000000004'],
          [2, 0, '7'],
          [3, 0, '[Unknown Error]'],
          [4, 0, ''],
          [5, 0, ' '],
        ],
      ),
    );
    const found = bench().journal.samples(job, 1, { field: 'clocks_event_reasons.active' });
    expect(found).toEqual([
      { mono: 1, value: 4 },
      { mono: 2, value: 7 },
    ]);
  });

  it('whose fields change in the middle of a job are one line of the chart', () => {
    const { log, job, add } = begin();
    add(samples(log, ['power.draw', 'temperature.gpu'], [[1, 0, 70, 40]]));
    add(samples(log, ['temperature.gpu', 'fan.speed'], [[2, 0, 41, 30]]));
    add(samples(log, ['power.draw', 'temperature.gpu'], [[3, 0, 71, 42]]));
    const { journal } = bench();
    expect(journal.samples(job, 1, { field: 'temperature.gpu' }).map((s) => s.value)).toEqual([40, 41, 42]);
    expect(journal.samples(job, 1, { field: 'power.draw' }).map((s) => s.value)).toEqual([70, 71]);
    expect(journal.sampleSeries(job)).toHaveLength(2);
  });

  it('of two sources with the same field are told apart', () => {
    const { log, job, add } = begin();
    add(samples(log, ['power.draw'], [[1, 0, 70]]), samples(log, ['power.draw'], [[1, 0, 900]], 'wall'));
    const ask = (source?: string) =>
      bench()
        .journal.samples(job, 1, { field: 'power.draw', source })
        .map((s) => s.value);
    expect([ask('gpu'), ask('wall'), ask().sort()]).toEqual([[70], [900], [70, 900]]);
  });

  it('of several attempts stay apart, and the newest is asked when none is named', () => {
    const { session, spec, log, job } = bench().begin();
    bench().journal.append(job, 1, [log.started(), samples(log, ['power.draw'], [[1, 0, 70]])]);
    const bytes = Buffer.from(JSON.stringify({ ...spec, attempt: 2 }));
    bench().journal.createAttempt(session.id, { ...spec, attempt: 2 }, bytes);
    expect(bench().journal.sampleSeries(job)).toEqual([]);
    expect(bench().journal.sampleSeries(job, 1)).toHaveLength(1);
    expect(bench().journal.samples(job, 2, { field: 'power.draw' })).toEqual([]);
  });

  it('stored twice by a line that came twice are counted once', () => {
    const { log, job, add } = begin();
    const line = samples(log, ['power.draw'], [[1, 0, 70]]);
    add(line);
    add(line);
    expect(bench().journal.samples(job, 1, { field: 'power.draw' })).toHaveLength(1);
  });

  it('that arrive one by one share blocks, so that a day is not a day of rows', () => {
    const { log, job, add } = begin();
    for (let i = 0; i < 200; i++) add(samples(log, ['power.draw'], [[i, 0, i]]));
    const found = bench().journal.samples(job, 1, { field: 'power.draw' });
    expect(found).toEqual(Array.from({ length: 200 }, (_, i) => ({ mono: i, value: i })));
    expect(bench().ask('select rows from sample_blocks').length).toBeLessThan(10);
  });
});

describe('thinning', () => {
  it('keeps the highest and the lowest of each stretch, in order of time', () => {
    const { log, job, add } = begin();
    const rows = Array.from({ length: 20_000 }, (_, i): Row => [i, 0, wave(i)]);
    add(samples(log, ['temperature.gpu'], rows));
    const found = bench().journal.samples(job, 1, { field: 'temperature.gpu', points: 200 });
    expect(found.length).toBeLessThanOrEqual(200);
    expect(found.length).toBeGreaterThan(150);
    expect(found).toContainEqual({ mono: 5_000, value: 99 });
    expect(found).toContainEqual({ mono: 5_001, value: 1 });
    const times = found.map((s) => s.mono);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    // Measured points, never averages.
    for (const { mono, value } of found) expect(value).toBe(wave(mono));
    // Every stretch of 200 s is there, so the curve has no hole.
    for (let i = 1; i < times.length; i++) expect((times[i] ?? 0) - (times[i - 1] ?? 0)).toBeLessThan(400);
  });

  it('gives every point where there are no more than asked for', () => {
    const { log, job, add } = begin();
    add(
      samples(
        log,
        ['x'],
        Array.from({ length: 2_000 }, (_, i): Row => [i, 0, i % 7]),
      ),
    );
    expect(bench().journal.samples(job, 1, { field: 'x' })).toHaveLength(2_000);
    expect(bench().journal.samples(job, 1, { field: 'x', points: 1_999 }).length).toBeLessThan(2_000);
    expect(bench().journal.samples(job, 1, { field: 'x', points: 0 }).length).toBeLessThanOrEqual(2);
  });

  it('of points that all have one time is still the lowest and the highest', () => {
    const { log, job, add } = begin();
    add(
      samples(
        log,
        ['x'],
        Array.from({ length: 100 }, (_, i): Row => [5, 0, i]),
      ),
    );
    expect(
      bench()
        .journal.samples(job, 1, { field: 'x', points: 10 })
        .map((s) => s.value),
    ).toEqual([0, 99]);
  });
});

it('a day of four GPUs, 345,600 rows, is stored and drawn in seconds', () => {
  const { log, job, add } = begin();
  const fields = ['utilization.gpu', 'temperature.gpu', 'power.draw', 'clocks.current.sm'];
  const day = 86_400;
  const lines: Buffer[] = [];
  for (let t = 0; t < day; t++) {
    lines.push(
      samples(
        log,
        fields,
        [0, 1, 2, 3].map((gpu): Row => [t, gpu, 100, wave(t % 20_000) + gpu, 575, 2400]),
      ),
    );
  }
  const begun = performance.now();
  // As a follower that catches up stores them: what arrived in one turn is one call.
  for (let at = 0; at < lines.length; at += 500) add(...lines.slice(at, at + 500));
  const stored = performance.now();
  const found = bench().journal.samples(job, 1, { field: 'temperature.gpu', series: 2 });
  const drawn = performance.now();
  expect(
    bench()
      .journal.sampleSeries(job)
      .map((s) => s.rows),
  ).toEqual([day, day, day, day]);
  expect(found.length).toBeLessThanOrEqual(2_000);
  expect(Math.max(...found.map((s) => s.value))).toBe(101);
  expect(Math.min(...found.map((s) => s.value))).toBe(3);
  // Bounds that a slow and busy machine keeps; a statement a row would take minutes.
  expect(stored - begun).toBeLessThan(15_000);
  expect(drawn - stored).toBeLessThan(1_000);
});

describe('lines for charts', () => {
  function wavesOfTwo() {
    const { log, job, add } = begin();
    const rows = Array.from({ length: 10_000 }, (_, i) => [
      [i, 0, wave(i), 70, null],
      [i + 0.001, 1, 40, i, null],
    ]).flat();
    for (let i = 0; i < rows.length; i += 5_000)
      add(samples(log, ['temperature.gpu', 'power.draw', 'fan.speed'], rows.slice(i, i + 5_000)));
    const ask = (fields: string[], points: number, from?: number, to?: number) =>
      bench().journal.sampleLines(job, 1, { fields, points, from, to });
    return { ask };
  }

  it('of several fields come at once, a line a series, and none for what was never reported', () => {
    const found = wavesOfTwo().ask(['power.draw', 'temperature.gpu', 'fan.speed', 'no.such'], 20_000);
    expect(found.map((l) => `${l.field} ${l.series} ${l.points.length}`).sort()).toEqual([
      'power.draw 0 10000',
      'power.draw 1 10000',
      'temperature.gpu 0 10000',
      'temperature.gpu 1 10000',
    ]);
    expect(found.find((l) => l.field === 'power.draw' && l.series === '1')?.points[7]).toEqual({
      mono: 7.001,
      value: 7,
    });
  });

  it('of a window are all that was measured in it, and thinned without losing a peak', () => {
    const { ask } = wavesOfTwo();
    const [line] = ask(['temperature.gpu'], 1_000, 4_990, 5_010);
    expect(line?.points.map((p) => p.mono)).toEqual(Array.from({ length: 21 }, (_, i) => 4_990 + i));
    const [thinned] = ask(['temperature.gpu'], 100, 4_000, 6_000);
    expect(thinned?.points.length).toBeLessThanOrEqual(100);
    expect(thinned?.points.map((p) => p.value)).toEqual(expect.arrayContaining([1, 99]));
    expect(ask(['temperature.gpu'], 100, 20_000, 30_000)).toEqual([]);
  });
});
