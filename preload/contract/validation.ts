/** What the window asks of Validate, and what it is told of a check that was run more than once. */
import { z } from 'zod';
import { CheckResult } from './events.ts';

export const ValidateOrder = z.strictObject({
  session: z.uuid(),
  suites: z.array(z.string()).min(1),
  watchSeconds: z.number().nonnegative().max(3600),
  hz: z.number().min(0.1).max(10),
  /** What somebody agreed to; without it no suite with load runs. */
  agreedWatts: z.number().positive().optional(),
  soakSeconds: z
    .number()
    .min(1)
    .max(7 * 86_400)
    .optional(),
  /** Watts that each card is held to while a suite with load runs; full power without it. */
  powerLimitW: z.number().positive().optional(),
  /** Single checks of the one suite that is named, to be run again; all of them without it. */
  checks: z.array(z.string()).min(1).optional(),
});

/** One time that a check was run: of which attempt, when, and what came of it. */
export const CheckAttempt = z.strictObject({
  job: z.uuid(),
  attempt: z.number().int(),
  /** As the laptop recorded the attempt. */
  at: z.string(),
  result: CheckResult,
});
export type CheckAttempt = z.infer<typeof CheckAttempt>;
