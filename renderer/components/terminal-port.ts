/** Ports of terminals: main sends one as a message of this window, before or after it answers the call that asked for it. */
import { TERMINAL_PORT, type FromShell, type ToShell } from '../../preload/contract/terminal.ts';
import { call } from '../api.ts';

const come = new Map<string, MessagePort>();
const awaited = new Map<string, (port: MessagePort) => void>();

window.addEventListener('message', (event: MessageEvent<{ type?: unknown; terminal?: unknown }>) => {
  if (event.source !== window || event.data.type !== TERMINAL_PORT) return;
  const id = String(event.data.terminal);
  const [port] = event.ports;
  if (!port) return;
  const waiting = awaited.get(id);
  awaited.delete(id);
  if (waiting) waiting(port);
  else come.set(id, port);
});

function portOf(id: string): Promise<MessagePort> {
  const port = come.get(id);
  come.delete(id);
  return port ? Promise.resolve(port) : new Promise((resolve) => awaited.set(id, resolve));
}

export interface OpenTerminal {
  send: (message: ToShell) => void;
  close: () => void;
}

/** Starts a shell and joins it. Throws the call's error, as when the box is not connected. */
export async function openTerminal(
  order: { where: 'box' | 'laptop'; session: string | null; columns: number; rows: number },
  onMessage: (message: FromShell) => void,
): Promise<OpenTerminal> {
  const { terminal } = await call('terminal.open', order);
  const port = await portOf(terminal);
  port.onmessage = ({ data }: MessageEvent<FromShell>) => onMessage(data);
  const send = (message: ToShell) => port.postMessage(message);
  return {
    send,
    close: () => {
      send({ type: 'close' });
      port.close();
    },
  };
}
