/** An SSH agent of this app's own, for a program of the laptop that logs in with a key which only this process has. It holds that key alone. */
import { chmodSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { ParsedKey } from 'ssh2';
import { ssh2 } from './ssh2.ts';

const REQUEST_IDENTITIES = 11;
const SIGN_REQUEST = 13;
const FAILURE = Buffer.from([0, 0, 0, 1, 5]);
const MESSAGE_MAX = 256 * 1024;

/** DER's two integers as SSH writes them (RFC 5656): both have the same bytes for a number. */
export function ecdsaOfDer(der: Buffer): Buffer {
  let at = (der[1] ?? 0) & 0x80 ? 3 : 2;
  const parts: Buffer[] = [];
  for (let n = 0; n < 2; n += 1) {
    const length = der[at + 1] ?? 0;
    const number = der.subarray(at + 2, at + 2 + length);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(number.length);
    parts.push(head, number);
    at += 2 + length;
  }
  return Buffer.concat(parts);
}

/** Null for another key than ours, and for RSA with SHA-1. */
function signatureOf(key: ParsedKey, wanted: unknown, data: Buffer, hash?: string): Buffer | null {
  const asked: ParsedKey | Error = ssh2.utils.parseKey(wanted as ParsedKey);
  if (asked instanceof Error || !asked.getPublicSSH().equals(key.getPublicSSH())) return null;
  if (key.type === 'ssh-rsa' && hash === undefined) return null;
  const signature: Buffer | Error = key.sign(data, hash);
  if (signature instanceof Error) return null;
  return key.type.startsWith('ecdsa-') ? ecdsaOfDer(signature) : signature;
}

function answer(socket: Socket, key: ParsedKey): void {
  const agent = new ssh2.AgentProtocol(false);
  agent.on('error', () => socket.destroy());
  agent.on('identities', (request) => agent.getIdentitiesReply(request, [key]));
  agent.on('sign', (request, wanted, data, { hash }) => {
    const signature = signatureOf(key, wanted, data, hash);
    if (signature) agent.signReply(request, signature);
    else agent.failureReply(request);
  });
  agent.pipe(socket);
  let held = Buffer.alloc(0);
  socket.on('data', (piece: Buffer) => {
    held = Buffer.concat([held, piece]);
    while (held.length >= 5) {
      const end = 4 + held.readUInt32BE(0);
      if (end > MESSAGE_MAX || end < 5) return void socket.destroy();
      if (held.length < end) return;
      // The library takes the body of a message that it does not know for further messages.
      const known = held[4] === REQUEST_IDENTITIES || held[4] === SIGN_REQUEST;
      if (known) agent.write(held.subarray(0, end));
      else socket.write(FAILURE);
      held = held.subarray(end);
    }
  });
  socket.on('error', () => undefined);
}

/** Listens at `path`, a unix socket for this user only, until it is closed. Errors: those of the file system. */
export function serveAgent(path: string, key: ParsedKey): Promise<Server> {
  const server = createServer((socket) => answer(socket, key));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      chmodSync(path, 0o600);
      resolve(server);
    });
  });
}
