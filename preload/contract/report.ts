/**
 * report.json, version 3: what one box went through and how it stands, made from the journal alone. It can be checked
 * without the app and without a network: everything that decides is in it, and parsing decides again and compares. Its JSON Schema is published from here: `reportSchema`.
 */
import { z } from 'zod';
import { CheckResult, Counts, Sha256 } from './events.ts';
import { BoxFacts } from './facts.ts';
import { JobKind, JobState } from './job.ts';
import {
  Evidence,
  Expectation,
  Outcome,
  Verdict,
  Waiver,
  weakestEvidence,
  type Decision as Decided,
} from './outcome.ts';
import { decideBox, decideGate, decidePart } from './parts.ts';
import { expectationOf, Profile } from './profile.ts';
import { ReportKeys } from './report-keys.ts';
import { brokenRecord } from './results.ts';
import { Address, Handover, HostKeyPin, Identity } from './session.ts';

const sentences = z.array(z.string());
const Attempt = z.strictObject({ job: z.uuid(), attempt: z.number().int().positive() });

const Decision = z.strictObject({
  outcome: Outcome,
  deviations: sentences,
  failures: sentences,
  missing: sentences,
});

const ReportCheck = z.strictObject({
  result: CheckResult,
  expectation: Expectation,
  waiver: Waiver.nullable(),
  ...Attempt.shape,
  times: z.number().int().nonnegative(),
});

const Gap = z.strictObject({
  id: z.string(),
  title: z.string(),
  verdict: Verdict,
  expectation: Expectation,
  reason: z.string().nullish(),
});

/** See Part in parts.ts. */
const ReportPart = z.strictObject({
  id: z.string(),
  kind: z.enum(['preflight', 'keys', 'layer', 'suite']),
  title: z.string(),
  layer: z.number().int().nullable(),
  state: z.enum(['not_run', 'running', 'ended']),
  outcome: Outcome,
  decision: Decision,
  checks: z.array(ReportCheck),
  gaps: z.array(Gap),
  deviations: sentences,
  basis: Attempt.nullable(),
  evidence: Evidence.nullable(),
  stale: z.string().nullable(),
  attempts: z.number().int().nonnegative(),
});
export type ReportPart = z.infer<typeof ReportPart>;

/** One attempt of a job, and whether its record is whole. */
const ReportJob = z.strictObject({
  ...Attempt.shape,
  kind: JobKind,
  title: z.string(),
  state: JobState,
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  /** Time of the last event; with `state` the end. */
  lastAt: z.string().nullable(),
  /** As the job tells it, else from its first to its last event; null without an event. */
  seconds: z.number().nonnegative().nullable(),
  laptop: z.strictObject({ name: z.string(), user: z.string() }),
  runner: z.string().nullable(),
  evidence: Evidence.nullable(),
  boots: z.array(z.string()),
  counts: Counts.nullable(),
  code: z.string().nullable(),
  /** Why it ended as it did; for a lost one what is known of the gap. */
  detail: z.string().nullable(),
  events: z.number().int().nonnegative(),
  specSha256: Sha256,
  /** Hash of the last line, which every line before it went into; null without an event. */
  headSha256: Sha256.nullable(),
  chain: z.discriminatedUnion('ok', [
    z.strictObject({ ok: z.literal(true) }),
    z.strictObject({ ok: z.literal(false), line: z.number().int().nonnegative(), detail: z.string() }),
  ]),
  /** Lines this version cannot read; they are in the journal as they came. */
  unknown: z.array(z.strictObject({ seq: z.number().int(), kind: z.string(), why: z.string() })),
});
export type ReportJob = z.infer<typeof ReportJob>;

/** `points`: `[seconds since the first sample, value]`, at most a few hundred: lowest and highest of each stretch. */
const Series = z.strictObject({
  name: z.string(),
  count: z.number().int().positive(),
  min: z.number(),
  mean: z.number(),
  max: z.number(),
  points: z.array(z.tuple([z.number(), z.number()])),
});
export type ReportSeries = z.infer<typeof Series>;

