/** The sudo password as a box keeps it: crypt(3) with SHA-512 (spec W2). */
import { randomBytes } from 'node:crypto';
import { encrypt } from 'unixcrypt';
import { AppError } from '../../../../preload/contract/errors.ts';

/** Times a guess has to hash; about a second on a laptop, and once at each sudo of the box. */
const ROUNDS = 500_000;
/** unixcrypt 3.0.4 makes another hash than crypt(3) of 64 bytes or a multiple of it; nobody could use sudo. */
const MOST_BYTES = 63;
const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** 16 characters, 96 bits. */
const newSalt = (): string => [...randomBytes(16)].map((byte) => ALPHABET[byte & 63]).join('');

function faultOf(password: string): string | null {
  const bytes = Buffer.byteLength(password);
  if (bytes === 0) return 'it is empty';
  if (bytes > MOST_BYTES) return `it is longer than ${MOST_BYTES} bytes`;
  // Nobody can type one at a prompt.
  return /\p{Cc}/u.test(password) ? 'it has control characters' : null;
}

/** Errors: first_boot_password. */
export function mustBeHashable(password: string): void {
  const detail = faultOf(password);
  if (detail !== null) throw new AppError('first_boot_password', { detail });
}

/** Takes about a second and lets nothing else run meanwhile. Errors: first_boot_password. */
export function cryptPassword(password: string, salt = newSalt(), rounds = ROUNDS): string {
  mustBeHashable(password);
  return encrypt(password, `$6$rounds=${rounds}$${salt}`);
}
