/** The results that a part of the box rests on, out of the attempts that ran its checks. Pure; used by standing.ts. */
import type { CheckResult } from './events.ts';
import { ENDED, type JobRow, type JobState } from './job.ts';
import {
  weakestEvidence,
  type Evidence,
  type Expectation,
  type JudgedCheck,
  type Verdict,
  type Waiver,
} from './outcome.ts';
import { expectationOf, type Profile } from './profile.ts';
import type { JobView } from './reduce.ts';

export interface Attempt {
  row: JobRow;
  view: JobView;
  /** What is wrong with its record; null or left out where that is whole, or was not looked at. */
  broken?: string | null | undefined;
}

/** An attempt with its place among all of the session. */
export interface Ordered extends Attempt {
  at: number;
  state: JobState;
  ended: boolean;
}

/** A check as it stands: its newest result, how the profile regards it, and which attempt it is from. */
export interface StandingCheck {
  result: CheckResult;
  expectation: Expectation;
  waiver: Waiver | null;
  job: string;
  attempt: number;
  /** How often it was run in this part. */
  times: number;
}

const REQUIRED: Expectation = { kind: 'required' };

export function inOrder(attempts: readonly Attempt[]): Ordered[] {
  return attempts.map((a, at) => {
    // The view is the newer of the two, save that only the row knows of an attempt that was lost.
    const known = a.row.state === 'starting' || ENDED.includes(a.view.state);
    const state = known ? a.view.state : a.row.state;
    return { ...a, at, state, ended: ENDED.includes(state) };
  });
}

/** Whether it may have changed the box: it began, and did not end with a count of no change. */
export function ran({ view, state }: Ordered): boolean {
  return view.lastSeq > 0 && !(state === 'passed' && view.counts?.changed === 0);
}

export function evidenceOf(attempts: readonly Attempt[]): Evidence | null {
  const all = attempts.flatMap(({ row, view }) => [row.evidence, view.evidence]).filter((e) => e !== null);
  return all.length ? weakestEvidence(all) : null;
}

/** What a job's end means for its checks; null where it passed. */
function unfinished({ state, view }: Ordered): { verdict: Verdict; reason: string } | null {
  const because = view.detail ?? view.code;
  const told = because ? `: ${because}` : '';
  switch (state) {
    case 'passed':
      return null;
    case 'failed':
      return { verdict: 'error', reason: `the job failed${told}` };
    case 'cancelled':
      return { verdict: 'not_run', reason: 'the job was cancelled' };
    case 'lost':
      return { verdict: 'not_run', reason: `the job was lost${told}` };
    case 'starting':
    case 'running':
      return { verdict: 'not_run', reason: 'it is still running' };
  }
}

/** What stands for a job that did not pass; null for one that did. */
export function jobGap(attempt: Ordered, title: string): JudgedCheck | null {
  const why = unfinished(attempt);
  return why && { id: 'gap', title, expectation: REQUIRED, ...why };
}

/** Stands for what did not happen. */
export function missing(title: string, reason: string | null = null): JudgedCheck {
  return { id: 'gap', title, verdict: 'not_run', expectation: REQUIRED, reason };
}

/** A record that is not whole proves nothing, whatever it says. `broken`: what is wrong with it, if anything. */
export function brokenRecord(
  { job, attempt, title }: Pick<JobRow, 'job' | 'attempt' | 'title'>,
  broken: string | null | undefined,
): JudgedCheck[] {
  if (!broken) return [];
  const id = `record:${job}/${attempt}`;
  return [{ id, title: `Record of "${title}"`, verdict: 'error', expectation: REQUIRED, reason: broken }];
}

export const recordOf = ({ row, broken }: Attempt): JudgedCheck[] => brokenRecord(row, broken);

/** The checks a job was asked for; empty means all of its suite. */
function asked({ row }: Ordered): string[] {
  const { checks } = row.spec.params;
  return Array.isArray(checks) ? checks.filter((c) => typeof c === 'string') : [];
}

function noResult(
  id: string,
  before: CheckResult | undefined,
  { verdict, reason }: { verdict: Verdict; reason: string },
): CheckResult {
  const {
    title = id,
    layer = null,
    suite = null,
    threshold = null,
    unit = null,
    source = null,
  } = before ?? {};
  const none = { value: null, nextAction: null, evidence: null, seconds: 0 };
  return { id, title, layer, suite, verdict, unit, threshold, source, reason, ...none };
}

/**
 * The newest result of each check, from the last attempt that ran all of them and those after it that ran single ones
 * again. A check that was to run again and did not is not run: what it said before no longer counts.
 */
export function gatherResults(
  looks: readonly Ordered[],
  waivers: readonly Waiver[],
  profile: Profile | null,
  title: string,
): { used: Ordered[]; checks: StandingCheck[]; gaps: JudgedCheck[] } {
  const whole = looks.findLastIndex((a) => asked(a).length === 0);
  const used = looks.slice(Math.max(whole, 0));
  const latest = new Map<string, { result: CheckResult; from: Ordered }>();
  const gaps: JudgedCheck[] = [];
  for (const from of used) {
    const ids = asked(from);
    const why = unfinished(from) ?? { verdict: 'not_run' as const, reason: 'its job gave no result of it' };
    for (const id of ids) latest.set(id, { result: noResult(id, latest.get(id)?.result, why), from });
    for (const result of from.view.checks) latest.set(result.id, { result, from });
    const gap = ids.length ? null : jobGap(from, title);
    if (gap) gaps.push(gap);
  }
  if (looks.length && whole < 0) gaps.push(missing(title, 'only single checks of it were run'));
  const checks = [...latest].map(([id, { result, from }]) => ({
    result,
    expectation: profile ? expectationOf(profile, id, evidenceOf([from]) ?? 'real') : REQUIRED,
    waiver: waivers.findLast((w) => w.check === id) ?? null,
    job: from.row.job,
    attempt: from.row.attempt,
    times: looks.flatMap((a) => a.view.checks).filter((c) => c.id === id).length,
  }));
  return { used, checks, gaps };
}
