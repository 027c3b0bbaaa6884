/** The manifest of a site bundle (docs/adr/0005-bundle.md). */
import { z } from 'zod';
import { Evidence } from './outcome.ts';
import { Sha256 } from './events.ts';

/** The same rule as the box's (resources/box/vcbox/kinds/fetch.py), so that what the laptop accepts the box does too. */
const safePath = z.string().refine((p) => {
  const plain = !p.includes('\\') && !p.includes('\0');
  return plain && p.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}, 'a path must be relative, with / between its parts, and stay inside the bundle');

export const BundleManifest = z
  .strictObject({
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
  })
  .check(({ value, issues }) => {
    const paths = new Set(value.files.map((f) => f.path));
    for (const [set, wanted] of Object.entries(value.sets)) {
      const missing = wanted.find((path) => !paths.has(path));
      if (missing === undefined) continue;
      const message = `the set ${set} names ${missing}, which is no file of the bundle`;
      issues.push({ code: 'custom', input: missing, path: ['sets', set], message });
    }
  });
export type BundleManifest = z.infer<typeof BundleManifest>;
