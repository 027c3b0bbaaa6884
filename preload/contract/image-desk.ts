/** Builds of golden images as the command line and the window show them: what is on its way, what was built, what a set is. */
import { z } from 'zod';
import { ErrorReply } from './errors.ts';
import { ImageStage } from './image-build.ts';
import { ShownOrder } from './image-order.ts';
import { JobState } from './job.ts';
import { Evidence, Outcome } from './outcome.ts';

/** A stage that was not run: an earlier build made it from the same inputs. */
export const FromCache = z.strictObject({
  /** Who made it. */
  build: z.uuid(),
  /** What that took. */
  seconds: z.number().nonnegative(),
  outcome: Outcome,
});
export type FromCache = z.infer<typeof FromCache>;

/** The newest attempt of a stage. */
export const StageRun = z.strictObject({
  stage: ImageStage,
  title: z.string(),
  nominalSeconds: z.number(),
  attempt: z.number().int().positive(),
  job: z.uuid(),
  createdAt: z.string(),
  state: JobState,
  seconds: z.number().nullable(),
  detail: z.string().nullable(),
  nextAction: z.string().nullable(),
  /** Why it did not pass, as the error table says it; null where it passed, runs or was stopped. */
  error: ErrorReply.nullable(),
  /** Once it passed. */
  outcome: Outcome.nullable(),
  evidence: Evidence.nullable(),
  cache: FromCache.nullable(),
  checks: z.strictObject({ passed: z.number(), failed: z.number(), notRun: z.number() }),
});
export type StageRun = z.infer<typeof StageRun>;

export const BuildRun = z.strictObject({
  build: z.uuid(),
  image: z.string(),
  work: z.string(),
  createdAt: z.string(),
  /** `running`; `built` once its set is there; else how the stage ended at which it stopped. */
  state: z.enum(['running', 'built', 'failed', 'cancelled', 'lost']),
  /** The worst of its stages, once it is built. */
  outcome: Outcome.nullable(),
  /** Of the stages that ran. */
  seconds: z.number(),
  /** The weakest of its stages; null before the first has told. */
  evidence: Evidence.nullable(),
  /** The stage with which the same build goes on; null where there is nothing to go on with. */
  goesOnWith: ImageStage.nullable(),
  labels: z.array(z.string()),
  /** Null in a build of an older version. */
  order: ShownOrder.nullable(),
  stages: z.array(StageRun),
});
export type BuildRun = z.infer<typeof BuildRun>;

export const ImageDeskState = z.strictObject({
  /** Why no image can be built here; null where one can. */
  whyNot: z.string().nullable(),
  /** How the building process becomes root. */
  root: z.enum(['plain', 'pkexec', 'sudo']).nullable(),
  /** What this window's process builds now. */
  running: z
    .strictObject({ image: z.string(), since: z.string(), stopping: z.boolean(), build: z.uuid().nullable() })
    .nullable(),
  /** Why the last order ended outside of any stage; null where it did not. */
  error: ErrorReply.nullable(),
  /** Newest first. */
  builds: z.array(BuildRun),
  /** What is entered already. `work` and `project` are those of an order that names none. */
  defaults: z.strictObject({
    name: z.string(),
    version: z.string(),
    layers: z.array(z.number().int()),
    profile: z.string(),
    memoryMiB: z.number(),
    cpus: z.number(),
    diskSize: z.string(),
    work: z.string(),
    project: z.string(),
  }),
});
export type ImageDeskState = z.infer<typeof ImageDeskState>;

/** The files of a set, by its manifest; nothing is compared. */
export const ImageSet = z.strictObject({
  dir: z.string(),
  /** The image itself, for a flash. */
  image: z.string(),
  name: z.string(),
  version: z.string(),
  created: z.string(),
  labels: z.array(z.string()),
  evidence: Evidence.nullable(),
  /** Bytes of the disk in it. */
  virtualSize: z.number(),
  build: z.uuid().nullable(),
  /** `bytes` null: it is not there. */
  files: z.array(z.strictObject({ file: z.string(), bytes: z.number().nullable() })),
});
export type ImageSet = z.infer<typeof ImageSet>;

export const ImageProof = z.strictObject({
  set: ImageSet,
  /** `passed`: whole, and a known key signed it. `incomplete`: whole, and nobody known signed it. */
  outcome: Outcome,
  /** Whole or not and signed by whom, in a sentence. */
  sentence: z.string(),
  problems: z.array(z.string()),
});
export type ImageProof = z.infer<typeof ImageProof>;
