/** What a person may write as first-boot settings, and the sentence where they may not. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readFirstBoot } from '../../main/cli/firstboot.ts';
import { AppError } from '../../preload/contract/errors.ts';
import { FirstBootFile, Hostname } from '../../preload/contract/firstboot.ts';
import { FIXED, KEY } from './flash/seed/settings.ts';

const dir = mkdtempSync(join(tmpdir(), 'vc-first-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let used = 0;
function written(value: unknown): string {
  const path = join(dir, `${(used += 1)}.json`);
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}
function faultOf(value: unknown): [string, string] {
  try {
    readFirstBoot(written(value));
  } catch (error) {
    if (error instanceof AppError) return [error.code, error.message];
    throw error;
  }
  throw new Error('it was taken');
}

describe('first-boot settings', () => {
  const plain = { hostname: 'vc-0042', authorizedKey: KEY };

  it('are a host name and a key, with DHCP', () => {
    expect(readFirstBoot(written(plain))).toEqual({
      hostname: 'vc-0042',
      authorizedKeys: [KEY],
      address: null,
    });
  });

  it('have a key out of a file beside them, and an address', () => {
    writeFileSync(join(dir, 'kim.pub'), `${KEY}\n`);
    const settings = { hostname: 'vc-0042', authorizedKeyFile: 'kim.pub', address: FIXED.address };
    expect(readFirstBoot(written(settings))).toEqual(FIXED);
  });

  it.each(['vc', 'a', '1a', 'vault-cube-17', 'a'.repeat(63)])('take the host name %s', (name) => {
    expect(Hostname.safeParse(name).success).toBe(true);
  });

  it.each(['', '-a', 'a-', 'a.b', 'A', 'a_b', '123', 'a'.repeat(64), 'a b', 'a\n'])(
    'do not take the host name "%s"',
    (hostname) => {
      const [code, message] = faultOf({ ...plain, hostname });
      expect([code, message]).toEqual(['first_boot_invalid', expect.stringMatching(/hostname: a host name/)]);
    },
  );

  it.each([
    ['no JSON', '{"hostname": ', /it is no JSON/],
    ['no object', '[]', /expected object/i],
    ['a field nobody knows', { ...plain, sudoPassword: 'S3cret' }, /sudoPassword/],
    ['no key', { hostname: 'vc' }, /either authorizedKey or authorizedKeyFile/],
    ['two keys', { ...plain, authorizedKeyFile: 'x' }, /either authorizedKey or authorizedKeyFile/],
    ['a key with options', { ...plain, authorizedKey: `command="x" ${KEY}` }, /a public key is one line/],
    ['two lines', { ...plain, authorizedKey: `${KEY}\n${KEY}` }, /a public key is one line/],
    ['a DSA key', { ...plain, authorizedKey: 'ssh-dss AAAAB3NzaC1kc3MAAA==' }, /a public key is one line/],
  ])('are refused with %s', (_what, value, sentence) => {
    const [code, message] = faultOf(value);
    expect(code).toBe('first_boot_invalid');
    expect(message).toMatch(sentence);
    expect(message).toMatch(/Nothing was written\.$/);
    expect(message).not.toContain('S3cret');
  });

  it('are refused with what is no key, or a key that is not public', () => {
    expect(faultOf({ ...plain, authorizedKey: 'ssh-ed25519 AAAAB3NzaC1yc2E=' })[0]).toBe('key_not_public');
    writeFileSync(join(dir, 'private'), '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb\n');
    expect(faultOf({ hostname: 'vc', authorizedKeyFile: 'private' })[0]).toBe('key_not_public');
    expect(faultOf({ hostname: 'vc', authorizedKeyFile: 'nowhere.pub' })[0]).toBe('key_missing');
  });

  const at = (change: object) => ({ ...plain, address: { ...FIXED.address, ...change } });
  it.each([
    ['no network', { address: '192.168.10.5' }, /address\.address: an address is written/],
    ['the whole network', { address: '192.168.10.0/24' }, /address\.address: no host/],
    ['all of the network', { address: '192.168.10.255/24' }, /address\.address: no host/],
    ['this host itself', { address: '127.0.0.2/8', gateway: null }, /address\.address: no host/],
    ['everybody', { address: '224.0.0.5/24', gateway: null }, /address\.address: no host/],
    ['a network of one', { address: '10.0.0.1/32', gateway: null }, /from \/8 to \/30/],
    ['IPv6', { address: 'fd00::5/64' }, /address\.address: an address is written/],
    ['a gateway elsewhere', { gateway: '192.168.11.1' }, /address\.gateway: the gateway has another/],
    ['itself as gateway', { gateway: '192.168.10.5' }, /address\.gateway: the gateway has another/],
    ['a name as DNS', { dns: ['dns.site'] }, /address\.dns\.0: a name server/],
    ['no card', { card: undefined }, /address\.card/],
    ['a pattern of cards', { card: 'e*' }, /address\.card: a network card/],
  ])('are refused with an address that is %s', (_what, change, sentence) => {
    const [code, message] = faultOf(at(change));
    expect(code).toBe('first_boot_invalid');
    expect(message).toMatch(sentence);
  });

  it('take a card by its MAC address, and no gateway', () => {
    const file = at({ card: '02:00:00:aa:bb:cc', gateway: undefined, dns: undefined });
    expect(FirstBootFile.parse(JSON.parse(JSON.stringify(file))).address).toEqual({
      card: '02:00:00:aa:bb:cc',
      address: '192.168.10.5/24',
      gateway: null,
      dns: [],
    });
  });
});