/** Times in seconds since the first sample; what came before it is below zero. */
const Happened = z.strictObject({
  /** Steps of the job; `to` is null for one that never ended. */
  bands: z.array(z.strictObject({ from: z.number(), to: z.number().nullable(), text: z.string() })),
  /** What the driver reported and what slowed cards down, each sentence once: how often, and when the first times. */
  marks: z.array(
    z.strictObject({
      text: z.string(),
      tone: z.enum(['plain', 'warn', 'fail']),
      times: z.number().int().positive(),
      at: z.array(z.number()).min(1),
    }),
  ),
});
export type ReportHappened = z.infer<typeof Happened>;

const Telemetry = z.strictObject({
  ...Attempt.shape,
  title: z.string(),
  source: z.string(),
  /** Null in a report of version 2, which did not tell. */
  happened: Happened.nullable(),
  /** From the first to the last sample. */
  seconds: z.number().nonnegative(),
  fields: z.array(z.strictObject({ field: z.string(), series: z.array(Series) })),
});
export type ReportTelemetry = z.infer<typeof Telemetry>;

const Gate = z.strictObject({
  id: z.enum(['ship', 'production']),
  suites: z.array(z.string()),
  outcome: Outcome,
  decision: Decision,
});

/** One attempt that put something on the box: its orders, by name. */
const Put = z.strictObject({
  ...Attempt.shape,
  kind: JobKind,
  title: z.string(),
  state: JobState,
  specSha256: Sha256,
  values: z.array(z.strictObject({ name: z.string(), value: z.string() })),
  /** Of a flash that proved it: the hash of what was read back from the disk. */
  diskHash: z.string().nullable(),
});
export type ReportPut = z.infer<typeof Put>;

export const REPORT_VERSION = 3;

const ReportShape = z.strictObject({
  v: z.literal(REPORT_VERSION),
  kind: z.literal('vault-cube-report'),
  app: z.string(),
  /**
   * The newest thing that is recorded: how the box stood then is what the report tells, whenever it is made. `local` is that
   * time in `zone`, the laptop's; every other time is UTC.
   */
  made: z.strictObject({ utc: z.string(), local: z.string(), zone: z.string() }),
  /** The format of a journal that a newer version wrote; null where this version knows all of it. */
  newerJournal: z.number().int().nullable(),
  box: z.strictObject({
    session: z.uuid(),
    name: z.string(),
    since: z.string(),
    address: Address,
    user: z.string(),
    firstUser: z.string(),
    hostKey: HostKeyPin.nullable(),
    identity: Identity.nullable(),
  }),
  handover: Handover.nullable(),
  keys: ReportKeys.nullable(),
  /** `sha256` is over `JSON.stringify(document)`. */
  profile: z.strictObject({ document: Profile, sha256: Sha256 }).nullable(),
  outcome: Outcome,
  decision: Decision,
  /** The weakest of all attempts; null where nothing was measured. */
  evidence: Evidence.nullable(),
  gates: z.array(Gate),
  waivers: z.array(Waiver),
  /** `at` is null for what follows from the state of the keys. */
  deviations: z.array(z.strictObject({ id: z.string(), text: z.string(), at: z.string().nullable() })),
  /** What the last preflight read. */
  facts: BoxFacts.nullable(),
  /** Preflight, keys, layers in order, then suites. */
  parts: z.array(ReportPart),
  /** Flashes and layers, oldest first, those that failed among them. */
  put: z.array(Put),
  /** Tasks that changed the box, by layer, oldest first. */
  changed: z.array(
    z.strictObject({
      layer: z.number().int(),
      ...Attempt.shape,
      name: z.string(),
      role: z.string().nullable(),
    }),
  ),
  /** Every check and part that did not run or is not supported, with its reason. */
  notRun: z.array(z.strictObject({ part: z.string(), what: z.string(), verdict: Verdict, why: z.string() })),
  jobs: z.array(ReportJob),
  telemetry: z.array(Telemetry),
});
type ReportShape = z.infer<typeof ReportShape>;

const weakest = (all: readonly (Evidence | null)[]): Evidence | null => {
  const known = all.filter((e) => e !== null);
  return known.length ? weakestEvidence(known) : null;
};

type Comparison = [where: string, said: unknown, follows: unknown];

function decided(
  where: string,
  said: { outcome: Outcome; decision: Decided },
  follows: Decided,
): Comparison[] {
  return [
    [`${where}.outcome`, said.outcome, follows.outcome],
    [`${where}.decision`, said.decision, follows],
  ];
}

