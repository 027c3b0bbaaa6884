/** What charts are drawn from: lines out of real samples, gaps, marks and windows of time. */
import { describe, expect, it } from 'vitest';
import { parseEvent } from '../../preload/contract/events.ts';
import { aligned, Lines } from '../../renderer/charts/lines.ts';
import { bandsOf, marksOf } from '../../renderer/charts/marks.ts';
import { turned, within, type Window } from '../../renderer/charts/zoom.ts';
import { samplesOf } from './main.ts';
import { recorded } from './recordings.ts';

const { lines: log } = recorded('gpu-detection');
const events = log.map(parseEvent);
const zero = events[0]?.env.mono ?? 0;

const line = (series: string, points: [number, number][], field = 'power.draw') => ({
  series,
  field,
  mono: Float64Array.from(points, (p) => p[0]),
  value: Float64Array.from(points, (p) => p[1]),
});

describe('lines of samples', () => {
  it('are the same from main and from the events of a job', () => {
    const told = new Lines();
    expect(told.add(events)).toBe(8);
    const asked = Lines.of(samplesOf(log, ['temperature.gpu', 'power.draw']));
    for (const field of ['temperature.gpu', 'power.draw'])
      expect(aligned(told.of(field), zero, 1)).toEqual(aligned(asked.of(field), zero, 1));
    expect(told.of('temperature.gpu').map((l) => [l.series, l.value[0]])).toEqual([
      ['0', 35],
      ['1', 34],
    ]);
    expect(told.span).toEqual({ from: 3022.771, to: 3025.771 });
  });

  it('of a field that no card reports are not there', () => {
    const told = new Lines();
    told.add(events);
    expect(told.of('fan.speed')).toEqual([]);
  });

  it('take each row once, whatever comes again', () => {
    const asked = Lines.of(samplesOf(log.slice(0, 44), ['power.draw']));
    expect(asked.of('power.draw')[0]?.length).toBe(2);
    expect(asked.add(events)).toBe(4);
    expect(asked.add(events)).toBe(0);
    expect(asked.of('power.draw')[0]?.length).toBe(4);
  });

  it('grow past their first room without losing a value', () => {
    const [first] = events.filter((e) => e.known && e.kind === 'samples');
    if (!first?.known || first.kind !== 'samples') throw new Error('no samples recorded');
    const rows = Array.from({ length: 1000 }, (_, i) => [i, 0, i, ...(first.body.rows[0]?.slice(3) ?? [])]);
    const all = new Lines();
    all.add([{ ...first, body: { ...first.body, rows } }]);
    const [use] = all.of('utilization.gpu');
    expect(use?.length).toBe(1000);
    expect(Array.from(use?.value.subarray(0, 1000) ?? [])).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });
});

describe('one axis of time', () => {
  it('holds every GPU at its own times, and draws over what was measured a moment later', () => {
    const all = Lines.of([
      line('0', [
        [10, 1],
        [11, 2],
      ]),
      line('1', [
        [10.002, 5],
        [11.002, 6],
      ]),
    ]);
    const [x, first, second] = aligned(all.of('power.draw'), 10, 1);
    expect(Array.from(x ?? [], (t) => Math.round(Number(t) * 1000))).toEqual([0, 2, 1000, 1002]);
    expect(first).toEqual([1, undefined, 2, undefined]);
    expect(second).toEqual([undefined, 5, undefined, 6]);
  });

  it('is broken where nothing was measured for long, also while others were', () => {
    const dense = Array.from({ length: 60 }, (_, i): [number, number] => [i, 7]);
    const holed = dense.filter(([t]) => t < 20 || t > 40);
    const all = Lines.of([line('0', dense), line('1', holed)]);
    const [x, , second] = aligned(all.of('power.draw'), 0, 1);
    const within40 = Array.from(x ?? []).flatMap((t, i) =>
      Number(t) > 19 && Number(t) < 41 ? [second?.[i]] : [],
    );
    expect(within40.length).toBeGreaterThan(20);
    expect(within40.every((v) => v === null)).toBe(true);
    expect(Array.from(second ?? []).filter((v) => v === 7)).toHaveLength(holed.length);
  });

  it('is in the unit that people read', () => {
    expect(aligned(Lines.of([line('0', [[1, 2048]])]).of('power.draw'), 0, 1024)).toEqual([[1], [2]]);
  });
});

