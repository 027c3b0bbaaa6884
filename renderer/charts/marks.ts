/** What happened while the GPUs were watched: steps as bands, events as marks. Times in seconds since `zero`. */
import type { JobEvent } from '../../preload/contract/events.ts';
import { Bands, markOf, Slowing, type Band, type Told } from '../../preload/contract/marks.ts';
import type { Line } from './lines.ts';

export type { Band };

export interface Mark extends Told {
  at: number;
}

export function bandsOf(events: readonly JobEvent[], zero: number): Band[] {
  const bands = new Bands();
  for (const e of events) bands.add(e, e.env.mono - zero);
  return bands.all;
}

/** `reasons`: lines of the bit masks. */
function throttles(reasons: readonly Line[], zero: number): Mark[] {
  return reasons.flatMap(({ series, mono, value, length }) => {
    const marks: Mark[] = [];
    const slowing = new Slowing(series);
    for (let i = 0; i < length; i++) {
      const told = slowing.next(value[i] ?? 0);
      if (told) marks.push({ at: (mono[i] ?? 0) - zero, ...told });
    }
    return marks;
  });
}

/** In order of time. */
export function marksOf(events: readonly JobEvent[], reasons: readonly Line[], zero: number): Mark[] {
  const told = events.flatMap((e) => {
    const mark = markOf(e);
    return mark ? [{ at: e.env.mono - zero, ...mark }] : [];
  });
  return [...told, ...throttles(reasons, zero)].sort((a, b) => a.at - b.at);
}
