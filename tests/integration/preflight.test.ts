/** Gathering facts and setting the clock over a real sshd and a real sudo. Only the box's clock itself is a stand-in. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type Connection } from '../../main/remote/connection.ts';
import { KnownHosts } from '../../main/remote/hostkeys.ts';
import { generateKey, loadKey } from '../../main/remote/keyfiles.ts';
import { probeSudo, type SudoWay } from '../../main/remote/sudo.ts';
import { identityOf, readFacts, sameIdentity, setClock } from '../../main/services/preflight.ts';
import { SshBench, refusal, whyNotSshd, type TestUser } from './sshd.ts';

const why = whyNotSshd();
const FACTS = readFileSync('resources/box/vcbox/facts.py', 'utf8');
const PYTHON = '/usr/bin/python3';

/**
 * A python3 whose wall clock is wrong by what a file says, and can be set: it runs the program that it is given, as python3
 * would, after exchanging the clock and hwclock. The machine's own clock is never touched.
 */
const WRONG_CLOCK = (offset: string, hwclock: string) => `#!${PYTHON} -I
import shutil, sys, time
OFFSET, now = ${JSON.stringify(offset)}, time.time
def read():
    with open(OFFSET) as f:
        return float(f.read())
def settime(clock, value):
    assert clock == time.CLOCK_REALTIME
    with open(OFFSET, "w") as f:
        f.write(str(value - now()))
time.time = lambda: now() + read()
time.clock_settime = settime
shutil.which = lambda name, path=None: ${JSON.stringify(hwclock)}
kind, rest = sys.argv[2], sys.argv[3:]
program = sys.stdin.read() if kind == "-" else rest.pop(0)
sys.argv = [kind, *rest]
exec(program, {"__name__": "__main__"})
`;

