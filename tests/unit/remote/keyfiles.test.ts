/** Private keys as people have them: every type and format that ssh-keygen, OpenSSL and PuTTY make, with and without a passphrase. */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import type { ParsedKey } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultAgent, generateKey, loadKey, needsPassphrase } from '../../../main/remote/keyfiles.ts';
import { AppError } from '../../../preload/contract/errors.ts';
import { codeOf } from '../journal/bench.ts';

const SECRET = 'Zwölf Boxkämpfer "$HOME"';
let dir: string;
let serial = 0;

const keygen = (...args: string[]): string =>
  execFileSync('ssh-keygen', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const hasPuttygen = (() => {
  try {
    return execFileSync('puttygen', ['--version'], { encoding: 'utf8', stdio: 'pipe' }).length > 0;
  } catch {
    return false;
  }
})();

const fresh = (): string => join(dir, `key${serial++}`);
const write = (bytes: string | Buffer): string => {
  const path = fresh();
  writeFileSync(path, bytes, { mode: 0o600 });
  return path;
};
function make(type: string, bits: string | null, format: string | null, passphrase: string): string {
  const path = fresh();
  const size = bits ? ['-b', bits] : [];
  const as = format ? ['-m', format] : [];
  // One round of its key derivation: the usual 16 only cost time here.
  keygen('-q', '-t', type, ...size, ...as, '-a', '1', '-N', passphrase, '-C', 'kim@lap-7', '-f', path);
  return path;
}

/** What ssh-keygen says of the private key: its public line without comment, and its fingerprint. */
function told(path: string, passphrase: string) {
  const line = keygen('-y', '-P', passphrase, '-f', path).trim().split(' ').slice(0, 2).join(' ');
  const pub = write(`${line}\n`);
  return { line, fingerprint: keygen('-lf', pub).split(' ')[1] };
}

/** The loaded key is whole: what it signs, its public half verifies. */
function expectSigns(path: string, passphrase?: string): void {
  const { privateKey, passphrase: still, publicKey } = loadKey(path, passphrase);
  const key: ParsedKey | Error = ssh2.utils.parseKey(privateKey, still);
  const half: ParsedKey | Error = ssh2.utils.parseKey(publicKey);
  if (key instanceof Error || half instanceof Error) throw new Error('the loaded key cannot be used');
  const hash = key.type === 'ssh-rsa' ? 'sha256' : undefined;
  const signature = key.sign(Buffer.from('data'), hash) as Buffer | Error;
  if (signature instanceof Error) throw signature;
  expect(half.verify(Buffer.from('data'), signature, hash)).toBe(true);
  expect(half.verify(Buffer.from('Data'), signature, hash)).toBe(false);
}

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'vc-keys-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const KINDS: [type: string, bits: string | null, format: string | null][] = [
  ['ed25519', null, null],
  ['rsa', '2048', null],
  ['rsa', '3072', null],
  ['ecdsa', '256', null],
  ['ecdsa', '384', null],
  ['ecdsa', '521', null],
  ['rsa', '2048', 'PEM'],
  ['ecdsa', '256', 'PEM'],
  ['ecdsa', '384', 'PEM'],
  ['ecdsa', '521', 'PEM'],
  ['rsa', '2048', 'PKCS8'],
  ['ecdsa', '256', 'PKCS8'],
  ['ecdsa', '521', 'PKCS8'],
];

describe.each(KINDS)('a key of ssh-keygen, %s %s in format %s', (type, bits, format) => {
  it('is read, without a passphrase and with one, and not without its own', () => {
    for (const passphrase of ['', SECRET]) {
      const path = make(type, bits, format, passphrase);
      const said = told(path, passphrase);
      expect(needsPassphrase(path)).toBe(passphrase !== '');
      const key = loadKey(path, passphrase || undefined);
      expect(key.publicKey.split(' ').slice(0, 2).join(' ')).toBe(said.line);
      expect(key.fingerprint).toBe(said.fingerprint);
      expect([key.type, key.encrypted]).toEqual([said.line.split(' ')[0], passphrase !== '']);
      expectSigns(path, passphrase || undefined);
      if (passphrase === '') continue;
      expect(codeOf(() => loadKey(path))).toBe('key_passphrase_wrong');
      expect(codeOf(() => loadKey(path, ''))).toBe('key_passphrase_wrong');
      expect(codeOf(() => loadKey(path, `${SECRET} `))).toBe('key_passphrase_wrong');
    }
  });
});

