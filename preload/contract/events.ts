/**
 * The events of a job's log, as the box writes them and the journal keeps them (docs/adr/0002-job-mechanism.md).
 * An unknown kind or a field added by a newer runner is kept and shown raw, so objects here are loose.
 */
import { z } from 'zod';
import { BoxFacts } from './facts.ts';
import { Evidence, Verdict } from './outcome.ts';

export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** One check's result. `seconds` is its duration. `reason` is there whenever the check did not run. */
export const CheckResult = z.looseObject({
  id: z.string().min(1),
  title: z.string().min(1),
  layer: z.number().int().nullable(),
  suite: z.string().nullable(),
  verdict: Verdict,
  value: z.union([z.string(), z.number(), z.boolean()]).nullable(),
  unit: z.string().nullable(),
  threshold: z.string().nullable(),
  source: z.string().nullable(),
  reason: z.string().nullable(),
  nextAction: z.string().nullable(),
  evidence: z.string().nullable(),
  seconds: z.number().nonnegative(),
});
export type CheckResult = z.infer<typeof CheckResult>;

export const Envelope = z.looseObject({
  v: z.number().int().positive(),
  job: z.uuid(),
  attempt: z.number().int().positive(),
  seq: z.number().int().positive(),
  boot: z.string(),
  /** CLOCK_MONOTONIC of the box in seconds; comparable within one `boot`. */
  mono: z.number(),
  /** Wall clock of the box, ISO 8601 UTC. It labels; it never orders. */
  t: z.string(),
  kind: z.string().min(1),
  /** SHA-256 of the bytes of the line before; of spec.json for seq 1. */
  prev: Sha256,
  evidence: Evidence,
});
export type Envelope = z.infer<typeof Envelope>;

const step = z.string().nullable();
const seconds = z.number().nonnegative();
export const JobOutcomeWritten = z.enum(['passed', 'failed', 'cancelled']);
export const WaitingFor = z.enum([
  ...['link', 'source', 'apt lock', 'logout', 'confirm', 'other job', 'reboot'],
  /** For what the laptop finds from outside: a validation suite asks for it. */
  'laptop',
] as const);
export type WaitingFor = z.infer<typeof WaitingFor>;
export const TaskState = z.enum(['begin', 'ok', 'changed', 'failed', 'skipped']);
export type SampleRow = (number | string | null)[];

/** By hand: a day of four GPUs has five million cells, and a schema for each took most of the time that its report needed. */
function isRows(given: unknown): boolean {
  if (!Array.isArray(given)) return false;
  for (const row of given as unknown[]) {
    if (!Array.isArray(row) || row.length < 2) return false;
    for (const cell of row as unknown[]) {
      if (cell !== null && typeof cell !== 'string' && (typeof cell !== 'number' || !Number.isFinite(cell)))
        return false;
    }
  }
  return true;
}
export const Counts = z.looseObject({
  ok: z.number().int(),
  changed: z.number().int(),
  failed: z.number().int(),
  skipped: z.number().int(),
});
export type Counts = z.infer<typeof Counts>;

