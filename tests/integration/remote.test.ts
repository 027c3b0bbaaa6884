/** The connection against a real sshd: every way in which it can fail has its own code, and each login is tried once. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError, type ErrorCode } from '../../preload/contract/errors.ts';
import { connect, type Auth, type Connection, type ConnectOptions } from '../../main/remote/connection.ts';
import { KnownHosts } from '../../main/remote/hostkeys.ts';
import { agentKeys, chooseAgentKey, generateKey, loadKey } from '../../main/remote/keyfiles.ts';
import { SshBench, until, whyNotSshd, type Daemon, type TestUser } from './sshd.ts';

const why = whyNotSshd();
const UNREACHABLE = '198.51.100.77';

async function codeOf(promise: Promise<unknown>): Promise<AppError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it succeeded');
}

describe.runIf(why === null)(`connection to a real sshd${why ? ` (not run: ${why})` : ''}`, () => {
  let bench: SshBench;
  let usual: Daemon;
  let user: TestUser;
  let noisy: TestUser;
  let key: { publicKey: string; fingerprint: string };
  let keyAuth: Auth;
  let agent: ChildProcess;
  const servers: Server[] = [];
  const users: Record<string, TestUser> = {};
  let serial = 0;

  const knownHosts = () => new KnownHosts(join(bench.dir, `known_hosts_${serial++}`));
  const options = (more: Partial<ConnectOptions> = {}): ConnectOptions => ({
    host: bench.host,
    port: usual.port,
    user: user.name,
    auth: { kind: 'password', password: user.password },
    knownHosts: knownHosts(),
    confirmHostKey: async () => true,
    connectTimeoutMs: 3_000,
    ...more,
  });
  const withConnection = async <T>(
    more: Partial<ConnectOptions>,
    use: (c: Connection) => Promise<T>,
  ): Promise<T> => {
    const conn = await connect(options(more));
    try {
      return await use(conn);
    } finally {
      conn.close();
    }
  };
  /** A TCP server on loopback that does `serve` with each connection; returns its port. */
  const listen = async (server: Server): Promise<number> => {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };
  const serving = (serve: (socket: Socket) => void) => listen(createServer(serve));

  beforeAll(async () => {
    bench = new SshBench();
    user = bench.addUser('user');
    noisy = bench.addUser('noisy');
    bench.writeHome(noisy, '.bashrc', 'echo Welcome to the lab\n');
    users['quits'] = bench.addUser('quits');
    bench.writeHome(users['quits'], '.bashrc', 'exit 7\n');
    users['expired'] = bench.addUser('expired');
    users['nologin'] = bench.addUser('nologin', { shell: '/usr/sbin/nologin' });
    users['false'] = bench.addUser('false', { shell: '/bin/false' });
    execFileSync('chage', ['-d', '0', users['expired'].name]);
    execFileSync('ip', ['route', 'add', 'unreachable', UNREACHABLE]);
    key = await generateKey(join(bench.dir, 'id'), { comment: 'test key' });
    await generateKey(join(bench.dir, 'other'), { comment: 'other key' });
    keyAuth = { kind: 'key', privateKey: loadKey(join(bench.dir, 'id')).privateKey };
    for (const name of [user.name, 'root']) bench.authorize(name, key.publicKey);
    usual = await bench.start(22);
    await bench.start(2201, ['PasswordAuthentication no', 'KbdInteractiveAuthentication no']);
    await bench.start(2202, ['PasswordAuthentication no', 'KbdInteractiveAuthentication yes']);
    await bench.start(2203, ['KexAlgorithms diffie-hellman-group14-sha1']);
    await bench.start(2204, ['MaxAuthTries 1']);
    await bench.start(2205, ['AuthenticationMethods password,publickey']);
    const socket = join(bench.dir, 'agent');
    agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    const add = (name: string) =>
      execFileSync('ssh-add', ['-q', join(bench.dir, name)], {
        env: { SSH_AUTH_SOCK: socket },
        stdio: 'pipe',
      });
    await until(
      'the agent',
      async () =>
        (await agentKeys(socket).then(
          () => 'keys',
          (e: AppError) => e.code,
        )) === 'agent_empty',
    );
    expect((await codeOf(chooseAgentKey(socket))).code).toBe('agent_empty');
    add('other');
    expect((await chooseAgentKey(socket)).comment).toBe('other key');
    add('id');
  });

  afterAll(async () => {
    for (const server of servers) server.close();
    agent?.kill();
    execFileSync('ip', ['route', 'del', 'unreachable', UNREACHABLE]);
    await bench?.close();
  });

  /** What is wrong, how to reach it, and the code it must have. A function gets at what exists only once the bench is up. */
  const wrong: [
    string,
    ErrorCode,
    () => Partial<ConnectOptions> | Promise<Partial<ConnectOptions>>,
    Record<string, unknown>?,
  ][] = [
    ['a name without address', 'host_unknown', () => ({ host: 'no-such-box.invalid' })],
    ['no route', 'host_unreachable', () => ({ host: UNREACHABLE })],
    [
      'a server that never speaks',
      'host_unreachable',
      async () => ({ host: '127.0.0.1', port: await serving(() => undefined), loginTimeoutMs: 300 }),
    ],
    ['a closed port', 'port_refused', () => ({ port: 2299 }), { port: 2299 }],
    ['a web server', 'not_ssh', async () => ({ host: '127.0.0.1', port: await listen(createHttp()) })],
    [
      'a mail server',
      'not_ssh',
      async () => ({
        host: '127.0.0.1',
        port: await serving((s) => s.write('220 mail ESMTP\r\n')),
        loginTimeoutMs: 300,
      }),
    ],
    [
      'a hang-up before the banner',
      'ssh_banned',
      async () => ({ host: '127.0.0.1', port: await serving((s) => s.end()) }),
    ],
    [
      'a reset before the banner',
      'ssh_banned',
      async () => ({ host: '127.0.0.1', port: await serving((s) => s.resetAndDestroy()) }),
    ],
    [
      'a penalty notice',
      'ssh_banned',
      async () => ({ host: '127.0.0.1', port: await serving((s) => s.end('Not allowed at this time\r\n')) }),
    ],
    [
      'a hang-up after the banner',
      'ssh_banned',
      async () => ({ host: '127.0.0.1', port: await serving((s) => s.end('SSH-2.0-OpenSSH_9.6\r\n')) }),
    ],
    ['no common key exchange', 'ssh_protocol', () => ({ port: 2203 })],
    ['a second factor after the password', 'ssh_protocol', () => ({ port: 2205 })],
    ['an unknown key, nobody to confirm it', 'host_key_unconfirmed', () => ({ confirmHostKey: undefined })],
    ['an unknown key, refused', 'host_key_unconfirmed', () => ({ confirmHostKey: async () => false })],
    ['a wrong password', 'login_password_wrong', () => ({ auth: { kind: 'password', password: 'wrong' } })],
    ['an unknown user', 'login_password_wrong', () => ({ user: `${bench.tag}ghost` })],
    [
      'a wrong password, one try allowed',
      'login_password_wrong',
      () => ({ port: 2204, auth: { kind: 'password', password: 'wrong' } }),
    ],
    [
      'a wrong password, asked interactively',
      'login_password_wrong',
      () => ({ port: 2202, auth: { kind: 'password', password: 'wrong' } }),
    ],
    ['passwords off', 'login_password_off', () => ({ port: 2201 }), { methods: 'publickey' }],
    [
      'root by password',
      'login_root_refused',
      () => ({ user: 'root', auth: { kind: 'password', password: 'wrong' } }),
    ],
    [
      'a key that is not installed',
      'login_key_refused',
      () => ({ user: noisy.name, auth: keyAuth }),
      { fingerprint: 'key' },
    ],
    [
      'an expired password',
      'login_password_expired',
      () => ({
        user: users['expired']?.name ?? '',
        auth: { kind: 'password', password: users['expired']?.password ?? '' },
      }),
    ],
    [
      'an expired password, asked interactively',
      'login_password_expired',
      () => ({
        port: 2202,
        user: users['expired']?.name ?? '',
        auth: { kind: 'password', password: users['expired']?.password ?? '' },
      }),
    ],
    [
      'the shell nologin',
      'login_shell_nologin',
      () => ({
        user: users['nologin']?.name ?? '',
        auth: { kind: 'password', password: users['nologin']?.password ?? '' },
      }),
    ],
    [
      'the shell false',
      'login_shell_nologin',
      () => ({
        user: users['false']?.name ?? '',
        auth: { kind: 'password', password: users['false']?.password ?? '' },
      }),
    ],
    [
      'a .bashrc that prints',
      'login_shell_noisy',
      () => ({ user: noisy.name, auth: { kind: 'password', password: noisy.password } }),
      { detail: '"Welcome to the lab"' },
    ],
    ['a garbled key', 'key_not_a_key', () => ({ auth: { kind: 'key', privateKey: 'no key' } })],
    [
      'an agent that is not there',
      'agent_missing',
      () => ({ auth: { kind: 'agent', socket: join(bench.dir, 'nobody'), publicKey: key.publicKey } }),
    ],
  ];

  it.each(wrong)('%s is %s', async (_what, code, how, facts = {}) => {
    const more = await how();
    const error = await codeOf(connect(options(more)));
    expect(`${error.code}: ${String(error.cause ?? '')}`).toMatch(new RegExp(`^${code}:`));
    expect(error.message).not.toMatch(/unknown\)/);
    expect(error.nextAction).not.toMatch(/unknown\)/);
    expect(error.facts).toMatchObject('fingerprint' in facts ? { fingerprint: key.fingerprint } : facts);
  });

  it('a shell that ends before the command is an error of the shell', async () => {
    const quits = users['quits'] as TestUser;
    const error = await codeOf(
      connect(options({ user: quits.name, auth: { kind: 'password', password: quits.password } })),
    );
    expect(['login_shell_noisy', 'login_shell_nologin']).toContain(error.code);
  });

  it('a wrong password reaches the box once', async () => {
    const daemon = await bench.start(2210, [
      'PasswordAuthentication yes',
      'KbdInteractiveAuthentication yes',
    ]);
    await codeOf(connect(options({ port: 2210, auth: { kind: 'password', password: 'wrong' } })));
    await until('the log of the failure', () => daemon.log().includes('Failed password'));
    await daemon.stop();
    expect(daemon.log().match(/^Failed|maximum authentication/gm)).toHaveLength(1);
    expect(daemon.log()).not.toMatch(/keyboard-interactive/);
  });

  it('asks about an unknown key once, pins it privately, and recognises it', async () => {
    const known = knownHosts();
    const asked: unknown[] = [];
    const more = { knownHosts: known, confirmHostKey: async (k: unknown) => (asked.push(k), true) };
    await withConnection(more, async (c) => expect(c.hostKey.fingerprint).toBe(bench.hostFingerprint()));
    await withConnection(more, async (c) => expect((await c.exec('true')).code).toBe(0));
    expect(asked).toEqual([
      { host: bench.host, algorithm: 'ssh-ed25519', fingerprint: bench.hostFingerprint() },
    ]);
    expect(statSync(known.path).mode & 0o777).toBe(0o600);
    // OpenSSH itself reads the file and finds the key.
    expect(execFileSync('ssh-keygen', ['-F', bench.host, '-f', known.path], { encoding: 'utf8' })).toContain(
      'ssh-ed25519',
    );
  });

  it('uses the pinned algorithm where the box has several keys', async () => {
    const known = knownHosts();
    const rsa = readFileSync(join(bench.dir, 'host_rsa.pub'), 'utf8').split(' ')[1] ?? '';
    known.pin('box-1', 22, Buffer.from(rsa, 'base64'));
    await withConnection(
      { knownHosts: known, hostKeyName: 'box-1', confirmHostKey: undefined },
      async (c) => {
        expect(c.hostKey).toEqual({ algorithm: 'ssh-rsa', fingerprint: bench.hostFingerprint('rsa') });
      },
    );
  });

  it('a changed host key stops before any login', async () => {
    const known = knownHosts();
    const daemon = await bench.start(2211);
    await withConnection({ port: 2211, knownHosts: known }, async () => undefined);
    const before = bench.hostFingerprint();
    await daemon.stop();
    bench.newHostKey('changed', 'ed25519');
    const other = await bench.start(2211, [], ['changed']);
    const error = await codeOf(connect(options({ port: 2211, knownHosts: known })));
    expect(error.code).toBe('host_key_changed');
    expect(error.facts).toMatchObject({ pinned: before, fingerprint: bench.hostFingerprint('changed') });
    await other.stop();
    expect(other.log()).not.toMatch(new RegExp(user.name));
  });

  it('a person may take longer than the server waits', async () => {
    await bench.start(2212, ['LoginGraceTime 1']);
    const known = knownHosts();
    let dropped = false;
    const confirmHostKey = async () => {
      expect(bench.open(2212)).toBe(1);
      await until('the drop', () => bench.open(2212) === 0);
      dropped = true;
      return true;
    };
    await withConnection({ port: 2212, knownHosts: known, confirmHostKey }, async (c) =>
      expect(c.alive).toBe(true),
    );
    expect(dropped).toBe(true);
  });

  it('logs in by keyboard-interactive, key and agent', async () => {
    await withConnection({ port: 2202 }, async (c) =>
      expect((await c.exec('id -un')).stdout.toString().trim()).toBe(user.name),
    );
    await withConnection({ auth: keyAuth }, async (c) => expect(c.uid).toBeGreaterThan(0));
    await withConnection({ user: 'root', auth: keyAuth }, async (c) => expect(c.uid).toBe(0));
    // The agent's first key would be refused; only the named one is offered, so one try is enough.
    const auth: Auth = { kind: 'agent', socket: join(bench.dir, 'agent'), publicKey: key.publicKey };
    await withConnection({ port: 2204, auth }, async (c) => expect(c.alive).toBe(true));
    const ambiguous = await codeOf(chooseAgentKey(join(bench.dir, 'agent')));
    expect(ambiguous.code).toBe('agent_ambiguous');
    expect(ambiguous.message).toContain(key.fingerprint);
    expect((await chooseAgentKey(join(bench.dir, 'agent'), key.fingerprint)).comment).toBe('test key');
  });

  it('runs commands with any bytes in and out', async () => {
    const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7919) & 255));
    await withConnection({}, async (c) => {
      const run = await c.exec('cat; echo oops >&2; exit 3', { stdin: bytes });
      expect([run.code, run.signal, run.stderr]).toEqual([3, null, 'oops\n']);
      expect(run.stdout.equals(bytes)).toBe(true);
      expect(await c.exec('kill -TERM $$')).toMatchObject({ code: null, signal: 'SIGTERM' });
      expect((await codeOf(c.exec('sleep 30', { timeoutMs: 200 }))).code).toBe('box_unreadable');
      expect((await codeOf(c.exec('cat /dev/zero', { maxOutput: 10_000 }))).code).toBe('box_unreadable');
      expect((await c.exec('echo still here')).stdout.toString()).toBe('still here\n');
      const stream = await c.stream('cat; exit 4');
      stream.stderr.resume();
      stream.stdin.end('through');
      expect(await text(stream.stdout)).toBe('through');
      expect(await stream.exit).toEqual({ code: 4, signal: null });
      expect(c.rttMs()).toBeGreaterThan(0);
    });
  });

  it('forwards connections on the box to the app', async () => {
    await withConnection({}, async (c) => {
      const forward = await c.reverseForward((channel) => {
        channel.on('data', (d: Buffer) => channel.end(`you said ${d.toString()}`));
      });
      const ask = `exec 3<>/dev/tcp/127.0.0.1/${forward.port}; echo hello >&3; cat <&3`;
      expect((await c.exec(ask)).stdout.toString()).toBe('you said hello\n');
      forward.close();
      await until(
        'the end of the forward',
        async () => (await c.exec(`exec 3<>/dev/tcp/127.0.0.1/${forward.port}`)).code !== 0,
      );
    });
    await bench.start(2213, ['AllowTcpForwarding no']);
    await withConnection({ port: 2213 }, async (c) => {
      expect((await codeOf(c.reverseForward(() => undefined))).code).toBe('box_unreadable');
    });
  });

  it('notices a dead link within about 3 s, and not one that is only busy', async () => {
    await withConnection({}, async (c) => {
      const ended = new Promise<AppError | null>((resolve) => c.onClose(resolve));
      const pending = codeOf(c.exec('sleep 60'));
      // Its session is open before the cable goes.
      await c.exec('true');
      bench.cable(false);
      const cut = performance.now();
      const noticed = ended.then(() => performance.now() - cut);
      const error = await ended.finally(() => bench.plugIn(usual));
      expect(await noticed).toBeLessThan(3_600);
      expect(error?.code).toBe('link_lost');
      expect(c.alive).toBe(false);
      expect((await pending).code).toBe('link_lost');
      expect((await codeOf(c.exec('true'))).code).toBe('link_lost');
    });
    // An idle connection, and one whose box reads nothing for longer than three keepalives, both stay.
    await withConnection({ keepaliveMs: 200 }, async (c) => {
      const stream = await c.stream('sleep 2; cat >/dev/null');
      stream.stdout.resume();
      stream.stderr.resume();
      stream.stdin.end(Buffer.alloc(8_000_000));
      expect(await stream.exit).toEqual({ code: 0, signal: null });
      expect(c.alive).toBe(true);
    });
  });

  it('an abort ends a connect at once', async () => {
    const stop = new AbortController();
    const port = await serving(() => stop.abort(new Error('enough')));
    await expect(connect(options({ host: '127.0.0.1', port, signal: stop.signal }))).rejects.toThrow(
      'enough',
    );
    await expect(connect(options({ signal: stop.signal }))).rejects.toThrow('enough');
  });

  it('a box that is still starting says so', async () => {
    writeFileSync(
      '/run/nologin',
      'System is booting up. Unprivileged users are not permitted to log in yet.\n',
      { flag: 'wx' },
    );
    try {
      const error = await codeOf(connect(options({ auth: keyAuth })));
      expect(error.code).toBe('box_starting');
    } finally {
      execFileSync('rm', ['/run/nologin']);
    }
  });
});
