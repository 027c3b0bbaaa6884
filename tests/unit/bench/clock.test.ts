import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Clock } from '../../bench/flash/clock.ts';

describe('the clock of the benchmark', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('takes reading back out of what the others do, also where it comes twice', () => {
    const clock = new Clock();
    for (const [phase, ms] of [
      ['begin', 100],
      ['write', 2_000],
      ['write', 500],
      ['verify', 1_000],
      ['write', 30],
      ['verify', 200],
      ['seal', 70],
    ] as const) {
      clock.phase(phase);
      vi.advanceTimersByTime(ms);
    }
    const { total, write, readBack, parts } = clock.end();
    expect(total).toBeCloseTo(3.9);
    expect(write).toBeCloseTo(2.7);
    expect(readBack).toBeCloseTo(1.2);
    expect(Object.keys(parts)).toEqual(['begin', 'write', 'verify', 'seal']);
    expect(parts['write']).toBeCloseTo(2.53);
  });
});
