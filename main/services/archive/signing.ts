/** The engineer's signing key on this laptop: a secret key file of minisign, opened with its passphrase in memory only. */
import { existsSync, readFileSync } from 'node:fs';
import { AppError } from '../../../preload/contract/errors.ts';
import { writeSynced } from '../../synced.ts';
import type { Secrets } from '../secrets.ts';
import {
  isCovered,
  newSecretKey,
  openSecretKey,
  publicKeyFile,
  secretKeyFile,
  type SecretKey,
} from './minisign.ts';
import { type PublicKey } from './signature.ts';

const MAX_BYTES = 4096;

/** Errors: signing_key_bad, signing_passphrase_wrong, secret_missing. */
export async function openSigningKey(path: string, secrets: Secrets): Promise<SecretKey> {
  const bad = (error: unknown) =>
    new AppError('signing_key_bad', { path, detail: error instanceof Error ? error.message : String(error) });
  let text: string;
  let covered: boolean;
  try {
    text = readFileSync(path, 'utf8').slice(0, MAX_BYTES);
    covered = isCovered(text);
  } catch (error) {
    throw bad(error);
  }
  const passphrase = covered ? await secrets.need('signingPassphrase', path) : '';
  let key: SecretKey | null;
  try {
    key = await openSecretKey(text, passphrase);
  } catch (error) {
    throw bad(error);
  }
  if (key) return key;
  if (!covered) throw bad(new Error('its checksum is wrong'));
  secrets.forget('signingPassphrase');
  throw new AppError('signing_passphrase_wrong', { path });
}

/**
 * Makes a key: the secret half at `path`, only for this user, the public half beside it with `.pub`. Neither is written over
 * anything. Errors: signing_key_exists, secret_missing, output_unwritable.
 */
export async function makeSigningKey(path: string, secrets: Secrets): Promise<PublicKey> {
  for (const taken of [path, `${path}.pub`])
    if (existsSync(taken)) throw new AppError('signing_key_exists', { path: taken });
  const passphrase = await secrets.need('signingPassphrase', `for the new key ${path}`);
  if (passphrase === '') throw new AppError('secret_missing', { secret: 'passphrase of the signing key' });
  const key = newSecretKey();
  try {
    writeSynced(path, await secretKeyFile(key, passphrase), 'wx', 0o600);
    writeSynced(`${path}.pub`, publicKeyFile(key), 'wx');
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new AppError('output_unwritable', { path, detail }, error);
  }
  return { id: key.id, key: key.key };
}