it('a passphrase that the file does not want is not used', () => {
  const path = make('ed25519', null, null, '');
  expect(loadKey(path, SECRET)).toMatchObject({ encrypted: false, passphrase: undefined });
  expectSigns(path, SECRET);
});

it('the comment of an OpenSSH key goes into its public line', () => {
  expect(loadKey(make('ed25519', null, null, '')).publicKey).toMatch(/^ssh-ed25519 \S+ kim@lap-7$/);
});

describe('PKCS#8 as OpenSSL writes it', () => {
  const pem = (key: KeyObject, passphrase?: string) =>
    key.export({
      type: 'pkcs8',
      format: 'pem',
      ...(passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase }),
    });

  it.each<[string, () => KeyObject, string]>([
    ['Ed25519', () => generateKeyPairSync('ed25519').privateKey, 'ssh-ed25519'],
    ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, 'ssh-rsa'],
    ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey, 'ecdsa-sha2-nistp384'],
  ])('%s is read, open and encrypted', (_name, generate, type) => {
    const key = generate();
    const open = write(pem(key));
    const closed = write(pem(key, SECRET));
    expect([needsPassphrase(open), needsPassphrase(closed)]).toEqual([false, true]);
    const loaded = loadKey(open);
    expect(loaded).toMatchObject({ type, encrypted: false });
    expect(loadKey(closed, SECRET)).toMatchObject({ fingerprint: loaded.fingerprint, encrypted: true });
    expectSigns(open);
    expectSigns(closed, SECRET);
    expect(codeOf(() => loadKey(closed))).toBe('key_passphrase_wrong');
    expect(codeOf(() => loadKey(closed, 'wrong'))).toBe('key_passphrase_wrong');
  });

  it('a key of a kind that SSH has no name for is no SSH key', () => {
    const x25519 = write(pem(generateKeyPairSync('x25519').privateKey));
    expect(codeOf(() => loadKey(x25519))).toBe('key_not_a_key');
    const koblitz = write(pem(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey));
    expect(codeOf(() => loadKey(koblitz))).toBe('key_not_a_key');
  });

  it('a torn file is not a key', () => {
    const text = String(pem(generateKeyPairSync('ed25519').privateKey));
    expect(codeOf(() => loadKey(write(text.replace(/\n[A-Za-z0-9+/=]{20}/, '\n'))))).toBe('key_not_a_key');
  });
});

describe.runIf(hasPuttygen)(`PuTTY${hasPuttygen ? '' : ' (not run: no puttygen)'}`, () => {
  const puttygen = (type: string, format: string, passphrase: string): string => {
    const path = fresh();
    const secret = write(passphrase);
    const size = type === 'rsa' ? ['-b', '2048'] : [];
    execFileSync(
      'puttygen',
      [
        '-t',
        type,
        ...size,
        '-C',
        'kim',
        '--ppk-param',
        `version=${format}`,
        '-o',
        path,
        '--new-passphrase',
        secret,
      ],
      { stdio: 'pipe' },
    );
    chmodSync(path, 0o600);
    return path;
  };

  it.each(['rsa', 'ed25519', 'ecdsa'])(
    'format 2, %s: read, or said to be no key that can be read',
    (type) => {
      for (const passphrase of ['', 'four words in a row']) {
        const path = puttygen(type, '2', passphrase);
        const exported = fresh();
        const secret = write(passphrase);
        execFileSync(
          'puttygen',
          [
            path,
            '-O',
            'private-openssh-new',
            '-o',
            exported,
            '--old-passphrase',
            secret,
            '--new-passphrase',
            secret,
          ],
          { stdio: 'pipe' },
        );
        if (type !== 'rsa') {
          // ssh2 knows PuTTY's RSA and DSA keys only.
          expect(codeOf(() => loadKey(path, passphrase || undefined))).toBe('key_not_a_key');
          continue;
        }
        expect(needsPassphrase(path)).toBe(passphrase !== '');
        expect(loadKey(path, passphrase || undefined).fingerprint).toBe(
          told(exported, passphrase).fingerprint,
        );
        expectSigns(path, passphrase || undefined);
        if (passphrase) expect(codeOf(() => loadKey(path, 'wrong'))).toBe('key_passphrase_wrong');
      }
    },
  );

  it('format 3, which only PuTTY reads, is said to be no key that can be read', () => {
    expect(codeOf(() => loadKey(puttygen('ed25519', '3', '')))).toBe('key_not_a_key');
  });
});

