/**
 * From events to what a person sees. The screen and the report both call this; nothing else interprets events.
 * Pure: `reduceJob(view, event)` returns a new view and never throws on a known event.
 */
import type { CheckResult, Counts, JobEvent } from './events.ts';
import type { BoxFacts } from './facts.ts';
import type { JobState } from './job.ts';
import { weakestEvidence, type Evidence } from './outcome.ts';

export interface StepView {
  id: string;
  title: string;
  state: 'running' | 'ok' | 'failed' | 'skipped';
  seconds: number | null;
  nominalSeconds: number | null;
  detail: string | null;
}

export interface TaskView {
  index: number;
  total: number | null;
  name: string;
  role: string | null;
  state: 'begin' | 'ok' | 'changed' | 'failed' | 'skipped';
  seconds: number | null;
  detail: string | null;
}

export interface JobView {
  state: JobState;
  title: string | null;
  jobKind: string | null;
  runner: string | null;
  evidence: Evidence | null;
  boot: string | null;
  startedAt: string | null;
  lastAt: string | null;
  lastSeq: number;
  steps: StepView[];
  tasks: TaskView[];
  progress: { phase: string; done: number; total: number | null; unit: string } | null;
  waiting: { for: string; detail: string } | null;
  quietSeconds: number;
  checks: CheckResult[];
  /** The facts read last, in a preflight job. */
  facts: BoxFacts | null;
  sampleRows: number;
  counts: Counts | null;
  seconds: number | null;
  code: string | null;
  detail: string | null;
  nextAction: string | null;
  /** Lines this version cannot read, kept for the raw view. */
  unknown: { seq: number; kind: string; why: string }[];
}

export const EMPTY_JOB: JobView = {
  state: 'starting',
  title: null,
  jobKind: null,
  runner: null,
  evidence: null,
  boot: null,
  startedAt: null,
  lastAt: null,
  lastSeq: 0,
  steps: [],
  tasks: [],
  progress: null,
  waiting: null,
  quietSeconds: 0,
  checks: [],
  facts: null,
  sampleRows: 0,
  counts: null,
  seconds: null,
  code: null,
  detail: null,
  nextAction: null,
  unknown: [],
};

function replaceOrPush<T>(list: readonly T[], same: (x: T) => boolean, next: T): T[] {
  const at = list.findLastIndex(same);
  return at < 0 ? [...list, next] : list.with(at, next);
}

function reduceBody(v: JobView, e: Extract<JobEvent, { known: true }>): JobView {
  switch (e.kind) {
    case 'started':
      return {
        ...v,
        state: 'running',
        title: e.body.title,
        jobKind: e.body.jobKind,
        runner: e.body.runner,
        startedAt: e.env.t,
        boot: e.env.boot,
      };
    case 'step': {
      const b = e.body;
      const before = v.steps.findLast((s) => s.id === b.id);
      const next: StepView = {
        id: b.id,
        title: b.title,
        state: b.state === 'begin' ? 'running' : (b.outcome ?? 'ok'),
        seconds: b.seconds ?? null,
        nominalSeconds: b.nominalSeconds ?? before?.nominalSeconds ?? null,
        detail: b.detail ?? null,
      };
      const steps =
        b.state === 'begin'
          ? [...v.steps, next]
          : replaceOrPush(v.steps, (s) => s.id === b.id && s.state === 'running', next);
      return { ...v, steps, progress: null };
    }
    case 'task': {
      const b = e.body;
      const next: TaskView = { ...b, seconds: b.seconds ?? null, detail: b.detail ?? null };
      return { ...v, tasks: replaceOrPush(v.tasks, (t) => t.index === b.index && t.name === b.name, next) };
    }
    case 'progress':
      return {
        ...v,
        progress: { phase: e.body.phase, done: e.body.done, total: e.body.total, unit: e.body.unit },
      };
    case 'samples':
      return { ...v, sampleRows: v.sampleRows + e.body.rows.length };
    case 'check':
      return { ...v, checks: [...v.checks, e.body.check] };
    case 'facts':
      return { ...v, facts: e.body.facts };
    case 'waiting':
      return { ...v, waiting: e.body.state === 'begin' ? { for: e.body.for, detail: e.body.detail } : null };
    case 'finished':
      return {
        ...v,
        state: e.body.outcome,
        counts: e.body.counts,
        seconds: e.body.seconds,
        code: e.body.code,
        detail: e.body.detail,
        nextAction: e.body.nextAction ?? null,
        waiting: null,
      };
    case 'log':
    case 'beat':
      return v;
  }
}

/** The view after one more event. Events at or below `lastSeq` change nothing: an event counts once. */
export function reduceJob(view: JobView, event: JobEvent): JobView {
  const { seq, t, evidence: told } = event.env;
  if (seq <= view.lastSeq) return view;
  const evidence = view.evidence === null ? told : weakestEvidence([view.evidence, told]);
  const head = { lastSeq: seq, lastAt: t, evidence };
  // By itself, in one copy: a day of them is most of a log.
  if (event.known && event.kind === 'samples')
    return { ...view, ...head, quietSeconds: 0, sampleRows: view.sampleRows + event.body.rows.length };
  const quietSeconds = event.known && event.kind === 'beat' ? event.body.quietSeconds : 0;
  const next: JobView = { ...view, ...head, quietSeconds };
  if (!event.known) return { ...next, unknown: [...next.unknown, { seq, kind: event.kind, why: event.why }] };
  return reduceBody(next, event);
}
