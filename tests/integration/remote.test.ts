/** What a connection to a real sshd does: host keys, logins, commands, forwards, and how it notices a dead link. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AppError } from '../../preload/contract/errors.ts';
import { connect, type Auth } from '../../main/remote/connection.ts';
import { agentKeys, chooseAgentKey, generateKey } from '../../main/remote/keyfiles.ts';
import { Cutter } from './cutter.ts';
import { Dialling } from './dialling.ts';
import { refusal, until, whyNotSshd } from './sshd.ts';

const why = whyNotSshd();

describe.runIf(why === null)(`connection to a real sshd${why ? ` (not run: ${why})` : ''}`, () => {
  let d: Dialling;
  let agent: ChildProcess;

  beforeAll(async () => {
    d = await Dialling.open();
    await d.bench.start(2202, ['PasswordAuthentication no', 'KbdInteractiveAuthentication yes']);
    await d.bench.start(2204, ['MaxAuthTries 1']);
  });

  afterAll(async () => {
    agent?.kill();
    await d?.close();
  });

  it('asks about an unknown key once, pins it privately, and recognises it', async () => {
    const known = d.knownHosts();
    const asked: unknown[] = [];
    const more = { knownHosts: known, confirmHostKey: async (k: unknown) => (asked.push(k), true) };
    await d.with(more, async (c) => expect(c.hostKey.fingerprint).toBe(d.bench.hostFingerprint()));
    await d.with(more, async (c) => expect((await c.exec('true')).code).toBe(0));
    expect(asked).toEqual([
      { host: d.bench.host, algorithm: 'ssh-ed25519', fingerprint: d.bench.hostFingerprint() },
    ]);
    expect(statSync(known.path).mode & 0o777).toBe(0o600);
    // OpenSSH itself reads the file and finds the key.
    expect(
      execFileSync('ssh-keygen', ['-F', d.bench.host, '-f', known.path], { encoding: 'utf8' }),
    ).toContain('ssh-ed25519');
  });

  it('uses the pinned algorithm where the box has several keys', async () => {
    const known = d.knownHosts();
    const rsa = readFileSync(join(d.bench.dir, 'host_rsa.pub'), 'utf8').split(' ')[1] ?? '';
    known.pin('box-1', 22, Buffer.from(rsa, 'base64'));
    await d.with({ knownHosts: known, hostKeyName: 'box-1', confirmHostKey: undefined }, async (c) => {
      expect(c.hostKey).toMatchObject({ algorithm: 'ssh-rsa', fingerprint: d.bench.hostFingerprint('rsa') });
    });
  });

  it('a changed host key stops before any login', async () => {
    const known = d.knownHosts();
    const daemon = await d.bench.start(2211);
    await d.with({ port: 2211, knownHosts: known }, async () => undefined);
    const before = d.bench.hostFingerprint();
    await daemon.stop();
    d.bench.newHostKey('changed', 'ed25519');
    const other = await d.bench.start(2211, [], { hostKeys: ['changed'] });
    const error = await refusal(connect(d.options({ port: 2211, knownHosts: known })));
    expect(error.code).toBe('host_key_changed');
    expect(error.facts).toMatchObject({ pinned: before, fingerprint: d.bench.hostFingerprint('changed') });
    await other.stop();
    expect(other.log()).not.toMatch(new RegExp(d.user.name));
  });

  it('a person may take longer than the server waits', async () => {
    await d.bench.start(2212, ['LoginGraceTime 1']);
    const known = d.knownHosts();
    let dropped = false;
    const confirmHostKey = async () => {
      expect(d.bench.open(2212)).toBe(1);
      await until('the drop', () => d.bench.open(2212) === 0);
      dropped = true;
      return true;
    };
    await d.with({ port: 2212, knownHosts: known, confirmHostKey }, async (c) => expect(c.alive).toBe(true));
    expect(dropped).toBe(true);
  });

  it('a link that ends in the moment of the answer is dialled again, once', async () => {
    const cutter = await Cutter.open(d.bench.host, 22, () => null);
    const asked: unknown[] = [];
    const confirmHostKey = async (k: unknown) => {
      asked.push(k);
      cutter.cutAll();
      return true;
    };
    try {
      const more = { host: '127.0.0.1', port: cutter.port, confirmHostKey };
      await d.with(more, async (c) => expect((await c.exec('true')).code).toBe(0));
      expect([asked.length, cutter.connections]).toEqual([1, 2]);
    } finally {
      cutter.close();
    }
  });

  it('logs in by keyboard-interactive and by key', async () => {
    await d.with({ port: 2202 }, async (c) =>
      expect((await c.exec('id -un')).stdout.toString().trim()).toBe(d.user.name),
    );
    await d.with({ auth: d.keyAuth }, async (c) => expect(c.uid).toBeGreaterThan(0));
    await d.with({ user: 'root', auth: d.keyAuth }, async (c) => expect(c.uid).toBe(0));
  });

  it('offers one key of an agent, however many it holds', async () => {
    const socket = join(d.bench.dir, 'agent');
    await generateKey(join(d.bench.dir, 'other'), { comment: 'other key' });
    agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    const add = (name: string) =>
      execFileSync('ssh-add', ['-q', join(d.bench.dir, name)], {
        env: { SSH_AUTH_SOCK: socket },
        stdio: 'pipe',
      });
    const held = () =>
      agentKeys(socket).then(
        () => 'keys',
        (e: AppError) => e.code,
      );
    await until('the agent', async () => (await held()) === 'agent_empty');
    expect((await refusal(chooseAgentKey(socket))).code).toBe('agent_empty');
    add('other');
    expect((await chooseAgentKey(socket)).comment).toBe('other key');
    expect((await refusal(chooseAgentKey(socket, d.key.fingerprint))).code).toBe('agent_empty');
    add('id');
    // The agent's first key would be refused; only the named one is offered, so one try is enough.
    const auth: Auth = { kind: 'agent', socket: socket, publicKey: d.key.publicKey };
    await d.with({ port: 2204, auth }, async (c) => expect(c.alive).toBe(true));
    const ambiguous = await refusal(chooseAgentKey(socket));
    expect(ambiguous.code).toBe('agent_ambiguous');
    expect(ambiguous.message).toContain(d.key.fingerprint);
    expect((await chooseAgentKey(socket, d.key.fingerprint)).comment).toBe('test key');
  });

  it('runs commands with any bytes in and out', async () => {
    const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7919) & 255));
    await d.with({}, async (c) => {
      const run = await c.exec('cat; echo oops >&2; exit 3', { stdin: bytes });
      expect([run.code, run.signal, run.stderr]).toEqual([3, null, 'oops\n']);
      expect(run.stdout.equals(bytes)).toBe(true);
      expect(await c.exec('kill -TERM $$')).toMatchObject({ code: null, signal: 'SIGTERM' });
      expect((await refusal(c.exec('sleep 30', { timeoutMs: 200 }))).code).toBe('box_unreadable');
      expect((await refusal(c.exec('cat /dev/zero', { maxOutput: 10_000 }))).code).toBe('box_unreadable');
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
    await d.with({}, async (c) => {
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
    await d.bench.start(2213, ['AllowTcpForwarding no']);
    await d.with({ port: 2213 }, async (c) => {
      expect((await refusal(c.reverseForward(() => undefined))).code).toBe('box_unreadable');
    });
  });

  it('notices a dead link within about 3 s, and not one that is only busy', async () => {
    await d.with({}, async (c) => {
      const ended = new Promise<AppError | null>((resolve) => c.onClose(resolve));
      const pending = refusal(c.exec('sleep 60'));
      // Its session is open before the cable goes.
      await c.exec('true');
      d.bench.cable(false);
      const cut = performance.now();
      const noticed = ended.then(() => performance.now() - cut);
      const error = await ended;
      await d.bench.plugIn(d.usual);
      expect(await noticed).toBeLessThan(3_600);
      expect(error?.code).toBe('link_lost');
      expect(c.alive).toBe(false);
      expect((await pending).code).toBe('link_lost');
      expect((await refusal(c.exec('true'))).code).toBe('link_lost');
    });
    // An idle connection, and one whose box reads nothing for longer than three keepalives, both stay.
    await d.with({ keepaliveMs: 200 }, async (c) => {
      const stream = await c.stream('sleep 2; cat >/dev/null');
      stream.stdout.resume();
      stream.stderr.resume();
      stream.stdin.end(Buffer.alloc(8_000_000));
      expect(await stream.exit).toEqual({ code: 0, signal: null });
      expect(c.alive).toBe(true);
    });
  });
});
