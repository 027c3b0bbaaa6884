/** Builds of images that this machine knows, from its journal. */
import type { Journal } from '../../journal/journal.ts';
import { LAPTOP } from '../../journal/journal.ts';
import { STAGE_TABLE, ImageStage } from '../../../preload/contract/image-build.ts';
import type { JobState } from '../../../preload/contract/job.ts';

export interface StageRun {
  stage: ImageStage;
  title: string;
  nominalSeconds: number;
  attempt: number;
  job: string;
  state: JobState;
  seconds: number | null;
  detail: string | null;
  nextAction: string | null;
  checks: { passed: number; failed: number; notRun: number };
}

export interface BuildRun {
  build: string;
  image: string;
  work: string;
  createdAt: string;
  /** The newest attempt of each stage. */
  stages: StageRun[];
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Newest first. */
export function imageBuilds(journal: Journal): BuildRun[] {
  const builds = new Map<string, BuildRun>();
  for (const row of journal.jobs(LAPTOP)) {
    if (row.kind !== 'image') continue;
    const { params } = row.spec;
    const stage = ImageStage.safeParse(params['stage']);
    if (!stage.success) continue;
    const id = text(params['build']);
    const build = builds.get(id) ?? {
      ...{ build: id, image: text(params['image']), work: text(params['work']), createdAt: row.createdAt },
      stages: [],
    };
    builds.set(id, build);
    const view = journal.view(row.job, row.attempt);
    const count = (...verdicts: string[]) =>
      view.checks.filter(({ verdict }) => verdicts.includes(verdict)).length;
    const run: StageRun = {
      ...{
        stage: stage.data,
        ...STAGE_TABLE[stage.data],
        attempt: row.attempt,
        job: row.job,
        state: view.state,
      },
      ...{ seconds: view.seconds, detail: view.detail, nextAction: view.nextAction },
      checks: {
        passed: count('pass', 'warn'),
        failed: count('fail', 'error'),
        notRun: count('not_run', 'not_supported'),
      },
    };
    build.stages = [...build.stages.filter((one) => one.stage !== run.stage), run];
  }
  return [...builds.values()].reverse();
}