describe('marks and bands', () => {
  it('are the steps that last, the begin and the end of the job', () => {
    expect(bandsOf(events, zero)).toEqual([
      { from: expect.closeTo(0.162, 3), to: expect.closeTo(3.162, 3), text: 'Watch the GPUs for 3 s' },
    ]);
    const all = new Lines();
    all.add(events);
    const marks = marksOf(events, all.of('clocks_event_reasons.active'), zero);
    expect(marks.map((m) => m.text)).toEqual(['Job started', 'Job passed']);
  });

  it('name what slows a card down, once for each time it begins', () => {
    const reasons = line(
      '2',
      [
        [1, 1],
        [2, 0],
        [3, 0x40],
        [4, 0x40],
        [5, 0],
        [6, 0x44],
      ],
      'clocks_event_reasons.active',
    );
    const marks = marksOf([], Lines.of([reasons]).of('clocks_event_reasons.active'), 0);
    expect(marks).toEqual([
      { at: 3, text: 'GPU 2 slowed down: heat (hardware)', tone: 'warn' },
      { at: 6, text: 'GPU 2 slowed down: power cap, heat (hardware)', tone: 'warn' },
    ]);
  });

  it('show an error that the driver reported', () => {
    const xid = log.map((l) =>
      l.includes('"id":"gpu_xid","title"') && l.includes('"kind":"check"')
        ? l.replace('"verdict":"pass","value":0', '"verdict":"fail","value":"Xid 79 on 0000:06:00"')
        : l,
    );
    const marks = marksOf(xid.map(parseEvent), [], zero);
    expect(marks.map((m) => [m.tone, m.text])).toContainEqual([
      'fail',
      'In the kernel log: Xid 79 on 0000:06:00',
    ]);
  });

  it('show it when it came, during load, and no other note', () => {
    const first = JSON.parse(log[0] ?? '{}') as { mono: number };
    // The same two in tests/box/test_kernelwatch.py, which has the box write them.
    const texts = [
      'Xid 79 (fatal) on 0000:00:07: the card has fallen off the bus',
      'Xid 31 on 0000:00:06: a program touched memory of the card that it had not',
      'power limits before: 700 W, 700 W',
    ];
    const note = (text: string, n: number, stream = 'note') =>
      JSON.stringify({ ...first, kind: 'log', mono: first.mono + n, step: 't7_length', stream, text });
    const lines = [...texts.map((text, n) => note(text, n + 1)), note(texts[0] ?? '', 9, 'stdout')];
    expect(marksOf(lines.map(parseEvent), [], zero)).toEqual([
      { at: expect.closeTo(1, 3), text: texts[0], tone: 'fail' },
      { at: expect.closeTo(2, 3), text: texts[1], tone: 'warn' },
    ]);
  });
});

describe('windows of time', () => {
  const whole: Window = [0, 100];

  it('zoom in about their middle and back out to the whole', () => {
    const once = turned(whole, null, 'in');
    expect(once).toEqual([25, 75]);
    const twice = turned(whole, once, 'in');
    expect(twice).toEqual([37.5, 62.5]);
    expect(turned(whole, twice, 'out')).toEqual([25, 75]);
    expect(turned(whole, once, 'out')).toBeNull();
    expect(turned(whole, twice, 'whole')).toBeNull();
  });

  it('move, and stop at the ends', () => {
    expect(turned(whole, [20, 40], 'later')).toEqual([25, 45]);
    expect(turned(whole, [20, 40], 'earlier')).toEqual([15, 35]);
    expect(turned(whole, [2, 22], 'earlier')).toEqual([0, 20]);
    expect(turned(whole, [79, 99], 'later')).toEqual([80, 100]);
    expect(turned(whole, null, 'later')).toBeNull();
  });

  it('are never narrower than there is something to see', () => {
    expect(within(whole, 50, 50.1)).toEqual([48.05, 52.05]);
    expect(within([0, 3], 1, 2)).toBeNull();
  });
});
