/** Rows: a key file on the laptop with which nobody can log in. */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Bench } from './bench.ts';
import { INSPECTED } from './connection.ts';
import type { Row, Undo } from './row.ts';

/** Opens the good key; among the bench's secrets, of which a row may give another. */
export const PASSPHRASE = 'right Passphrase, ünïcode';

const keygen = (...args: string[]) => execFileSync('ssh-keygen', ['-q', ...args], { stdio: 'pipe' });

/** A key without passphrase that the box knows for its first user, made once. */
async function goodKey(bench: Bench): Promise<string> {
  const path = bench.file('good');
  if (existsSync(path)) return path;
  keygen('-t', 'ed25519', '-N', '', '-f', path);
  const line = readFileSync(`${path}.pub`, 'utf8').trim();
  await bench.sh(
    `install -d -o installer -g installer -m 700 /home/installer/.ssh && echo '${line}' >/home/installer/.ssh/authorized_keys`,
  );
  return path;
}

/** The file that the command names, made wrong by `spoil`; the undo puts the good key there. */
const spoilt =
  (spoil: (path: string) => void) =>
  async (bench: Bench): Promise<Undo> => {
    const good = await goodKey(bench);
    const path = bench.file('key');
    const mend = () => {
      rmSync(path, { force: true });
      copyFileSync(good, path);
      chmodSync(path, 0o600);
    };
    mend();
    spoil(path);
    return async () => mend();
  };

const write = (path: string, text: string) => writeFileSync(path, text, { mode: 0o600 });

const row = { command: (b: Bench) => b.inspect('--login-key', b.file('key')), exit: 4 };
const rest = { unchanged: ['box', 'session', 'jobs'], then: INSPECTED } as const;

export const KEY_FILES: readonly Row[] = [
  { item: 'key file missing', cause: spoilt((path) => rmSync(path)), code: 'key_missing', ...row, ...rest },
  {
    item: 'key file not a key',
    which: 'the public half',
    cause: async (b) => {
      const line = readFileSync(`${await goodKey(b)}.pub`, 'utf8');
      return spoilt((path) => write(path, line))(b);
    },
    code: 'key_not_a_key',
    ...row,
    ...rest,
  },
  {
    item: 'key file world-readable',
    cause: spoilt((path) => chmodSync(path, 0o644)),
    code: 'key_world_readable',
    ...row,
    ...rest,
  },
  {
    item: 'key file wrong passphrase',
    cause: async (b) => {
      await spoilt((path) => void keygen('-p', '-P', '', '-N', PASSPHRASE, '-f', path))(b);
      // The file stays as it is: with the right passphrase it goes on.
      return async () => undefined;
    },
    secrets: { passphrase: 'wrong Passphrase' },
    code: 'key_passphrase_wrong',
    ...row,
    ...rest,
  },
  {
    item: 'key file RSA 1024',
    cause: spoilt((path) => {
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
      write(path, privateKey.export({ type: 'pkcs1', format: 'pem' }).toString());
    }),
    code: 'key_too_weak',
    says: /RSA with 1024 bits/,
    ...row,
    ...rest,
  },
];
