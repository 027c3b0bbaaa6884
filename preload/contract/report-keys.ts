/** The keys of a box as a report and the window show them. */
import { z } from 'zod';

const PublicKey = z.strictObject({ type: z.string(), fingerprint: z.string(), comment: z.string() });

/** Public halves only. */
export const ReportKeys = z.strictObject({
  engineer: PublicKey,
  /** Where its private half is kept, in a word: a file of the laptop or an agent. */
  kept: z.enum(['file', 'agent']),
  customer: z.array(PublicKey),
  keyLoginProvenAt: z.string().nullable(),
  sudoProvenAt: z.string().nullable(),
  adminUid: z.number().int(),
});
