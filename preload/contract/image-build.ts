/** How a golden image came about: its stages, and what its manifest tells of them (docs/adr/0017-image-build.md). */
import { z } from 'zod';
import { Sha256 } from './events.ts';
import { Evidence, Outcome, Verdict } from './outcome.ts';

export const IMAGE_STAGES = ['P1', 'P2', 'P3', 'P4', 'P5'] as const;
export const ImageStage = z.enum([...IMAGE_STAGES, 'P6']);
export type ImageStage = z.infer<typeof ImageStage>;

/** Titles and nominal seconds, of the specification's table. P6 writes the artefacts out. */
export const STAGE_TABLE: Record<ImageStage, { title: string; nominalSeconds: number }> = {
  P1: { title: 'Pre-build validation', nominalSeconds: 2 * 60 },
  P2: { title: 'Base image', nominalSeconds: 15 * 60 },
  P3: { title: 'Provisioning', nominalSeconds: 17 * 60 },
  P4: { title: 'Testing and validation', nominalSeconds: 30 * 60 },
  P5: { title: 'Finalization', nominalSeconds: 3 * 60 },
  P6: { title: 'Artefacts', nominalSeconds: 60 },
};

/** Nobody has seen these layers work on the cards of a box. */
export const NOT_PROVEN = 'GPU layers installed, not proven';

const StageCheck = z.strictObject({
  id: z.string().min(1),
  title: z.string().min(1),
  verdict: Verdict,
  reason: z.string().nullable(),
});

/** A stage that passed. */
export const StageRecord = z.strictObject({
  id: ImageStage,
  title: z.string().min(1),
  nominalSeconds: z.number().nonnegative(),
  /** Of the run that built it, also where a later build took it from the cache. */
  seconds: z.number().nonnegative(),
  cached: z.boolean(),
  outcome: Outcome,
  /** Of everything it was made from, the stage before included. */
  fingerprint: Sha256,
  evidence: Evidence,
  checks: z.array(StageCheck),
});
export type StageRecord = z.infer<typeof StageRecord>;

export const ImageBuild = z.strictObject({
  id: z.uuid(),
  app: z.string(),
  /** Of the checkout that holds templates and roles; null outside of one. */
  gitRevision: z.string().nullable(),
  evidence: Evidence,
  profile: z.strictObject({ id: z.string(), sha256: Sha256 }),
  bundle: z.strictObject({ name: z.string(), manifestSha256: Sha256 }).nullable(),
  source: z.strictObject({ kind: z.enum(['disk', 'iso']), file: z.string(), sha256: Sha256.nullable() }),
  accelerator: z.enum(['kvm', 'tcg']),
  /** Bytes of chunks that are not all zeros, and of the file. */
  allocated: z.number().int().nonnegative(),
  fileBytes: z.number().int().positive(),
  stages: z.array(StageRecord),
  /** The other files of the set, but for the manifest and its signature. */
  artefacts: z.array(z.strictObject({ file: z.string(), bytes: z.number().int(), sha256: Sha256 })),
});
export type ImageBuild = z.infer<typeof ImageBuild>;

/** CycloneDX 1.5, of which these parts are written. */
export const Sbom = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.string(),
  version: z.number().int(),
  components: z.array(
    z.looseObject({ type: z.string(), name: z.string(), version: z.string(), purl: z.string() }),
  ),
});
export type Sbom = z.infer<typeof Sbom>;
