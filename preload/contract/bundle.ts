/** The manifest of a site bundle (docs/adr/0005-bundle.md). */
import { z } from 'zod';
import { Evidence } from './outcome.ts';
import { Sha256 } from './events.ts';

const safePath = z
  .string()
  .min(1)
  .refine(
    (p) => !p.startsWith('/') && !p.includes('\\') && !p.split('/').includes('..'),
    'a path inside the bundle',
  );

export const BundleManifest = z.strictObject({
  v: z.literal(1),
  name: z.string().min(1),
  created: z.string(),
  distribution: z.strictObject({
    id: z.string(),
    version: z.string(),
    codename: z.string(),
    arch: z.string(),
  }),
  evidence: Evidence,
  files: z.array(z.strictObject({ path: safePath, size: z.number().int().nonnegative(), sha256: Sha256 })),
  sets: z.record(z.string(), z.array(safePath)),
});
export type BundleManifest = z.infer<typeof BundleManifest>;
