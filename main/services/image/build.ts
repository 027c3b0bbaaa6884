/**
 * A build of the golden image: stages one after another, each a job in the journal (kind `image`), each taken from the cache where nothing
 * of what it is made from has changed. It stops at the first that fails, and the next build goes on there.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, asAppError } from '../../../preload/contract/errors.ts';
import {
  IMAGE_STAGES,
  STAGE_TABLE,
  type ImageStage,
  type StageRecord,
} from '../../../preload/contract/image-build.ts';
import type { FromCache } from '../../../preload/contract/image-desk.ts';
import { ImageManifest } from '../../../preload/contract/image.ts';
import {
  OUTCOME_WORDS,
  weakestEvidence,
  worstOutcome,
  type Evidence,
  type Outcome,
} from '../../../preload/contract/outcome.ts';
import { LAPTOP } from '../../journal/journal.ts';
import { LocalJob, reconcileLocal } from '../../journal/localjob.ts';
import type { App } from '../app.ts';
import { p6 } from './artefacts.ts';
import { StageContext, type Known } from './context.ts';
import { checkOrder, shownOrder, stem, type ImageOrder } from './order.ts';
import { RUN, fingerprints, knownOf, type BuiltStage } from './stages.ts';
import { Store, type Entry } from './store.ts';
import { StageFailed, StageLog } from './tool.ts';
import { MANIFEST } from './verify.ts';

type Home = Pick<App, 'journal' | 'laptop' | 'version'>;

export interface BuildResult {
  build: string;
  /** The worst of the stages. */
  outcome: Outcome;
  out: string;
  stages: StageRecord[];
  /** Whether the set was there already, of the very same inputs. */
  setCached: boolean;
}

/** The fingerprint of P5 in a set that is there, and the build that made it; null where it is none that was built here. */
function setOf(dir: string): { build: string; fingerprint: string } | null {
  try {
    const { build } = ImageManifest.parse(JSON.parse(readFileSync(join(dir, MANIFEST), 'utf8')));
    const p5 = build?.stages.find(({ id }) => id === 'P5');
    return build && p5 ? { build: build.id, fingerprint: p5.fingerprint } : null;
  } catch {
    return null;
  }
}

/**
 * Errors: image_stage_failed with stage and cause; image_order_bad, image_set_exists, image_build_busy, those of profile and bundle before
 * anything is built.
 */
export async function buildImage(app: Home, order: ImageOrder, signal: AbortSignal): Promise<BuildResult> {
  checkOrder(order);
  const store = new Store(order.work);
  try {
    return await new Build(app, order, store, signal).go();
  } finally {
    store.close();
  }
}

class Build {
  readonly #app: Home;
  readonly #order: ImageOrder;
  readonly #store: Store;
  readonly #signal: AbortSignal;
  readonly #id: string;
  readonly #done = new Map<ImageStage, Entry>();
  readonly #records: StageRecord[] = [];

  constructor(app: Home, order: ImageOrder, store: Store, signal: AbortSignal) {
    this.#app = app;
    this.#order = order;
    this.#store = store;
    this.#signal = signal;
    reconcileLocal(app.journal);
    this.#id = this.#unfinished() ?? randomUUID();
  }

  /** The newest build of this work folder, where a stage of it did not pass: it goes on. */
  #unfinished(): string | null {
    const rows = this.#app.journal
      .jobs(LAPTOP)
      .filter((row) => row.kind === 'image' && row.spec.params['work'] === this.#order.work);
    const last = rows.at(-1);
    return last && last.state !== 'passed' ? String(last.spec.params['build']) : null;
  }

