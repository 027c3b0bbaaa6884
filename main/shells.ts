/** The process that the laptop's shells run in (services/shells.ts); Electron starts it with the first of them. */
import { laptopShell } from './services/laptop-shell.ts';
import { hostShells, type ToHost } from './services/shells.ts';
import { wrapPort } from './services/terminal-port.ts';

const { parentPort } = process;
const take = hostShells((message) => parentPort.postMessage(message), laptopShell);
parentPort.on('message', ({ data, ports: [port] }) => take(data as ToHost, port && wrapPort(port)));
