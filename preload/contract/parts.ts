/**
 * A part of a box (preflight, keys, a layer, a suite), the gates and the box, and what decides each of them. Pure: a report
 * is decided again from what it holds by the same functions (report.ts).
 */
import { decideOutcome, type Decision, type Evidence, type JudgedCheck, type Outcome } from './outcome.ts';
import { missing, type StandingCheck } from './results.ts';

export interface Part {
  /** `preflight`, `keys`, `l0` …, or the suite's id. */
  id: string;
  kind: 'preflight' | 'keys' | 'layer' | 'suite';
  title: string;
  layer: number | null;
  /** Of its newest job: `running` until that ended. */
  state: 'not_run' | 'running' | 'ended';
  /** `incomplete` before it ran and while it runs. */
  outcome: Outcome;
  decision: Decision;
  checks: StandingCheck[];
  /** What stands for jobs that did not end well or did not run, and for records that are not whole. */
  gaps: JudgedCheck[];
  /** Those of the session that concern it, one sentence each. */
  deviations: string[];
  /** The attempt whose results it rests on; null when there is none. */
  basis: { job: string; attempt: number } | null;
  /** The weakest of what it rests on; null where nothing was measured. */
  evidence: Evidence | null;
  /** Why its results are out of date, or null. Results out of date prove nothing: the outcome is not a pass then. */
  stale: string | null;
  /** How many attempts of its jobs there were. */
  attempts: number;
}

export interface Gate {
  id: 'ship' | 'production';
  suites: string[];
  outcome: Outcome;
  decision: Decision;
}

type Given = Pick<Part, 'checks' | 'gaps' | 'deviations'>;

function judged({ checks, gaps }: Given): JudgedCheck[] {
  const all = checks.map(({ result: { id, title, verdict, reason }, expectation, waiver }) => {
    return { id, title, verdict, reason, expectation, waiver: waiver ?? undefined };
  });
  return [...all, ...gaps];
}

export function decidePart(part: Given): Decision {
  return decideOutcome(judged(part), part.deviations);
}

/** Several parts as one: everything they were judged by, each under its part's name. */
function together(parts: readonly Part[]): JudgedCheck[] {
  return parts.flatMap((p) =>
    judged(p).map((j) => ({ ...j, title: j.title === p.title ? j.title : `${p.title}: ${j.title}` })),
  );
}

/** `named`: the suites of the gate; those of `suites` that it does not name are nothing to it. */
export function decideGate(named: readonly string[], suites: readonly Part[]): Decision {
  const parts = suites.filter((s) => named.includes(s.id));
  const all = named.length ? together(parts) : [missing('Gate', 'the profile names no suite for it')];
  return decideOutcome(all, [...new Set(parts.flatMap((p) => p.deviations))]);
}

export interface BoxGiven {
  parts: readonly Part[];
  /** The suites of the ship gate. */
  ship: readonly string[];
  /** Whether the profile is known. */
  profile: boolean;
  /** Of every attempt whose record is not whole. */
  records: readonly JudgedCheck[];
  deviations: readonly string[];
}

/** The parts that count for the box: all but suites that neither the ship gate names nor anybody ran. */
export function countedParts<P extends Part>(parts: readonly P[], ship: readonly string[]): P[] {
  return parts.filter((p) => p.kind !== 'suite' || ship.includes(p.id) || p.attempts > 0);
}

/** The box: its parts, a profile that nobody recorded, and spoilt records that no part rests on. */
export function decideBox({ parts, ship, profile, records, deviations }: BoxGiven): Decision {
  const all = together(countedParts(parts, ship));
  const told = new Set(all.map((j) => j.id));
  const unknown = profile ? [] : [missing('Profile', 'no job recorded one')];
  return decideOutcome([...all, ...unknown, ...records.filter((j) => !told.has(j.id))], deviations);
}
