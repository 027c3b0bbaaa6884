/** Reading a line of a log: what is known is typed, what is not is kept, and only a broken envelope is refused. */
import { describe, expect, it } from 'vitest';
import { EVENT_BODIES, parseEvent, type EventKind } from '../../../preload/contract/events.ts';
import { BODIES, line } from './bodies.ts';

describe('parseEvent', () => {
  it.each(Object.keys(EVENT_BODIES) as EventKind[])('knows %s', (kind) => {
    for (const body of BODIES[kind]) {
      const event = parseEvent(line(kind, body));
      expect(event, JSON.stringify(event)).toMatchObject({ known: true, kind });
      expect(event.known && event.body).toMatchObject(body);
    }
  });

  it.each(['hologram', 'Started', 'constructor', 'toString', '__proto__', 'hasOwnProperty'])(
    'keeps the unknown kind %s',
    (kind) => {
      const event = parseEvent(line(kind, { shape: 'cube' }));
      expect(event).toMatchObject({ known: false, kind, why: 'a kind this version does not know' });
      expect(event.env).toMatchObject({ shape: 'cube', seq: 1 });
    },
  );

  it.each(Object.keys(EVENT_BODIES) as EventKind[])('keeps %s without its fields as unreadable', (kind) => {
    const event = parseEvent(line(kind, {}));
    expect(event).toMatchObject({ known: false, kind });
    expect(event.known ? '' : event.why).toMatch(/expected|Invalid/);
  });

  it.each<[EventKind, Record<string, unknown>]>([
    ['finished', { ...BODIES.finished[0], outcome: 'exploded' }],
    ['step', { ...BODIES.step[0], state: 'middle' }],
    ['waiting', { ...BODIES.waiting[0], for: 'Godot' }],
    ['samples', { source: 'gpu', fields: ['x'], rows: [[1]] }],
    ['check', { check: { ...(BODIES.check[0]?.['check'] as object), verdict: 'maybe' } }],
    ['progress', { ...BODIES.progress[0], unit: 'furlongs' }],
  ])('keeps %s with a value it does not know as unreadable: %j', (kind, body) => {
    expect(parseEvent(line(kind, body))).toMatchObject({ known: false, kind });
  });

  it('keeps fields that a newer runner added', () => {
    const event = parseEvent(line('log', { ...BODIES.log[0], colour: 'red' }, { v: 2, signature: 'abc' }));
    expect(event).toMatchObject({ known: true, body: { colour: 'red' }, env: { v: 2, signature: 'abc' } });
  });

  it.each<[string, Record<string, unknown>]>([
    ['no job', { job: undefined }],
    ['a job that is no UUID', { job: 'x' }],
    ['seq 0', { seq: 0 }],
    ['seq as text', { seq: '1' }],
    ['half a seq', { seq: 1.5 }],
    ['attempt 0', { attempt: 0 }],
    ['no kind', { kind: '' }],
    ['a prev that is no hash', { prev: 'abc' }],
    ['an unknown kind of evidence', { evidence: 'trust me' }],
    ['no clock', { mono: null }],
  ])('refuses an envelope with %s', (_what, change) => {
    expect(() => parseEvent(line('log', BODIES.log[0] ?? {}, change))).toThrow();
  });

  it.each(['', 'null', '[]', '1', '{"v":1}', '{"v":1'])('refuses %j', (text) => {
    expect(() => parseEvent(text)).toThrow();
  });
});