  async go(): Promise<BuildResult> {
    const order = this.#order;
    const known = await knownOf(order);
    const prints = await fingerprints(order, known);
    const there = existsSync(order.out) ? setOf(order.out) : null;
    if (existsSync(order.out) && there?.fingerprint !== prints.P5)
      throw new AppError('image_set_exists', { path: order.out });
    for (const stage of IMAGE_STAGES) {
      this.#signal.throwIfAborted();
      await this.#stage(stage, prints[stage], known);
    }
    const outcome = worstOutcome(this.#records.map((record) => record.outcome));
    if (there)
      this.#cached(
        'P6',
        { build: there.build, seconds: 0, outcome },
        weakestEvidence(this.#records.map((r) => r.evidence)),
      );
    else await this.#artefacts(known, prints.P5);
    const setCached = there !== null;
    return { build: this.#id, outcome, out: order.out, stages: this.#records, setCached };
  }

  /** The next attempt of the job of this stage, where this build has one. */
  #start(stage: ImageStage, cache: FromCache | null = null): LocalJob {
    const { journal, laptop, version } = this.#app;
    const before = journal
      .jobs(LAPTOP)
      .findLast(
        ({ kind, spec }) =>
          kind === 'image' && spec.params['build'] === this.#id && spec.params['stage'] === stage,
      );
    return LocalJob.start(journal, {
      ...{
        sessionId: LAPTOP,
        kind: 'image',
        title: `${stage} ${STAGE_TABLE[stage].title}`,
        laptop,
        app: version,
      },
      evidence: 'real',
      params: {
        ...{ build: this.#id, stage, work: this.#order.work, image: stem(this.#order) },
        ...{ order: shownOrder(this.#order), cache },
      },
      ...(before ? { job: before.job } : {}),
    });
  }

  async #stage(stage: BuiltStage, fingerprint: string, known: Known): Promise<void> {
    const found = this.#store.find(stage, fingerprint);
    if (found) return this.#fromCache(stage, found);
    const dir = this.#store.begin(stage, fingerprint);
    await this.#run(stage, known, dir, async (ctx) => {
      await RUN[stage](ctx);
      return (seconds, outcome) => {
        const { title, nominalSeconds } = STAGE_TABLE[stage];
        const checks = ctx.checks.map(({ id, title: name, verdict, reason }) => ({
          id,
          title: name,
          verdict,
          reason,
        }));
        const record = {
          id: stage,
          title,
          nominalSeconds,
          seconds,
          outcome,
          fingerprint,
          evidence: ctx.job.evidence,
          checks,
        };
        const entry = this.#store.keep(dir, { ...record, build: this.#id, facts: ctx.facts }, ctx.log.path);
        this.#done.set(stage, entry);
        this.#records.push({ ...record, cached: false });
      };
    }).catch((error: unknown) => {
      this.#store.drop(dir);
      throw error;
    });
  }

  #fromCache(stage: BuiltStage, entry: Entry): void {
    const { build, facts: _, ...record } = entry.meta;
    const { seconds, outcome, evidence } = record;
    this.#cached(stage, { build, seconds, outcome }, evidence);
    this.#done.set(stage, entry);
    this.#records.push({ ...record, cached: true });
  }

  /** Recorded as taken from the cache, never as run. */
  #cached(stage: ImageStage, cache: FromCache, evidence: Evidence): void {
    const { build, seconds, outcome } = cache;
    const job = this.#start(stage, cache);
    job.evidence = evidence;
    const took = seconds > 0 ? ` in ${seconds.toFixed(1)} s` : '';
    job.log(`Taken from the cache: the build ${build} made it from the same inputs${took}.`);
    job.finish('passed', { detail: `From the cache. ${OUTCOME_WORDS[outcome]}.` });
  }

  #artefacts(known: Known, fingerprint: string): Promise<void> {
    const dir = this.#store.begin('P6', fingerprint);
    return this.#run('P6', known, dir, async (ctx) => {
      await p6(ctx, { build: this.#id, app: this.#app.version, stages: this.#records });
      return () => undefined;
    }).finally(() => this.#store.drop(dir));
  }

  /** One stage as a job. `work` answers with what is to be done once the outcome is known to be none that stops. */
  async #run(
    stage: ImageStage,
    known: Known,
    dir: string,
    work: (ctx: StageContext) => Promise<(seconds: number, outcome: Outcome) => void>,
  ): Promise<void> {
    const job = this.#start(stage);
    const logs = join(this.#store.logs(this.#id), `${stage}-${job.attempt}`);
    const log = new StageLog(`${logs}.log`, (line) => job.log(line, 'stdout'));
    const ctx = new StageContext(
      this.#order,
      known,
      this.#store,
      job,
      log,
      dir,
      logs,
      this.#done,
      this.#signal,
    );
    const begun = performance.now();
    try {
      const { title, nominalSeconds } = STAGE_TABLE[stage];
      await job.step(
        stage,
        title,
        async () => {
          const keep = await work(ctx);
          const decision = ctx.decide();
          if (decision.outcome === 'failed')
            throw new StageFailed({ cause: decision.failures.join('; '), action: 'Look at these checks.' });
          keep(Math.round(performance.now() - begun) / 1000, decision.outcome);
          for (const text of [...decision.missing, ...decision.deviations]) job.log(text);
        },
        nominalSeconds,
      );
      job.finish('passed', { detail: OUTCOME_WORDS[ctx.decide().outcome] });
    } catch (error) {
      if (this.#signal.aborted) {
        job.finish('cancelled', { detail: 'It was stopped; the same build goes on with this stage.' });
        throw this.#signal.reason;
      }
      const told = this.#failure(stage, error, log.path);
      job.finish('failed', { code: told.code, detail: told.message, nextAction: told.nextAction });
      throw told;
    }
  }

  #failure(stage: ImageStage, error: unknown, log: string): AppError {
    const { title } = STAGE_TABLE[stage];
    const facts = { stage: `${stage} (${title})`, log };
    if (error instanceof StageFailed)
      return new AppError(
        'image_stage_failed',
        { ...facts, cause: error.message, action: error.action },
        error,
      );
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC')
      return new AppError(
        'image_stage_failed',
        {
          ...facts,
          cause: 'the disk of the work folder is full.',
          action: 'Make room in the work folder, or name another with --work.',
        },
        error,
      );
    if (error instanceof AppError)
      return new AppError(
        'image_stage_failed',
        { ...facts, cause: error.message, action: error.nextAction },
        error,
      );
    return new AppError(
      'image_stage_failed',
      { ...facts, cause: asAppError(error).message, action: `Look at the log (${message}).` },
      error,
    );
  }
}
