/** Terminals of the window: a shell on the box through the held connection, or one on this laptop. */
import { randomUUID } from 'node:crypto';
import { AppError } from '../../preload/contract/errors.ts';
import type { Desk } from './desk.ts';
import type { OpenShell } from './shells.ts';
import { joinShell, type TerminalPort } from './terminal-port.ts';

export interface TerminalOrder {
  where: 'box' | 'laptop';
  session: string | null;
  columns: number;
  rows: number;
}

export interface TerminalsOptions<Port> {
  desk: Desk;
  /** A terminal ended by itself, with a sentence for its window. */
  onEnd: (terminal: string, why: string) => void;
  laptop: OpenShell<Port>;
  wrap: (port: Port) => TerminalPort;
}

export class Terminals<Port> {
  readonly #o: TerminalsOptions<Port>;
  readonly #open = new Map<string, () => void>();

  constructor(options: TerminalsOptions<Port>) {
    this.#o = options;
  }

  /** Starts a shell and joins it to the port. Errors: not_connected, box_unreadable, link_lost, internal. */
  async open(order: TerminalOrder, port: Port): Promise<string> {
    const id = randomUUID();
    const onEnd = (why: string) => {
      this.#open.delete(id);
      this.#o.onEnd(id, why);
    };
    this.#open.set(id, await this.#start(id, order, port, onEnd));
    return id;
  }

  async #start(
    id: string,
    order: TerminalOrder,
    port: Port,
    onEnd: (why: string) => void,
  ): Promise<() => void> {
    const { desk, laptop, wrap } = this.#o;
    if (order.where === 'laptop') return laptop(id, order, port, onEnd);
    const { session } = order;
    if (session === null) throw new AppError('not_connected');
    return joinShell(wrap(port), 'box', (on) => desk.live(session).connection.shell(order, on), onEnd);
  }

  close(): void {
    for (const end of this.#open.values()) end();
    this.#open.clear();
  }
}
