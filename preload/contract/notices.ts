/** What main tells the window unasked, declared once. */
import { z } from 'zod';
import { BoxState, Link } from './calls.ts';
import { FlashProgress } from './flash.ts';
import { ImageDeskState } from './image-desk.ts';
import { JobOwner } from './job.ts';

export const notices = {
  /** How a box stands has changed. */
  box: BoxState,
  link: z.strictObject({ session: z.uuid(), link: Link }),
  /** New lines of an attempt's log, in order, as they were stored. */
  lines: z.strictObject({
    session: JobOwner,
    job: z.uuid(),
    attempt: z.number().int(),
    lines: z.array(z.string()),
  }),
  note: z.strictObject({ session: z.uuid(), text: z.string() }),
  /** A host key to compare; answered by `ask.answer` with "yes" or null. */
  hostKey: z.strictObject({
    ask: z.uuid(),
    session: z.uuid(),
    host: z.string(),
    algorithm: z.string(),
    fingerprint: z.string(),
  }),
  /** A reboot that a run wants, counted down in the window from `seconds`; answered by `ask.answer` with "yes" or null. */
  reboot: z.strictObject({
    ask: z.uuid(),
    session: z.uuid(),
    box: z.string(),
    why: z.string(),
    seconds: z.number().int().nonnegative(),
  }),
  /** A secret that a step needs; answered by `ask.answer`. */
  ask: z.strictObject({ ask: z.uuid(), session: JobOwner, secret: z.string(), prompt: z.string() }),
  /** How far a flash is, twice a second also while nothing moves. */
  flash: z.strictObject({
    session: z.uuid(),
    job: z.uuid(),
    attempt: z.number().int(),
    progress: FlashProgress,
  }),
  /** How builds of golden images stand has changed. */
  image: ImageDeskState,
  /** The disks of this laptop changed since they were listed last. */
  disks: z.strictObject({}),
  /** A terminal ended, with a sentence for its window. */
  terminalEnded: z.strictObject({ terminal: z.uuid(), why: z.string() }),
} as const;

export type Notices = typeof notices;
export type NoticeName = keyof Notices;
export type Notice<K extends NoticeName> = z.infer<Notices[K]>;