describe.runIf(why === null)(`preflight over SSH${why ? ` (not run: ${why})` : ''}`, () => {
  let bench: SshBench;
  let offset: string;
  const users: Record<string, TestUser> = {};
  const conns: Record<string, Connection> = {};
  const conn = (label: string): Connection => conns[label] as Connection;
  const password = (label: string): string => (users[label] as TestUser).password;

  /** A folder of programs, as a PATH. */
  const tools = (label: string, linked: readonly string[], written: Record<string, string> = {}): string => {
    const dir = join(bench.dir, label);
    mkdirSync(dir, { mode: 0o755 });
    for (const name of linked) symlinkSync(`/usr/bin/${name}`, join(dir, name));
    for (const [name, text] of Object.entries(written)) {
      writeFileSync(join(dir, name), text);
      chmodSync(join(dir, name), 0o755);
    }
    return dir;
  };

  beforeAll(async () => {
    bench = new SshBench();
    offset = join(bench.dir, 'offset');
    writeFileSync(offset, '-7200');
    const basic = ['env', 'id', 'sh', 'cat', 'sudo'];
    const rtc = tools('rtc', [], { hwclock: `#!/bin/sh\necho "$@" >${bench.dir}/rtc-set\n` });
    const noRtc = tools('no-rtc', [], { hwclock: '#!/bin/sh\necho "no RTC here" >&2\nexit 1\n' });
    const bare = tools('bare', basic);
    const wrong = tools('wrong', basic, { python3: WRONG_CLOCK(offset, `${rtc}/hwclock`) });
    const container = tools('container', basic, { python3: WRONG_CLOCK(offset, `${noRtc}/hwclock`) });
    const locked = tools('locked', basic, {
      python3: `#!/bin/sh\nexec setpriv --bounding-set=-sys_time ${PYTHON} "$@"\n`,
    });
    await bench.start(22);
    await bench.start(2221, [`SetEnv PATH=${bare}`]);
    await bench.start(2222, [`SetEnv PATH=${wrong}`]);
    for (const label of ['asks', 'free', 'none', 'wrong', 'container', 'locked'])
      users[label] = bench.addUser(label);
    const name = (label: string) => (users[label] as TestUser).name;
    bench.sudoers(
      'rules',
      [
        `${name('asks')} ALL=(ALL:ALL) ALL`,
        ...['free', 'wrong', 'container', 'locked'].map((u) => `${name(u)} ALL=(ALL:ALL) NOPASSWD: ALL`),
        `Defaults:${name('wrong')} secure_path=${wrong}`,
        `Defaults:${name('container')} secure_path=${container}`,
        `Defaults:${name('locked')} secure_path=${locked}:/usr/bin`,
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
    for (const label of ['asks', 'free', 'none', 'locked']) conns[label] = await open(name(label));
    for (const label of ['wrong', 'container']) conns[label] = await open(name(label), 2222);
    conns['root'] = await open('root');
    conns['bare'] = await open(name('none'), 2221);
  });

  afterAll(async () => {
    for (const c of Object.values(conns)) c.close();
    await bench?.close();
  });

  const sudo = async (label: string) => ({
    way: await probeSudo(conn(label)),
    password: users[label]?.password,
  });

  it.each<[string, SudoWay]>([
    ['root', 'root'],
    ['free', 'passwordless'],
    ['asks', 'password'],
  ])('%s: read as user and as root (%s)', async (label, way) => {
    const reading = await readFacts(conn(label), FACTS, await sudo(label));
    expect(reading).toMatchObject({ sudoWay: way, noRootReason: null });
    expect(reading.asRoot?.root).toBe(true);
    expect(reading.asUser.root).toBe(way === 'root');
    expect(reading.facts.root).toBe(true);
    expect(reading.facts.kernel).toBe(execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim());
    // Laptop and box are one machine here.
    expect(Math.abs(reading.skewSeconds)).toBeLessThanOrEqual(reading.uncertaintySeconds + 0.01);
    expect(reading.uncertaintySeconds).toBeGreaterThan(0);
  });

  it('is the same box for each of them', async () => {
    const [a, b] = await Promise.all(
      ['asks', 'root'].map(async (u) => readFacts(conn(u), FACTS, await sudo(u))),
    );
    const identity = (r: typeof a) => identityOf((r as NonNullable<typeof a>).facts);
    expect(sameIdentity(identity(a), identity(b))).toMatchObject({ same: true });
  });

  it.each<[string, string, { way: SudoWay; password?: string }, string, SudoWay]>([
    ['no password given', 'asks', { way: 'password' }, 'none was given', 'password'],
    ['known not to be allowed', 'none', { way: 'none' }, 'may not use sudo', 'none'],
    ['refused by sudo', 'none', { way: 'password', password: 'right' }, 'does not let', 'none'],
    ['asked against the probe', 'asks', { way: 'passwordless' }, 'none was given', 'password'],
  ])('only as user: %s', async (_, label, given, reason, way) => {
    const own = given.password === 'right' ? { ...given, password: password(label) } : given;
    const reading = await readFacts(conn(label), FACTS, own);
    expect(reading).toMatchObject({ asRoot: null, sudoWay: way });
    expect(reading.noRootReason).toContain(reason);
    expect(reading.facts).toEqual(reading.asUser);
  });

  it('a wrong sudo password is told, not swallowed', async () => {
    const given = { way: 'password', password: 'wrong' } as const;
    expect((await refusal(readFacts(conn('asks'), FACTS, given))).code).toBe('sudo_password_wrong');
  });

  it('a box without python3 says so', async () => {
    expect((await refusal(readFacts(conn('bare'), FACTS, { way: 'none' }))).code).toBe('python_missing');
  });

  it.each([
    ['print("hello")', /not JSON/],
    ['print("{}")', /its facts: .*root/],
    ['raise SystemExit("broken")', /status 1: broken/],
  ])('an answer that is not the facts: %s', async (program, detail) => {
    const error = await refusal(readFacts(conn('none'), program, { way: 'none' }));
    expect(error.code).toBe('box_unreadable');
    expect(error.message).toMatch(detail);
  });

  it('measures a wrong clock, sets it and the RTC', async () => {
    const before = await readFacts(conn('wrong'), FACTS, { way: 'none' });
    expect(before.skewSeconds).toBeCloseTo(-7200, 0);
    const set = await setClock(conn('wrong'), undefined);
    expect(set).toMatchObject({ rtc: true, rtcReason: null });
    expect(set.before - Date.now() / 1000).toBeCloseTo(-7200, -1);
    expect(Math.abs(set.after - Date.now() / 1000)).toBeLessThan(2);
    expect(Math.abs(Number(readFileSync(offset, 'utf8')))).toBeLessThan(1);
    expect(readFileSync(join(bench.dir, 'rtc-set'), 'utf8')).toBe('--systohc\n');
  });

  it('an RTC that cannot be set is told with its reason', async () => {
    writeFileSync(offset, '3600');
    expect(await setClock(conn('container'), undefined)).toMatchObject({
      rtc: false,
      rtcReason: 'no RTC here',
    });
  });

  it('a clock that not even root may set is an error, and stays as it was', async () => {
    const error = await refusal(setClock(conn('locked'), undefined));
    expect(error.code).toBe('clock_not_set');
    expect(error.message).toMatch(/may set it there: .*Operation not permitted/);
  });
});
