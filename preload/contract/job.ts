/** A job: what it is asked to do, and what its events make of it. */
import { z } from 'zod';
import { Evidence } from './outcome.ts';

export const JobKind = z.enum([
  'fetch',
  'bootstrap',
  'layer',
  'harden',
  'checks',
  'drift',
  'uid_swap',
  'selftest',
  /** An image onto a disk of the box, fed from the laptop. */
  'flash_box',
  /** Run by the app itself, over the connection; its events are written on the laptop. */
  'preflight',
  'keys',
  'reboot',
  /** An image onto a disk at this laptop, or into a file; it belongs to no box yet. */
  'flash',
  /** One stage of a golden image's build, run by the app itself (docs/adr/0017-image-build.md); it belongs to no box. */
  'image',
]);
export type JobKind = z.infer<typeof JobKind>;

/** Kinds whose log is written on the laptop: they run before the box has a runner, while it is away, or without one. */
export const LOCAL_KINDS: readonly JobKind[] = ['preflight', 'keys', 'reboot', 'flash', 'image'];

/** In place of a session, of jobs that belong to no box: a flash is done before there is one. */
export const LAPTOP = 'laptop';
/** Whose job it is: a box's session, or the laptop's own. */
export const JobOwner = z.union([z.uuid(), z.literal(LAPTOP)]);

export const JobSpec = z.strictObject({
  v: z.literal(1),
  job: z.uuid(),
  attempt: z.number().int().positive(),
  kind: JobKind,
  title: z.string().min(1),
  laptop: z.strictObject({ name: z.string(), user: z.string() }),
  params: z.record(z.string(), z.unknown()),
});
export type JobSpec = z.infer<typeof JobSpec>;

/** `running` until a result is known; `lost` is inferred: no runner and no `finished`. */
export const JobState = z.enum(['starting', 'running', 'passed', 'failed', 'cancelled', 'lost']);
export type JobState = z.infer<typeof JobState>;

export const ENDED: readonly JobState[] = ['passed', 'failed', 'cancelled', 'lost'];

export const LinkState = z.enum(['live', 'reconnecting', 'silent']);
export type LinkState = z.infer<typeof LinkState>;

/** A row of the journal's job list. */
export const JobRow = z.strictObject({
  job: z.uuid(),
  session: z.string(),
  attempt: z.number().int().positive(),
  kind: JobKind,
  title: z.string(),
  spec: JobSpec,
  specSha256: z.string(),
  createdAt: z.string(),
  state: JobState,
  evidence: Evidence.nullable(),
});
export type JobRow = z.infer<typeof JobRow>;
