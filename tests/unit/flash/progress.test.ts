/** Told is what is done: a rate of now, and the end only at the end. */
import { describe, expect, it } from 'vitest';
import {
  reduceProgress,
  startProgress,
  viewProgress,
  type ProgressEvent,
  type ProgressState,
} from '../../../main/services/flash/progress.ts';
import { random } from './images.ts';

const MB = 1_000_000;

/** Starts at 50 s of the clock. */
class Clock {
  at = 50_000;
  state: ProgressState;
  constructor(write: number | null, verify: number | null) {
    this.state = startProgress({ write, verify }, this.at);
  }
  tell(event: ProgressEvent extends infer E ? (E extends unknown ? Omit<E, 'at'> : never) : never): this {
    this.state = reduceProgress(this.state, { ...event, at: this.at });
    return this;
  }
  phase(phase: 'wipe' | 'write' | 'flush' | 'verify' | 'seal'): this {
    return this.tell({ kind: 'phase', phase });
  }
  /** `bytes` in each of `n` steps of `ms`. */
  run(n: number, ms: number, bytes: number): this {
    for (let i = 0; i < n; i += 1) {
      this.at += ms;
      if (bytes) this.tell({ kind: 'bytes', bytes });
    }
    return this;
  }
  get view() {
    return viewProgress(this.state, this.at);
  }
}

describe('progress of a flash', () => {
  it('tells bytes of data, the rate and the time for all phases that remain', () => {
    const { view } = new Clock(1000 * MB, 2000 * MB).phase('write').run(50, 100, 10 * MB);
    expect(view).toMatchObject({ phase: 'write', done: 500 * MB, total: 1000 * MB, perSecond: 100 * MB });
    // 500 MB to write and 2000 MB to read back.
    expect(view.remainingSeconds).toBeCloseTo(25, 5);
    expect(view.fraction).toBeCloseTo(500 / 3000, 10);
  });

  it('has the rate of the last ten seconds, not of the beginning', () => {
    const clock = new Clock(100_000 * MB, 0).phase('write').run(300, 100, 100 * MB);
    expect(clock.view.perSecond).toBeCloseTo(1000 * MB, -4);
    clock.run(110, 100, MB);
    expect(clock.view.perSecond).toBeCloseTo(10 * MB, -4);
  });

  it('lets the rate fall while nothing comes, and knows no time then', () => {
    const clock = new Clock(1000 * MB, 0).phase('write').run(20, 100, 10 * MB);
    const before = clock.view.perSecond ?? 0;
    clock.run(1, 8_000, 0);
    expect(clock.view.perSecond).toBeLessThan(before / 4);
    clock.run(1, 20_000, 0);
    expect(clock.view).toMatchObject({ perSecond: 0, remainingSeconds: null });
  });

  it('says nothing of a rate in the first second of a phase', () => {
    const clock = new Clock(1000 * MB, 1000 * MB).phase('write').run(9, 100, 10 * MB);
    expect(clock.view.perSecond).toBeNull();
    clock
      .run(30, 100, 10 * MB)
      .phase('verify')
      .run(5, 100, MB);
    expect(clock.view).toMatchObject({ phase: 'verify', perSecond: null, done: 5 * MB });
  });

  it('is never at its end before it is, and does not go back, whatever comes', () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const next = random(seed);
      const [write, verify] = [next(5) * MB, (1 + next(500)) * MB];
      const clock = new Clock(write, verify);
      let last = 0;
      const look = () => {
        const { fraction, done, total } = clock.view;
        expect(fraction).toBeLessThan(1);
        expect(fraction).toBeGreaterThanOrEqual(last);
        if (total !== null) expect(done).toBeLessThanOrEqual(total);
        last = fraction ?? 0;
      };
      for (const phase of ['wipe', 'write', 'flush', 'verify', 'seal'] as const) {
        clock.phase(phase);
        const all = phase === 'write' ? write : phase === 'verify' ? verify : 0;
        // More than all comes where chunks are written twice.
        for (let i = 0; i < 5; i += 1) {
          clock.run(1, next(3000), next(3) ? all / 4 : 0);
          look();
        }
        clock.run(1, 10, all);
        look();
      }
      expect(clock.tell({ kind: 'finished' }).view).toMatchObject({ fraction: 1, remainingSeconds: 0 });
    }
  });

  it('goes on from where it was after a cut, whose totals are of what is left', () => {
    const clock = new Clock(null, null).phase('wipe').phase('write');
    clock.tell({ kind: 'totals', totals: { write: 1000 * MB, verify: 1000 * MB } }).run(10, 100, 80 * MB);
    expect(clock.view.fraction).toBeCloseTo(0.4, 10);
    clock.phase('wipe').run(5, 1000, 0);
    expect(clock.view.fraction).toBeCloseTo(0.4, 10);
    clock.phase('write').tell({ kind: 'totals', totals: { write: 200 * MB, verify: 1000 * MB } });
    expect(clock.view.fraction).toBeCloseTo(0.4, 10);
    clock.run(2, 100, 100 * MB);
    expect(clock.view.fraction).toBeCloseTo(0.4 + 0.6 / 6, 10);
  });

  it('does not go back where the disk is asked what it has, or chunks are written again', () => {
    const clock = new Clock(100 * MB, 100 * MB).phase('write').run(1, 100, 100 * MB);
    expect(clock.phase('verify').run(1, 100, 50 * MB).view.fraction).toBeCloseTo(0.75, 10);
    expect(clock.tell({ kind: 'phase', phase: 'map' }).view.fraction).toBeCloseTo(0.75, 10);
    clock
      .phase('verify')
      .run(1, 100, 100 * MB)
      .phase('write');
    expect(clock.view.fraction).toBe(0.999);
    clock.tell({ kind: 'totals', totals: { write: 4 * MB, verify: 4 * MB } }).run(1, 100, MB);
    expect(clock.view.fraction).toBe(0.999);
  });

  it('says that empty areas are zeroed as long as they are, and not that bytes came', () => {
    const clock = new Clock(1000 * MB, 0).phase('write');
    expect(clock.view.zeroing).toBe(false);
    clock.tell({ kind: 'zeroing', more: 1 }).tell({ kind: 'zeroing', more: 1 }).run(20, 1000, 0);
    expect(clock.view).toMatchObject({ zeroing: true, done: 0, perSecond: 0, fraction: 0 });
    clock.tell({ kind: 'zeroing', more: -1 });
    expect(clock.view.zeroing).toBe(true);
    expect(clock.tell({ kind: 'zeroing', more: -1 }).view.zeroing).toBe(false);
  });

  it('of a stream whose size nobody knows has no fraction, and still a rate', () => {
    const clock = new Clock(null, 1000 * MB).phase('write').run(20, 100, MB);
    expect(clock.view).toMatchObject({
      total: null,
      fraction: null,
      remainingSeconds: null,
      perSecond: 10 * MB,
    });
  });

  it('keeps few samples, however long it runs', () => {
    const clock = new Clock(1e15, 0).phase('write').run(20_000, 5, MB);
    expect(clock.state.samples.length).toBeLessThan(250);
  });
});
