/** The host keys this laptop trusts: a known_hosts file of the app's own, in OpenSSH's format so that ssh can read it. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '../../preload/contract/errors.ts';
import { writeSynced } from '../synced.ts';

export interface PinnedKey {
  /** The key's own type name, `ssh-ed25519` for one. */
  algorithm: string;
  /** The public key in SSH wire format. */
  key: Buffer;
  fingerprint: string;
}

/** `SHA256:` and the unpadded base64 of the key's SHA-256, as ssh-keygen prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The type name at the start of a public key in wire format. Errors: ssh_protocol when there is none. */
export function algorithm(key: Buffer): string {
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0;
  const name = key.subarray(4, 4 + length).toString('latin1');
  if (length < 1 || length > 64 || key.length <= 4 + length || !/^[\x21-\x7e]+$/.test(name)) {
    throw new AppError('ssh_protocol', { detail: 'the host key is malformed.' });
  }
  return name;
}

/** The name a key is kept under: the host alone for port 22, else `[host]:port`, as OpenSSH writes it. */
function nameOf(host: string, port: number): string {
  const name = host.toLowerCase();
  if (name === '' || /[\s,*?!|]/.test(name)) {
    throw new AppError('host_unknown', { host });
  }
  return port === 22 ? name : `[${name}]:${port}`;
}

interface Line {
  text: string;
  /** Null for what this app does not write and only keeps: comments, markers, hashed names, broken lines. */
  entry: { names: string[]; key: PinnedKey } | null;
}

function parseLine(text: string): Line {
  const [names, type, base64] = text.trim().split(/\s+/);
  if (!names || !type || !base64 || /^[#@|]/.test(names)) return { text, entry: null };
  const key = Buffer.from(base64, 'base64');
  try {
    if (algorithm(key) !== type) return { text, entry: null };
  } catch {
    return { text, entry: null };
  }
  return {
    text,
    entry: {
      names: names.split(',').map((n) => n.toLowerCase()),
      key: { algorithm: type, key, fingerprint: fingerprint(key) },
    },
  };
}

export class KnownHosts {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  #read(): Line[] {
    let text: string;
    try {
      text = readFileSync(this.path, 'utf8');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return [];
      throw new AppError('file_unreadable', { path: this.path, detail: message }, error);
    }
    const lines = text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    return lines.map(parseLine);
  }

  /** By rename, so that a reader or a power cut finds the old file or the new one. */
  #write(lines: readonly Line[]): void {
    const work = `${this.path}.${process.pid}.new`;
    try {
      mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
      rmSync(work, { force: true });
      writeSynced(work, lines.map((l) => `${l.text}\n`).join(''), 'wx', 0o600);
      renameSync(work, this.path);
    } catch (error) {
      rmSync(work, { force: true });
      const { code, message } = error as NodeJS.ErrnoException;
      throw code === 'ENOSPC'
        ? new AppError('laptop_disk_full', { path: dirname(this.path) }, error)
        : new AppError('file_unwritable', { path: this.path, detail: message }, error);
    }
  }

  /** Every key pinned for this name; empty when it is unknown. A box id is looked up with port 22. */
  lookup(host: string, port = 22): PinnedKey[] {
    const name = nameOf(host, port);
    return this.#read().flatMap((l) => (l.entry?.names.includes(name) ? [l.entry.key] : []));
  }

  /** Pins a key (wire format). Another key of the same type under this name is replaced; other types stay. */
  pin(host: string, port: number, key: Buffer): PinnedKey {
    const name = nameOf(host, port);
    const type = algorithm(key);
    const pinned = { algorithm: type, key, fingerprint: fingerprint(key) };
    const kept = without(this.#read(), name, type);
    this.#write([...kept, parseLine(`${name} ${type} ${key.toString('base64')}`)]);
    return pinned;
  }

  /** Forgets every key of this name; true when there was one. */
  forget(host: string, port = 22): boolean {
    const lines = this.#read();
    const kept = without(lines, nameOf(host, port));
    const changed = kept.length !== lines.length || kept.some((l, i) => l.text !== lines[i]?.text);
    if (changed) this.#write(kept);
    return changed;
  }
}

/** The lines without this name; a line that also stands for other names keeps those. */
function without(lines: readonly Line[], name: string, type?: string): Line[] {
  return lines.flatMap((line) => {
    const { entry } = line;
    if (!entry?.names.includes(name) || (type && entry.key.algorithm !== type)) return [line];
    const names = entry.names.filter((n) => n !== name);
    if (names.length === 0) return [];
    return [parseLine(`${names.join(',')} ${entry.key.algorithm} ${entry.key.key.toString('base64')}`)];
  });
}

/** Whether one of the pinned keys is this one. */
export function isPinned(pins: readonly PinnedKey[], key: Buffer): boolean {
  return pins.some((p) => p.key.length === key.length && timingSafeEqual(p.key, key));
}
