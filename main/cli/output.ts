/** What the command line prints: lines for people, or one JSON object a line with --json. */
import type { ErrorReply } from '../../preload/contract/errors.ts';
import type { CheckResult, JobEvent } from '../../preload/contract/events.ts';
import { COUNTED, PHASE_TITLES, ZEROING, type FlashProgress } from '../../preload/contract/flash.ts';
import type { LinkState } from '../../preload/contract/job.ts';
import { OUTCOME_WORDS, type Verdict } from '../../preload/contract/outcome.ts';
import type { Part } from '../../preload/contract/standing.ts';

/** Icon and word together: a verdict is never told by colour alone. */
export const VERDICT_WORDS: Record<Verdict, string> = {
  pass: '✓ pass',
  warn: '! warn',
  fail: '✕ fail',
  error: '⚡ error',
  not_run: '– not run',
  not_supported: '∅ not supported',
};

/** A person may think that the holder of apt's lock must be ended. */
const GOES_ON = '. Nothing to do: the job goes on by itself when it is free';

const PROGRESS_MS = 250;
/** For so long after the feeder's own word the counts of the job that it feeds are not shown: they know nothing of the phases to come. */
const FED_MS = 2_000;
const BYTES = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Bytes with a decimal unit, as disks and networks are sold. */
export function bytesText(bytes: number): string {
  let at = 0;
  let value = bytes;
  while (value >= 1000 && at < BYTES.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${at === 0 ? value : value.toFixed(1)} ${BYTES[at] ?? 'B'}`;
}

export function secondsText(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return '';
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, '0')} min`;
}

/** Rows in columns, each as wide as its widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** How a part stands, and what keeps it from having passed. */
export function partLines({ title, outcome, evidence, decision }: Part): string[] {
  const marked = evidence && evidence !== 'real' ? ` [${evidence}]` : '';
  return [
    `${title}: ${OUTCOME_WORDS[outcome]}${marked}`,
    ...decision.failures.map((text) => `  ✕ ${text}`),
    ...decision.missing.map((text) => `  – ${text}`),
    ...decision.deviations.map((text) => `  ! ${text}`),
  ];
}

/** A check and, where it did not pass, why and what to do. */
export function checkLines(check: CheckResult): string[] {
  const value = check.value === null ? '' : `${check.value}${check.unit ? ` ${check.unit}` : ''}`;
  const wanted = check.threshold === null ? '' : `(wanted: ${check.threshold})`;
  const head = [
    VERDICT_WORDS[check.verdict].padEnd(16),
    check.title,
    value && `: ${value}`,
    wanted && ` ${wanted}`,
  ];
  const lines = [`${head[0]} ${head.slice(1).join('')}`];
  if (check.verdict === 'pass') return lines;
  const indent = ' '.repeat(17);
  if (check.reason) lines.push(`${indent}${check.reason}`);
  if (check.nextAction) lines.push(`${indent}→ ${check.nextAction}`);
  return lines;
}

interface Counted {
  phase: string;
  done: number;
  total: number | null;
  unit: 'bytes' | 'files' | 'events' | 'seconds';
  perSecond?: number | null | undefined;
  remainingSeconds?: number | null | undefined;
}

/** How much, how fast, and how long it takes still, as far as that is known. */
function counted({ phase, done, total, unit, perSecond, remainingSeconds: left }: Counted): string {
  const text = (n: number) => {
    if (unit === 'seconds') return secondsText(n);
    return unit === 'bytes' ? bytesText(Math.round(n)) : String(n);
  };
  const rate = perSecond == null ? '' : `, ${text(perSecond)}/s`;
  const rest = left == null ? '' : `, ${secondsText(left)} to go`;
  return `${phase}: ${text(done)}${total === null ? '' : ` of ${text(total)}`}${rate}${rest}`;
}

export class Output {
  readonly json: boolean;
  readonly #out: NodeJS.WriteStream;
  readonly #live: boolean;
  #status = '';
  #steps = new Map<string, string>();

  constructor(json: boolean, out: NodeJS.WriteStream = process.stdout) {
    this.json = json;
    this.#out = out;
    this.#live = !json && out.isTTY;
  }

  #emit(record: Record<string, unknown>): void {
    this.#out.write(`${JSON.stringify(record)}\n`);
  }

  /** A line for people; with --json it is kept out of the records. */
  line(text = ''): void {
    if (this.json) return;
    this.#clear();
    this.#out.write(`${text}\n`);
    this.#draw();
  }

  note(text: string): void {
    if (this.json) this.#emit({ type: 'note', text });
    else this.line(text);
  }

  link(state: LinkState, detail: string): void {
    if (this.json) return this.#emit({ type: 'link', state, detail });
    if (state === 'live') this.#setStatus('');
    else this.#say(`link: ${state}, the job goes on on the box (${detail})`);
  }

  #progressed = { what: '', at: -Infinity };
  /** How far something long is: the status line on a terminal, a few records a second with --json. `total` null where nobody knows it. */
  progress(what: string, done: number, total: number | null, unit: 'bytes' | 'files'): void {
    const now = performance.now();
    const last = total !== null && done >= total;
    if (what === this.#progressed.what && !last && now - this.#progressed.at < PROGRESS_MS) return;
    this.#progressed = { what, at: now };
    if (this.json) return this.#emit({ type: 'progress', phase: what, done: Math.round(done), total, unit });
    this.#setStatus(total === null ? what : counted({ phase: what, done, total, unit }));
  }

  #fed = { phase: '', at: -Infinity };
  /** How far a flash is that is fed from here, with its rate and the time for all of it that remains. */
  flash({ phase, done, total, perSecond, remainingSeconds, zeroing }: FlashProgress): void {
    const now = performance.now();
    if (phase === this.#fed.phase && now - this.#fed.at < PROGRESS_MS) return;
    this.#fed = { phase, at: now };
    const title = PHASE_TITLES[phase];
    const told = { phase: title, done, total, unit: 'bytes' as const, perSecond, remainingSeconds };
    if (this.json) this.#emit({ type: 'progress', ...told });
    else this.#setStatus(`${COUNTED.has(phase) ? counted(told) : title}${zeroing ? `, ${ZEROING}` : ''}`);
  }

  /** `result` of a command, in JSON; people have read it by then. */
  result(record: Record<string, unknown>): void {
    this.#setStatus('');
    if (this.json) this.#emit({ type: 'result', ...record });
  }

  error(reply: ErrorReply): void {
    this.#setStatus('');
    if (this.json) return this.#emit({ type: 'error', ...reply });
    process.stderr.write(`error: ${reply.message}\n  → ${reply.nextAction}\n`);
    if (reply.detail && !reply.message.includes(reply.detail))
      process.stderr.write(`  detail: ${reply.detail}\n`);
  }

  events(job: string, attempt: number, events: readonly JobEvent[]): void {
    if (this.json) {
      for (const event of events) this.#emit({ type: 'event', job, attempt, event: event.env });
      return;
    }
    for (const event of events) if (event.known) this.#event(event);
  }

  #event(e: Extract<JobEvent, { known: true }>): void {
    switch (e.kind) {
      case 'started':
        return this.line(`▶ ${e.body.title}`);
      case 'step':
        if (e.body.state === 'begin') {
          this.#steps.set(e.body.id, e.body.title);
          return this.#setStatus(e.body.title);
        }
        if (e.body.outcome === 'failed') this.line(`  ✕ ${e.body.title}: ${e.body.detail ?? 'failed'}`);
        return this.#setStatus('');
      case 'task': {
        const { index, total, name, state } = e.body;
        const place = total ? `${index}/${total}` : String(index);
        if (state === 'begin') return this.#setStatus(`task ${place}  ${name}`);
        if (state === 'changed') this.line(`  changed  ${name}  ${secondsText(e.body.seconds)}`);
        if (state === 'failed') this.line(`  ✕ failed ${name}: ${e.body.detail ?? 'no message'}`);
        return;
      }
      case 'progress': {
        if (performance.now() - this.#fed.at < FED_MS) return;
        return this.#setStatus(counted(e.body));
      }
      case 'check':
        for (const line of checkLines(e.body.check)) this.line(`  ${line}`);
        return;
      case 'waiting':
        return e.body.state === 'begin'
          ? this.#say(`waiting: ${e.body.for} (${e.body.detail})${e.body.for === 'apt lock' ? GOES_ON : ''}`)
          : this.#setStatus('');
      case 'finished': {
        const { outcome, seconds, counts, detail } = e.body;
        const changed = counts ? `, changed ${counts.changed}` : '';
        this.line(`  ${outcome} in ${secondsText(seconds)}${changed}${detail ? `: ${detail}` : ''}`);
        return this.#setStatus('');
      }
      case 'log':
        return;
      case 'beat':
      case 'samples':
      case 'facts':
        return;
    }
  }

  #said = '';
  /** A state that lasts: a line once, and the status line while it does. */
  #say(text: string): void {
    if (text !== this.#said) this.line(`  ${text}`);
    this.#said = text;
    this.#setStatus(text);
  }

  #setStatus(text: string): void {
    if (!this.#live) return;
    this.#clear();
    this.#status = text;
    this.#draw();
  }

  #clear(): void {
    if (this.#live && this.#status) this.#out.write('\r\x1b[2K');
  }

  #draw(): void {
    if (!this.#live || !this.#status) return;
    const width = (this.#out.columns || 80) - 3;
    this.#out.write(`… ${this.#status.slice(0, width)}`);
  }
}
