/** Private keys on this laptop: made, read, or held by an agent. A private key never leaves this process. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { ParsedKey } from 'ssh2';
import { AppError } from '../../preload/contract/errors.ts';
import { fingerprint } from './hostkeys.ts';
import { newEd25519 } from './newkey.ts';
import { ssh2 } from './ssh2.ts';

const MIN_RSA_BITS = 2048;
/** A private key file is a few kB; anything larger is something else. */
const MAX_KEY_BYTES = 64 * 1024;

export interface LoadedKey {
  /** What `connect` takes; decrypted already where the file has a format that only Node reads. */
  privateKey: Buffer;
  passphrase: string | undefined;
  /** One line as in authorized_keys. */
  publicKey: string;
  fingerprint: string;
  type: string;
  /** Whether the file is protected by a passphrase. */
  encrypted: boolean;
}

export interface AgentKey {
  publicKey: string;
  fingerprint: string;
  type: string;
  comment: string;
}

function publicLine(key: ParsedKey, comment: string): string {
  return `${key.type} ${key.getPublicSSH().toString('base64')}${comment ? ` ${comment}` : ''}`;
}

const KIND: Record<string, string> = { 'ssh-rsa': 'RSA', 'ssh-dss': 'DSA' };

/** Bits of an RSA or DSA key from its wire format; null for the others, whose sizes are all sound. */
function bits(key: ParsedKey): number | null {
  const skip = key.type === 'ssh-rsa' ? 2 : key.type === 'ssh-dss' ? 1 : null;
  if (skip === null) return null;
  const blob = key.getPublicSSH();
  let at = 0;
  // The modulus is the third string of an RSA key (after type and exponent) and the second of a DSA key.
  for (let i = 0; i < skip; i++) at += 4 + blob.readUInt32BE(at);
  const n = blob.subarray(at + 4, at + 4 + blob.readUInt32BE(at));
  return BigInt(`0x${n.toString('hex')}`).toString(2).length;
}

function requireStrong(path: string, key: ParsedKey): void {
  const size = bits(key);
  if (size !== null && (size < MIN_RSA_BITS || key.type === 'ssh-dss')) {
    throw new AppError('key_too_weak', {
      path,
      type: KIND[key.type] ?? key.type,
      bits: size,
      minimum: MIN_RSA_BITS,
    });
  }
}

function readKey(path: string): Buffer {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new AppError('key_missing', { path });
  if (!stat.isFile() || stat.size > MAX_KEY_BYTES || stat.size === 0)
    throw new AppError('key_not_a_key', { path });
  if (process.platform !== 'win32' && stat.mode & 0o077) throw new AppError('key_world_readable', { path });
  try {
    return readFileSync(path);
  } catch (error) {
    throw new AppError('key_missing', { path }, error);
  }
}

const PKCS8 = /-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/;

/** ssh2 reads no PKCS#8; Node does, and writes RSA and EC keys in the older PEM that ssh2 reads. */
function fromPkcs8(path: string, bytes: Buffer, passphrase: string | undefined): Buffer {
  try {
    const key = createPrivateKey({
      key: bytes,
      format: 'pem',
      ...(passphrase === undefined ? {} : { passphrase }),
    });
    if (key.asymmetricKeyType === 'rsa') return Buffer.from(key.export({ type: 'pkcs1', format: 'pem' }));
    if (key.asymmetricKeyType === 'ec') return Buffer.from(key.export({ type: 'sec1', format: 'pem' }));
    if (key.asymmetricKeyType === 'ed25519') {
      const { d } = key.export({ format: 'jwk' });
      const { x } = createPublicKey(key).export({ format: 'jwk' });
      if (d && x) return opensshEd25519(Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url'));
    }
  } catch (error) {
    throw new AppError(isEncrypted(bytes) ? 'key_passphrase_wrong' : 'key_not_a_key', { path }, error);
  }
  throw new AppError('key_not_a_key', { path });
}

/** An unencrypted openssh-key-v1 file of a 32-byte seed and its public key (format: OpenSSH's PROTOCOL.key). */
function opensshEd25519(seed: Buffer, pub: Buffer): Buffer {
  const string = (b: Buffer | string) => {
    const data = Buffer.from(b as string);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    return Buffer.concat([length, data]);
  };
  const one = Buffer.from([0, 0, 0, 1]);
  const publicBlob = Buffer.concat([string('ssh-ed25519'), string(pub)]);
  const secret = Buffer.concat([one, one, publicBlob, string(Buffer.concat([seed, pub])), string('')]);
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, i) => i + 1));
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    string('none'),
    string('none'),
    string(''),
    one,
    string(publicBlob),
    string(Buffer.concat([secret, padding])),
  ]);
  const lines = file.toString('base64').replace(/.{70}/g, '$&\n');
  return Buffer.from(`-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`);
}

function isEncrypted(bytes: Buffer): boolean {
  const text = bytes.toString('latin1');
  if (PKCS8.test(text)) return /BEGIN ENCRYPTED/.test(text);
  const key: ParsedKey | Error = ssh2.utils.parseKey(bytes);
  return key instanceof Error && /passphrase/i.test(key.message);
}

/** Whether the key file wants a passphrase. Errors: key_missing, key_world_readable, key_not_a_key. */
export function needsPassphrase(path: string): boolean {
  return isEncrypted(readKey(path));
}