/** What the report says of itself, and what follows from what it holds. */
function comparisons(r: ReportShape): Comparison[] {
  const gates = r.profile?.document.gates;
  const suites = r.parts.filter((p) => p.kind === 'suite');
  const box = decideBox({
    parts: r.parts,
    ship: gates?.ship ?? [],
    profile: r.profile !== null,
    records: r.jobs.flatMap((j) => brokenRecord(j, j.chain.ok ? null : j.chain.detail)),
    deviations: [...new Set(r.deviations.map((d) => d.text))],
  });
  const named = gates ? [gates.ship, gates.production] : [];
  return [
    ['evidence', r.evidence, weakest(r.jobs.map((j) => j.evidence))],
    ['gates', r.gates.map((g) => g.suites), named],
    ...decided('box', r, box),
    ...r.gates.flatMap((g) => decided(g.id, g, decideGate(g.suites, suites))),
    ...r.parts.flatMap((p) => decided(p.id, p, decidePart(p))),
    ...r.parts.flatMap((p) => regarded(r, p)),
  ];
}

/** Each check of a part: how the profile regards it, and its waiver. */
function regarded({ profile, waivers, jobs }: ReportShape, part: ReportPart): Comparison[] {
  const evidence = new Map(jobs.map((j) => [`${j.job}/${j.attempt}`, j.evidence]));
  return part.checks.flatMap((c): Comparison[] => {
    const id = c.result.id;
    const from = evidence.get(`${c.job}/${c.attempt}`) ?? 'real';
    const how: Expectation = profile ? expectationOf(profile.document, id, from) : { kind: 'required' };
    return [
      [`${part.id}.${id}.expectation`, c.expectation, how],
      [`${part.id}.${id}.waiver`, c.waiver, waivers.findLast((w) => w.check === id) ?? null],
    ];
  });
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** The parts that count for more than an attempt they rest on. */
function tooStrong({ parts, jobs }: ReportShape): string[] {
  const evidence = new Map(jobs.map((j) => [`${j.job}/${j.attempt}`, j.evidence]));
  const within = (part: ReportPart, from: { job: string; attempt: number }) => {
    const its = evidence.get(`${from.job}/${from.attempt}`);
    return its !== undefined && weakest([its, part.evidence]) === part.evidence;
  };
  return parts
    .filter((p) => ![p.basis, ...p.checks].every((from) => from === null || within(p, from)))
    .map((p) => p.id);
}

/** Parsing also decides anew, and refuses a report whose words do not follow from what it holds. */
export const Report = ReportShape.superRefine((r, ctx) => {
  for (const [where, said, follows] of comparisons(r)) {
    if (same(said, follows)) continue;
    ctx.addIssue({ code: 'custom', path: [where], message: 'does not follow from what the report holds' });
  }
  for (const part of tooStrong(r)) {
    ctx.addIssue({
      code: 'custom',
      path: [part],
      message: 'rests on an attempt of weaker evidence, or on none',
    });
  }
});
export type Report = z.infer<typeof Report>;

const older = (data: unknown): data is { v: 1 | 2 } =>
  typeof data === 'object' && data !== null && 'v' in data && (data.v === 1 || data.v === 2);

/** A report of an earlier version, as this one would have written it: what it did not know is left empty. */
function upgraded(data: { v: 1 | 2 }): unknown {
  const telemetry = 'telemetry' in data && Array.isArray(data.telemetry) ? (data.telemetry as unknown[]) : [];
  return {
    ...data,
    ...(data.v === 1 ? { handover: null, put: [] } : {}),
    v: REPORT_VERSION,
    telemetry: telemetry.map((t) => (typeof t === 'object' ? { ...t, happened: null } : t)),
  };
}

const OfThisVersion = Report.superRefine(({ telemetry }, ctx) => {
  if (telemetry.some((t) => t.happened === null))
    ctx.addIssue({ code: 'custom', path: ['telemetry'], message: 'does not tell what happened' });
});

/** Reads a report of this version or an earlier one, and decides it again. */
export const parseReport = (data: unknown) =>
  older(data) ? Report.safeParse(upgraded(data)) : OfThisVersion.safeParse(data);

/** The form of report.json as a JSON Schema (2020-12). What must follow from what is beside it. */
export function reportSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(ReportShape);
  const title = `Report of a Vault Cube, version ${REPORT_VERSION}`;
  return { $schema, $id: `urn:vault-cube:report:${REPORT_VERSION}`, title, ...schema };
}
