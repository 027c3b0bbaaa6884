/**
 * What the app and the process that builds say to each other, a JSON object a line over stdin and stdout. That process may be root's,
 * and the app never is for it: so it keeps no record of its own, and what its jobs tell is stored by the app.
 */
import { z } from 'zod';
import { ErrorCode } from '../../../preload/contract/errors.ts';
import { ShownOrder } from '../../../preload/contract/image-order.ts';
import type { SecretKey } from '../archive/minisign.ts';

const Base64 = z.base64();
/** An opened signing key. The wire is a pipe between two processes, and nothing of it is written anywhere. */
const WireKey = z.strictObject({ id: Base64, seed: Base64, key: Base64 });

export const ToBuild = z.discriminatedUnion('is', [
  z.strictObject({
    is: z.literal('build'),
    order: ShownOrder,
    key: WireKey.nullable(),
    laptop: z.strictObject({ name: z.string(), user: z.string() }),
    app: z.string(),
    /** Specs of the attempts of the build that this one goes on with; none where it is a new one. */
    attempts: z.array(Base64),
  }),
  z.strictObject({ is: z.literal('stop') }),
]);
export type ToBuild = z.infer<typeof ToBuild>;

export const FromBuild = z.discriminatedUnion('is', [
  /** New lines of an attempt's log, with its spec before the first of them. */
  z.strictObject({
    is: z.literal('lines'),
    job: z.uuid(),
    attempt: z.number().int().positive(),
    spec: Base64.nullable(),
    lines: z.array(z.string()),
  }),
  z.strictObject({ is: z.literal('built') }),
  z.strictObject({ is: z.literal('stopped') }),
  z.strictObject({
    is: z.literal('failed'),
    code: ErrorCode,
    facts: z.record(z.string(), z.union([z.string(), z.number()])),
    detail: z.string().nullable(),
  }),
]);
export type FromBuild = z.infer<typeof FromBuild>;

export const wireKey = ({ id, seed, key }: SecretKey): z.infer<typeof WireKey> => ({
  ...{ id: id.toString('base64'), seed: seed.toString('base64'), key: key.toString('base64') },
});

export const keyOfWire = ({ id, seed, key }: z.infer<typeof WireKey>): SecretKey => ({
  ...{ id: Buffer.from(id, 'base64'), seed: Buffer.from(seed, 'base64'), key: Buffer.from(key, 'base64') },
});
