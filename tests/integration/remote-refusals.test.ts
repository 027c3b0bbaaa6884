/** The connection against a real sshd: every way in which it can fail has its own code, and each login is tried once. */
import { execFileSync } from 'node:child_process';
import { createServer as createHttp } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../preload/contract/errors.ts';
import { connect, type ConnectOptions } from '../../main/remote/connection.ts';
import { Dialling } from './dialling.ts';
import { refusal, until, whyNotSshd, type TestUser } from './sshd.ts';

const why = whyNotSshd();
const UNREACHABLE = '198.51.100.77';

describe.runIf(why === null)(`refusals of a real sshd${why ? ` (not run: ${why})` : ''}`, () => {
  let d: Dialling;
  const servers: Server[] = [];
  const users: Record<string, TestUser> = {};

  /** A TCP server on loopback; returns its port. */
  const listen = async (server: Server): Promise<number> => {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };
  const serving = (serve: (socket: Socket) => void) => listen(createServer(serve));
  /** Options to log in as the labelled user with the right password. */
  const as = (label: string): Partial<ConnectOptions> => {
    const { name, password } = users[label] as TestUser;
    return { user: name, auth: { kind: 'password', password } };
  };

  beforeAll(async () => {
    d = await Dialling.open();
    const { bench } = d;
    for (const label of ['noisy', 'quits', 'expired']) users[label] = bench.addUser(label);
    users['nologin'] = bench.addUser('nologin', { shell: '/usr/sbin/nologin' });
    users['false'] = bench.addUser('false', { shell: '/bin/false' });
    bench.writeHome(users['noisy'] as TestUser, '.bashrc', 'echo Welcome to the lab\n');
    bench.writeHome(users['quits'] as TestUser, '.bashrc', 'exit 7\n');
    execFileSync('chage', ['-d', '0', (users['expired'] as TestUser).name]);
    execFileSync('ip', ['route', 'replace', 'unreachable', UNREACHABLE]);
    await bench.start(2201, ['PasswordAuthentication no', 'KbdInteractiveAuthentication no']);
    await bench.start(2202, ['PasswordAuthentication no', 'KbdInteractiveAuthentication yes']);
    await bench.start(2203, ['KexAlgorithms diffie-hellman-group14-sha1']);
    await bench.start(2204, ['MaxAuthTries 1']);
    await bench.start(2205, ['AuthenticationMethods password,publickey']);
  });

  afterAll(async () => {
    for (const server of servers) server.close();
    execFileSync('ip', ['route', 'del', 'unreachable', UNREACHABLE]);
    await d?.close();
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
    [
      'a hang-up within the banner',
      'ssh_banned',
      async () => ({ host: '127.0.0.1', port: await serving((s) => s.end('SSH-2.0-Open')) }),
    ],
    [
      'a hang-up after one byte',
      'ssh_banned',
      async () => ({ host: '127.0.0.1', port: await serving((s) => s.end('S')) }),
    ],
    [
      'silence within the banner',
      'host_unreachable',
      async () => ({ host: '127.0.0.1', port: await serving((s) => s.write('SSH-2.')), loginTimeoutMs: 300 }),
    ],
    ['no common key exchange', 'ssh_protocol', () => ({ port: 2203 })],
    ['a second factor after the password', 'ssh_protocol', () => ({ port: 2205 })],
    ['an unknown key, nobody to confirm it', 'host_key_unconfirmed', () => ({ confirmHostKey: undefined })],
    ['an unknown key, refused', 'host_key_unconfirmed', () => ({ confirmHostKey: async () => false })],
    ['a wrong password', 'login_password_wrong', () => ({ auth: { kind: 'password', password: 'wrong' } })],
    ['an unknown user', 'login_password_wrong', () => ({ user: `${d.bench.tag}ghost` })],
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
      () => ({ ...as('noisy'), auth: d.keyAuth }),
      { fingerprint: 'key' },
    ],
    ['an expired password', 'login_password_expired', () => as('expired')],
    [
      'an expired password, asked interactively',
      'login_password_expired',
      () => ({ port: 2202, ...as('expired') }),
    ],
    ['the shell nologin', 'login_shell_nologin', () => as('nologin')],
    ['the shell false', 'login_shell_nologin', () => as('false')],
    ['a .bashrc that prints', 'login_shell_noisy', () => as('noisy'), { detail: '"Welcome to the lab"' }],
    ['a garbled key', 'key_not_a_key', () => ({ auth: { kind: 'key', privateKey: 'no key' } })],
    [
      'an agent that is not there',
      'agent_missing',
      () => ({ auth: { kind: 'agent', socket: join(d.bench.dir, 'nobody'), publicKey: d.key.publicKey } }),
    ],
  ];

  it.each(wrong)('%s is %s', async (_what, code, how, facts = {}) => {
    const more = await how();
    const error = await refusal(connect(d.options(more)));
    expect(error.code, String((error.cause as Error | undefined)?.message)).toBe(code);
    expect(error.message).not.toMatch(/unknown\)/);
    expect(error.nextAction).not.toMatch(/unknown\)/);
    expect(error.facts).toMatchObject('fingerprint' in facts ? { fingerprint: d.key.fingerprint } : facts);
  });

  it('a shell that ends before the command is an error of the shell', async () => {
    const error = await refusal(connect(d.options(as('quits'))));
    expect(['login_shell_noisy', 'login_shell_nologin']).toContain(error.code);
  });

  it('a wrong password reaches the box once', async () => {
    const daemon = await d.bench.start(2210, [
      'PasswordAuthentication yes',
      'KbdInteractiveAuthentication yes',
    ]);
    await refusal(connect(d.options({ port: 2210, auth: { kind: 'password', password: 'wrong' } })));
    await until('the log of the failure', () => daemon.log().includes('Failed password'));
    await daemon.stop();
    expect(daemon.log().match(/^Failed|maximum authentication/gm)).toHaveLength(1);
    expect(daemon.log()).not.toMatch(/keyboard-interactive/);
  });

  it('an abort ends a connect at once', async () => {
    const stop = new AbortController();
    const port = await serving(() => stop.abort(new Error('enough')));
    await expect(connect(d.options({ host: '127.0.0.1', port, signal: stop.signal }))).rejects.toThrow(
      'enough',
    );
    await expect(connect(d.options({ signal: stop.signal }))).rejects.toThrow('enough');
  });

  it('a box that is still starting says so', async () => {
    const text = 'System is booting up. Unprivileged users are not permitted to log in yet.';
    const prepare = `mount -t tmpfs tmpfs /run; mkdir /run/sshd; echo '${text}' >/run/nologin`;
    await d.bench.start(2214, [], { prepare });
    const error = await refusal(connect(d.options({ port: 2214, auth: d.keyAuth })));
    expect(error.code).toBe('box_starting');
    expect(error.message).toContain('booting up');
  });
});