/** The body of each kind this version knows. */
export const EVENT_BODIES = {
  started: z.looseObject({
    jobKind: z.string(),
    title: z.string(),
    specSha256: Sha256,
    runner: z.string(),
    pid: z.number().int(),
    laptop: z.looseObject({ name: z.string(), user: z.string() }),
  }),
  step: z.looseObject({
    id: z.string(),
    title: z.string(),
    state: z.enum(['begin', 'end']),
    watchdog: z.looseObject({ seconds, reason: z.string() }).nullish(),
    nominalSeconds: seconds.nullish(),
    outcome: z.enum(['ok', 'failed', 'skipped']).nullish(),
    seconds: seconds.nullish(),
    detail: z.string().nullish(),
  }),
  task: z.looseObject({
    step,
    index: z.number().int(),
    total: z.number().int().nullable(),
    name: z.string(),
    role: z.string().nullable(),
    state: TaskState,
    seconds: seconds.nullish(),
    detail: z.string().nullish(),
  }),
  progress: z.looseObject({
    step,
    phase: z.string(),
    done: z.number(),
    total: z.number().nullable(),
    unit: z.enum(['bytes', 'files', 'events', 'seconds']),
    /** How fast it is now, and how long the whole job still takes; where the one who writes the log knows it. */
    perSecond: seconds.nullish(),
    remainingSeconds: seconds.nullish(),
  }),
  samples: z.looseObject({
    source: z.string(),
    fields: z.array(z.string()),
    /** `[mono, series index, value or null for each field]` */
    rows: z.custom<SampleRow[]>(isRows, 'rows of a time, a series and a number, text or null a field'),
  }),
  check: z.looseObject({ check: CheckResult }),
  /** What the box was found to be; written by the app's own preflight job only. */
  facts: z.looseObject({ facts: BoxFacts }),
  log: z.looseObject({ step, stream: z.enum(['stdout', 'stderr', 'note']), text: z.string() }),
  beat: z.looseObject({ step, quietSeconds: seconds }),
  waiting: z.looseObject({ for: WaitingFor, detail: z.string(), state: z.enum(['begin', 'end']) }),
  finished: z.looseObject({
    outcome: JobOutcomeWritten,
    code: z.string().nullable(),
    detail: z.string().nullable(),
    /** What to do now, where the one who writes the log knows it better than the table of errors. */
    nextAction: z.string().nullish(),
    counts: Counts.nullable(),
    seconds,
  }),
} as const;
export type EventKind = keyof typeof EVENT_BODIES;

export type JobEvent =
  | {
      [K in EventKind]: { known: true; kind: K; env: Envelope; body: z.infer<(typeof EVENT_BODIES)[K]> };
    }[EventKind]
  | { known: false; kind: string; env: Envelope; why: string };

const UUID = z.uuid();
const EVIDENCE: ReadonlySet<unknown> = new Set(Evidence.options);
const SHA256 = /^[0-9a-f]{64}$/;
/** Of the line before, mostly: one job's lines follow each other. */
let knownJob: string | null = null;

function isJob(job: unknown): boolean {
  if (typeof job !== 'string') return false;
  if (job === knownJob) return true;
  if (!UUID.safeParse(job).success) return false;
  knownJob = job;
  return true;
}

const isCount = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) > 0;
const isText = (text: unknown): text is string => typeof text === 'string';

/**
 * Whether it is samples in just the form that the schemas want, looked at by hand: a day of them is a hundred thousand lines, and
 * the schemas took as long as reading the JSON. Whatever is not is for the schemas to judge; a test holds the two together.
 */
function plainSamples(e: Record<string, unknown>): boolean {
  return (
    e['kind'] === 'samples' &&
    isCount(e['v']) &&
    isJob(e['job']) &&
    isCount(e['attempt']) &&
    isCount(e['seq']) &&
    isText(e['boot']) &&
    Number.isFinite(e['mono']) &&
    isText(e['t']) &&
    isText(e['prev']) &&
    SHA256.test(e['prev']) &&
    EVIDENCE.has(e['evidence']) &&
    isText(e['source']) &&
    Array.isArray(e['fields']) &&
    e['fields'].every(isText) &&
    isRows(e['rows'])
  );
}

/**
 * Reads one line of a log. The envelope must hold, else it throws; a body this version does not know comes back as
 * `known: false` with the reason, to be shown raw.
 */
export function parseEvent(line: string): JobEvent {
  const raw: unknown = JSON.parse(line);
  if (typeof raw === 'object' && raw !== null && plainSamples(raw as Record<string, unknown>)) {
    const samples = raw as Envelope & z.infer<(typeof EVENT_BODIES)['samples']>;
    return { known: true, kind: 'samples', env: samples, body: samples };
  }
  const env = Envelope.parse(raw);
  const schema = Object.hasOwn(EVENT_BODIES, env.kind) ? EVENT_BODIES[env.kind as EventKind] : undefined;
  if (!schema) return { known: false, kind: env.kind, env, why: 'a kind this version does not know' };
  const body = schema.safeParse(env);
  if (!body.success) {
    return { known: false, kind: env.kind, env, why: z.prettifyError(body.error) };
  }
  return { known: true, kind: env.kind, env, body: body.data } as JobEvent;
}
