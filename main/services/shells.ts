/**
 * Shells of this laptop, and the process they run in. A pty hands on 4 KB at a time, and the loop of the window's own process
 * takes three times as long for each as that of a plain process: there a flood would take the page's processor time. The window
 * talks to that process without a detour.
 */
import type { Shell, ShellEvents } from '../remote/shell.ts';
import { joinShell, type TerminalPort } from './terminal-port.ts';

export interface ShellSize {
  columns: number;
  rows: number;
}

export type StartShell = (size: ShellSize, on: ShellEvents) => Shell;

/** An order to open comes with the terminal's port. */
export type ToHost = ({ type: 'open'; id: string } & ShellSize) | { type: 'kill'; id: string };

export interface FromHost {
  type: 'end';
  id: string;
  why: string;
}

/** In the process of the shells: does what the messages say. */
export function hostShells(
  send: (message: FromHost) => void,
  start: StartShell,
): (message: ToHost, port?: TerminalPort) => void {
  const kills = new Map<string, () => void>();
  const open = async (id: string, size: ShellSize, port: TerminalPort) => {
    const end = (why: string) => {
      kills.delete(id);
      send({ type: 'end', id, why });
    };
    try {
      kills.set(id, await joinShell(port, 'laptop', (on) => start(size, on), end));
    } catch (error) {
      const why = `no shell could be started: ${String(error)}`;
      port.send({ type: 'exit', why });
      end(why);
    }
  };
  return (message, port) => {
    if (message.type === 'kill') kills.get(message.id)?.();
    else if (port) void open(message.id, message, port);
  };
}

/** The other end of a process that runs {@link hostShells}; ports are handed over to it. */
export interface HostProcess<Port> {
  send(message: ToHost, port?: Port): void;
  onMessage(listener: (message: FromHost) => void): void;
  onExit(listener: () => void): void;
}

/** Opens a shell of this laptop at a port; `onEnd` is called once. Returns what ends it. */
export type OpenShell<Port> = (
  id: string,
  size: ShellSize,
  port: Port,
  onEnd: (why: string) => void,
) => () => void;

/** Opens shells in a process of their own, which begins with the first of them and anew after it ended. */
export function hostedShells<Port>(fork: () => HostProcess<Port>): OpenShell<Port> {
  const open = new Map<string, (why: string) => void>();
  let host: HostProcess<Port> | null = null;
  const end = (id: string, why: string) => {
    const onEnd = open.get(id);
    open.delete(id);
    onEnd?.(why);
  };
  const running = () => {
    if (host) return host;
    const forked = fork();
    forked.onMessage(({ id, why }) => end(id, why));
    forked.onExit(() => {
      host = null;
      for (const id of [...open.keys()]) end(id, 'the process of the shells ended');
    });
    return (host = forked);
  };
  return (id, { columns, rows }, port, onEnd) => {
    open.set(id, onEnd);
    running().send({ type: 'open', id, columns, rows }, port);
    return () => {
      // To one whose process has ended there is nothing to say.
      if (open.has(id)) host?.send({ type: 'kill', id });
    };
  };
}
