import { blake2b } from '@noble/hashes/blake2.js';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  PROVING,
  isCovered,
  newSecretKey,
  openSecretKey,
  publicKeyFile,
  scryptCost,
  secretKeyFile,
  signBytes,
} from '../../../main/services/archive/minisign.ts';
import {
  keyId,
  parsePublicKey,
  parseSignature,
  publicKeyLine,
  signed,
} from '../../../main/services/archive/signature.ts';

const real = spawnSync('minisign', ['-v']).error === undefined;
/** 16 MiB and a moment, where minisign's own take a gigabyte. */
const WEAK = { operations: 524_288, memory: 16_777_216 };

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vc-minisign-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));
const at = (name: string) => join(dir, name);
const DATA = Buffer.from('what is signed\n');

describe('scrypt costs', () => {
  it.each([
    [33_554_432, 1_073_741_824, 2 ** 20, 1],
    [524_288, 16_777_216, 2 ** 14, 1],
    [32_768, 16_777_216, 2 ** 10, 1],
  ])('%d operations and %d bytes', (operations, memory, N, p) => {
    expect(scryptCost(operations, memory)).toEqual({ N, p });
  });
});

it('hashes the same where Node has no BLAKE2b, as in Electron', () => {
  const bytes = Buffer.from('some bytes');
  const own = createHash('blake2b512').update(bytes).digest('hex');
  expect(Buffer.from(blake2b(bytes, { dkLen: 64 })).toString('hex')).toBe(own);
});

describe('a key of ours', () => {
  const key = newSecretKey();

  it('opens with its passphrase alone, and its file holds it under no other form', async () => {
    const text = await secretKeyFile(key, 'correct horse', WEAK);
    expect(await openSecretKey(text, 'correct horse')).toEqual(key);
    expect(await openSecretKey(text, 'correct horsf')).toBeNull();
    expect(isCovered(text)).toBe(true);
    const bytes = Buffer.from(text.split('\n')[1] ?? '', 'base64');
    expect([bytes.includes(key.seed), bytes.includes(key.id)]).toEqual([false, false]);
  });

  it('signs what no other bytes, comment or key pass for', () => {
    const text = signBytes(DATA, key, 'timestamp:1');
    const s = parseSignature(Buffer.from(text));
    expect(signed(DATA, s, key, PROVING)).toBe(true);
    expect(signed(Buffer.from('what is signee\n'), s, key, PROVING)).toBe(false);
    expect(signed(DATA, { ...s, trusted: 'timestamp:2' }, key, PROVING)).toBe(false);
    expect(signed(DATA, s, newSecretKey(), PROVING)).toBe(false);
  });

  it('is read from its file and from its line alone', () => {
    const { id, key: point } = key;
    for (const text of [publicKeyFile(key), publicKeyLine(key), ` ${publicKeyLine(key)}\n`])
      expect(parsePublicKey(text)).toEqual({ id, key: point });
    for (const text of ['', 'x', 'untrusted comment: x\nx\n', publicKeyLine(key).slice(1)])
      expect(() => parsePublicKey(text)).toThrow();
  });
});

describe.skipIf(!real)('the real minisign', () => {
  it('takes our signature, with our public key and the comment', () => {
    const key = newSecretKey();
    writeFileSync(at('data'), DATA);
    writeFileSync(at('key.pub'), publicKeyFile(key));
    writeFileSync(at('data.minisig'), signBytes(DATA, key, 'timestamp:1\tserial:BRD-7F3A'));
    const told = execFileSync('minisign', ['-V', '-p', at('key.pub'), '-m', at('data')], {
      encoding: 'utf8',
    });
    expect(told).toContain('Signature and comment signature verified');
    expect(told).toContain('serial:BRD-7F3A');
    writeFileSync(at('data'), 'what is signee\n');
    expect(spawnSync('minisign', ['-V', '-p', at('key.pub'), '-m', at('data')]).status).toBe(1);
  });

  it('signs with a secret key file of ours, and we take it', async () => {
    const key = newSecretKey();
    writeFileSync(at('data'), DATA);
    writeFileSync(at('key'), await secretKeyFile(key, 'correct horse', WEAK));
    execFileSync('minisign', ['-S', '-s', at('key'), '-m', at('data'), '-t', 'by the tool'], {
      input: 'correct horse\n',
    });
    const s = parseSignature(readFileSync(at('data.minisig')));
    expect([s.trusted, keyId(s.id), signed(DATA, s, key, PROVING)]).toEqual([
      'by the tool',
      keyId(key.id),
      true,
    ]);
  });

  it('makes a key that we open, at the cost that it chose, and sign with', async () => {
    execFileSync('minisign', ['-G', '-p', at('key.pub'), '-s', at('key')], { input: 'one two\none two\n' });
    const key = await openSecretKey(readFileSync(at('key'), 'utf8'), 'one two');
    expect(key).not.toBeNull();
    if (!key) return;
    expect(parsePublicKey(readFileSync(at('key.pub'), 'utf8'))).toEqual({ id: key.id, key: key.key });
    writeFileSync(at('data'), DATA);
    writeFileSync(at('data.minisig'), signBytes(DATA, key, 'timestamp:1'));
    execFileSync('minisign', ['-V', '-p', at('key.pub'), '-m', at('data')]);
  }, 60_000);

  it('makes a key without a passphrase, into which it writes no checksum', async () => {
    execFileSync('minisign', ['-G', '-W', '-f', '-p', at('key.pub'), '-s', at('key')]);
    const text = readFileSync(at('key'), 'utf8');
    const key = await openSecretKey(text, '');
    expect(key && { id: key.id, key: key.key }).toEqual(parsePublicKey(readFileSync(at('key.pub'), 'utf8')));
    const [comment = '', line = ''] = text.split('\n');
    const data = Buffer.from(line, 'base64');
    data[70] = (data[70] ?? 0) ^ 1;
    expect(await openSecretKey(`${comment}\n${data.toString('base64')}\n`, '')).toBeNull();
  });
});