describe('a key that is refused', () => {
  it('RSA with too few bits, and DSA, say how many they have', () => {
    const error = (path: string) => {
      try {
        loadKey(path);
      } catch (e) {
        return e as AppError;
      }
      throw new Error('it was taken');
    };
    const rsa = error(make('rsa', '1024', null, ''));
    expect(rsa).toMatchObject({ code: 'key_too_weak', facts: { type: 'RSA', bits: 1024, minimum: 2048 } });
    expect(error(make('rsa', '2047', null, '')).facts['bits']).toBe(2047);
    const { privateKey } = generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 });
    const dsa = write(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    expect(['key_too_weak', 'key_not_a_key']).toContain(error(dsa).code);
  });

  it.each<[string, () => string | Buffer]>([
    ['a public key', () => readFileSync(`${make('ed25519', null, null, '')}.pub`)],
    ['an empty file', () => ''],
    ['a text', () => 'This is not the key you are looking for.\n'],
    [
      'a certificate request',
      () => '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n',
    ],
    ['a cut OpenSSH key', () => readFileSync(make('ed25519', null, null, '')).subarray(0, 200)],
    [
      'a cut OpenSSH key with a passphrase',
      () => readFileSync(make('ed25519', null, null, SECRET)).subarray(0, 200),
    ],
    [
      'a public key in PEM',
      () => generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }),
    ],
    ['something large', () => Buffer.alloc(65 * 1024, 65)],
    ['random bytes', () => Buffer.from(Array.from({ length: 900 }, (_, i) => (i * 89) & 255))],
  ])('%s is not a key', (_what, bytes) => {
    expect(codeOf(() => loadKey(write(bytes()), SECRET))).toBe('key_not_a_key');
  });

  it('a folder is not a key, and nothing is missing', () => {
    const folder = fresh();
    mkdirSync(folder);
    expect(codeOf(() => loadKey(folder))).toBe('key_not_a_key');
    expect(codeOf(() => loadKey(join(dir, 'none')))).toBe('key_missing');
    expect(codeOf(() => needsPassphrase(join(dir, 'none')))).toBe('key_missing');
  });

  it('one that others can read says how to close it', () => {
    const path = make('ed25519', null, null, '');
    for (const mode of [0o644, 0o640, 0o606]) {
      chmodSync(path, mode);
      expect(codeOf(() => loadKey(path))).toBe('key_world_readable');
    }
    chmodSync(path, 0o400);
    expect(loadKey(path).type).toBe('ssh-ed25519');
  });
});

describe('a file that went through other hands', () => {
  let made: string[];
  beforeAll(() => {
    made = [make('ed25519', null, null, ''), make('rsa', null, 'PEM', ''), make('ecdsa', null, 'PKCS8', '')];
  });

  it.each<[string, (text: string) => string]>([
    ['line ends of Windows', (t) => t.replaceAll('\n', '\r\n')],
    ['no newline at its end', (t) => t.trimEnd()],
    ['empty lines around it', (t) => `\n\n${t}\n\n`],
  ])('%s is read all the same', (_what, spoil) => {
    for (const path of made) {
      const copy = write(spoil(readFileSync(path, 'utf8')));
      expect(loadKey(copy).fingerprint, readFileSync(path, 'utf8').slice(0, 30)).toBe(
        loadKey(path).fingerprint,
      );
    }
  });
});

