/** A shell of this laptop in a pty. Loaded only where the shells run (services/shells.ts). */
import { homedir } from 'node:os';
import pty from '@lydell/node-pty';
import type { StartShell } from './shells.ts';

/** A login shell of whoever runs the app, in a pty of this process. */
export const laptopShell: StartShell = ({ columns, rows }, on) => {
  const windows = process.platform === 'win32';
  const shell = windows ? 'powershell.exe' : (process.env['SHELL'] ?? '/bin/sh');
  const child = pty.spawn(shell, windows ? [] : ['-l'], {
    name: 'xterm-256color',
    cols: columns,
    rows,
    cwd: homedir(),
    env: { ...process.env, TERM: 'xterm-256color' },
  });
  child.onData(on.onData);
  child.onExit(({ exitCode }) => on.onEnd(`the shell ended with ${exitCode}`));
  return {
    write: (data) => child.write(data),
    resize: (c, r) => child.resize(c, r),
    pause: () => child.pause(),
    resume: () => child.resume(),
    kill: () => child.kill(),
  };
};
