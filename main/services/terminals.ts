/**
 * Terminals of the window: a shell on the box through the held connection, or one on this laptop. What a shell prints is
 * paused while the window has too much of it undrawn (preload/contract/terminal.ts).
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '../../preload/contract/errors.ts';
import { HIGH_WATER, LOW_WATER, type FromShell } from '../../preload/contract/terminal.ts';
import type { Shell, ShellEvents } from '../remote/shell.ts';
import type { Desk } from './desk.ts';
import { gathered, type StartShell } from './shells.ts';

export interface TerminalPort {
  send(message: FromShell): void;
  onMessage(listener: (message: unknown) => void): void;
  onClose(listener: () => void): void;
  start(): void;
  close(): void;
}

export interface TerminalOrder {
  where: 'box' | 'laptop';
  session: string | null;
  columns: number;
  rows: number;
}

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

export class Terminals {
  readonly #desk: Desk;
  readonly #ended: (terminal: string, why: string) => void;
  readonly #open = new Map<string, () => void>();
  readonly #laptop: StartShell;

  constructor(desk: Desk, ended: (terminal: string, why: string) => void, laptop: StartShell) {
    this.#desk = desk;
    this.#ended = ended;
    this.#laptop = laptop;
  }

  /** Starts a shell and joins it to the port. Errors: not_connected, box_unreadable, link_lost, internal. */
  async open(order: TerminalOrder, port: TerminalPort): Promise<string> {
    const id = randomUUID();
    let unacknowledged = 0;
    let paused = false;
    let ended = false;
    const end = (why: string) => {
      if (ended) return;
      ended = true;
      this.#open.delete(id);
      port.send({ type: 'exit', why });
      this.#ended(id, why);
    };
    const onData = (data: string) => {
      unacknowledged += data.length;
      port.send({ type: 'output', data });
      if (!paused && unacknowledged > HIGH_WATER) {
        paused = true;
        shell.pause();
      }
    };
    const shell = await this.#start(order, { onData, onEnd: end });
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
          if (paused && unacknowledged < LOW_WATER) {
            paused = false;
            shell.resume();
          }
      }
    });
    port.onClose(() => {
      if (!ended) shell.kill();
    });
    this.#open.set(id, () => {
      shell.kill();
      port.close();
    });
    port.start();
    return id;
  }

  async #start(order: TerminalOrder, on: ShellEvents): Promise<Shell> {
    if (order.where === 'laptop') return this.#laptop(order, on);
    if (order.session === null) throw new AppError('not_connected');
    return this.#desk.live(order.session).connection.shell(order, gathered(on));
  }

  close(): void {
    for (const end of this.#open.values()) end();
    this.#open.clear();
  }
}
