/** Public keys as people hand them over, against keys that ssh-keygen made. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePublicKeys, readPublicKeys } from '../../../main/services/publickeys.ts';

let dir: string;
const lines: Record<string, string> = {};

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'vault-cube-public-'));
  for (const type of ['ed25519', 'ecdsa', 'rsa']) {
    execFileSync('ssh-keygen', [
      '-q',
      '-t',
      type,
      '-N',
      '',
      '-C',
      `${type} of a customer`,
      '-f',
      join(dir, type),
    ]);
    lines[type] = readFileSync(join(dir, `${type}.pub`), 'utf8').trim();
  }
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const printed = (type: string) =>
  execFileSync('ssh-keygen', ['-lf', join(dir, `${type}.pub`)], { encoding: 'utf8' }).split(' ')[1];

describe('public keys', () => {
  it.each(['ed25519', 'ecdsa', 'rsa'])('of kind %s have the fingerprint that ssh-keygen prints', (type) => {
    expect(readPublicKeys(join(dir, `${type}.pub`))).toEqual([
      {
        line: lines[type],
        type: lines[type]?.split(' ')[0],
        fingerprint: printed(type),
        comment: `${type} of a customer`,
      },
    ]);
  });

  it('are several in a text, with comments, empty lines and the line ends of Windows', () => {
    const text = `# keys of ACME\r\n\r\n  ${lines['ed25519']}  \r\n${lines['rsa']}\r\n`;
    expect(parsePublicKeys(text, 'the text').map((k) => k.line)).toEqual([lines['ed25519'], lines['rsa']]);
  });

  it.each([
    ['nothing', () => ''],
    ['comments alone', () => '# none\n'],
    ['a private key', () => readFileSync(join(dir, 'ed25519'), 'utf8')],
    ['one bad line among good ones', () => `${lines['rsa']}\nnonsense\n`],
    ['a key that says it is of another kind', () => (lines['rsa'] ?? '').replace('ssh-rsa', 'ssh-ed25519')],
    ['a key that is cut short', () => 'ssh-ed25519 AAAA'],
    ['a key with what is no base64 in it', () => (lines['ed25519'] ?? '').replace('AAAA', 'AA!AA')],
    ['options before the key', () => `command="reboot" ${lines['ed25519']}`],
  ])('are refused for %s', (_what, text) => {
    expect(() => parsePublicKeys(text(), 'What was pasted')).toThrowError(
      expect.objectContaining({
        code: 'key_not_public',
        message: 'What was pasted holds no public SSH keys.',
      }),
    );
  });

  it('that are not there have their own error', () => {
    expect(() => readPublicKeys(join(dir, 'none.pub'))).toThrowError(
      expect.objectContaining({ code: 'key_missing' }),
    );
    writeFileSync(join(dir, 'empty.pub'), '');
    expect(() => readPublicKeys(join(dir, 'empty.pub'))).toThrowError(
      expect.objectContaining({ code: 'key_not_public' }),
    );
  });
});
