/** What a box says of a public key whose private half is not here. */
import { AppError } from '../../preload/contract/errors.ts';
import { dial, type ConnectOptions } from './dial.ts';
import { KeyTaken } from './login.ts';

/**
 * Whether the box's sshd would let this public key in as the user: it is asked, and nothing is signed. It has looked at everything of
 * its own for that (AllowUsers, PubkeyAuthentication, authorized_keys with its options). What comes after a signature it has not: the
 * account, and the shell. Errors: those of connect.
 */
export async function askKey(options: Omit<ConnectOptions, 'auth'>, publicKey: string): Promise<boolean> {
  try {
    const { client } = await dial({ ...options, auth: { kind: 'ask', publicKey } });
    client.destroy();
    throw new AppError('ssh_protocol', { detail: 'it let a key in that signed nothing.' });
  } catch (error) {
    if (error instanceof KeyTaken) return true;
    if (error instanceof AppError && error.code === 'login_key_refused') return false;
    throw error;
  }
}
