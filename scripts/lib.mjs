// Shared by the set-up, test and check scripts. Node built-ins only: it runs before anything is installed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
export const CACHE = join(ROOT, '.cache');
export const VENV = join(CACHE, 'venv');
export const isRoot = process.getuid?.() === 0;

/**
 * Runs a command. Resolves to its exit code and output; rejects only if it cannot be started.
 * `show`: true passes its output through.
 */
export function run(command, args, { show = false, env = {}, input, cwd = ROOT } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['pipe', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
    });
    let output = '';
    child.stdout?.on('data', (d) => (output += d));
    child.stderr?.on('data', (d) => (output += d));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? 128, signal, output }));
    child.stdin.on('error', () => {}); // a child that reads nothing may be gone already
    child.stdin.end(input ?? '');
  });
}

/** Runs and throws a readable error unless the exit code is 0. */
export async function must(command, args, options) {
  const result = await run(command, args, options);
  if (result.code !== 0) {
    throw new Error(`${command} ${args.join(' ')} ended with ${result.code}\n${result.output.slice(-4000)}`);
  }
  return result.output;
}

export const has = async (command) => {
  try {
    return (await run('sh', ['-c', `command -v "$1"`, 'sh', command])).code === 0;
  } catch {
    return false;
  }
};

/** Does `work` unless the stamp `name` says it was done for exactly these files. `more`: what counts beside what is in them. */
export async function once(name, inputs, present, work, more = '') {
  const hash = createHash('sha256');
  for (const file of inputs) hash.update(readFileSync(join(ROOT, file))).update('\0');
  const want = hash.update(more).update(process.version).digest('hex');
  const stamp = join(CACHE, `${name}.stamp`);
  if (present() && existsSync(stamp) && readFileSync(stamp, 'utf8') === want) return false;
  await work();
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(stamp, want);
  return true;
}

/** How pytest runs here: on two cores, a file's tests in one process. What is added are reports and folders. */
export const PYTEST = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', '-n', '2', '--dist', 'loadfile'];
