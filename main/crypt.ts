/** The process that hashes a sudo password for a first boot: it computes for seconds, and the window's process must not (services/flash/seed/password.ts). */
import { cryptPassword } from './services/flash/seed/password.ts';

const { parentPort } = process;
parentPort.once('message', ({ data }) => parentPort.postMessage(cryptPassword(String(data))));
