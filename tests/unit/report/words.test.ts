import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ticks } from '../../../main/services/report/charts.ts';
import { escape, html, scriptJson } from '../../../main/services/report/markup.ts';
import { Telemetry } from '../../../main/services/report/telemetry.ts';
import { duration, gib, localTime, number, plural } from '../../../main/services/report/words.ts';
import { parseEvent } from '../../../preload/contract/events.ts';
import { LogWriter, makeSpec } from '../journal/log.ts';

describe('words', () => {
  it.each<[number | null, string]>([
    [null, '–'],
    [0, '0.0 s'],
    [0.26, '0.3 s'],
    [9.96, '10 s'],
    [59.6, '1 min 00 s'],
    [171, '2 min 51 s'],
    [3599, '59 min 59 s'],
    [86_580, '24 h 03 min'],
  ])('%j seconds are %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  it.each([
    ['2026-11-24T05:10:00.000Z', 'Europe/Berlin', '2026-11-24 06:10:00 CET'],
    ['2026-07-24T22:10:00.000Z', 'Europe/Berlin', '2026-07-25 00:10:00 CEST'],
    ['2026-11-24T05:10:00.000Z', 'UTC', '2026-11-24 05:10:00 UTC'],
    ['2026-11-24T00:00:00.000Z', 'Asia/Kolkata', '2026-11-24 05:30:00 GMT+5:30'],
    ['soon', 'UTC', 'soon'],
  ])('%s in %s is %s', (iso, zone, text) => {
    expect(localTime(iso, zone)).toBe(text);
  });

  it('give numbers their thousands, and sizes and counts their words', () => {
    expect([number(81559), number(0.25, 2), gib(50465865728), gib(null)]).toEqual([
      '81,559',
      '0.25',
      '47 GiB',
      null,
    ]);
    expect([plural(1, 'task'), plural(2, 'task'), plural(0, 'boot')]).toEqual([
      '1 task',
      '2 tasks',
      '0 boots',
    ]);
  });
});

describe('markup', () => {
  it('escapes every value that is no markup', () => {
    const part = html`<b>${'<i>'}</b>`;
    expect(html`<p title="${'"\'&'}">${[part, '>', 3, null]}</p>`.text).toBe(
      '<p title="&quot;&#39;&amp;"><b>&lt;i&gt;</b>&gt;3</p>',
    );
  });

  it('shows that there is something unshown, and keeps lines and tabs', () => {
    expect(escape('a\u0000b\u001b[1m\tc\nd\u202ee\u2066f')).toBe('a\uFFFDb\uFFFD[1m\tc\nd\uFFFDe\uFFFDf');
  });

  it('gives JSON that cannot leave its element and reads back the same', () => {
    const data = { a: '</script><!--\u2028' };
    expect(scriptJson(data)).not.toMatch(/<|\u2028/);
    expect(JSON.parse(scriptJson(data))).toEqual(data);
  });
});

describe('axes', () => {
  it.each([
    [0, 700, 4, [0, 200, 400, 600, 800]],
    [33, 50, 4, [30, 35, 40, 45, 50]],
    [0, 1, 4, [0, 0.5, 1]],
    [60, 61, 4, [60, 60.5, 61]],
  ])('from %d to %d', (low, high, most, all) => {
    expect(ticks(low, high, most)).toEqual(all);
  });
});

describe('telemetry', () => {
  const { spec, bytes } = makeSpec({ job: randomUUID() });
  const samples = (log: LogWriter, rows: unknown[][]) =>
    parseEvent(log.line('samples', { source: 'gpu', fields: ['power.draw', 'fan.speed'], rows }).toString());

  it('leaves out what the card does not tell, and what the report does not draw', () => {
    const t = new Telemetry();
    t.add(
      samples(new LogWriter(spec, bytes), [
        [100, 0, null, 40],
        [101, 0, 72.5, 41],
        [101, 1, 'N/A', 41],
      ]),
    );
    const [found] = t.summary({ job: spec.job, attempt: 1, title: 'x' });
    expect(found?.fields).toEqual([
      {
        field: 'power.draw',
        series: [{ name: '0', count: 1, min: 72.5, mean: 72.5, max: 72.5, points: [[0, 72.5]] }],
      },
    ]);
  });

  it('goes on in time after a reboot, whose clock begins anew', () => {
    const log = new LogWriter(spec, bytes);
    const t = new Telemetry();
    t.add(samples(log, [[100.01, 0, 70, null]]));
    log.boot = 'another';
    log.mono = 5;
    t.add(
      samples(log, [
        [5.02, 0, 80, null],
        [6.02, 0, 90, null],
      ]),
    );
    const [found] = t.summary({ job: spec.job, attempt: 1, title: 'x' });
    const times = found?.fields[0]?.series[0]?.points.map(([at]) => at) ?? [];
    expect(times).toHaveLength(3);
    expect(times.toSorted((a, b) => a - b)).toEqual(times);
    expect(found?.seconds).toBeLessThan(2);
  });

  it('draws a day with few points, the extremes among them', () => {
    const t = new Telemetry();
    const log = new LogWriter(spec, bytes);
    const rows = Array.from({ length: 20_000 }, (_, i) => [
      100 + i,
      0,
      i === 12_345 ? 999 : 70 + (i % 7),
      null,
    ]);
    t.add(samples(log, rows));
    const series = t.summary({ job: spec.job, attempt: 1, title: 'x' })[0]?.fields[0]?.series[0];
    expect(series?.count).toBe(20_000);
    expect(series?.points.length).toBeLessThanOrEqual(300);
    expect(series?.points.find(([, v]) => v === 999)?.[0]).toBe(12_345);
  });

  it('has no source where nothing was sampled', () => {
    expect(new Telemetry().summary({ job: spec.job, attempt: 1, title: 'x' })).toEqual([]);
  });
});
