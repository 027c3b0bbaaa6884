/** Keeps the laptop from sleeping while it feeds something: by the system's own program for that, which ends with this process. */
import { spawn, type ChildProcess } from 'node:child_process';

const WHY = 'An image or a bundle is fed from this laptop';

/** The program and its arguments; null where this system has none that is known. Pure. */
export function inhibitor(platform: NodeJS.Platform, pid: number): [string, string[]] | null {
  if (platform === 'darwin') return ['caffeinate', ['-i', '-w', String(pid)]];
  if (platform !== 'linux') return null;
  // Lives by its stdin: however this process ends, cat ends with it.
  return [
    'systemd-inhibit',
    ['--what=sleep:idle', '--who=vault-cube', `--why=${WHY}`, '--mode=block', 'cat'],
  ];
}

/** Runs `fn` while the laptop does not go to sleep. `onNone`: told where that cannot be had; it is no error. */
export async function awake<T>(fn: () => Promise<T>, onNone: (text: string) => void): Promise<T> {
  const found = inhibitor(process.platform, process.pid);
  let over = false;
  let child: ChildProcess | null = null;
  const none = () => {
    if (!over) onNone('Nothing keeps this laptop from going to sleep: see that it stays awake.');
    over = true;
  };
  if (found) {
    child = spawn(found[0], found[1], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    child.once('error', none);
    child.once('exit', none);
    child.stdin?.on('error', () => undefined);
  } else none();
  try {
    return await fn();
  } finally {
    over = true;
    child?.stdin?.end();
    child?.kill();
  }
}
