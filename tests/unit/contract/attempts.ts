/** Attempts of jobs for tests, made by the same events and reducer as real ones. */
import type { CheckResult } from '../../../preload/contract/events.ts';
import { parseEvent } from '../../../preload/contract/events.ts';
import type { JobKind, JobState } from '../../../preload/contract/job.ts';
import type { Verdict } from '../../../preload/contract/outcome.ts';
import { Profile } from '../../../preload/contract/profile.ts';
import { EMPTY_JOB, reduceJob } from '../../../preload/contract/reduce.ts';
import type { Attempt } from '../../../preload/contract/standing.ts';
import { LogWriter, makeSpec } from '../journal/log.ts';

export function checkResult(id: string, verdict: Verdict, more: Partial<CheckResult> = {}): CheckResult {
  return {
    id,
    title: `Check ${id}`,
    layer: null,
    suite: null,
    verdict,
    value: null,
    unit: null,
    threshold: null,
    source: null,
    reason: null,
    nextAction: null,
    evidence: null,
    seconds: 0.1,
    ...more,
  };
}

export function makeProfile(more: Partial<Profile> = {}): Profile {
  const source = 'test';
  return Profile.parse({
    v: 1,
    id: 'bench',
    title: 'Bench machine',
    distributions: [{ id: 'ubuntu', version: '24.04', codename: 'noble', python: '3.12' }],
    clockSkewSeconds: { max: 60, source },
    gpu: {
      count: { value: 2, source },
      name: { value: 'NVIDIA H100 80GB HBM3', source },
      memoryMiB: { value: 81559, source },
      memoryToleranceMiB: { value: 0, source },
      pcieGen: { value: 5, source },
      pcieWidth: { value: 16, source },
      computeCapability: { value: '9.0', source },
      idleTemperatureC: { max: 60, source },
      driverFloor: { version: '550.127.05', source },
      openModules: { value: true, source },
    },
    gates: { ship: ['gpu-detection'], production: ['gpu-detection', 'stress'] },
    ...more,
  });
}

export interface AttemptPlan {
  kind: JobKind;
  title?: string;
  params?: Record<string, unknown>;
  /** `starting` writes no event at all. */
  state?: JobState;
  checks?: Record<string, Verdict | CheckResult>;
  /** Ids of steps that it came to. */
  steps?: string[];
  /** Tasks that changed something, as `finished` counts them; null writes no counts. */
  changed?: number | null;
  detail?: string | null;
  evidence?: string;
  job?: string;
  attempt?: number;
  broken?: string;
}

export function attempt(plan: AttemptPlan): Attempt {
  const { kind, state = 'passed', title = kind, params = {}, changed = null, detail = null } = plan;
  const where = { ...(plan.job && { job: plan.job }), attempt: plan.attempt ?? 1 };
  const { spec, bytes } = makeSpec({ kind, title, params, ...where });
  const log = new LogWriter(spec, bytes);
  log.evidence = plan.evidence ?? 'real';
  const lines: Buffer[] = state === 'starting' ? [] : [log.started()];
  for (const id of plan.steps ?? []) lines.push(log.line('step', { id, title: id, state: 'begin' }));
  for (const [id, c] of Object.entries(plan.checks ?? {})) {
    lines.push(log.line('check', { check: typeof c === 'string' ? checkResult(id, c) : c }));
  }
  if (state === 'passed' || state === 'failed' || state === 'cancelled') {
    const counts = changed === null ? null : { ok: 1, changed, failed: 0, skipped: 0 };
    lines.push(log.finished(state, { detail, counts }));
  }
  let view = lines.map((l) => parseEvent(l.toString())).reduce(reduceJob, EMPTY_JOB);
  if (state === 'lost') view = { ...view, state: 'lost', detail };
  return {
    row: {
      job: spec.job,
      session: 'session',
      attempt: spec.attempt,
      kind,
      title,
      spec,
      specSha256: log.prev,
      createdAt: '2026-11-24T05:00:00.000Z',
      state,
      evidence: view.evidence,
    },
    view,
    broken: plan.broken,
  };
}
