/**
 * Shells of this laptop, and the process they run in. A pty hands on 4 KB at a time, and the loop of the window's own process
 * takes three times as long for each as that of a plain process: there a flood would take the page's processor time.
 */

import type { Shell, ShellEvents } from '../remote/shell.ts';

export interface ShellSize {
  columns: number;
  rows: number;
}

export type StartShell = (size: ShellSize, on: ShellEvents) => Shell;

/** What comes within this time goes as one message, or the messages cost more than the drawing. */
const GATHER_MS = 4;

/** The terminal takes a message without a pause: this many characters are some 3 ms of it. */
const PIECE = 32_768;

/** Passes on every few milliseconds what has come, in as few messages as may be, and the rest ahead of the end. */
export function gathered({ onData, onEnd }: ShellEvents): ShellEvents {
  let held = '';
  const flush = () => {
    const data = held;
    held = '';
    for (let at = 0; at < data.length; at += PIECE) onData(data.slice(at, at + PIECE));
  };
  return {
    onData: (data) => {
      if (held === '') setTimeout(flush, GATHER_MS);
      held += data;
    },
    onEnd: (why) => {
      flush();
      onEnd(why);
    },
  };
}

export type ToHost =
  | ({ type: 'start'; id: number } & ShellSize)
  | { type: 'write'; id: number; data: string }
  | ({ type: 'resize'; id: number } & ShellSize)
  | { type: 'pause' | 'resume' | 'kill'; id: number };

export type FromHost = { type: 'data'; id: number; data: string } | { type: 'end'; id: number; why: string };

/** In the process of the shells: does what the messages say. */
export function hostShells(send: (message: FromHost) => void, start: StartShell): (message: ToHost) => void {
  const shells = new Map<number, Shell>();
  const end = (id: number, why: string) => {
    shells.delete(id);
    send({ type: 'end', id, why });
  };
  return (message) => {
    const { type, id } = message;
    if (type === 'start') {
      try {
        const on = {
          onData: (data: string) => send({ type: 'data', id, data }),
          onEnd: (why: string) => end(id, why),
        };
        shells.set(id, start(message, on));
      } catch (error) {
        end(id, `no shell could be started: ${String(error)}`);
      }
      return;
    }
    const shell = shells.get(id);
    if (!shell) return;
    if (type === 'write') shell.write(message.data);
    else if (type === 'resize') shell.resize(message.columns, message.rows);
    else shell[type]();
  };
}

/** The other end of a process that runs {@link hostShells}. */
export interface HostProcess {
  send(message: ToHost): void;
  onMessage(listener: (message: FromHost) => void): void;
  onExit(listener: () => void): void;
}

/** Starts shells in a process of their own, which begins with the first of them and anew after it ended. */
export function hostedShells(fork: () => HostProcess): StartShell {
  const open = new Map<number, ShellEvents>();
  let host: HostProcess | null = null;
  let last = 0;
  const end = (id: number, why: string) => {
    const on = open.get(id);
    open.delete(id);
    on?.onEnd(why);
  };
  const running = () => {
    if (host) return host;
    const forked = fork();
    forked.onMessage((message) => {
      if (message.type === 'data') open.get(message.id)?.onData(message.data);
      else end(message.id, message.why);
    });
    forked.onExit(() => {
      host = null;
      for (const id of [...open.keys()]) end(id, 'the process of the shells ended');
    });
    return (host = forked);
  };
  return (size, on) => {
    const id = (last += 1);
    const to = running();
    open.set(id, on);
    to.send({ type: 'start', id, ...size });
    // To one whose process has ended there is nothing to say.
    const send = (message: ToHost) => {
      if (open.has(id)) host?.send(message);
    };
    return {
      write: (data) => send({ type: 'write', id, data }),
      resize: (columns, rows) => send({ type: 'resize', id, columns, rows }),
      pause: () => send({ type: 'pause', id }),
      resume: () => send({ type: 'resume', id }),
      kill: () => send({ type: 'kill', id }),
    };
  };
}
