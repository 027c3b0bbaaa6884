/** New Ed25519 keys. */
import type { ParsedKey } from 'ssh2';
import { ssh2 } from './ssh2.ts';

export interface NewKey {
  /** In OpenSSH's format. */
  text: string;
  key: ParsedKey;
}

/**
 * Makes a key that can be read back. ssh2 drops leading zero bytes of the public half (mscdex/ssh2#1390, #1513), so one key in 256
 * is not whole; such a one is thrown away and another made.
 */
export function newEd25519(opts: { comment: string; passphrase?: string | undefined }): NewKey {
  const { comment, passphrase } = opts;
  for (;;) {
    const { private: text } = ssh2.utils.generateKeyPairSync('ed25519', {
      comment,
      // The same cipher and rounds as ssh-keygen's.
      ...(passphrase ? { passphrase, cipher: 'aes256-ctr', rounds: 16 } : {}),
    });
    const key: ParsedKey | Error = ssh2.utils.parseKey(text, passphrase);
    if (!(key instanceof Error)) return { text, key };
  }
}
