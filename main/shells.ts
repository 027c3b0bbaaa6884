/** The process that the laptop's shells run in (services/shells.ts); Electron starts it with the first of them. */
import { laptopShell } from './services/laptop-shell.ts';
import { hostShells, type ToHost } from './services/shells.ts';

const { parentPort } = process;
const take = hostShells((message) => parentPort.postMessage(message), laptopShell);
parentPort.on('message', ({ data }: { data: ToHost }) => take(data));
