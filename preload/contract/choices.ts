/** What a person chooses when a box is begun or logged in to, with the secrets on their way in: they are never part of an answer. */
import { z } from 'zod';

const secret = z.string().min(1).max(1024);

/** A credential for the first login. */
export const LoginChoice = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('password'), password: secret }),
  z.strictObject({ kind: z.literal('key'), path: z.string().min(1), passphrase: secret.optional() }),
  z.strictObject({ kind: z.literal('agent'), fingerprint: z.string().nullable() }),
  /** The session's own key: after the step Keys. */
  z.strictObject({ kind: z.literal('session'), passphrase: secret.optional() }),
]);
export type LoginChoice = z.infer<typeof LoginChoice>;

export const KeyChoice = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('generate'), passphrase: secret.optional() }),
  z.strictObject({ kind: z.literal('file'), path: z.string().min(1), passphrase: secret.optional() }),
  z.strictObject({ kind: z.literal('agent'), fingerprint: z.string().nullable() }),
]);
export type KeyChoice = z.infer<typeof KeyChoice>;

/** A file of a secret key, and what opens it. */
export const KeyFile = z.strictObject({ path: z.string().min(1), passphrase: secret.optional() });

/** A key that is there; what opens it is given beside it. */
export const PresentKey = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('file'), path: z.string().min(1) }),
  z.strictObject({ kind: z.literal('agent'), fingerprint: z.string().min(1) }),
]);

export const BoxName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'letters, digits, dot, dash and underscore');
const named = { name: BoxName, profile: z.string().min(1) };
const reached = {
  host: z.string().min(1),
  port: z.number().int().min(1).max(65535),
  user: z.string().min(1),
};
/**
 * A box that is there already, one whose disk is flashed at this laptop first and that has no address before, or one in a live system.
 */
export const NewBox = z.discriminatedUnion('path', [
  z.strictObject({
    path: z.literal('provision'),
    ...named,
    ...reached,
  }),
  z.strictObject({ path: z.literal('flash'), ...named }),
  /** Its live system's address and user. */
  z.strictObject({ path: z.literal('network'), ...named, ...reached }),
]);
export type NewBox = z.infer<typeof NewBox>;
