import { describe, expect, it } from 'vitest';
import { interval, median, ratioOf } from '../../bench/flash/statistics.ts';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

describe('the statistics of the benchmark', () => {
  it('take the middle, or what lies between the two in the middle', () => {
    expect([median([3, 1, 2]), median([4, 1, 3, 2])]).toEqual([2, 2.5]);
  });

  // Ranks of published tables of the sign test at 95 %.
  it.each([
    [6, [1, 6]],
    [9, [2, 8]],
    [15, [4, 12]],
    [25, [8, 18]],
  ])('know the interval of the median of %i values', (n, wanted) => {
    expect(interval(upTo(n).reverse())).toEqual(wanted);
  });

  it('claim no interval where there is none', () => {
    expect(interval(upTo(5))).toBeNull();
    expect(interval([])).toBeNull();
  });

  it('compare run by run and not sum by sum', () => {
    expect(ratioOf([1, 10, 3], [2, 10, 30])).toEqual({ median: 0.5, interval: null, pairs: 3 });
  });
});
