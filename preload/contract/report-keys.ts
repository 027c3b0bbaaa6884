/** The keys of a box as a report and the window show them. */
import { z } from 'zod';

const PublicKey = z.strictObject({ type: z.string(), fingerprint: z.string(), comment: z.string() });

/** How far a login with it is proven (see CustomerProof in session.ts); none where the box was not asked. */
const CustomerKey = PublicKey.extend({
  proof: z.strictObject({ how: z.enum(['login', 'accepted', 'refused']), at: z.string() }).nullish(),
});

/** Public halves only. */
export const ReportKeys = z.strictObject({
  engineer: PublicKey,
  /** Where its private half is kept, in a word: a file of the laptop or an agent. */
  kept: z.enum(['file', 'agent']),
  customer: z.array(CustomerKey),
  keyLoginProvenAt: z.string().nullable(),
  sudoProvenAt: z.string().nullable(),
  adminUid: z.number().int(),
});