describe('a new key', () => {
  it('is one that ssh-keygen reads, private, with its public half beside it', async () => {
    for (const passphrase of [undefined, SECRET]) {
      const path = join(dir, `new${serial++}`, 'id_ed25519');
      const made = await generateKey(path, { passphrase, comment: 'kim@lap-7' });
      const said = told(path, passphrase ?? '');
      expect(made.publicKey).toBe(`${said.line} kim@lap-7`);
      expect(made.fingerprint).toBe(said.fingerprint);
      expect(readFileSync(`${path}.pub`, 'utf8')).toBe(`${made.publicKey}\n`);
      expect([statSync(path).mode & 0o777, statSync(`${path}.pub`).mode & 0o777]).toEqual([0o600, 0o644]);
      expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
      expect(loadKey(path, passphrase)).toMatchObject({ ...made, encrypted: passphrase !== undefined });
      if (passphrase) {
        expect(() => keygen('-y', '-P', 'wrong', '-f', path)).toThrow();
        // As slow to guess as ssh-keygen makes it: bcrypt with 16 rounds.
        const blob = Buffer.from(readFileSync(path, 'utf8').replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
        const rounds = blob.indexOf('bcrypt') + 6 + 4 + 4 + 16;
        expect(blob.toString('latin1')).toContain('aes256-ctr');
        expect(blob.readUInt32BE(rounds)).toBe(16);
      }
    }
  });

  it('never takes the place of a file', async () => {
    const path = fresh();
    await generateKey(path, { comment: 'first' });
    const before = readFileSync(path, 'utf8');
    await expect(generateKey(path, { comment: 'second' })).rejects.toMatchObject({ code: 'key_exists' });
    rmSync(path);
    await expect(generateKey(path, { comment: 'second' })).rejects.toMatchObject({ code: 'key_exists' });
    expect(existsSync(path)).toBe(false);
    copyFileSync(`${path}.pub`, path);
    rmSync(`${path}.pub`);
    await expect(generateKey(path, { comment: 'second' })).rejects.toMatchObject({ code: 'key_exists' });
    expect(existsSync(`${path}.pub`)).toBe(false);
    expect(before).toContain('OPENSSH PRIVATE KEY');
  });

  it('has one line as its public half, whatever the comment', async () => {
    const path = fresh();
    const { publicKey } = await generateKey(path, { comment: 'two\nlines\r\nssh-rsa AAAA' });
    expect(publicKey.split('\n')).toHaveLength(1);
    expect(readFileSync(`${path}.pub`, 'utf8').trimEnd()).toBe(publicKey);
    expect(keygen('-lf', `${path}.pub`)).toContain('two lines ssh-rsa AAAA');
  });

  it('where nothing can be written says so and leaves nothing', async () => {
    const file = write('x');
    const path = join(file, 'id');
    await expect(generateKey(path, { comment: '' })).rejects.toMatchObject({ code: 'file_unwritable' });
    expect(readFileSync(file, 'utf8')).toBe('x');
  });
});

describe('the agent of this laptop', () => {
  it('is where the system says, Windows pipes included', () => {
    expect(defaultAgent({ SSH_AUTH_SOCK: '/tmp/a' }, 'linux')).toBe('/tmp/a');
    expect(codeOf(() => defaultAgent({}, 'linux'))).toBe('agent_missing');
    expect(codeOf(() => defaultAgent({ SSH_AUTH_SOCK: '' }, 'darwin'))).toBe('agent_missing');
    const pipe = '\\\\.\\pipe\\openssh-ssh-agent';
    expect(defaultAgent({}, 'win32', () => ['x', 'openssh-ssh-agent'])).toBe(pipe);
    expect(defaultAgent({}, 'win32', () => [])).toBe('pageant');
    expect(defaultAgent({ SSH_AUTH_SOCK: pipe }, 'win32', () => [])).toBe(pipe);
  });
});
