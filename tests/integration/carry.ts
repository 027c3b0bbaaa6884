/** A stream by the laptop's own client, begun and waited for at once. */
import type { Connection } from '../../main/remote/connection.ts';
import { startClient, type Carried } from '../../main/remote/openssh.ts';

/** Null where it cannot be had. */
export const carry = async (conn: Connection, remote: string): Promise<Carried | null> =>
  (await startClient(conn, remote))?.stream() ?? null;
