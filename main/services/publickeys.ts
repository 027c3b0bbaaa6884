/** Public keys as people hand them over: a line each as in authorized_keys, out of a file or pasted. */
import { readFileSync } from 'node:fs';
import { AppError } from '../../preload/contract/errors.ts';
import { algorithm, fingerprint } from '../remote/hostkeys.ts';

export interface PublicKey {
  /** As it goes into authorized_keys. */
  line: string;
  type: string;
  fingerprint: string;
  comment: string;
}

const KEY = /^(?:ssh-|ecdsa-|sk-)[a-z0-9@.-]+$/;

function parseLine(line: string): PublicKey | null {
  const [type = '', base64 = '', ...comment] = line.split(/\s+/);
  const blob = Buffer.from(base64, 'base64');
  try {
    // Node reads over what is no base64; sshd would not.
    const whole = blob.toString('base64').replace(/=+$/, '') === base64.replace(/=+$/, '');
    if (!KEY.test(type) || !whole || algorithm(blob) !== type) return null;
  } catch {
    return null;
  }
  return { line, type, fingerprint: fingerprint(blob), comment: comment.join(' ') };
}

/** `where`: what the error names. Errors: key_not_public for any line that is none, and for no line at all. */
export function parsePublicKeys(text: string, where: string): PublicKey[] {
  const lines = text
    .split(/\r?\n/)
    .map((l) => l.trim())
    .filter((l) => l && !l.startsWith('#'));
  const keys = lines.map(parseLine).filter((k) => k !== null);
  if (lines.length === 0 || keys.length !== lines.length)
    throw new AppError('key_not_public', { path: where });
  return keys;
}

/** Errors: key_missing, key_not_public. */
export function readPublicKeys(path: string): PublicKey[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new AppError('key_missing', { path }, error);
  }
  return parsePublicKeys(text, path);
}
