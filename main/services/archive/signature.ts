/** Public keys and signatures in minisign's formats (its man page, "SIGNATURE FORMAT"): read, and proven by whatever computes the two functions. */

export interface PublicKey {
  /** Eight bytes that name the key; no secret and no proof. */
  id: Buffer;
  key: Buffer;
}
export interface Signature {
  /** Anybody can change it. */
  untrusted: string;
  id: Buffer;
  signature: Buffer;
  /** Signed together with the signature. */
  trusted: string;
  global: Buffer;
}

/** What is wrong with a file that should be minisign's, in a clause that follows a colon. */
export class MinisignError extends Error {
  override readonly name = 'MinisignError';
}

export const KEY_KIND = Buffer.from('Ed');
export const HASHED = Buffer.from('ED');
export const ID_BYTES = 8;
export const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
export const UNTRUSTED = 'untrusted comment: ';
export const TRUSTED = 'trusted comment: ';
const MAX_COMMENT = 4096;

/** As minisign prints it. */
export const keyId = (id: Buffer): string => Buffer.from(id).reverse().toString('hex').toUpperCase();

/** Only the one way of writing these bytes: a bit that base64 leaves unused could be turned unseen. */
export function fromBase64(text: string, bytes: number, what: string): Buffer {
  const data = Buffer.from(text, 'base64');
  if (data.length !== bytes || data.toString('base64') !== text)
    throw new MinisignError(`${what} is not as minisign writes it`);
  return data;
}

/** The key of a text: a file's two lines, or the second of them alone, as it is given on a command line. */
export function parsePublicKey(text: string): PublicKey {
  const all = text.trim().split(/\r?\n/);
  const line = all.length === 2 && all[0]?.startsWith(UNTRUSTED) ? (all[1] ?? '') : (all[0] ?? '');
  if (all.length > 2) throw new MinisignError('it holds no public key of minisign');
  const data = fromBase64(line.trim(), 2 + ID_BYTES + KEY_BYTES, 'the public key');
  if (!data.subarray(0, 2).equals(KEY_KIND)) throw new MinisignError('it is a key of another kind');
  return { id: data.subarray(2, 2 + ID_BYTES), key: data.subarray(2 + ID_BYTES) };
}

export const publicKeyLine = ({ id, key }: PublicKey): string =>
  Buffer.concat([KEY_KIND, id, key]).toString('base64');

/** Reads a signature file of exactly four lines. Errors: MinisignError. */
export function parseSignature(bytes: Buffer): Signature {
  const text = bytes.toString('latin1');
  const [untrusted = '', line = '', trusted = '', global = '', end, ...more] = text.split('\n');
  if (end !== '' || more.length || !untrusted.startsWith(UNTRUSTED) || !trusted.startsWith(TRUSTED))
    throw new MinisignError('it is not the four lines that minisign writes');
  if (trusted.length > MAX_COMMENT) throw new MinisignError('its comment is too long');
  const data = fromBase64(line, 2 + ID_BYTES + SIGNATURE_BYTES, 'the signature');
  if (!data.subarray(0, 2).equals(HASHED)) throw new MinisignError('it is a signature of another kind');
  return {
    untrusted: Buffer.from(untrusted.slice(UNTRUSTED.length), 'latin1').toString('utf8'),
    id: data.subarray(2, 2 + ID_BYTES),
    signature: data.subarray(2 + ID_BYTES),
    trusted: Buffer.from(trusted.slice(TRUSTED.length), 'latin1').toString('utf8'),
    global: fromBase64(global, SIGNATURE_BYTES, 'the signature of the comment'),
  };
}

/** The two functions that a signature rests on, of this runtime. */
export interface Proving {
  blake2b512(bytes: Uint8Array): Uint8Array;
  /** Whether the Ed25519 signature is that of the message by the key. */
  ed25519(signature: Uint8Array, message: Uint8Array, key: Uint8Array): boolean;
}

/** Whether this key signed these bytes, and the comment. */
export function signed(bytes: Uint8Array, s: Signature, { id, key }: PublicKey, by: Proving): boolean {
  return (
    s.id.equals(id) &&
    by.ed25519(s.signature, by.blake2b512(bytes), key) &&
    by.ed25519(s.global, Buffer.concat([s.signature, Buffer.from(s.trusted)]), key)
  );
}
