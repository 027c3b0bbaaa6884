/** The samples of one attempt: read from main, thinned there; a job that runs adds its new ones as they come. */
import { useEffect, useState } from 'react';
import type { ErrorReply } from '../../preload/contract/errors.ts';
import type { JobEvent } from '../../preload/contract/events.ts';
import { call, replyOf } from '../api.ts';
import { onSamples } from '../stores/desk.ts';
import { FIELDS, Lines } from './lines.ts';

/** Of each line: more than a chart on this screen has dots. */
const POINTS = 1_000;
/** A line this long is asked for anew, and thinner. */
const TOO_LONG = 2 * POINTS;
/** While somebody turns at the zoom, main is asked once. */
const SETTLE_MS = 150;
/** Of a window's width on each side: a turn out, which doubles the width, still lies within. */
const ROOM = 0.55;
const WIDE = 1 + 2 * ROOM;

export interface Samples {
  lines: Lines;
  /** Grows with every change of the lines. */
  version: number;
  loading: boolean;
  error: ErrorReply | null;
}

const NONE: Samples = { lines: new Lines(), version: 0, loading: true, error: null };

const ask = async (job: string, attempt: number, from: number | null, to: number | null) =>
  Lines.of(await call('job.samples', { job, attempt, fields: [...FIELDS], points: POINTS, from, to }));

export function useLines(job: string, attempt: number): Samples {
  const [state, setState] = useState(NONE);
  const [asked, setAsked] = useState(0);

  useEffect(() => {
    let gone = false;
    let here: Lines | null = null;
    /** What came while main was asked. */
    const early: JobEvent[] = [];
    setState((s) => ({ ...s, loading: true }));
    const end = onSamples(job, attempt, (events) => {
      if (!here) early.push(...events);
      else if (here.add(events) > 0) {
        setState((s) => ({ ...s, version: s.version + 1 }));
        if (here.longest > TOO_LONG) setAsked((n) => n + 1);
      }
    });
    ask(job, attempt, null, null)
      .then((lines) => {
        if (gone) return;
        lines.add(early);
        here = lines;
        setState((s) => ({ lines, version: s.version + 1, loading: false, error: null }));
      })
      .catch((error: unknown) => {
        if (!gone) setState((s) => ({ ...s, loading: false, error: replyOf(error) }));
      });
    return () => {
      gone = true;
      end();
    };
  }, [job, attempt, asked]);
  return state;
}

/** The lines of a window of time in full detail; null where the whole holds every sample already, or until they are here. */
export function useDetail(
  job: string,
  attempt: number,
  whole: Lines,
  window: readonly [number, number] | null,
): Lines | null {
  const [detail, setDetail] = useState<{ lines: Lines; from: number; to: number } | null>(null);
  const [from, to] = window ?? [null, null];
  const thinned = whole.longest >= POINTS / 2;
  const { span } = whole;
  // With its room about as wide as the whole, a window would be told nothing new.
  const finer =
    thinned && from !== null && to !== null && span !== null && (to - from) * WIDE < span.to - span.from;
  useEffect(() => {
    if (from === null || to === null || !finer) {
      setDetail(null);
      return undefined;
    }
    let gone = false;
    const timer = setTimeout(() => {
      const room = (to - from) * ROOM;
      ask(job, attempt, from - room, to + room)
        .then((lines) => {
          if (!gone) setDetail({ lines, from: from - room, to: to + room });
        })
        // The whole is still there to be seen, if more coarsely.
        .catch(() => undefined);
    }, SETTLE_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [job, attempt, from, to, finer]);
  const covers = detail !== null && from !== null && to !== null && detail.from <= from && detail.to >= to;
  return covers ? detail.lines : null;
}
