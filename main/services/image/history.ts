/** Builds of images that this machine knows, from its journal. */
import { AppError, ERRORS, ErrorCode, type ErrorReply } from '../../../preload/contract/errors.ts';
import { IMAGE_STAGES, ImageStage, NOT_PROVEN, STAGE_TABLE } from '../../../preload/contract/image-build.ts';
import { FromCache, type BuildRun, type StageRun } from '../../../preload/contract/image-desk.ts';
import { ShownOrder } from '../../../preload/contract/image-order.ts';
import { jobError } from '../../../preload/contract/job-error.ts';
import type { JobRow } from '../../../preload/contract/job.ts';
import {
  OUTCOME_WORDS,
  Outcome,
  weakestEvidence,
  worstOutcome,
  type Evidence,
} from '../../../preload/contract/outcome.ts';
import type { JobView } from '../../../preload/contract/reduce.ts';
import { LAPTOP, type Journal } from '../../journal/journal.ts';
import { labelsOf } from './order.ts';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A job of a stage that passed ends with its outcome in words. */
const outcomeOf = ({ state, detail }: JobView, cache: FromCache | null): Outcome | null =>
  state !== 'passed'
    ? null
    : (cache?.outcome ?? Outcome.options.find((one) => OUTCOME_WORDS[one] === detail) ?? 'incomplete');

/** Its own words under its own code, where the table has that; null where it did not fail. */
function errorOf(row: JobRow, view: JobView): ErrorReply | null {
  if (view.state === 'lost')
    return new AppError('image_build_gone', {
      detail: view.detail ?? 'nothing is known of its end.',
    }).toReply();
  if (view.state !== 'failed') return null;
  const code = ErrorCode.safeParse(view.code);
  if (!code.success || view.detail === null || view.nextAction === null)
    return jobError({ title: row.title, state: view.state }, view).toReply();
  const { retryable, exit } = ERRORS[code.data];
  // The words with their facts in them were recorded with its end.
  return {
    code: code.data,
    message: view.detail,
    nextAction: view.nextAction,
    retryable,
    exit,
    detail: null,
  };
}

/** Stages that passed, failed or were cancelled stay as they are: read once, however often a page asks while others run. */
const settled = new WeakMap<Journal, Map<string, StageRun>>();

function stageRun(journal: Journal, row: JobRow, stage: ImageStage): StageRun {
  const known = settled.get(journal) ?? new Map<string, StageRun>();
  settled.set(journal, known);
  const key = `${row.job}/${row.attempt}`;
  const run = known.get(key) ?? readStage(journal, row, stage);
  if (['passed', 'failed', 'cancelled'].includes(run.state)) known.set(key, run);
  return run;
}

function readStage(journal: Journal, row: JobRow, stage: ImageStage): StageRun {
  const view = journal.view(row.job, row.attempt);
  const count = (...verdicts: string[]) =>
    view.checks.filter(({ verdict }) => verdicts.includes(verdict)).length;
  const cache = FromCache.nullable()
    .catch(null)
    .parse(row.spec.params['cache'] ?? null);
  return {
    ...{ stage, ...STAGE_TABLE[stage], attempt: row.attempt, job: row.job, createdAt: row.createdAt },
    ...{ state: view.state, seconds: view.seconds, detail: view.detail, nextAction: view.nextAction },
    ...{ error: errorOf(row, view), outcome: outcomeOf(view, cache), evidence: view.evidence, cache },
    checks: {
      passed: count('pass', 'warn'),
      failed: count('fail', 'error'),
      notRun: count('not_run', 'not_supported'),
    },
  };
}

/** What the stages make of the build. `P6` is the set. */
function stateOf(stages: readonly StageRun[]): Pick<BuildRun, 'state' | 'goesOnWith'> {
  const broken = stages.find(({ state }) => state !== 'passed');
  switch (broken?.state) {
    case 'starting':
    case 'running':
      return { state: 'running', goesOnWith: null };
    case 'failed':
    case 'cancelled':
    case 'lost':
      return { state: broken.state, goesOnWith: broken.stage };
    case 'passed':
    case undefined: {
      const next = [...IMAGE_STAGES, 'P6' as const].find((id) => !stages.some(({ stage }) => stage === id));
      // Stopped between two stages, unless it is still on its way: whoever builds knows.
      return next === undefined
        ? { state: 'built', goesOnWith: null }
        : { state: 'cancelled', goesOnWith: next };
    }
  }
}

function buildRun(
  first: Pick<BuildRun, 'build' | 'image' | 'work' | 'createdAt'>,
  all: StageRun[],
  order: ShownOrder | null,
): BuildRun {
  const stages = all.toSorted((a, b) => a.stage.localeCompare(b.stage));
  const told = stages.flatMap(({ evidence }) => evidence ?? []);
  const evidence: Evidence | null = told.length ? weakestEvidence(told) : null;
  const { state, goesOnWith } = stateOf(stages);
  const installed = stages.some((one) => one.stage === 'P3' && one.state === 'passed');
  const labels = order ? labelsOf(order, NOT_PROVEN) : [];
  return {
    ...{ ...first, state, goesOnWith, evidence, order, stages },
    outcome: state === 'built' ? worstOutcome(stages.flatMap(({ outcome }) => outcome ?? [])) : null,
    seconds: stages.reduce((sum, one) => sum + (one.cache ? 0 : (one.seconds ?? 0)), 0),
    // Not before they are.
    labels: [
      ...labels.filter((label) => label !== NOT_PROVEN || installed),
      ...(evidence === null || evidence === 'real' ? [] : [evidence]),
    ],
  };
}

/** Newest first: by the newest job of each. */
export function imageBuilds(journal: Journal): BuildRun[] {
  const builds = new Map<string, { rows: Map<ImageStage, JobRow>; newest: JobRow; first: JobRow }>();
  for (const row of journal.jobs(LAPTOP)) {
    if (row.kind !== 'image') continue;
    const stage = ImageStage.safeParse(row.spec.params['stage']);
    if (!stage.success) continue;
    const id = text(row.spec.params['build']);
    const known = builds.get(id);
    const rows = known?.rows ?? new Map<ImageStage, JobRow>();
    // Begun again: what it does with each stage is recorded anew, be it that the stage is in the cache.
    if (stage.data === 'P1') rows.clear();
    rows.set(stage.data, row);
    builds.delete(id);
    builds.set(id, { rows, newest: row, first: known?.first ?? row });
  }
  return [...builds].reverse().map(([build, { rows, newest, first }]) => {
    const { params } = newest.spec;
    const order = ShownOrder.nullable()
      .catch(null)
      .parse(params['order'] ?? null);
    const head = {
      ...{ build, image: text(params['image']), work: text(params['work']), createdAt: first.createdAt },
    };
    return buildRun(
      head,
      [...rows].map(([stage, row]) => stageRun(journal, row, stage)),
      order,
    );
  });
}
