/** Commands of the benchmark, timed by the clock that every contender is timed by. */
import { spawn } from 'node:child_process';

const KEPT = 4_000;

/** Runs it to its end; resolves to what it printed. Errors: an Error with the end of what it said, unless it ended with 0. */
export function said(
  command: string,
  args: readonly string[],
  stdin: 'ignore' | number = 'ignore',
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: [stdin, 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (piece: Buffer) => (stdout += piece.toString('utf8')));
    child.stderr?.on('data', (piece: Buffer) => (stderr = (stderr + piece.toString('utf8')).slice(-KEPT)));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(stdout);
      else
        reject(new Error(`${command} ${args.join(' ')} ended with ${code}: ${stderr}${stdout.slice(-KEPT)}`));
    });
  });
}

/** A script with its arguments as $1, $2 …; every command of a pipe has to end with 0. */
export const script = (text: string, ...args: string[]): Promise<string> =>
  said('bash', ['-euo', 'pipefail', '-c', text, 'bash', ...args]);

/** Seconds from its begin to its end. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}
