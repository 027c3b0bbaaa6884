/** Medians, and how sure a median of few runs is. Pure. */

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const [low = NaN, high = NaN] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return (low + high) / 2;
};

/**
 * Two of the values between which the true median lies with at least 95 %, whatever the distribution (the binomial one of the ranks).
 * Null below 6 values, which have no such interval.
 */
export function interval(values: readonly number[]): [number, number] | null {
  const n = values.length;
  const sorted = values.toSorted((a, b) => a - b);
  let ways = 1;
  let below = 0;
  let found: [number, number] | null = null;
  for (let rank = 0; rank < n / 2; rank += 1) {
    below += ways / 2 ** n;
    if (2 * below > 0.05) break;
    found = [sorted[rank] as number, sorted[n - 1 - rank] as number];
    ways = (ways * (n - rank)) / (rank + 1);
  }
  return found;
}

/** Of pairs of runs that were adjacent in time: what one took, as a part of what the other took. */
export interface Ratio {
  median: number;
  interval: [number, number] | null;
  pairs: number;
}

export function ratioOf(ours: readonly number[], theirs: readonly number[]): Ratio {
  const ratios = ours.map((value, n) => value / (theirs[n] ?? NaN));
  return { median: median(ratios), interval: interval(ratios), pairs: ratios.length };
}
