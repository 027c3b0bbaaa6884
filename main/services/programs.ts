/** Programs of this laptop's system: whether they are there, and what they print. */
import { execFile, type ExecFileException } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

const MOST_BYTES = 32 * 1024 * 1024;

function runs(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether this machine has the program: at its absolute path, or on PATH and in the folders of root. */
export function has(tool: string, env: NodeJS.ProcessEnv = process.env): boolean {
  if (isAbsolute(tool)) return runs(tool);
  const folders = [...(env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => folder !== '' && runs(join(folder, tool)));
}

/**
 * A program's command line under which, on Linux, it gets `signal` when this process ends, however that ends: one that goes on alone would
 * hold its locks and its machine against whoever goes on.
 */
export function tied(file: string, args: readonly string[], signal: 'KILL' | 'TERM'): [string, string[]] {
  return process.platform === 'linux' && has('setpriv')
    ? ['setpriv', ['--pdeathsig', signal, '--', file, ...args]]
    : [file, [...args]];
}

export interface Printed {
  stdout: string;
  stderr: string;
  /** Why it did not end with 0: its `code` is the exit code, or the name of what kept it from running. */
  error: ExecFileException | null;
}

/** Runs a program for at most `timeout` ms, with `input` on its stdin. Never rejects. */
export function printed(
  command: string,
  args: readonly string[],
  opts: { timeout: number; input?: string; env?: NodeJS.ProcessEnv },
): Promise<Printed> {
  const { input = '', ...rest } = opts;
  return new Promise((resolve) => {
    const options = { windowsHide: true, maxBuffer: MOST_BYTES, ...rest };
    const child = execFile(command, [...args], options, (error, stdout, stderr) =>
      resolve({ stdout, stderr, error }),
    );
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
