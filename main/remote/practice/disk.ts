/** What a practice box has on its disk: accounts, who may log in, and which work was done. One document and folders of jobs. */
import { randomBytes, randomUUID, scryptSync, timingSafeEqual } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const Secret = z.strictObject({ salt: z.string(), hash: z.string() });
type Secret = z.infer<typeof Secret>;

const Account = z.strictObject({
  name: z.string(),
  uid: z.number().int(),
  groups: z.array(z.string()),
  /** Lines of authorized_keys. */
  keys: z.array(z.string()),
  /** Only a hash: a person may type a password here that is used elsewhere. */
  password: Secret.nullable(),
});
export type Account = z.infer<typeof Account>;

const Content = z.strictObject({
  v: z.literal(1),
  /** What the console shows: a password that this box was made with, and that opens nothing else. */
  console: z.strictObject({ user: z.string(), password: z.string() }),
  fault: z.string().nullable(),
  bootId: z.string(),
  /** In ms since 1970: `mono` of its events counts from here, over restarts of the app, too. */
  bootedAt: z.number(),
  groups: z.array(z.string()),
  accounts: z.array(Account),
  boxId: z.string().nullable(),
  /** Passwords and other users are refused. */
  hardened: z.boolean(),
  /** A layer noted that the box is to be booted. */
  rebootDue: z.boolean().default(false),
  /** Hashes of the app's code that was unpacked. */
  code: z.array(z.string()),
  /** Keys of the recordings that were replayed to a passed end. */
  done: z.array(z.string()),
});
type Content = z.infer<typeof Content>;

const FIRST_UID = 1000;
/** Loopback only, and nothing behind it: a light cost keeps each sudo quick. */
const COST = { N: 4096 };

function hashOf(password: string, salt: string): Buffer {
  return scryptSync(password, Buffer.from(salt, 'base64'), 32, COST);
}

function protect(password: string): Secret {
  const salt = randomBytes(16).toString('base64');
  return { salt, hash: hashOf(password, salt).toString('base64') };
}

export interface NewDisk {
  user: string;
  password: string;
  fault: string | null;
}

export class Disk {
  readonly folder: string;
  readonly content: Content;

  private constructor(folder: string, content: Content) {
    this.folder = folder;
    this.content = content;
  }

  /** The box that is in this folder, made from `fresh` where there is none. */
  static open(folder: string, fresh: NewDisk): Disk {
    const path = join(folder, 'disk.json');
    if (existsSync(path)) return new Disk(folder, Content.parse(JSON.parse(readFileSync(path, 'utf8'))));
    mkdirSync(join(folder, 'jobs'), { recursive: true, mode: 0o700 });
    const { user, password, fault } = fresh;
    const first = { name: user, uid: FIRST_UID, groups: ['sudo'], keys: [], password: protect(password) };
    const disk = new Disk(folder, {
      v: 1,
      console: { user, password },
      fault,
      bootId: randomUUID(),
      bootedAt: Date.now(),
      groups: ['sudo'],
      accounts: [first],
      boxId: null,
      hardened: false,
      rebootDue: false,
      code: [],
      done: [],
    });
    disk.save();
    return disk;
  }

  save(): void {
    const path = join(this.folder, 'disk.json');
    writeFileSync(`${path}.new`, JSON.stringify(this.content), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  account(name: string): Account | null {
    return this.content.accounts.find((a) => a.name === name) ?? null;
  }

  holderOf(uid: number): Account | null {
    return this.content.accounts.find((a) => a.uid === uid) ?? null;
  }

  freeUid(): number {
    return Math.max(FIRST_UID - 1, ...this.content.accounts.map((a) => a.uid)) + 1;
  }

  setPassword(account: Account, password: string): void {
    account.password = protect(password);
  }

  isPassword(name: string, password: string): boolean {
    const known = this.account(name)?.password;
    if (!known) return false;
    return timingSafeEqual(hashOf(password, known.salt), Buffer.from(known.hash, 'base64'));
  }

  /** Another boot begins now. */
  boot(): void {
    Object.assign(this.content, { bootId: randomUUID(), bootedAt: Date.now(), rebootDue: false });
    this.save();
  }

  /** Seconds since the box was booted. */
  mono(): number {
    return (performance.timeOrigin + performance.now() - this.content.bootedAt) / 1000;
  }
}

/** The part of a key line that is the key itself, in SSH wire format; null for a line that holds none. */
export function keyBlob(line: string): Buffer | null {
  const word = line.split(/\s+/).find((w) => w.startsWith('AAAA'));
  return word === undefined ? null : Buffer.from(word, 'base64');
}
