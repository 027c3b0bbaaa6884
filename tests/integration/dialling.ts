/** What the tests of the connection share: a bench with one usual daemon and user, and options that log in there. */
import { join } from 'node:path';
import { connect, type Auth, type Connection, type ConnectOptions } from '../../main/remote/connection.ts';
import { KnownHosts } from '../../main/remote/hostkeys.ts';
import { generateKey, loadKey } from '../../main/remote/keyfiles.ts';
import { SshBench, type Daemon, type TestUser } from './sshd.ts';

export class Dialling {
  readonly bench: SshBench;
  readonly usual: Daemon;
  /** Logs in by password, and by `key` as root does. */
  readonly user: TestUser;
  readonly key: { publicKey: string; fingerprint: string };
  readonly keyAuth: Auth;
  #serial = 0;

  private constructor(
    bench: SshBench,
    usual: Daemon,
    user: TestUser,
    key: { publicKey: string; fingerprint: string },
  ) {
    this.bench = bench;
    this.usual = usual;
    this.user = user;
    this.key = key;
    this.keyAuth = { kind: 'key', privateKey: loadKey(join(bench.dir, 'id')).privateKey };
  }

  /** `prepare` runs before the first daemon: for what its sessions are to see mounted. */
  static async open(prepare: (bench: SshBench) => void = () => undefined): Promise<Dialling> {
    const bench = new SshBench();
    try {
      prepare(bench);
      const user = bench.addUser('user');
      const key = await generateKey(join(bench.dir, 'id'), { comment: 'test key' });
      for (const name of [user.name, 'root']) bench.authorize(name, key.publicKey);
      return new Dialling(bench, await bench.start(22), user, key);
    } catch (error) {
      await bench.close();
      throw error;
    }
  }

  /** An empty file of known hosts. */
  knownHosts(): KnownHosts {
    return new KnownHosts(join(this.bench.dir, `known_hosts_${this.#serial++}`));
  }

  options(more: Partial<ConnectOptions> = {}): ConnectOptions {
    return {
      host: this.bench.host,
      port: this.usual.port,
      user: this.user.name,
      auth: { kind: 'password', password: this.user.password },
      knownHosts: this.knownHosts(),
      confirmHostKey: async () => true,
      connectTimeoutMs: 3_000,
      ...more,
    };
  }

  async with<T>(more: Partial<ConnectOptions>, use: (c: Connection) => Promise<T>): Promise<T> {
    const conn = await connect(this.options(more));
    try {
      return await use(conn);
    } finally {
      conn.close();
    }
  }

  close(): Promise<void> {
    return this.bench.close();
  }
}
