/** Where the command line gets secrets and answers from: a secrets file, a terminal, or nobody. */
import { readFileSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { read } from 'read';
import { AppError } from '../../preload/contract/errors.ts';
import type { HostKeyQuestion } from '../remote/connection.ts';
import type { RebootQuestion } from '../services/app.ts';
import { SECRET_NAMES, type AskSecret, type SecretName } from '../services/secrets.ts';

const MAX_BYTES = 64 * 1024;

/** Prompts go to stderr, so that stdout holds the answer alone. */
const onTerminal = () => process.stdin.isTTY && process.stderr.isTTY;

export const askSecret: AskSecret = async (_name, prompt) => {
  if (!onTerminal()) return null;
  try {
    return await read<string>({
      prompt: `${prompt}: `,
      silent: true,
      input: process.stdin,
      output: process.stderr,
    });
  } catch {
    return null; // Ctrl+C at the prompt
  }
};

/** A line that a person types; null where nobody is there, or Ctrl+C or the end of input came instead. */
export async function askLine(question: string): Promise<string | null> {
  if (!onTerminal()) return null;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const gone = new Promise<null>((resolve) => lines.once('close', () => resolve(null)));
    return await Promise.race([lines.question(question), gone]);
  } finally {
    lines.close();
  }
}

function parse(text: string): Partial<Record<SecretName, string>> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // Without the cause: a parser's message quotes what it could not read.
    throw new AppError('secrets_invalid');
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new AppError('secrets_invalid');
  const entries = Object.entries(json);
  if (!entries.every(([k, v]) => SECRET_NAMES.includes(k as SecretName) && typeof v === 'string'))
    throw new AppError('secrets_invalid');
  return json;
}

/** Reads the secrets named by --secrets: a file that only this user can read, or `-` for stdin. Errors: secrets_file_open, secrets_invalid, usage. */
export function readSecrets(path: string | undefined): Partial<Record<SecretName, string>> {
  if (path === undefined) return {};
  if (path === '-') return parse(readFileSync(0, 'utf8'));
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile() || stat.size > MAX_BYTES)
    throw new AppError('usage', { what: `There is no secrets file ${path}.` });
  if (process.platform !== 'win32' && stat.mode & 0o077) throw new AppError('secrets_file_open', { path });
  return parse(readFileSync(path, 'utf8'));
}

/**
 * Whether the box may reboot: no where the command was given --no-reboot; at once where nobody is there to ask, since it was
 * ordered with the layers; on a terminal when a person presses Enter or the countdown is over, not when "no" is typed.
 */
export function rebootAnswer(
  allowed: boolean,
  note: (text: string) => void,
): (q: RebootQuestion) => Promise<boolean> {
  return async ({ box, why, seconds }) => {
    note(`${box} ${allowed ? 'is rebooted' : 'wants a reboot'}: ${why}.`);
    if (!allowed || !onTerminal()) return allowed;
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    const signal = AbortSignal.timeout(seconds * 1000);
    try {
      const asked = `Reboot ${box} now? Enter for yes, "no" to stop here; goes on by itself in ${seconds} s. `;
      return !/^no?$/i.test((await lines.question(asked, { signal })).trim());
    } catch (error) {
      if (!signal.aborted) throw error;
      process.stderr.write('\n');
      return true;
    } finally {
      lines.close();
    }
  };
}

/** Yes only for the fingerprint that was given, or that a person typed "yes" to. */
export function hostKeyAnswer(accepted: string | undefined): (q: HostKeyQuestion) => Promise<boolean> {
  return async ({ host, algorithm, fingerprint }) => {
    if (accepted !== undefined) return accepted === fingerprint;
    if (!onTerminal()) return false;
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      process.stderr.write(
        `Host key of ${host}:\n  ${algorithm} ${fingerprint}\nCompare it with "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" on the box's console.\n`,
      );
      return (await lines.question('Is it the same? (yes/no) ')).trim().toLowerCase() === 'yes';
    } finally {
      lines.close();
    }
  };
}
