/** From events to what a person sees: each kind, an event once, nothing lost that is not known, nothing changed in place. */
import { describe, expect, it } from 'vitest';
import { EVENT_BODIES, parseEvent, type EventKind, type JobEvent } from '../../../preload/contract/events.ts';
import { EMPTY_JOB, reduceJob, type JobView } from '../../../preload/contract/reduce.ts';
import { BODIES, line } from './bodies.ts';

type Line = [kind: string, body: Record<string, unknown>, envelope?: Record<string, unknown>];

/** Events of these lines, numbered from 1. */
const events = (lines: readonly Line[]): JobEvent[] =>
  lines.map(([kind, body, envelope], i) => parseEvent(line(kind, body, { seq: i + 1, ...envelope })));

const reduce = (...lines: Line[]): JobView => events(lines).reduce(reduceJob, EMPTY_JOB);

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}

const body = (kind: EventKind, at = 0): Record<string, unknown> => BODIES[kind][at] ?? {};
const step = (id: string, state: 'begin' | 'end', more: Record<string, unknown> = {}): Line => [
  'step',
  { id, title: `Step ${id}`, state, ...more },
];
const task = (index: number, name: string, state: string, more: Record<string, unknown> = {}): Line => [
  'task',
  { step: 'l1', index, total: 3, name, role: 'base', state, ...more },
];

describe('each kind', () => {
  it('started: the job runs, under its title, by this runner, since then', () => {
    expect(reduce(['started', body('started')])).toEqual({
      ...EMPTY_JOB,
      state: 'running',
      title: 'Layer 1',
      jobKind: 'layer',
      runner: '0.1.0',
      evidence: 'real',
      boot: 'b5a4f1d2-0000-4000-8000-000000000001',
      startedAt: '2026-11-24T05:00:00.000Z',
      lastAt: '2026-11-24T05:00:00.000Z',
      lastSeq: 1,
    });
  });

  it('step: begins, ends, keeps what its beginning said, and may be skipped without one', () => {
    const view = reduce(
      step('a', 'begin', { nominalSeconds: 180 }),
      step('a', 'end', { outcome: 'ok', seconds: 12, detail: null }),
      step('b', 'end', { outcome: 'skipped', seconds: 0, detail: 'done before' }),
      step('c', 'begin'),
    );
    expect(view.steps).toEqual([
      { id: 'a', title: 'Step a', state: 'ok', seconds: 12, nominalSeconds: 180, detail: null },
      {
        id: 'b',
        title: 'Step b',
        state: 'skipped',
        seconds: 0,
        nominalSeconds: null,
        detail: 'done before',
      },
      { id: 'c', title: 'Step c', state: 'running', seconds: null, nominalSeconds: null, detail: null },
    ]);
  });

  it('step: one that runs twice is there twice, each with its own end', () => {
    const view = reduce(
      step('a', 'begin'),
      step('a', 'end', { outcome: 'failed', seconds: 1 }),
      step('a', 'begin'),
      step('a', 'end', { outcome: 'ok', seconds: 2 }),
    );
    expect(view.steps.map((s) => [s.state, s.seconds])).toEqual([
      ['failed', 1],
      ['ok', 2],
    ]);
  });

  it('step: an inner one ends before the outer', () => {
    const view = reduce(
      step('outer', 'begin'),
      step('inner', 'begin'),
      step('inner', 'end', { outcome: 'ok', seconds: 1 }),
    );
    expect(view.steps.map((s) => [s.id, s.state])).toEqual([
      ['outer', 'running'],
      ['inner', 'ok'],
    ]);
  });

  it('task: its end takes the place of its beginning', () => {
    const view = reduce(
      task(1, 'Install curl', 'begin'),
      task(1, 'Install curl', 'changed', { seconds: 3 }),
      task(2, 'Start ssh', 'begin'),
      task(2, 'Start ssh', 'failed', { seconds: 1, detail: 'no unit' }),
      task(3, 'Never reached', 'skipped'),
    );
    expect(view.tasks.map((t) => [t.index, t.state, t.seconds, t.detail])).toEqual([
      [1, 'changed', 3, null],
      [2, 'failed', 1, 'no unit'],
      [3, 'skipped', null, null],
    ]);
  });

  it('progress: the newest counts, until the step changes', () => {
    const view = reduce(step('files', 'begin'), ['progress', body('progress')]);
    expect(view.progress).toEqual({ phase: 'files', done: 10, total: 100, unit: 'bytes' });
    expect(
      reduce(step('files', 'begin'), ['progress', body('progress')], step('files', 'end')).progress,
    ).toBe(null);
  });

  it('samples: counted, since the charts have their own store', () => {
    expect(reduce(['samples', body('samples')], ['samples', body('samples')]).sampleRows).toBe(4);
  });

  it('check: every result, in the order of the log', () => {
    const view = reduce(['check', body('check', 0)], ['check', body('check', 1)]);
    expect(view.checks.map((c) => c.verdict)).toEqual(['pass', 'not_run']);
  });

  it('facts: what was read last', () => {
    const later = { facts: { ...(body('facts')['facts'] as object), hostname: 'box' } };
    expect(reduce(['facts', body('facts')], ['facts', later]).facts).toMatchObject({ hostname: 'box' });
  });

  it('waiting: what for, as long as it lasts', () => {
    const [, waiting]: Line = ['waiting', body('waiting')];
    expect(reduce(['waiting', waiting]).waiting).toEqual({ for: 'apt lock', detail: 'apt (812)' });
    expect(reduce(['waiting', waiting], ['waiting', { ...waiting, detail: 'dpkg (9)' }]).waiting).toEqual({
      for: 'apt lock',
      detail: 'dpkg (9)',
    });
    expect(reduce(['waiting', waiting], ['waiting', { ...waiting, state: 'end' }]).waiting).toBeNull();
    expect(reduce(['waiting', waiting], ['finished', body('finished')]).waiting).toBeNull();
  });

  it('beat: how quiet it is, until something is heard', () => {
    expect(reduce(['beat', body('beat')]).quietSeconds).toBe(2.01);
    expect(reduce(['beat', body('beat')], ['log', body('log')]).quietSeconds).toBe(0);
    expect(reduce(['beat', body('beat')], ['hologram', {}]).quietSeconds).toBe(0);
  });

  it('log: is in the log, and changes nothing else', () => {
    const before = reduce(['started', body('started')]);
    const after = reduce(['started', body('started')], ['log', body('log')]);
    expect(after).toEqual({ ...before, lastSeq: 2 });
  });

  it.each(['passed', 'failed', 'cancelled'] as const)(
    'finished: %s, with its counts and its reason',
    (outcome) => {
      const end = { ...body('finished', 1), outcome };
      expect(reduce(['started', body('started')], ['finished', end])).toMatchObject({
        state: outcome,
        code: 'ansible_failed',
        detail: 'Install curl: no',
        counts: { ok: 1, changed: 0, failed: 1, skipped: 0 },
        seconds: 1,
      });
    },
  );
});

