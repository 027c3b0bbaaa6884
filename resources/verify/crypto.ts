/** What the checks ask of node:crypto, in a browser (scripts/build-verify.mjs puts it in its place). */
import { sha256 } from '@noble/hashes/sha2.js';

type Bytes = string | Uint8Array;

const bytesOf = (data: Bytes): Uint8Array => (typeof data === 'string' ? Buffer.from(data) : data);

export class Hash {
  readonly #hash = sha256.create();

  update(data: Bytes): this {
    this.#hash.update(bytesOf(data));
    return this;
  }

  digest(form: 'hex' | 'base64'): string {
    return Buffer.from(this.#hash.digest()).toString(form);
  }
}

/** Errors: for anything but SHA-256, which nothing here asks for. */
export function createHash(name: string): Hash {
  if (name !== 'sha256') throw new Error(`${name} is not known here`);
  return new Hash();
}

/** The other way, in one call, is not there. */
export const hash = undefined;
/** Where sessions are made, which is nowhere here. */
export const randomUUID = (): string => crypto.randomUUID();
