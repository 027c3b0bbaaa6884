/** What a shell is to whoever shows it, and the one on the box. */
import type { ClientChannel } from 'ssh2';

export interface ShellEvents {
  onData: (data: string) => void;
  onEnd: (why: string) => void;
}

/** A running shell, wherever it is. */
export interface Shell {
  write(data: string): void;
  resize(columns: number, rows: number): void;
  pause(): void;
  resume(): void;
  kill(): void;
}

/** The shell behind a channel of the connection. */
export function wrapShell(channel: ClientChannel, on: ShellEvents): Shell {
  // A character may come in two packets.
  const text = new TextDecoder();
  const onData = (data: Buffer) => on.onData(text.decode(data, { stream: true }));
  let why = 'the connection to the box ended';
  channel.on('data', onData);
  channel.stderr.on('data', onData);
  channel.on('exit', (code: number | null, signal?: string) => {
    why = `the shell on the box ended with ${code ?? signal ?? 'no status'}`;
  });
  channel.on('error', () => undefined);
  channel.on('close', () => on.onEnd(why));
  return {
    write: (data) => void channel.write(data),
    resize: (columns, rows) => channel.setWindow(rows, columns, 0, 0),
    pause: () => void channel.pause(),
    resume: () => void channel.resume(),
    kill: () => channel.close(),
  };
}
