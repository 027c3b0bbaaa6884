/** What `verify` finds of a hand-over archive: is it intact, by whom is it, is it complete. Crosses to the window as it is. */
import { z } from 'zod';
import { Evidence, Outcome } from './outcome.ts';

const SignatureFound = z.strictObject({
  /** `unchecked`: by a key that is not known here and not named in it. */
  state: z.enum(['none', 'good', 'bad', 'unchecked']),
  /** As minisign prints it; null where nothing could be read. */
  keyId: z.string().nullable(),
  /** Who holds the key, by the list of trusted keys; null for an unknown key. */
  by: z.string().nullable(),
  /** Signed with it. */
  comment: z.string().nullable(),
  /** ISO time; what the signing laptop's clock said. */
  at: z.string().nullable(),
  /** Not signed: anybody can have written it. */
  untrusted: z.string().nullable(),
});

export const Verification = z.strictObject({
  path: z.string(),
  /** What is not as it was written, one sentence each; empty where it is intact. */
  problems: z.array(z.string()),
  /** What could not be looked at, and is no proof of anything. */
  notes: z.array(z.string()),
  signature: SignatureFound,
  /** Null where no report could be read. */
  report: z
    .strictObject({
      box: z.string(),
      serial: z.string(),
      asOf: z.string(),
      app: z.string(),
      profile: z.string().nullable(),
      outcome: Outcome,
      evidence: Evidence.nullable(),
      /** What the profile requires and is not there. */
      missing: z.array(z.string()),
      attempts: z.number().int().nonnegative(),
      events: z.number().int().nonnegative(),
      checks: z.number().int().nonnegative(),
    })
    .nullable(),
});
export type Verification = z.infer<typeof Verification>;

/** The exit codes of `vault-cube verify FILE`, the first that holds. */
export const VERIFY_EXIT = { changed: 40, unsigned: 41, unknownKey: 42, incomplete: 43, ok: 0 } as const;
export type Verdict = keyof typeof VERIFY_EXIT;

export function verdictOf({ problems, signature, report }: Verification): Verdict {
  if (problems.length || signature.state === 'bad' || report === null) return 'changed';
  if (signature.state === 'none') return 'unsigned';
  if (signature.by === null) return 'unknownKey';
  return report.missing.length ? 'incomplete' : 'ok';
}

/** One sentence for a person. */
export function verdictSentence(v: Verification): string {
  const { signature: s, report } = v;
  switch (verdictOf(v)) {
    case 'changed':
      return 'Not intact: it is not what was written.';
    case 'unsigned':
      return 'Whole in itself, but not signed: anybody can have made it.';
    case 'unknownKey':
      return s.state === 'good'
        ? `Intact, signed by an unknown key (${s.keyId ?? ''}).`
        : `Signed by an unknown key (${s.keyId ?? ''}), so the signature could not be checked.`;
    case 'incomplete':
      return `Intact, signed by ${s.by ?? ''}, but not complete: ${report?.missing.length ?? 0} required results are missing.`;
    case 'ok':
      return `Intact, signed by ${s.by ?? ''}, complete.`;
  }
}

/** What all of that proves and what it does not; shown with every result. */
export const WHAT_IT_PROVES = [
  'A good signature proves that this is, byte for byte, what the holder of the key signed.',
  'Whole chains prove that no event was removed, doubled, moved or edited after it was written.',
  'Neither proves that the box told the truth: whoever was root there could have made it report anything.',
] as const;
