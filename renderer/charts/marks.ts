/** What happened while the GPUs were watched: steps as bands, events as marks. Times in seconds since `zero`. */
import type { JobEvent } from '../../preload/contract/events.ts';
import { throttleReasons } from '../../preload/contract/telemetry.ts';
import type { Line } from './lines.ts';

export interface Band {
  from: number;
  /** Null while it lasts. */
  to: number | null;
  text: string;
}

export interface Mark {
  at: number;
  text: string;
  tone: 'plain' | 'warn' | 'fail';
}

/** Steps that last at least a second; shorter ones would be lines. */
export function bandsOf(events: readonly JobEvent[], zero: number): Band[] {
  const open = new Map<string, Band>();
  const all: Band[] = [];
  for (const e of events) {
    if (!e.known || e.kind !== 'step') continue;
    const { id, title, state } = e.body;
    const at = e.env.mono - zero;
    const begun = open.get(id);
    if (state === 'begin') {
      const band = { from: at, to: null, text: title };
      open.set(id, band);
      all.push(band);
    } else if (begun) {
      begun.to = at;
      open.delete(id);
    }
  }
  return all.filter(({ from, to }) => to === null || to - from >= 1);
}

/** As resources/box/vcbox/kernelwatch.py tells an error of the driver's at the moment it comes. */
const XID = /^Xid \d+( \(fatal\))? on [0-9a-f:.]+: /;
/** What the whole kernel log told at the end, with those from before the job. */
const XID_CHECKS: readonly string[] = ['gpu_xid', 't7_xid'];

function ofEvent(e: JobEvent, zero: number): Mark | null {
  if (!e.known) return null;
  const at = e.env.mono - zero;
  if (e.kind === 'started') return { at, text: 'Job started', tone: 'plain' };
  if (e.kind === 'finished')
    return { at, text: `Job ${e.body.outcome}`, tone: e.body.outcome === 'failed' ? 'fail' : 'plain' };
  if (e.kind === 'log') {
    const found = e.body.stream === 'note' ? XID.exec(e.body.text) : null;
    return found && { at, text: e.body.text, tone: found[1] === undefined ? 'warn' : 'fail' };
  }
  if (e.kind !== 'check' || !XID_CHECKS.includes(e.body.check.id)) return null;
  const { verdict, value } = e.body.check;
  if (verdict !== 'fail' && verdict !== 'warn') return null;
  return { at, text: `In the kernel log: ${String(value)}`, tone: verdict };
}

/** Each time a card begins to be slowed down, or for another reason than before. `reasons`: lines of the bit masks. */
function throttles(reasons: readonly Line[], zero: number): Mark[] {
  return reasons.flatMap(({ series, mono, value, length }) => {
    const marks: Mark[] = [];
    let before = '';
    for (let i = 0; i < length; i++) {
      const now = throttleReasons(value[i] ?? 0).join(', ');
      if (now !== before && now !== '')
        marks.push({ at: (mono[i] ?? 0) - zero, text: `GPU ${series} slowed down: ${now}`, tone: 'warn' });
      before = now;
    }
    return marks;
  });
}

/** In order of time. */
export function marksOf(events: readonly JobEvent[], reasons: readonly Line[], zero: number): Mark[] {
  const told = events.map((e) => ofEvent(e, zero)).filter((m) => m !== null);
  return [...told, ...throttles(reasons, zero)].sort((a, b) => a.at - b.at);
}
