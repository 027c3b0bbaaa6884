/** The app as a person starts it, watched over Chromium's own debugging pipe: nothing is loaded into it and nothing waits for the watcher. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Display } from '../../e2e/window.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const RUNTIME = join(ROOT, '.cache/electron/electron');

interface Message {
  id?: number;
  method?: string;
  params?: { targetInfo?: { type: string; targetId: string } };
  result?: { sessionId?: string; result?: { value?: unknown } };
}

/** Messages each end with a zero byte. */
class Pipe {
  readonly #to: Writable;
  readonly #waiting = new Map<number, (m: Message) => void>();
  #count = 0;
  onEvent: (m: Message) => void = () => undefined;

  constructor(to: Writable, from: Readable) {
    this.#to = to;
    let rest = '';
    from.setEncoding('utf8').on('data', (data: string) => {
      const parts = (rest + data).split('\0');
      rest = parts.pop() ?? '';
      for (const part of parts) this.#come(JSON.parse(part) as Message);
    });
  }

  #come(message: Message): void {
    if (message.id === undefined) return this.onEvent(message);
    this.#waiting.get(message.id)?.(message);
    this.#waiting.delete(message.id);
  }

  send(method: string, params: object, sessionId?: string): Promise<Message> {
    const id = ++this.#count;
    this.#to.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }
}

/**
 * In the page: waits for a frame in which main has answered and the first screen can be used, presses About, and gives the time of
 * the frame that shows the dialog: the window was usable no later than that.
 */
const USED = `(async () => {
  const frame = () => new Promise((go) => requestAnimationFrame(go));
  const button = (name) => [...document.querySelectorAll('button')].find((b) => b.textContent === name && !b.disabled);
  while (!button('Practice box') || document.body.textContent.includes('Reading the journal')) await frame();
  await frame();
  const shown = Date.now();
  button('About').click();
  while (!document.querySelector('[role="dialog"]')) await frame();
  await frame();
  return { shown, used: Date.now() };
})()`;

export class Started {
  readonly child: ChildProcess;
  /** Ms from the start of the process to a first screen that is drawn, and to its answer to a press. */
  readonly shown: number;
  readonly used: number;

  private constructor(child: ChildProcess, shown: number, used: number) {
    this.child = child;
    this.shown = shown;
    this.used = used;
  }

  static async open(display: Display, home: string): Promise<Started> {
    const from = Date.now();
    const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    const child = spawn(RUNTIME, [...sandbox, '--remote-debugging-pipe', ROOT], {
      env: { ...process.env, DISPLAY: display.name, VAULT_CUBE_HOME: home },
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    const pipe = new Pipe(child.stdio[3] as Writable, child.stdio[4] as Readable);
    const target = new Promise<string>((resolve, reject) => {
      child.once('close', (code) => reject(new Error(`the app ended with ${code}`)));
      pipe.onEvent = ({ method, params }) => {
        const info = params?.targetInfo;
        if (method === 'Target.targetCreated' && info?.type === 'page') resolve(info.targetId);
      };
    });
    await pipe.send('Target.setDiscoverTargets', { discover: true });
    const attached = await pipe.send('Target.attachToTarget', { targetId: await target, flatten: true });
    const { sessionId } = attached.result ?? {};
    const order = { expression: USED, awaitPromise: true, returnByValue: true };
    for (;;) {
      // The page may still be on its way to its own address, which ends what was asked of the one before.
      const { result } = await pipe.send('Runtime.evaluate', order, sessionId);
      const value = result?.result?.value as { shown: number; used: number } | undefined;
      if (value) return new Started(child, value.shown - from, value.used - from);
    }
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.child.once('close', resolve));
    this.child.kill();
    await closed;
  }
}
