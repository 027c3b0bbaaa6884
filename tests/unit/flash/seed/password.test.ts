/** The hash is that of crypt(3), whose own answer it is compared with; where the library is wrong, a password is refused. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { cryptPassword } from '../../../../main/services/flash/seed/password.ts';

const SALT = 'abcdefgh./012345';

/** By libcrypt, over perl; the password goes over stdin. */
function libcrypt(password: string, salt: string): string {
  const { stdout } = spawnSync('perl', ['-e', 'binmode STDIN; print crypt(<STDIN>, $ARGV[0])', salt], {
    input: Buffer.from(password),
  });
  return stdout.toString();
}
const hasCrypt = libcrypt('x', '$6$salt').startsWith('$6$salt$');

describe('the sudo password', () => {
  it('is hashed with SHA-512, 500,000 rounds and a new salt of 16 characters', { timeout: 60_000 }, () => {
    const hash = cryptPassword('correct horse');
    expect(hash).toMatch(/^\$6\$rounds=500000\$[./0-9A-Za-z]{16}\$[./0-9A-Za-z]{86}$/);
    if (hasCrypt) expect(libcrypt('correct horse', hash)).toBe(hash);
    expect(cryptPassword('correct horse', undefined, 1000)).not.toBe(
      cryptPassword('correct horse', undefined, 1000),
    );
  });

  it('has a known hash', () => {
    // From Drepper's specification of the method.
    expect(cryptPassword('Hello world!', 'saltstringsaltst', 10_000)).toBe(
      '$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.',
    );
  });

  it.skipIf(!hasCrypt)('is that of crypt(3) for every length (skipped without perl)', () => {
    for (let length = 1; length <= 63; length += 1) {
      const password = 'pä$s "w\'ord\\ß€0123456789abcdefghijklmnopqrstuvwxyz'.repeat(2).slice(0, length);
      if (Buffer.byteLength(password) > 63) continue;
      expect(cryptPassword(password, SALT, 1000)).toBe(libcrypt(password, `$6$rounds=1000$${SALT}`));
      const plain = 'x'.repeat(length);
      expect(cryptPassword(plain, SALT, 1000)).toBe(libcrypt(plain, `$6$rounds=1000$${SALT}`));
    }
  });

  it.each([
    ['empty', ''],
    ['longer than 63 bytes', 'x'.repeat(64)],
    ['longer than 63 bytes', '€'.repeat(22)],
    ['control characters', 'a\nb'],
    ['control characters', 'a\u0000b'],
  ])('is refused where it is %s', (what, password) => {
    const refused = expect.objectContaining({ code: 'first_boot_password' }) as Error;
    expect(() => cryptPassword(password)).toThrow(refused);
    try {
      cryptPassword(password);
    } catch (error) {
      expect((error as Error).message).toContain(what);
      if (password) expect((error as Error).message).not.toContain(password);
    }
  });
});
