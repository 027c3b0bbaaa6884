/**
 * A shell joined to a terminal's port. What the shell prints is paused while the window has too much of it undrawn
 * (preload/contract/terminal.ts). The box's shells are joined in main, this laptop's in the process they run in.
 */
import { z } from 'zod';
import { WATER, type FromShell } from '../../preload/contract/terminal.ts';
import type { Shell, ShellEvents } from '../remote/shell.ts';

/** One end of a terminal's port; the window has the other. */
export interface TerminalPort {
  send(message: FromShell): void;
  onMessage(listener: (message: unknown) => void): void;
  onClose(listener: () => void): void;
  start(): void;
  close(): void;
}

/** What a port of Electron's is, in main and in a utility process. */
interface ElectronPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { data: unknown }) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  start(): void;
  close(): void;
}

export const wrapPort = (port: ElectronPort): TerminalPort => ({
  send: (message) => port.postMessage(message),
  onMessage: (listener) => port.on('message', ({ data }) => listener(data)),
  onClose: (listener) => port.on('close', listener),
  start: () => port.start(),
  close: () => port.close(),
});

const Message = z.discriminatedUnion('type', [
  z.object({ type: z.literal('input'), data: z.string() }),
  z.object({
    type: z.literal('resize'),
    columns: z.number().int().min(2).max(1000),
    rows: z.number().int().min(1).max(1000),
  }),
  z.object({ type: z.literal('ack'), characters: z.number().int().nonnegative() }),
  z.object({ type: z.literal('close') }),
]);

/** What comes within this time goes as one message, or the messages cost more than the drawing. */
const GATHER_MS = 4;

/** The terminal takes a message without a pause: this many characters are some 3 ms of it. */
const PIECE = 32_768;

/** Starts a shell and joins it to the port; `onEnd` is called once. Returns what ends it. Errors: those of `begin`. */
export async function joinShell(
  port: TerminalPort,
  where: keyof typeof WATER,
  begin: (on: ShellEvents) => Shell | Promise<Shell>,
  onEnd: (why: string) => void,
): Promise<() => void> {
  const { high, low } = WATER[where];
  let held = '';
  let unacknowledged = 0;
  let paused = false;
  let ended = false;
  // What has come goes on every few milliseconds, in as few messages as may be, and the rest ahead of the end.
  const flush = () => {
    const data = held;
    held = '';
    for (let at = 0; at < data.length; at += PIECE)
      port.send({ type: 'output', data: data.slice(at, at + PIECE) });
  };
  const on: ShellEvents = {
    onData: (data) => {
      if (held === '') setTimeout(flush, GATHER_MS);
      held += data;
      // Counted as it comes: a channel that was paused has megabytes, and hands all of them on unless it is paused at once.
      unacknowledged += data.length;
      if (!paused && unacknowledged > high) {
        paused = true;
        shell.pause();
      }
    },
    onEnd: (why) => {
      if (ended) return;
      ended = true;
      flush();
      port.send({ type: 'exit', why });
      onEnd(why);
    },
  };
  const shell = await begin(on);
  port.onMessage((raw) => {
    const parsed = Message.safeParse(raw);
    if (!parsed.success || ended) return;
    const message = parsed.data;
    switch (message.type) {
      case 'input':
        return shell.write(message.data);
      case 'resize':
        return shell.resize(message.columns, message.rows);
      case 'close':
        return shell.kill();
      case 'ack':
        unacknowledged = Math.max(0, unacknowledged - message.characters);
        if (paused && unacknowledged < low) {
          paused = false;
          shell.resume();
        }
    }
  });
  const kill = () => {
    if (!ended) shell.kill();
  };
  port.onClose(kill);
  port.start();
  return kill;
}