/**
 * Reads a private key in OpenSSH, PEM or PuTTY format.
 * Errors: key_missing, key_world_readable, key_not_a_key, key_passphrase_wrong, key_too_weak.
 */
export function loadKey(path: string, passphrase?: string): LoadedKey {
  let bytes = readKey(path);
  const encrypted = isEncrypted(bytes);
  let secret = encrypted ? passphrase : undefined;
  if (PKCS8.test(bytes.toString('latin1'))) {
    bytes = fromPkcs8(path, bytes, secret);
    secret = undefined;
  }
  const key: ParsedKey | Error = ssh2.utils.parseKey(bytes, secret);
  if (key instanceof Error)
    throw new AppError(encrypted ? 'key_passphrase_wrong' : 'key_not_a_key', { path }, key);
  if (!key.isPrivateKey()) throw new AppError('key_not_a_key', { path });
  requireStrong(path, key);
  return {
    privateKey: bytes,
    passphrase: secret,
    publicKey: publicLine(key, key.comment),
    fingerprint: fingerprint(key.getPublicSSH()),
    type: key.type,
    encrypted,
  };
}

function writeNew(path: string, text: string, mode: number): void {
  let fd: number;
  try {
    fd = openSync(path, 'wx', mode);
  } catch (error) {
    const there = (error as NodeJS.ErrnoException).code === 'EEXIST';
    throw there ? new AppError('key_exists', { path }, error) : fileError(path, error);
  }
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } catch (error) {
    rmSync(path, { force: true });
    throw fileError(path, error);
  } finally {
    closeSync(fd);
  }
}

function fileError(path: string, error: unknown): AppError {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC'
    ? new AppError('laptop_disk_full', { path: dirname(path) }, error)
    : new AppError('file_unwritable', { path, detail: message }, error);
}

/**
 * Makes an Ed25519 key in OpenSSH's format at `path` (0600) and its public half at `path`.pub.
 * Errors: key_exists (nothing is ever overwritten), laptop_disk_full, file_unwritable.
 */
export async function generateKey(
  path: string,
  opts: { passphrase?: string | undefined; comment: string },
): Promise<{ publicKey: string; fingerprint: string }> {
  for (const there of [path, `${path}.pub`]) {
    if (existsSync(there)) throw new AppError('key_exists', { path: there });
  }
  const comment = opts.comment.replaceAll(/[\r\n]+/g, ' ');
  const { text, key } = newEd25519({ comment, passphrase: opts.passphrase });
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw fileError(path, error);
  }
  const publicKey = publicLine(key, comment);
  writeNew(path, text.endsWith('\n') ? text : `${text}\n`, 0o600);
  try {
    writeNew(`${path}.pub`, `${publicKey}\n`, 0o644);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
  return { publicKey, fingerprint: fingerprint(key.getPublicSSH()) };
}

const WINDOWS_PIPE = 'openssh-ssh-agent';

/** Names of the named pipes of this Windows machine. */
function windowsPipes(): string[] {
  try {
    return readdirSync('\\\\.\\pipe\\');
  } catch {
    return [];
  }
}

/** Where this laptop's agent listens: SSH_AUTH_SOCK, on Windows OpenSSH's pipe, else Pageant. Errors: agent_missing. */
export function defaultAgent(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  pipes: () => string[] = windowsPipes,
): string {
  const named = env['SSH_AUTH_SOCK'];
  if (named) return named;
  if (platform !== 'win32') throw new AppError('agent_missing');
  return pipes().includes(WINDOWS_PIPE) ? `\\\\.\\pipe\\${WINDOWS_PIPE}` : 'pageant';
}

/** The keys an agent holds. Errors: agent_missing, agent_empty. */
export function agentKeys(socket: string): Promise<AgentKey[]> {
  return new Promise((resolve, reject) => {
    let agent: ReturnType<typeof ssh2.createAgent>;
    try {
      agent = ssh2.createAgent(socket);
    } catch (error) {
      return reject(new AppError('agent_missing', {}, error));
    }
    agent.getIdentities((error, found) => {
      if (error) return reject(new AppError('agent_missing', {}, error));
      const keys = (found ?? []).flatMap((k) => {
        const key: ParsedKey | Error = ssh2.utils.parseKey(k as ParsedKey);
        if (key instanceof Error) return [];
        return [
          {
            publicKey: publicLine(key, key.comment),
            fingerprint: fingerprint(key.getPublicSSH()),
            type: key.type,
            comment: key.comment,
          },
        ];
      });
      if (keys.length === 0) return reject(new AppError('agent_empty'));
      resolve(keys);
    });
  });
}

/**
 * The one key of the agent to offer: the named one, or the only one.
 * Errors: agent_missing, agent_empty (also when it does not hold the named one), agent_ambiguous.
 */
export async function chooseAgentKey(socket: string, wanted?: string): Promise<AgentKey> {
  const keys = await agentKeys(socket);
  if (wanted !== undefined) {
    const found = keys.find((k) => k.fingerprint === wanted);
    if (!found) throw new AppError('agent_empty', { wanted });
    return found;
  }
  const [only] = keys;
  if (keys.length > 1 || !only) {
    const list = keys.map((k) => `${k.fingerprint} (${k.comment || k.type})`).join(', ');
    throw new AppError('agent_ambiguous', { count: keys.length, keys: list });
  }
  return only;
}
