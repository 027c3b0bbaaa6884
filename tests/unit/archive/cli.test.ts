import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { verifyFile } from '../../../main/cli/report.ts';
import { keyId, publicKeyLine } from '../../../main/services/archive/signature.ts';
import { makeSigningKey, openSigningKey } from '../../../main/services/archive/signing.ts';
import { distrustKey, publicKeyFrom, trustedKeys, trustKey } from '../../../main/services/archive/trust.ts';
import { Secrets } from '../../../main/services/secrets.ts';
import { plans } from '../report/box.ts';
import { openDesk } from '../report/desk.ts';
import { archive, KEY } from './desk.ts';

const desk = openDesk();
const noOne = () => Promise.resolve(null);

let printed: string[];
beforeEach(() => {
  vi.stubEnv('VAULT_CUBE_HOME', desk.dir);
  printed = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed.push(String(text));
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});
const result = () => JSON.parse(printed.at(-1) ?? '{}') as Record<string, unknown>;

describe('vault-cube verify FILE', () => {
  it('ends with 0 for a known key, by the list or given, and 42 for an unknown one', async () => {
    desk.fill(plans());
    const { zip } = await archive(desk, { appVersion: 'development' });
    expect(await verifyFile({ json: true }, zip)).toBe(42);
    expect(await verifyFile({ json: true, key: [publicKeyLine(KEY)] }, zip)).toBe(0);
    trustKey(desk.dir, KEY, 'Kim');
    expect(await verifyFile({ json: true }, zip)).toBe(0);
    expect(result()).toMatchObject({
      verdict: 'ok',
      sentence: 'Intact, signed by Kim, complete.',
      problems: [],
    });
  });

  it('ends with 41 unsigned, 43 where results are missing, 40 where a byte was turned', async () => {
    desk.fill(plans());
    trustKey(desk.dir, KEY, 'Kim');
    const { zip } = await archive(desk, { key: null });
    expect(await verifyFile({ json: true }, zip)).toBe(41);
    const bytes = readFileSync(zip);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    writeFileSync(zip, bytes);
    expect(await verifyFile({ json: true }, zip)).toBe(40);
    desk.fill(plans().slice(0, 6), { name: 'VC-0043' });
    const half = await archive(desk, {}, 'half');
    expect(await verifyFile({ json: true }, half.zip)).toBe(43);
  });

  it('tells a person by whom, what is wrong, and what it proves', async () => {
    desk.fill(plans());
    const { zip } = await archive(desk);
    writeFileSync(zip, 'nonsense');
    await verifyFile({}, zip);
    const text = printed.join('');
    expect(text).toContain('Not intact: it is not what was written.');
    expect(text).toContain('✕ The archive cannot be read: it is no zip, or its end is missing.');
    expect(text).toContain('Neither proves that the box told the truth');
  });
});

describe('keys', () => {
  it('that are trusted are listed by name and taken out by id', () => {
    trustKey(desk.dir, KEY, 'Kim');
    trustKey(desk.dir, KEY, 'Kim Possible');
    expect(trustedKeys(desk.dir).map((t) => [t.name, t.from])).toEqual([['Kim Possible', 'imported']]);
    expect(distrustKey(desk.dir, '0000000000000000')).toBe(false);
    expect(distrustKey(desk.dir, keyId(KEY.id).toLowerCase())).toBe(true);
    expect(trustedKeys(desk.dir)).toEqual([]);
    expect(() => publicKeyFrom('no key')).toThrowError(expect.objectContaining({ code: 'public_key_bad' }));
  });

  it('that sign lie under a passphrase that is asked for, wrong ones refused and asked for again', async () => {
    const path = join(desk.dir, 'kim.key');
    const given = () => new Secrets(noOne, { signingPassphrase: 'one two three' });
    await expect(makeSigningKey(path, new Secrets(noOne))).rejects.toMatchObject({ code: 'secret_missing' });
    const made = await makeSigningKey(path, given());
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).not.toContain('one two');
    expect(publicKeyFrom(`${path}.pub`)).toEqual(made);
    await expect(makeSigningKey(path, given())).rejects.toMatchObject({ code: 'signing_key_exists' });
    expect((await openSigningKey(path, given())).id).toEqual(made.id);
    const wrong = new Secrets(noOne, { signingPassphrase: 'one two' });
    await expect(openSigningKey(path, wrong)).rejects.toMatchObject({ code: 'signing_passphrase_wrong' });
    expect(wrong.has('signingPassphrase')).toBe(false);
    writeFileSync(path, 'no key');
    await expect(openSigningKey(path, given())).rejects.toMatchObject({ code: 'signing_key_bad' });
  }, 180_000);
});
