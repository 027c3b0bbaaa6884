/**
 * Secrets of one session, in main's memory only. They are asked for when needed and never stored, logged or put into
 * an event, an argument or the environment.
 */
import { AppError } from '../../preload/contract/errors.ts';

export type SecretName =
  | 'loginPassword'
  | 'sudoPassword'
  | 'newSudoPassword'
  | 'passphrase'
  | 'laptopPassword'
  | 'signingPassphrase';

export const SECRET_NAMES: readonly SecretName[] = [
  'loginPassword',
  'sudoPassword',
  'newSudoPassword',
  'passphrase',
  'laptopPassword',
  'signingPassphrase',
];

const WORDS: Record<SecretName, string> = {
  loginPassword: 'login password',
  sudoPassword: 'sudo password',
  newSudoPassword: 'new sudo password for vaultadmin',
  passphrase: 'passphrase of the key',
  /** For sudo here, to write to a disk. */
  laptopPassword: 'password',
  signingPassphrase: 'passphrase of the signing key',
};

/** Asks a person; null when nobody can be asked. */
export type AskSecret = (name: SecretName, prompt: string) => Promise<string | null>;

export class Secrets {
  readonly #known = new Map<SecretName, string>();
  readonly #ask: AskSecret;

  constructor(ask: AskSecret, given: Partial<Record<SecretName, string>> = {}) {
    this.#ask = ask;
    for (const [name, value] of Object.entries(given)) this.#known.set(name as SecretName, value);
  }

  has(name: SecretName): boolean {
    return this.#known.has(name);
  }

  peek(name: SecretName): string | undefined {
    return this.#known.get(name);
  }

  set(name: SecretName, value: string): void {
    this.#known.set(name, value);
  }

  /** The secret, asked for once. Errors: secret_missing. */
  async need(name: SecretName, subject: string): Promise<string> {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const answer = await this.#ask(name, `${WORDS[name]} (${subject})`);
    if (answer === null) throw new AppError('secret_missing', { secret: WORDS[name] });
    this.#known.set(name, answer);
    return answer;
  }

  /** A refused secret is forgotten, so that the next need asks again. */
  forget(name: SecretName): void {
    this.#known.delete(name);
  }
}
