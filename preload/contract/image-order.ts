/** What a golden image is built from, as it is entered: the same checks and sentences on the command line and in the window. */
import { z } from 'zod';
import { KeyFile } from './choices.ts';

export const IMAGE_DEFAULTS = {
  name: 'vault-cube-demo-box',
  version: '1.0',
  layers: [1, 2, 3, 4, 5],
  memoryMiB: 4096,
  cpus: 4,
  diskSize: '46G',
};

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const SIZE = /^[1-9]\d{0,4}[MG]$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** What is wrong with a part of an order that can be judged by itself, in a sentence; null where nothing is. Pure. */
export const orderFaults = {
  name: (text: string): string | null =>
    NAME.test(text) ? null : `the name "${text}" is none of small letters, digits, dots and dashes.`,
  version: (text: string): string | null => (NAME.test(text) ? null : `the version "${text}" is none.`),
  diskSize: (text: string): string | null =>
    SIZE.test(text) ? null : `the size "${text}" is none like 46G.`,
  /** `what` must hash to it: an option or a field. */
  sha256: (text: string, what: string): string | null =>
    SHA256.test(text) ? null : `${what} wants 64 hexadecimal digits.`,
  whole: (text: string, what: string): string | null =>
    Number.isInteger(Number(text)) && Number(text) >= 1
      ? null
      : `${what} wants a whole number, not "${text}".`,
  layers: (layers: readonly number[]): string | null => (layers.length ? null : 'no layers are named.'),
};

const path = z.string().min(1);
const source = z.strictObject({ kind: z.enum(['disk', 'iso']), path, sha256: z.string().nullable() });
const said = {
  source,
  profile: path,
  layers: z.array(z.number().int().nonnegative()),
  bundle: path.nullable(),
  name: z.string(),
  version: z.string(),
  accel: z.enum(['auto', 'kvm', 'tcg']),
  memoryMiB: z.number(),
  cpus: z.number(),
  diskSize: z.string(),
  secondRun: z.boolean(),
};

/** An order as it stands with the jobs of its build: nothing secret, and enough to build the same again. */
export const ShownOrder = z.strictObject({
  ...said,
  work: path,
  out: path,
  project: path,
  /** Which key signs the set; null leaves it unsigned. */
  signerId: z.string().nullable(),
});
export type ShownOrder = z.infer<typeof ShownOrder>;

/** From the window. A folder that is null is the app's own; `sign` null leaves the set unsigned. Judged in main. */
export const ImageOrderInput = z.strictObject({
  ...said,
  work: path.nullable(),
  out: path.nullable(),
  project: path.nullable(),
  sign: KeyFile.nullable(),
});
export type ImageOrderInput = z.infer<typeof ImageOrderInput>;
