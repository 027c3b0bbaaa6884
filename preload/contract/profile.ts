/**
 * A hardware profile: what a machine type must be, and where each number comes from. Data, one file a machine type,
 * so that another NVIDIA machine needs no code. Numbers carry their source; it is printed beside every verdict.
 */
import { z } from 'zod';
import { Expectation } from './outcome.ts';

const source = z.string().min(1);
const Max = z.strictObject({ max: z.number(), source });
const Min = z.strictObject({ min: z.number(), source });
const Version = z.strictObject({ version: z.string().regex(/^[0-9][0-9A-Za-z.+~-]*$/), source });

/** The newest profile format this version reads. */
export const PROFILE_VERSION = 1;

export const GpuExpectation = z.strictObject({
  count: z.number().int().min(0),
  name: z.string(),
  pciDevice: z
    .string()
    .regex(/^0x[0-9a-f]{4}$/)
    .optional(),
  memoryMiB: z.number().int().positive(),
  memoryToleranceMiB: z.number().int().nonnegative(),
  pcieGen: z.number().int().min(1).max(7),
  pcieWidth: z.number().int().min(1).max(32),
  computeCapability: z.string(),
  idleTemperatureC: Max,
  driverFloor: Version,
  openModules: z.boolean(),
});

export const Profile = z.strictObject({
  v: z.literal(PROFILE_VERSION),
  id: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
  title: z.string().min(1),
  sources: z.array(z.string()).default([]),
  distributions: z
    .array(
      z.strictObject({
        id: z.string(),
        version: z.string(),
        codename: z.string(),
        python: z.string(),
        /** Why this is not what customers run; checks that only the real one has are then `not_supported`. */
        standIn: z.string().optional(),
      }),
    )
    .min(1),
  kernelFloor: Version.optional(),
  cpu: z.strictObject({ model: z.string(), cores: z.number().int().positive(), source }).optional(),
  memoryGiB: Min.optional(),
  rootDiskGiB: Min.optional(),
  freeRootGiB: Min.optional(),
  board: z.strictObject({ name: z.string(), source }).optional(),
  power: z.strictObject({ wallWatts: z.number().positive(), source }).optional(),
  clockSkewSeconds: Max,
  gpu: GpuExpectation,
  /** Per check id; a check not named here is required. */
  expectations: z.record(z.string(), Expectation).default({}),
  /** What must pass for a box to be shipped or used in production: suite ids. */
  gates: z.strictObject({ ship: z.array(z.string()), production: z.array(z.string()) }),
});
export type Profile = z.infer<typeof Profile>;
