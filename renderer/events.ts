/** A job's events as lines for people, in the tool's own words. Pure; what a line leaves out stands in the raw log. */
import type { JobEvent } from '../preload/contract/events.ts';
import { bytes } from './numbers.ts';

export interface EventLine {
  seq: number;
  /** Clock time of this laptop; it labels, and orders nothing. */
  time: string;
  kind: string;
  text: string;
  bad: boolean;
}

/** Made once: a formatter of its own for each line cost more than all else that a line needs. */
const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium', hour12: false });

/** Those that only say that something still lives: shown elsewhere as what they mean. */
const QUIET: ReadonlySet<string> = new Set(['beat', 'samples', 'progress']);

const oneLine = (text: string) => text.trimEnd().replaceAll(/\r?\n/g, ' ⏎ ');

function textOf(e: Extract<JobEvent, { known: true }>): { text: string; bad: boolean } {
  switch (e.kind) {
    case 'started':
      return {
        text: `${e.body.title} (started by ${e.body.laptop.user} on ${e.body.laptop.name})`,
        bad: false,
      };
    case 'step': {
      const { title, state, outcome, seconds, detail } = e.body;
      const end = [outcome ?? 'ok', seconds != null && `${seconds.toFixed(1)} s`, detail]
        .filter(Boolean)
        .join(', ');
      return { text: state === 'begin' ? title : `${title}: ${end}`, bad: outcome === 'failed' };
    }
    case 'task': {
      const { index, total, name, role, state, detail } = e.body;
      const of = total === null ? index : `${index}/${total}`;
      const what = [role && `${role}:`, name].filter(Boolean).join(' ');
      return {
        text: `${of} ${what}: ${[state, detail].filter(Boolean).join(', ')}`,
        bad: state === 'failed',
      };
    }
    case 'progress': {
      const { phase, done, total, unit } = e.body;
      const amount = (n: number) => (unit === 'bytes' ? bytes(n) : `${n} ${unit}`);
      return { text: `${phase}: ${amount(done)}${total === null ? '' : ` of ${amount(total)}`}`, bad: false };
    }
    case 'samples':
      return { text: `${e.body.rows.length} samples of ${e.body.source}`, bad: false };
    case 'check': {
      const { title, verdict, value, unit, reason } = e.body.check;
      const found = [value === null ? null : `${value}${unit ? ` ${unit}` : ''}`, reason]
        .filter(Boolean)
        .join(', ');
      const bad = verdict === 'fail' || verdict === 'error';
      return { text: `${title}: ${verdict.replace('_', ' ')}${found && ` (${found})`}`, bad };
    }
    case 'facts':
      return { text: 'The box was read.', bad: false };
    case 'log':
      return { text: oneLine(e.body.text), bad: e.body.stream === 'stderr' };
    case 'beat':
      return { text: `quiet for ${e.body.quietSeconds.toFixed(0)} s`, bad: false };
    case 'waiting':
      return {
        text: `${e.body.state === 'begin' ? 'for' : 'no longer for'} ${e.body.for}: ${e.body.detail}`,
        bad: false,
      };
    case 'finished': {
      const { outcome, code, detail, seconds } = e.body;
      const why = [code, detail].filter(Boolean).join(': ');
      return {
        text: `${outcome} after ${seconds.toFixed(1)} s${why && `, ${why}`}`,
        bad: outcome === 'failed',
      };
    }
  }
}

/** Whether the event has a line. */
export const isTold = (e: JobEvent): boolean => !QUIET.has(e.kind);

/** Of an event that is told. */
export function lineOf(e: JobEvent): EventLine {
  const { text, bad } = e.known ? textOf(e) : { text: `${e.why}; see the raw log`, bad: false };
  return {
    seq: e.env.seq,
    time: TIME.format(new Date(e.env.t)),
    kind: e.kind,
    text,
    bad,
  };
}
