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
import { Terminals, type TerminalPort } from '../../../main/services/terminals.ts';
import { HIGH_WATER, type FromShell, type ToShell } from '../../../preload/contract/terminal.ts';

/** More than a pty and a gathered message hold beyond the mark. */
const SLACK = 300_000;
const LAST = 400_000;
const DRAWN_MS = 200;

/** The window's end of a port. What comes is acknowledged after a while, as when it is drawn. */
class Window implements TerminalPort {
  text = '';
  messages = 0;
  /** The most that was ever undrawn. */
  most = 0;
  exit: string | null = null;
  #undrawn = 0;
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
    setTimeout(() => {
      this.#undrawn -= length;
      this.#tell({ type: 'ack', characters: length });
    }, DRAWN_MS);
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#tell = listener;
  }
  onClose(): void {}
  start(): void {}
  close(): void {}

  type(data: string): void {
    this.#tell({ type: 'input', data });
  }
}

/** The process of the shells, whose messages are copied and come later, as between processes. */
class Host implements HostProcess {
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
  send(message: ToHost): void {
    this.#later(() => this.#take(structuredClone(message)));
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
  const terminals = new Terminals(
    {} as Desk,
    () => undefined,
    hostedShells(() => (host = new Host())),
  );
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
      timeout: 15_000,
      interval: 200,
    });
    window.type('exit\n');
    await vi.waitFor(() => expect(window.exit).toBe('the shell ended with 0'), { timeout: 15_000 });
    // The first may stand behind the shell's prompt.
    const numbers = window.text.match(/(?<=^|^\S+ )\d+(?=\r$)/gm)?.map(Number) ?? [];
    expect(numbers.length).toBe(LAST);
    expect(numbers.every((n, at) => n === at + 1)).toBe(true);
    expect(window.most).toBeGreaterThan(HIGH_WATER);
    expect(window.most).toBeLessThan(HIGH_WATER + SLACK);
    expect(window.text.length / window.messages).toBeGreaterThan(8_192);
  });

  it('ends with the process of the shells, and the next one begins another', async () => {
    vi.stubEnv('SHELL', '/bin/sh');
    const order = { where: 'laptop' as const, session: null, columns: 80, rows: 24 };
    const [first, second] = [new Window(), new Window()];
    await terminals.open(order, first);
    first.type('echo $((40 + 2))\n');
    await vi.waitFor(() => expect(first.text).toContain('42'));
    const before = Host.started;
    host.die();
    expect(first.exit).toBe('the process of the shells ended');
    await terminals.open(order, second);
    second.type('exit 3\n');
    await vi.waitFor(() => expect(second.exit).toBe('the shell ended with 3'));
    expect(Host.started).toBe(before + 1);
  });

  it('says so when no shell can be started', async () => {
    const ends: string[] = [];
    const start = () => {
      throw new Error('no pty');
    };
    const take = hostShells((message) => ends.push(message.type === 'end' ? message.why : 'data'), start);
    take({ type: 'start', id: 1, columns: 80, rows: 24 });
    take({ type: 'write', id: 1, data: 'x' });
    expect(ends).toEqual(['no shell could be started: Error: no pty']);
  });
});
