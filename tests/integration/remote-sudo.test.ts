/** Root on the box, uploads and control files, against a real sudo: where the password goes, and where it never goes. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../preload/contract/errors.ts';
import { connect, shellQuote, type Connection } from '../../main/remote/connection.ts';
import { confirm, requestCancel, writeSource } from '../../main/remote/control.ts';
import { KnownHosts } from '../../main/remote/hostkeys.ts';
import { generateKey, loadKey } from '../../main/remote/keyfiles.ts';
import { probeSudo, proveSudo, runAsRoot, type SudoWay } from '../../main/remote/sudo.ts';
import { upload } from '../../main/remote/upload.ts';
import { SshBench, refusal, whyNotSshd, type TestUser } from './sshd.ts';

const why = whyNotSshd();
const EVERY_BYTE = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 31) & 255));

const codeOf = async (promise: Promise<unknown>): Promise<ErrorCode> => (await refusal(promise)).code;

describe.runIf(why === null)(`root, uploads and control files${why ? ` (not run: ${why})` : ''}`, () => {
  let bench: SshBench;
  let small: string;
  const users: Record<string, TestUser> = {};
  const conns: Record<string, Connection> = {};
  const conn = (label: string): Connection => conns[label] as Connection;
  const password = (label: string): string => (users[label] as TestUser).password;
  const secret = (label: string) => ({ sudoPassword: password(label) });

  beforeAll(async () => {
    bench = new SshBench();
    small = bench.tmpfs('small', '64k');
    await bench.start(22);
    // Without sudo: a PATH with everything else the probes need.
    const tools = join(bench.dir, 'tools');
    mkdirSync(tools, { mode: 0o755 });
    for (const tool of ['env', 'id', 'sh', 'cat', 'true']) symlinkSync(`/usr/bin/${tool}`, join(tools, tool));
    await bench.start(2221, [`SetEnv PATH=${tools}`]);
    for (const label of ['asks', 'free', 'pty', 'tty', 'none', 'bare', 'one'])
      users[label] = bench.addUser(label);
    const name = (label: string) => (users[label] as TestUser).name;
    bench.sudoers(
      'rules',
      [
        `${name('asks')} ALL=(ALL:ALL) ALL`,
        `${name('free')} ALL=(ALL:ALL) NOPASSWD: ALL`,
        `Defaults:${name('pty')} use_pty, lecture=always`,
        `${name('pty')} ALL=(ALL:ALL) ALL`,
        `Defaults:${name('tty')} requiretty`,
        `${name('tty')} ALL=(ALL:ALL) ALL`,
        `Defaults:${name('bare')} secure_path=${tools}`,
        `${name('bare')} ALL=(ALL:ALL) ALL`,
        `${name('one')} ALL=(ALL:ALL) /usr/bin/true`,
        '',
      ].join('\n'),
    );
    const key = await generateKey(join(bench.dir, 'id'), { comment: 'test' });
    const { privateKey } = loadKey(join(bench.dir, 'id'));
    const knownHosts = new KnownHosts(join(bench.dir, 'known_hosts'));
    const open = (user: string, port = 22) => {
      bench.authorize(user, key.publicKey);
      const auth = { kind: 'key' as const, privateKey };
      return connect({ host: bench.host, port, user, auth, knownHosts, confirmHostKey: async () => true });
    };
    for (const label of Object.keys(users)) conns[label] = await open(name(label));
    conns['root'] = await open('root');
    conns['sudoless'] = await open(name('none'), 2221);
  });

  afterAll(async () => {
    for (const c of Object.values(conns)) c.close();
    await bench?.close();
  });

  it.each<[string, SudoWay]>([
    ['root', 'root'],
    ['free', 'passwordless'],
    ['asks', 'password'],
    ['pty', 'password'],
  ])('%s becomes root by: %s', async (label, way) => {
    expect(await probeSudo(conn(label))).toBe(way);
  });

  it.each(['root', 'free', 'asks', 'pty'])(
    '%s: input, output and status pass through untouched',
    async (label) => {
      const more = label in users ? secret(label) : {};
      const argv = ['sh', '-c', 'id -u >&2; cat; exit 5'];
      const run = await runAsRoot(conn(label), argv, { ...more, input: EVERY_BYTE });
      expect([run.code, run.stderr]).toEqual([5, '0\n']);
      expect(run.stdout.equals(EVERY_BYTE)).toBe(true);
      const silent = await runAsRoot(conn(label), ['cat'], more);
      expect([silent.code, silent.stdout.toString(), silent.stderr]).toEqual([0, '', '']);
    },
  );

  it.each(['free', 'asks'])(
    '%s: the password is in no argument, no environment and not on the stdin of the command',
    async (label) => {
      const look = 'cat; cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null';
      const run = await runAsRoot(conn(label), ['sh', '-c', look], {
        ...secret(label),
        input: 'the input\n',
      });
      expect(run.stdout.toString('latin1').startsWith('the input\n')).toBe(true);
      expect(run.stdout.toString('latin1')).toContain('LC_ALL=C');
      expect(run.stdout.includes(password(label))).toBe(false);
    },
  );

  it('arguments mean themselves', async () => {
    const words = ['a b', "it's", '$HOME', '`id`', '"', '\\', '*', '', 'ünï', '-n', 'two\nlines', ';', '~'];
    const run = await runAsRoot(conn('asks'), ['printf', '[%s]', ...words], secret('asks'));
    expect(run.stdout.toString()).toBe(words.map((w) => `[${w}]`).join(''));
    const plain = await conn('none').exec(shellQuote(['printf', '[%s]', ...words]));
    expect(plain.stdout.toString()).toBe(words.map((w) => `[${w}]`).join(''));
  });

  it.each<[string, ErrorCode, () => Promise<unknown>]>([
    [
      'a wrong password',
      'sudo_password_wrong',
      () => runAsRoot(conn('asks'), ['true'], { sudoPassword: 'wrong' }),
    ],
    [
      'a password of two lines',
      'sudo_password_wrong',
      () => runAsRoot(conn('asks'), ['true'], { sudoPassword: 'a\nb' }),
    ],
    ['no password where one is wanted', 'secret_missing', () => runAsRoot(conn('asks'), ['true'])],
    ['a user who may nothing', 'sudo_not_allowed', () => runAsRoot(conn('none'), ['true'], secret('none'))],
    [
      'a user who may run one command',
      'sudo_not_allowed',
      () => runAsRoot(conn('one'), ['id'], secret('one')),
    ],
    ['a sudo that wants a terminal', 'sudo_wants_tty', () => runAsRoot(conn('tty'), ['true'], secret('tty'))],
    ['a probe of that sudo', 'sudo_wants_tty', () => probeSudo(conn('tty'))],
    ['a box without sudo', 'sudo_missing', () => runAsRoot(conn('sudoless'), ['true'], secret('none'))],
    ['a probe of a box without sudo', 'sudo_missing', () => probeSudo(conn('sudoless'))],
    [
      'a box without python',
      'python_missing',
      () => runAsRoot(conn('bare'), ['python3', '-V'], secret('bare')),
    ],
    ['a proof with a wrong password', 'sudo_password_wrong', () => proveSudo(conn('asks'), 'wrong')],
    [
      'a proof by a user who may nothing',
      'sudo_not_allowed',
      () => proveSudo(conn('none'), password('none')),
    ],
    [
      'a command that does not end',
      'box_unreadable',
      () => runAsRoot(conn('free'), ['sleep', '30'], { timeoutMs: 300 }),
    ],
    [
      'more output than allowed',
      'box_unreadable',
      () => runAsRoot(conn('free'), ['cat', '/dev/zero'], { maxOutput: 10_000 }),
    ],
  ])('%s is %s', async (_what, code, act) => {
    expect(await codeOf(act())).toBe(code);
  });

  it('a wrong password is counted once by PAM', async () => {
    // faillock's tally is what a customer's lock-out policy reads; here the failures are counted from sudo's own log.
    const log = join(bench.dir, 'sudo.log');
    bench.sudoers('log', `Defaults:${(users['asks'] as TestUser).name} logfile=${log}\n`);
    expect(await codeOf(runAsRoot(conn('asks'), ['true'], { sudoPassword: 'wrong' }))).toBe(
      'sudo_password_wrong',
    );
    expect(readFileSync(log, 'utf8').match(/\d+ incorrect password attempts?/g)).toEqual([
      '1 incorrect password attempt',
    ]);
  });

  it('proves the password by asking anew', async () => {
    expect(await proveSudo(conn('asks'), password('asks'))).toBe('password');
    expect(await proveSudo(conn('free'), password('free'))).toBe('passwordless');
  });

  it('uploads whole files, once', async () => {
    const c = conn('none');
    const home = (users['none'] as TestUser).home;
    const first = await upload(c, EVERY_BYTE, '~/.cache/vault-cube/upload/a b', 0o600);
    const path = join(home, '.cache/vault-cube/upload/a b');
    expect(first).toEqual({ path, skipped: false });
    expect(readFileSync(path).equals(EVERY_BYTE)).toBe(true);
    expect(statSync(path).mode & 0o7777).toBe(0o600);
    expect(await upload(c, EVERY_BYTE, path, 0o640)).toEqual({ path, skipped: true });
    expect(statSync(path).mode & 0o7777).toBe(0o640);
    expect((await upload(c, Buffer.from('new'), path, 0o600)).skipped).toBe(false);
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect((await upload(c, Buffer.alloc(0), `${path}2`, 0o600)).skipped).toBe(false);
    // A link in the place of the file is replaced, not followed.
    writeFileSync(join(bench.dir, 'target'), 'untouched');
    rmSync(path);
    symlinkSync(join(bench.dir, 'target'), path);
    await upload(c, Buffer.from('new'), path, 0o600);
    expect(lstatSync(path).isFile()).toBe(true);
    expect(readFileSync(join(bench.dir, 'target'), 'utf8')).toBe('untouched');
    expect(readdirSync(join(home, '.cache/vault-cube/upload')).sort()).toEqual(['a b', 'a b2']);
  });

  it('an upload to a full or a closed folder fails with its reason and leaves nothing', async () => {
    expect(await codeOf(upload(conn('none'), EVERY_BYTE, `${small}/x`, 0o600))).toBe('box_disk_full');
    expect(readdirSync(small)).toEqual([]);
    expect(await codeOf(upload(conn('none'), EVERY_BYTE, '/root/x', 0o600))).toBe('box_unreadable');
  });

  it('writes control files for the runner', async () => {
    const dir = join(bench.dir, 'job');
    const gid = Number(execFileSync('id', ['-g', (users['none'] as TestUser).name], { encoding: 'utf8' }));
    mkdirSync(join(dir, 'control'), { recursive: true });
    execFileSync('chgrp', [String(gid), join(dir, 'control')]);
    chmodSync(join(dir, 'control'), 0o2770);
    const c = conn('none');
    await requestCancel(c, dir);
    await requestCancel(c, dir);
    await confirm(c, dir);
    await writeSource(c, dir, { port: 1, token: 'first' });
    await writeSource(c, dir, { port: 40123, token: 'to-ken' });
    const control = (name: string) => join(dir, 'control', name);
    expect(readdirSync(join(dir, 'control')).sort()).toEqual(['cancel', 'confirm', 'source.json']);
    expect(JSON.parse(readFileSync(control('source.json'), 'utf8'))).toEqual({
      port: 40123,
      token: 'to-ken',
    });
    expect(statSync(control('source.json')).mode & 0o777).toBe(0o640);
    expect(statSync(control('cancel')).size).toBe(0);
    expect(await codeOf(requestCancel(c, '/root/nowhere'))).toBe('box_unreadable');
  });
});
