/**
 * A hardware profile: what a machine type must be, and where each number comes from. Data, one file a machine type,
 * so that another NVIDIA machine needs no code. Numbers carry their source; it is printed beside every verdict.
 */
import { z } from 'zod';
import { wronglyRequired } from './captured.ts';
import { Expectation, type Evidence } from './outcome.ts';
import { GpuExpectation } from './profile-gpu.ts';
import { Load } from './profile-load.ts';
import { Max, Min, source, sourced, Version } from './sourced.ts';
import { Software } from './software.ts';

/** The newest profile format this version reads. */
export const PROFILE_VERSION = 1;

const Distribution = z.strictObject({
  id: z.string(),
  version: z.string(),
  codename: z.string(),
  python: z.string(),
  /** Why this is not what customers run; checks that only the real one has are then `not_supported`. */
  standIn: z.string().optional(),
});

/** What is not named here is not judged: the check is `not_supported` and says that the profile names nothing. */
const Shape = z.strictObject({
  v: z.literal(PROFILE_VERSION),
  id: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
  title: z.string().min(1),
  sources: z.array(z.string()).default([]),
  distributions: z.array(Distribution).min(1),
  /** As `uname -m` prints it. */
  arch: sourced(z.string().min(1)).optional(),
  kernelFloor: Version.optional(),
  pythonFloor: Version.optional(),
  cpu: z.strictObject({ model: z.string(), cores: z.number().int().positive(), source }).optional(),
  memoryGiB: Min.optional(),
  memoryEcc: sourced(z.boolean()).optional(),
  rootDiskGiB: Min.optional(),
  freeRootGiB: Min.optional(),
  /** What must be left when layers 1 to 5 are on it. */
  freeLeftGiB: Min.optional(),
  /** `name` is a part of the board's name. */
  board: z.strictObject({ name: z.string().min(1), source }).optional(),
  bios: z
    .strictObject({
      /** Memory windows of the cards lie above 4 GiB. */
      above4g: sourced(z.boolean()).optional(),
      /** `direct`: off, or passing addresses through; a translating one can lose writes between cards. */
      iommu: sourced(z.enum(['direct', 'any'])).optional(),
      /** Bridges may send traffic between cards through the root (ACS redirection). */
      acsRedirect: sourced(z.boolean()).optional(),
    })
    .optional(),
  /** What systemd-detect-virt may print. */
  virtualization: sourced(z.array(z.string()).min(1)).optional(),
  power: z.strictObject({ wallWatts: z.number().positive(), source }).optional(),
  clockSkewSeconds: Max,
  gpu: GpuExpectation,
  /** What layers 2 to 5 may install. Without it these layers cannot be planned. */
  software: Software.optional(),
  /** What the load suites run with, and what must come of it. Without it they are `not_supported`. */
  load: Load.optional(),
  /** Per check id; a check not named here is required. */
  expectations: z.record(z.string(), Expectation).default({}),
  /** The same on a stand-in or practice box, before those above: what such a box cannot have. Real boxes never use it. */
  standInExpectations: z.record(z.string(), Expectation).default({}),
  /** What must pass for a box to be shipped or used in production: suite ids. */
  gates: z.strictObject({ ship: z.array(z.string()), production: z.array(z.string()) }),
});
export type Profile = z.infer<typeof Shape>;

/** Also refuses a captured floor that decides. */
export const Profile = Shape.superRefine((profile, ctx) => {
  for (const check of wronglyRequired(profile)) {
    const message = 'its floor was captured from the machine itself, so it can only be informative';
    ctx.addIssue({ code: 'custom', path: ['expectations', check], message });
  }
});

const REQUIRED: Expectation = { kind: 'required' };

/** How the profile regards a check whose result carries this evidence. */
export function expectationOf(profile: Profile, check: string, evidence: Evidence): Expectation {
  const known = (all: Record<string, Expectation>) => (Object.hasOwn(all, check) ? all[check] : undefined);
  const standIn = evidence === 'real' ? undefined : known(profile.standInExpectations);
  return standIn ?? known(profile.expectations) ?? REQUIRED;
}
