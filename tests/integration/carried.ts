/** An app that has a stream carried to a box until it is killed: `tsx carried.ts JSON`. Says `carried` when it has. */
import { readFileSync } from 'node:fs';
import type { Connection } from '../../main/remote/connection.ts';
import { carry } from './carry.ts';

const told = JSON.parse(process.argv[2] ?? '') as Record<
  'host' | 'user' | 'key' | 'hostKey' | 'path',
  string
> & {
  port: number;
};
const { host, port, user, path } = told;
const conn = {
  ...{ host, port, user, alive: true, onClose: () => undefined },
  auth: { kind: 'key', privateKey: readFileSync(told.key) },
  hostKey: { algorithm: 'ssh-ed25519', key: Buffer.from(told.hostKey, 'base64'), fingerprint: '' },
};
const carried = await carry(conn as unknown as Connection, path);
if (!carried) throw new Error('it was not carried');
console.log('carried');
await carried.ended;
