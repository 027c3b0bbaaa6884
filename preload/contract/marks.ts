/** What happened while GPUs were watched, for charts on the screen and in the report: steps as bands, events as marks. Pure. */
import type { JobEvent } from './events.ts';
import { held, throttleReasons } from './telemetry.ts';

/** A step. Times in seconds on the chart's own clock. */
export interface Band {
  from: number;
  /** Null while it lasts. */
  to: number | null;
  text: string;
}

export type Tone = 'plain' | 'warn' | 'fail';

export interface Told {
  text: string;
  tone: Tone;
}

/** Shorter steps would be lines. */
const SHORTEST_BAND_SECONDS = 1;

/** Bands out of the events of one attempt, given in order. */
export class Bands {
  readonly #open = new Map<string, Band>();
  readonly #all: Band[] = [];

  /** `at`: when, on the chart's clock. */
  add(e: JobEvent, at: number): void {
    if (!e.known || e.kind !== 'step') return;
    const { id, title, state } = e.body;
    const begun = this.#open.get(id);
    if (state === 'begin') {
      const band = { from: at, to: null, text: title };
      this.#open.set(id, band);
      this.#all.push(band);
    } else if (begun) {
      begun.to = at;
      this.#open.delete(id);
    }
  }

  /** Steps that last, or lasted at least a second. */
  get all(): Band[] {
    return this.#all.filter(({ from, to }) => to === null || to - from >= SHORTEST_BAND_SECONDS);
  }
}

/** As resources/box/vcbox/kernelwatch.py tells an error of the driver's at the moment it comes. */
const XID = /^Xid \d+( \(fatal\))? on [0-9a-f:.]+: /;
/** What the whole kernel log told at the end, with those from before the job. */
const XID_CHECKS: readonly string[] = ['gpu_xid', 't7_xid'];

/** What of an event is a mark; null for most. */
export function markOf(e: JobEvent): Told | null {
  if (!e.known) return null;
  if (e.kind === 'started') return { text: 'Job started', tone: 'plain' };
  if (e.kind === 'finished')
    return { text: `Job ${e.body.outcome}`, tone: e.body.outcome === 'failed' ? 'fail' : 'plain' };
  if (e.kind === 'log') {
    const found = e.body.stream === 'note' ? XID.exec(e.body.text) : null;
    return found && { text: e.body.text, tone: found[1] === undefined ? 'warn' : 'fail' };
  }
  if (e.kind !== 'check' || !XID_CHECKS.includes(e.body.check.id)) return null;
  const { verdict, value } = e.body.check;
  if (verdict !== 'fail' && verdict !== 'warn') return null;
  return { text: `In the kernel log: ${String(value)}`, tone: verdict };
}

/** The marks of one card's clock event reasons, given in order: each time it begins to be slowed down, or for another reason than before. */
export class Slowing {
  readonly #series: string;
  #mask = 0;
  #before = '';

  constructor(series: string) {
    this.#series = series;
  }

  /** `mask`: the field clocks_event_reasons.active. */
  next(mask: number): Told | null {
    if (mask === this.#mask) return null;
    this.#mask = mask;
    const now = throttleReasons(mask).join(', ');
    const begins = now !== this.#before && now !== '';
    this.#before = now;
    return begins
      ? { text: `GPU ${this.#series} slowed down: ${now}`, tone: held(mask) ? 'plain' : 'warn' }
      : null;
  }
}
