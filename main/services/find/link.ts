/** What is sent along a cable so that neighbours show themselves: nothing of it needs an administrator. */
import { createSocket, type Socket } from 'node:dgram';
import { printed } from '../programs.ts';
import { hostsOf, type Wired } from './interfaces.ts';
import { MDNS_PORT, MDNS_V4, MDNS_V6, parseAnswer, sshQuery, type SshService } from './mdns.ts';

/** The port of the protocol that throws everything away. */
const DISCARD = 9;
const ALL_NODES = 'ff02::1';
const TOOL_MS = 5_000;

/** What a command prints, whatever it exits with; empty where it is not there or hangs. Never rejects. */
export async function output(command: string, args: readonly string[]): Promise<string> {
  return (await printed(command, args, { timeout: TOOL_MS })).stdout;
}

/** Asks all IPv6 nodes of the link for an echo: whoever answers must find this laptop first, and so becomes a neighbour. */
async function pingAll({ zone, linkLocal }: Wired, platform: NodeJS.Platform): Promise<void> {
  if (!linkLocal) return;
  const to = `${ALL_NODES}%${zone}`;
  if (platform === 'win32') await output('ping', ['-6', '-n', '2', '-w', '500', to]);
  else if (platform === 'darwin') await output('ping6', ['-c', '2', to]);
  else await output('ping', ['-6', '-c', '2', '-i', '0.3', '-W', '1', to]);
}

function bound(type: 'udp4' | 'udp6'): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = createSocket(type);
    socket.once('error', () => {
      socket.close();
      resolve(null);
    });
    socket.bind(0, () => {
      socket.removeAllListeners('error');
      // A send that finds no route is an answer, too: nobody is there.
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

const send = (socket: Socket, message: Buffer, port: number, to: string) =>
  new Promise<void>((resolve) => socket.send(message, port, to, () => resolve()));

/** One datagram to each address of a small network: the system must look for each, and remembers who is there. */
async function touchAll({ networks }: Wired): Promise<void> {
  const hosts = networks.flatMap(hostsOf);
  const socket = hosts.length ? await bound('udp4') : null;
  if (!socket) return;
  await Promise.all(hosts.map((host) => send(socket, Buffer.alloc(1), DISCARD, host)));
  socket.close();
}

/** Makes the neighbours of a link known to the system. */
export async function nudge(wired: Wired, platform: NodeJS.Platform): Promise<void> {
  await Promise.all([pingAll(wired, platform), touchAll(wired)]);
}

/** Asks on one link who offers SSH, and listens for `ms`. */
export async function askMdns({ zone, networks, linkLocal }: Wired, ms: number): Promise<SshService[]> {
  const found: SshService[] = [];
  const open: Socket[] = [];
  const ask = async (type: 'udp4' | 'udp6', via: string, to: string) => {
    const socket = await bound(type);
    if (!socket) return;
    open.push(socket);
    socket.on('message', (message) => found.push(...parseAnswer(message)));
    try {
      socket.setMulticastInterface(via);
    } catch {
      return; // the interface went away meanwhile
    }
    await send(socket, sshQuery(), MDNS_PORT, to);
  };
  const [own] = networks;
  await Promise.all([
    own === undefined ? undefined : ask('udp4', own.split('/')[0] ?? '', MDNS_V4),
    linkLocal ? ask('udp6', `::%${zone}`, `${MDNS_V6}%${zone}`) : undefined,
  ]);
  // Silence cannot be waited for otherwise: who has not answered by then is taken not to be there.
  await new Promise((resolve) => setTimeout(resolve, ms));
  for (const socket of open) socket.close();
  return found;
}
