/** A command that runs on a practice box: its input as it comes, its outputs, its end. */
import type { ServerChannel } from 'ssh2';

/** The app went away, or took its input back. */
export class Hangup extends Error {}

export class Process {
  readonly user: string;
  readonly #channel: ServerChannel;
  #input = Buffer.alloc(0);
  #inputEnded = false;
  #gone = false;
  #wake: () => void = () => undefined;

  constructor(channel: ServerChannel, user: string) {
    this.#channel = channel;
    this.user = user;
    channel.on('data', (data: Buffer) => {
      this.#input = Buffer.concat([this.#input, data]);
      this.#wake();
    });
    channel.on('end', () => {
      this.#inputEnded = true;
      this.#wake();
    });
    channel.on('close', () => {
      this.#gone = true;
      this.#wake();
    });
    channel.on('error', () => undefined);
  }

  get inputEnded(): boolean {
    return this.#inputEnded || this.#gone;
  }

  /** Called each time something comes in, or the input ends. One at a time. */
  onInput(listener: () => void): void {
    this.#wake = listener;
  }

  async #until(ready: () => boolean): Promise<void> {
    while (!ready()) {
      if (this.#gone) throw new Hangup();
      await new Promise<void>((resolve) => this.onInput(resolve));
    }
  }

  /** The next line without its newline; null when the input ended before one. */
  async line(): Promise<string | null> {
    await this.#until(() => this.#input.includes(10) || this.#inputEnded);
    const end = this.#input.indexOf(10);
    if (end < 0) return null;
    const line = this.#input.subarray(0, end).toString('utf8');
    this.#input = this.#input.subarray(end + 1);
    return line;
  }

  /** All that is left of the input. */
  async rest(): Promise<Buffer> {
    await this.#until(() => this.#inputEnded);
    const rest = this.#input;
    this.#input = Buffer.alloc(0);
    return rest;
  }

  /** Resolves when there is room for more. */
  async out(data: string | Buffer): Promise<void> {
    if (this.#gone) throw new Hangup();
    if (this.#channel.write(data)) return;
    await new Promise<void>((resolve) => {
      this.#channel.once('drain', resolve);
      this.#channel.once('close', resolve);
    });
  }

  err(text: string): void {
    if (!this.#gone) this.#channel.stderr.write(text);
  }

  exit(code: number): void {
    if (this.#gone) return;
    this.#channel.exit(code);
    this.#channel.end();
  }
}
