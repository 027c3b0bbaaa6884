/** Main as the window meets it: calls and answers parsed by the contract, notices sent by hand. Only this border is faked. */
import {
  calls,
  type BoxState,
  type CallInput,
  type CallName,
  type CallOutput,
} from '../../preload/contract/calls.ts';
import type { Answer, Api } from '../../preload/contract/api.ts';
import { AppError, type ErrorCode, type ErrorFacts } from '../../preload/contract/errors.ts';
import { parseEvent } from '../../preload/contract/events.ts';
import { notices, type Notice, type NoticeName } from '../../preload/contract/notices.ts';
import { forWindow } from '../../preload/contract/window-actions.ts';
import type { Recording } from './recordings.ts';

type Handler<K extends CallName> = (input: CallInput<K>) => CallOutput<K> | Promise<CallOutput<K>>;

export class FakeMain {
  readonly #handlers = new Map<CallName, (input: never) => unknown>();
  readonly #listeners = new Map<NoticeName, Set<(notice: never) => void>>();
  /** What was called, in order. */
  readonly calls: { name: CallName; input: unknown }[] = [];

  answer<K extends CallName>(name: K, handler: Handler<K>): this {
    this.#handlers.set(name, handler);
    return this;
  }

  /** A call that fails as main would let it fail. */
  refuse(name: CallName, code: ErrorCode, facts: ErrorFacts = {}): this {
    this.#handlers.set(name, () => {
      throw new AppError(code, facts);
    });
    return this;
  }

  of(name: CallName): unknown[] {
    return this.calls.filter((c) => c.name === name).map((c) => c.input);
  }

  tell<K extends NoticeName>(name: K, notice: Notice<K>): void {
    const parsed = notices[name].parse(notice) as never;
    for (const listener of this.#listeners.get(name) ?? []) listener(parsed);
  }

  /** A box with these attempts in its journal. */
  serve(box: BoxState, recordings: readonly Recording[]): this {
    const of = (job: string, attempt: number) =>
      recordings.find((r) => r.row.job === job && r.row.attempt === attempt)?.lines ?? [];
    return this.answer('box.state', () => box)
      .answer('job.lines', (order) => linesOf(of(order.job, order.attempt), order))
      .answer('job.samples', ({ job, attempt, fields }) => samplesOf(of(job, attempt), fields))
      .answer('box.bundle', () => null);
  }

  install(): void {
    const call = Object.fromEntries(
      (Object.keys(calls) as CallName[]).map((name) => [name, (input: unknown) => this.#call(name, input)]),
    );
    const on = Object.fromEntries(
      (Object.keys(notices) as NoticeName[]).map((name) => [
        name,
        (listener: (notice: never) => void) => {
          const all = this.#listeners.get(name) ?? new Set();
          this.#listeners.set(name, all.add(listener));
          return () => all.delete(listener);
        },
      ]),
    );
    window.api = { call, on } as unknown as Api;
  }

  async #call(name: CallName, input: unknown): Promise<Answer<unknown>> {
    const given = calls[name].input.parse(input);
    this.calls.push({ name, input: given });
    const handler = this.#handlers.get(name);
    if (!handler) throw new Error(`nobody answers ${name}`);
    try {
      return { ok: true, value: calls[name].output.parse(await handler(given as never)) };
    } catch (error) {
      if (error instanceof AppError) return { ok: false, error: forWindow(error.toReply()) };
      throw error;
    }
  }
}

/** What main answers to `job.lines` with this log stored. */
export function linesOf(
  log: readonly string[],
  { after, limit, samples }: CallInput<'job.lines'>,
): CallOutput<'job.lines'> {
  const events = log.map(parseEvent);
  const rows = events.map((e) => (e.known && e.kind === 'samples' ? e.body.rows.length : 0));
  const told = log.filter((_, at) => at >= after && (samples || !rows[at] || at === log.length - 1));
  return { lines: told.slice(0, limit), sampleRows: rows.reduce((a, b) => a + b, 0) };
}

/** The lines of a chart out of the samples of a log, nothing thinned. */
export function samplesOf(lines: readonly string[], fields: readonly string[]): CallOutput<'job.samples'> {
  const all = new Map<string, { series: string; field: string; mono: number[]; value: number[] }>();
  for (const e of lines.map(parseEvent)) {
    if (!e.known || e.kind !== 'samples') continue;
    for (const row of e.body.rows) {
      e.body.fields.forEach((field, i) => {
        const value = row[i + 2] === null ? NaN : Number(row[i + 2]);
        if (!fields.includes(field) || Number.isNaN(value)) return;
        const series = String(row[1]);
        const key = `${field} ${series}`;
        const line = all.get(key) ?? { series, field, mono: [], value: [] };
        all.set(key, line);
        line.mono.push(Number(row[0]));
        line.value.push(value);
      });
    }
  }
  return [...all.values()].map(({ series, field, mono, value }) => ({
    series,
    field,
    mono: Float64Array.from(mono),
    value: Float64Array.from(value),
  }));
}
