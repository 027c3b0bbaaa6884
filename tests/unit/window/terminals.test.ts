/** A shell of this laptop behind a window that draws slowly: nothing is lost, nothing overtakes, and the shell waits. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Desk } from '../../../main/services/desk.ts';
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

describe.runIf(process.platform !== 'win32')('a terminal', () => {
  const terminals = new Terminals({} as Desk, () => undefined);
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
});
