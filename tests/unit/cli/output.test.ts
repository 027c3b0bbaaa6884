/** What a person reads of a job's events. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Output } from '../../../main/cli/output.ts';
import { parseEvent } from '../../../preload/contract/events.ts';

const HEAD = {
  ...{ v: 1, job: '0b0a3f5e-6d5e-4a2c-9c53-0d8f4a3f7f10', attempt: 1, boot: 'b', mono: 1.5 },
  ...{ t: '2026-11-24T05:00:00.000Z', prev: '0'.repeat(64), evidence: 'stand-in' },
};

/** The lines printed for events with these kinds and fields. */
function lines(...bodies: Record<string, unknown>[]): string[] {
  const stream = new PassThrough();
  const out = new Output(false, stream as unknown as NodeJS.WriteStream);
  bodies.forEach((body, at) =>
    out.events(HEAD.job, 1, [parseEvent(JSON.stringify({ ...HEAD, seq: at + 1, ...body }))]),
  );
  return String(stream.read() ?? '')
    .split('\n')
    .filter(Boolean);
}

describe('waiting', () => {
  const wait = (what: string, detail: string) => ({ kind: 'waiting', for: what, detail, state: 'begin' });

  it("for apt's lock names its holder and says that nothing need be done, once while it lasts", () => {
    const held = wait('apt lock', 'held by unattended-upgrade (process 1217)');
    expect(lines(held, held)).toEqual([
      '  waiting: apt lock (held by unattended-upgrade (process 1217)). Nothing to do: the job goes on by itself when it is free',
    ]);
  });

  it('for anything else says what for', () => {
    expect(lines(wait('source', 'the app has not opened its tunnel yet'))).toEqual([
      '  waiting: source (the app has not opened its tunnel yet)',
    ]);
  });
});

describe('progress', () => {
  const flash = {
    phase: 'write',
    done: 1.5e9,
    total: 3e9,
    perSecond: 1e8,
    remainingSeconds: 45,
    fraction: 0.25,
    zeroing: false,
  } as const;

  it('of a flash that is fed from here is told with its rate, and not overwritten by what the job on the box counts', () => {
    const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 200 });
    const out = new Output(false, stream as unknown as NodeJS.WriteStream);
    out.flash(flash);
    expect(String(stream.read())).toContain('Write: 1.5 GB of 3.0 GB, 100.0 MB/s, 45.0 s to go');
    const counts = {
      kind: 'progress',
      step: 'write',
      phase: 'Write',
      done: 1.4e9,
      total: 3e9,
      unit: 'bytes',
    };
    out.events(HEAD.job, 1, [parseEvent(JSON.stringify({ ...HEAD, seq: 1, ...counts }))]);
    expect(stream.read()).toBeNull();
    out.flash({ ...flash, phase: 'verify', perSecond: 0, remainingSeconds: null, zeroing: true });
    expect(String(stream.read())).toContain('1.5 GB of 3.0 GB, 0 B/s, zeroing what the image leaves empty');
    out.flash({ ...flash, phase: 'flush', done: 0, total: null, perSecond: null });
    expect(String(stream.read())).toContain('Wait until the disk has all of it');
  });

  it('of a flash is a record with its rate in JSON', () => {
    const stream = new PassThrough();
    new Output(true, stream as unknown as NodeJS.WriteStream).flash(flash);
    expect(JSON.parse(String(stream.read()))).toEqual({
      ...{ type: 'progress', phase: 'Write', done: 1.5e9, total: 3e9, unit: 'bytes' },
      ...{ perSecond: 1e8, remainingSeconds: 45 },
    });
  });

  it('of a soak is told in time, done and to go', () => {
    const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 200 });
    const out = new Output(false, stream as unknown as NodeJS.WriteStream);
    const soak = {
      kind: 'progress',
      step: 't7_length',
      phase: 'load',
      done: 3600,
      total: 86_400,
      unit: 'seconds',
    };
    const event = { ...HEAD, seq: 1, ...soak, remainingSeconds: 82_800 };
    out.events(HEAD.job, 1, [parseEvent(JSON.stringify(event))]);
    expect(String(stream.read())).toContain('load: 60:00 min of 1440:00 min, 1380:00 min to go');
  });
});