describe('any log', () => {
  const whole: Line[] = [
    ['started', body('started')],
    ...(Object.keys(EVENT_BODIES) as EventKind[])
      .filter((kind) => kind !== 'started' && kind !== 'finished')
      .flatMap((kind) => BODIES[kind].map((b): Line => [kind, b])),
    ['hologram', { shape: 'cube' }],
    ['finished', body('finished')],
  ];

  it('counts an event once, however often and in whatever order it comes again', () => {
    const all = events(whole);
    const once = all.reduce(reduceJob, EMPTY_JOB);
    const doubled = all.flatMap((e) => [e, e]).reduce(reduceJob, EMPTY_JOB);
    expect(doubled).toEqual(once);
    expect([...all].reverse().reduce(reduceJob, once)).toBe(once);
    expect(once.lastSeq).toBe(whole.length);
  });

  it('changes nothing in place', () => {
    let view = frozen(EMPTY_JOB);
    for (const event of events(whole)) view = frozen(reduceJob(view, event));
    expect(view.state).toBe('passed');
  });

  it('gives the same view in pieces as at once', () => {
    const all = events(whole);
    for (let cut = 0; cut <= all.length; cut++) {
      const first = all.slice(0, cut).reduce(reduceJob, EMPTY_JOB);
      expect(all.slice(cut).reduce(reduceJob, first)).toEqual(all.reduce(reduceJob, EMPTY_JOB));
    }
  });

  it('keeps what it does not know, with the reason, and goes on', () => {
    const view = reduce(
      ['hologram', { shape: 'cube' }],
      ['finished', { outcome: 'exploded' }],
      ['log', body('log')],
    );
    expect(view.unknown).toEqual([
      { seq: 1, kind: 'hologram', why: 'a kind this version does not know' },
      { seq: 2, kind: 'finished', why: expect.stringMatching(/outcome/) },
    ]);
    expect(view).toMatchObject({ state: 'starting', lastSeq: 3 });
  });

  it('has the weakest evidence of all its events, those it does not know included', () => {
    expect(reduce(['log', body('log')]).evidence).toBe('real');
    expect(reduce(['log', body('log')], ['log', body('log'), { evidence: 'stand-in' }]).evidence).toBe(
      'stand-in',
    );
    const three = reduce(
      ['log', body('log'), { evidence: 'practice' }],
      ['log', body('log')],
      ['hologram', {}, { evidence: 'stand-in' }],
    );
    expect(three.evidence).toBe('practice');
  });
});
