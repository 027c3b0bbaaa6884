/**
 * Keys and signatures in minisign's formats (its man page, "SIGNATURE FORMAT"), so that the real tool reads ours and we read
 * its. Signatures are of the kind `ED`: Ed25519 over the BLAKE2b-512 of the file.
 */
import { blake2b } from '@noble/hashes/blake2.js';
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  getHashes,
  randomBytes,
  scrypt,
  sign,
  verify,
  type KeyObject,
  type ScryptOptions,
} from 'node:crypto';
import { promisify } from 'node:util';
import {
  fromBase64,
  HASHED,
  ID_BYTES,
  KEY_BYTES,
  KEY_KIND,
  keyId,
  MinisignError,
  publicKeyLine,
  TRUSTED,
  UNTRUSTED,
  type Proving,
  type PublicKey,
} from './signature.ts';

export interface SecretKey {
  id: Buffer;
  seed: Buffer;
  key: Buffer;
}
const SCRYPT = Buffer.from('Sc');
const BLAKE2B = Buffer.from('B2');
const SALT_BYTES = 32;
const COVERED_BYTES = ID_BYTES + 2 * KEY_BYTES + KEY_BYTES;
const SECRET_BYTES = 6 + SALT_BYTES + 16 + COVERED_BYTES;

/** OpenSSL has it; BoringSSL, which Electron is built with, has not. */
const nativeBlake = getHashes().includes('blake2b512');
const hash512 = (bytes: Uint8Array): Buffer =>
  nativeBlake ? createHash('blake2b512').update(bytes).digest() : Buffer.from(blake2b(bytes, { dkLen: 64 }));

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const privateKey = (seed: Buffer): KeyObject =>
  createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
const publicKey = (key: Buffer): KeyObject =>
  createPublicKey({ key: Buffer.concat([SPKI, key]), format: 'der', type: 'spki' });

export const publicKeyFile = (key: PublicKey): string =>
  `${UNTRUSTED}minisign public key ${keyId(key.id)}\n${publicKeyLine(key)}\n`;

/** scrypt's N and p for these limits, as libsodium picks them (crypto_pwhash_scryptsalsa208sha256, r = 8). */
export function scryptCost(operations: number, memory: number): { N: number; p: number } {
  const r = 8;
  const most = operations < memory / 32 ? operations / (r * 4) : memory / (r * 128);
  let log = 1;
  while (log < 63 && 2 ** log <= most / 2) log += 1;
  const N = 2 ** log;
  if (operations < memory / 32) return { N, p: 1 };
  return { N, p: Math.max(1, Math.floor(Math.min(operations / 4 / N, 0x3fffffff) / r)) };
}

/** On a thread of its own: it takes seconds. */
const derive = promisify<Buffer, Buffer, number, ScryptOptions, Buffer>(scrypt);

const MAX_MEMORY = 2 * 1024 ** 3;

/** XORs with what the passphrase gives: covers and uncovers. */
async function cover(
  bytes: Buffer,
  passphrase: string,
  salt: Buffer,
  operations: number,
  memory: number,
): Promise<Buffer> {
  if (memory > MAX_MEMORY || operations > 2 ** 32)
    throw new MinisignError('it asks for too much memory to open');
  const { N, p } = scryptCost(Math.max(operations, 32768), memory);
  const maxmem = 128 * 8 * (N + p + 2) + 1024 ** 2;
  const stream = await derive(Buffer.from(passphrase), salt, COVERED_BYTES, { N, r: 8, p, maxmem });
  return Buffer.from(bytes.map((byte, i) => byte ^ (stream[i] ?? 0)));
}

const checksum = (id: Buffer, seed: Buffer, key: Buffer): Buffer =>
  Buffer.from(blake2b(Buffer.concat([KEY_KIND, id, seed, key]), { dkLen: 32 }));

/** Whether a secret key file needs a passphrase. Errors: MinisignError. */
export function isCovered(text: string): boolean {
  return secretBytes(text).subarray(2, 4).equals(SCRYPT);
}

function secretBytes(text: string): Buffer {
  const [comment = '', line = '', ...more] = text.trim().split(/\r?\n/);
  if (!comment.startsWith(UNTRUSTED) || more.length)
    throw new MinisignError('it is no secret key of minisign');
  const data = fromBase64(line.trim(), SECRET_BYTES, 'the secret key');
  if (!data.subarray(0, 2).equals(KEY_KIND) || !data.subarray(4, 6).equals(BLAKE2B))
    throw new MinisignError('it is a key of another kind');
  return data;
}

/** Null when the passphrase does not open it. Errors: MinisignError. */
export async function openSecretKey(text: string, passphrase: string): Promise<SecretKey | null> {
  const data = secretBytes(text);
  const salt = data.subarray(6, 6 + SALT_BYTES);
  const operations = Number(data.readBigUInt64LE(38));
  const memory = Number(data.readBigUInt64LE(46));
  const covered = data.subarray(54);
  const plain = isCovered(text) ? await cover(covered, passphrase, salt, operations, memory) : covered;
  const id = plain.subarray(0, 8);
  const seed = plain.subarray(8, 40);
  const key = plain.subarray(40, 72);
  const sum = plain.subarray(72);
  // minisign itself writes none into a key without a passphrase; its halves then prove each other.
  const good =
    !isCovered(text) && sum.every((byte) => byte === 0)
      ? publicHalf(seed).equals(key)
      : checksum(id, seed, key).equals(sum);
  return good ? { id, seed, key } : null;
}

const publicHalf = (seed: Buffer): Buffer =>
  createPublicKey(privateKey(seed)).export({ format: 'der', type: 'spki' }).subarray(SPKI.length);

export function newSecretKey(): SecretKey {
  const seed = randomBytes(KEY_BYTES);
  return { id: randomBytes(ID_BYTES), seed, key: publicHalf(seed) };
}

/** What minisign itself takes: a gigabyte, some seconds. */
const STRONG = { operations: 33_554_432, memory: 1_073_741_824 };

export async function secretKeyFile(
  { id, seed, key }: SecretKey,
  passphrase: string,
  { operations, memory } = STRONG,
): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const limits = Buffer.alloc(16);
  limits.writeBigUInt64LE(BigInt(operations), 0);
  limits.writeBigUInt64LE(BigInt(memory), 8);
  const plain = Buffer.concat([id, seed, key, checksum(id, seed, key)]);
  const covered = await cover(plain, passphrase, salt, operations, memory);
  const data = Buffer.concat([KEY_KIND, SCRYPT, BLAKE2B, salt, limits, covered]);
  return `${UNTRUSTED}minisign encrypted secret key\n${data.toString('base64')}\n`;
}

/** The text of a signature file. `trusted` is one line. */
export function signBytes(bytes: Uint8Array, key: SecretKey, trusted: string): string {
  const own = privateKey(key.seed);
  const signature = sign(null, hash512(bytes), own);
  const global = sign(null, Buffer.concat([signature, Buffer.from(trusted)]), own);
  const line = Buffer.concat([HASHED, key.id, signature]).toString('base64');
  const untrusted = `signature by the key ${keyId(key.id)}`;
  return `${UNTRUSTED}${untrusted}\n${line}\n${TRUSTED}${trusted}\n${global.toString('base64')}\n`;
}

/** With Node's own crypto. */
export const PROVING: Proving = {
  blake2b512: hash512,
  ed25519: (signature, message, key) => verify(null, message, publicKey(Buffer.from(key)), signature),
};
