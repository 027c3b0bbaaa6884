/** A shell of this laptop behind a window that draws slowly: nothing is lost, nothing overtakes, and the shell waits. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Desk } from '../../../main/services/desk.ts';
import { laptopShell } from '../../../main/services/laptop-shell.ts';
import {
  hostedShells,
  hostShells,
  type FromHost,
  type HostProcess,
  type ToHost,
} from '../../../main/services/shells.ts';
import { Terminals } from '../../../main/services/terminals.ts';
import type { TerminalPort } from '../../../main/services/terminal-port.ts';
import { WATER, type FromShell, type ToShell } from '../../../preload/contract/terminal.ts';

/** More than a pty and a gathered message hold beyond the mark. */
const SLACK = 300_000;
const LAST = 400_000;
const DRAWN_MS = 600;

/** The window's end of a port. It draws nothing until it has more than the mark, and from then on a while after it came. */
class Window implements TerminalPort {
  text = '';
  messages = 0;
  /** The most that was ever undrawn. */
  most = 0;
  exit: string | null = null;
  #undrawn = 0;
  /** Until the mark is passed: characters of each message. */
  #kept: number[] | null = [];
  #started = false;
  readonly #typed: ToShell[] = [];
  #tell: (message: ToShell) => void = () => undefined;

  send(message: FromShell): void {
    if (message.type === 'exit') {
      this.exit = message.why;
      return;
    }
    const { length } = message.data;
    this.text += message.data;
    this.messages += 1;
    this.#undrawn += length;
    this.most = Math.max(this.most, this.#undrawn);
    if (this.#kept === null) return this.#draw(length);
    this.#kept.push(length);
    if (this.#undrawn <= WATER.laptop.high) return;
    for (const kept of this.#kept) this.#draw(kept);
    this.#kept = null;
  }

  #draw(characters: number): void {
    setTimeout(() => {
      this.#undrawn -= characters;
      this.#tell({ type: 'ack', characters });
    }, DRAWN_MS);
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#tell = listener;
  }
  onClose(): void {}
  /** What was typed before waits in the port. */
  start(): void {
    this.#started = true;
    for (const message of this.#typed) this.#tell(message);
  }
  close(): void {}

  type(data: string): void {
    const message = { type: 'input' as const, data };
    if (this.#started) this.#tell(message);
    else this.#typed.push(message);
  }
}

/** The process of the shells, whose messages are copied and come later, ports as they are, as between processes. */
class Host implements HostProcess<TerminalPort> {
  static started = 0;
  #ended: () => void = () => undefined;
  #tell: (message: FromHost) => void = () => undefined;
  readonly #take = hostShells((message) => this.#later(() => this.#tell(message)), laptopShell);
  #gone = false;

  constructor() {
    Host.started += 1;
  }
  #later(what: () => void): void {
    setImmediate(() => this.#gone || what());
  }
  send(message: ToHost, port?: TerminalPort): void {
    this.#later(() => this.#take(structuredClone(message), port));
  }
  onMessage(listener: (message: FromHost) => void): void {
    this.#tell = listener;
  }
  onExit(listener: () => void): void {
    this.#ended = listener;
  }
  die(): void {
    this.#gone = true;
    this.#ended();
  }
}

describe.runIf(process.platform !== 'win32')('a terminal', () => {
  let host = new Host();
  const ends: string[] = [];
  const terminals = new Terminals<TerminalPort>({
    desk: {} as Desk,
    onEnd: (_terminal, why) => void ends.push(why),
    laptop: hostedShells(() => (host = new Host())),
    wrap: (port) => port,
  });
  afterEach(() => {
    terminals.close();
    vi.unstubAllEnvs();
  });

  it('passes a flood on whole and in order, in few messages, and makes the shell wait', async () => {
    vi.stubEnv('SHELL', '/bin/sh');
    const window = new Window();
    await terminals.open({ where: 'laptop', session: null, columns: 80, rows: 24 }, window);
    window.type(`stty -echo; seq 1 ${LAST}\n`);
    await vi.waitFor(() => expect(window.text).toContain(`\n${LAST}\r\n`), {
      timeout: 45_000,
      interval: 200,
    });
    window.type('exit\n');
    await vi.waitFor(() => expect(window.exit).toBe('the shell ended with 0'), { timeout: 45_000 });
    // The first may stand behind the shell's prompt.
    const numbers = window.text.match(/(?<=^|^\S+ )\d+(?=\r$)/gm)?.map(Number) ?? [];
    expect(numbers.length).toBe(LAST);
    expect(numbers.every((n, at) => n === at + 1)).toBe(true);
    expect(window.most).toBeGreaterThan(WATER.laptop.high);
    expect(window.most).toBeLessThan(WATER.laptop.high + SLACK);
    expect(window.text.length / window.messages).toBeGreaterThan(8_192);
  }, 120_000);

  it('ends with the process of the shells, and the next one begins another', async () => {
    vi.stubEnv('SHELL', '/bin/sh');
    const order = { where: 'laptop' as const, session: null, columns: 80, rows: 24 };
    const [first, second] = [new Window(), new Window()];
    await terminals.open(order, first);
    first.type('echo $((40 + 2))\n');
    await vi.waitFor(() => expect(first.text).toContain('42'));
    const before = Host.started;
    host.die();
    expect(ends.at(-1)).toBe('the process of the shells ended');
    await terminals.open(order, second);
    second.type('exit 3\n');
    await vi.waitFor(() => expect(second.exit).toBe('the shell ended with 3'));
    expect(Host.started).toBe(before + 1);
  });

  it('says so when no shell can be started', async () => {
    const told: string[] = [];
    const start = () => {
      throw new Error('no pty');
    };
    const take = hostShells(({ why }) => told.push(why), start);
    const window = new Window();
    take({ type: 'open', id: 'a', columns: 80, rows: 24 }, window);
    await vi.waitFor(() => expect(told).toEqual(['no shell could be started: Error: no pty']));
    expect(window.exit).toBe(told[0]);
    take({ type: 'kill', id: 'a' });
  });
});
