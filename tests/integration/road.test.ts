/**
 * The road from a first password login to a report, on one rig box that starts with nothing but a user with a password:
 * each command as an engineer types it, then looks of our own at the box that trust neither Ansible nor the app.
 */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RigBox, whyNoRig } from '../rig/box.ts';
import { until } from '../rig/host.ts';
import { eventsOf, Laptop, type Ended } from './cli.ts';
import { boxFilesWith, filesWith, ProcessWatch } from './secrets.ts';

const why = whyNoRig();
const NEW_PASSWORD = 'new Sudo-passw0rd ünïcode';
const PASSPHRASE = 'Passphrase of-the key 7';

const exit = ({ code, last, stderr }: Ended) => ({ code, last, stderr });

describe.runIf(why === null)(`the road${why ? ` (not run: ${why})` : ''}`, () => {
  let box: RigBox;
  let laptop: Laptop;
  let out: string;
  let watch: ProcessWatch;
  const printed: string[] = [];
  const name = 'VC-RIG';

  beforeAll(async () => {
    box = await RigBox.start();
    laptop = new Laptop();
    laptop.secrets = {
      loginPassword: box.password,
      newSudoPassword: NEW_PASSWORD,
      passphrase: PASSPHRASE,
    };
    laptop.onEnded = ({ records, stderr }) => printed.push(JSON.stringify(records), stderr);
    watch = new ProcessWatch([box.password, NEW_PASSWORD, PASSPHRASE]);
    watch.start();
    out = mkdtempSync(join(tmpdir(), 'vault-cube-report-'));
  });

  afterAll(async () => {
    watch?.stop();
    await box?.stop();
    laptop?.remove();
    if (out) rmSync(out, { recursive: true, force: true });
  });

  const inspectArgs = () => [
    'inspect',
    ...['--box', name, '--host', box.host, '--port', String(box.port), '--user', box.user],
    ...['--profile', 'two-h100'],
  ];

  it('inspect stops at an unknown host key and names its fingerprint', async () => {
    const ended = await laptop.run(...inspectArgs());
    expect(exit(ended)).toMatchObject({ code: 3, last: { type: 'error', code: 'host_key_unconfirmed' } });
    expect(ended.last['message']).toContain(box.fingerprint());
    expect((await laptop.run('boxes')).last).toMatchObject({ boxes: [] });
  });

  it('inspect pins the confirmed key and compares the box with its profile', async () => {
    const ended = await laptop.run(...inspectArgs(), '--accept-host-key', box.fingerprint());
    expect(ended.last['type'], JSON.stringify(exit(ended))).toBe('result');
    // The rig has no cards on its bus, and runs the stand-in OS: expected there, and named as deviations.
    expect(exit(ended)).toMatchObject({ code: 10, last: { outcome: 'passed_with_deviations' } });
    const checks = eventsOf(ended.records).filter((e) => e['kind'] === 'check');
    expect(checks.length).toBeGreaterThan(20);
    expect(eventsOf(ended.records).filter((e) => e['kind'] === 'facts')).toMatchObject([
      { evidence: 'stand-in' },
    ]);
    const pinned = readFileSync(join(laptop.home, 'known_hosts'), 'utf8');
    expect(pinned).toMatch(/^vc-rig ssh-ed25519 AAAA/m);
  });

  it('keys makes a key and vaultadmin, proves both, and says that UID 1000 is taken before it changes anything', async () => {
    const before = await box.run(['sh', '-c', 'cat /etc/passwd /etc/group /etc/shadow | sha256sum']);
    const refused = await laptop.run('keys', '--generate', '--passphrase');
    expect(exit(refused)).toMatchObject({ code: 5, last: { code: 'uid_taken' } });
    const after = await box.run(['sh', '-c', 'cat /etc/passwd /etc/group /etc/shadow | sha256sum']);
    expect(after.stdout).toBe(before.stdout);

    const key = join(laptop.home, 'keys', `${name}-ed25519`);
    const ended = await laptop.run('keys', '--key', key, '--uid', 'keep');
    expect(exit(ended)).toMatchObject({
      code: 10,
      last: { type: 'result', outcome: 'passed_with_deviations' },
    });
    expect(statSync(key).mode & 0o777).toBe(0o600);
    const id = (await box.run(['id', 'vaultadmin'])).stdout;
    expect(id).toMatch(/\(sudo\).*\(vaultcube\)|\(vaultcube\).*\(sudo\)/);
    expect((await box.run(['passwd', '-S', 'vaultadmin'])).stdout).toMatch(/^vaultadmin P /);
  });

  it('keys a second time changes nothing', async () => {
    const look = 'cat /etc/passwd /etc/group /etc/shadow /home/vaultadmin/.ssh/authorized_keys | sha256sum';
    const before = await box.run(['sh', '-c', look]);
    laptop.secrets = { sudoPassword: NEW_PASSWORD, passphrase: PASSPHRASE };
    const ended = await laptop.run(
      'keys',
      '--key',
      join(laptop.home, 'keys', `${name}-ed25519`),
      '--uid',
      'keep',
    );
    expect(exit(ended)).toMatchObject({ code: 10, last: { type: 'result' } });
    expect((await box.run(['sh', '-c', look])).stdout).toBe(before.stdout);
  });

  it('provision puts L0 and L1 on the box', async () => {
    const ended = await laptop.run('provision', '--layers', '0,1', '--bundle', box.bundle);
    expect(exit(ended)).toMatchObject({
      code: 10,
      last: { type: 'result', outcome: 'passed_with_deviations' },
    });
    const events = eventsOf(ended.records);
    expect(events.filter((e) => e['kind'] === 'task' && e['state'] === 'changed').length).toBeGreaterThan(10);
    expect(events.filter((e) => e['kind'] === 'finished').map((e) => e['outcome'])).toEqual(
      Array.from({ length: 7 }, () => 'passed'),
    );
    const verdicts = events
      .filter((e) => e['kind'] === 'check')
      .map((e) => e['check'] as { verdict: string });
    expect(verdicts.filter((c) => !['pass', 'not_supported'].includes(c.verdict))).toEqual([]);
  });

  it('provision a second time changes nothing', async () => {
    const ended = await laptop.run('provision', '--layers', '0,1', '--bundle', box.bundle);
    expect(exit(ended)).toMatchObject({ code: 10 });
    const changed = eventsOf(ended.records).filter((e) => e['kind'] === 'task' && e['state'] === 'changed');
    expect(changed.map((e) => e['name'])).toEqual([]);
    const counts = eventsOf(ended.records).filter((e) => e['kind'] === 'finished');
    expect(counts.map((e) => (e['counts'] as { changed: number }).changed)).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });

  it('the ban comes after five failures and goes', async () => {
    const key = join(laptop.home, 'keys', 'stranger');
    await box.inLaptop(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key]);
    const known = [
      '-o',
      'StrictHostKeyChecking=no',
      '-o',
      'UserKnownHostsFile=/dev/null',
      '-o',
      'BatchMode=yes',
    ];
    const knock = () =>
      box.inStranger([
        // The one that is banned in its middle would wait for sshd's grace time, and the ban would be over when it is looked for.
        ...['timeout', '5', 'ssh'],
        ...known,
        ...['-o', 'ConnectTimeout=3', '-o', 'IdentitiesOnly=yes', '-i', key],
        `nobody-here@${box.host}`,
        'true',
      ]);
    const banned = async () =>
      /Banned IP list:\s+\S/.test((await box.run(['fail2ban-client', 'status', 'sshd'])).stdout);
    // Ten minutes on a customer's box; here it is to be seen going.
    await box.run(['fail2ban-client', 'set', 'sshd', 'bantime', '25']);
    let knocks = 0;
    while (!(await banned()) && knocks < 15) {
      await knock();
      knocks += 1;
    }
    expect(await banned()).toBe(true);
    expect(knocks).toBeGreaterThanOrEqual(5);
    expect((await knock()).stderr).toMatch(/refused|timed out|No route/i);
    // The laptop is another address, and works on.
    expect((await laptop.run('link-test', '--count', '3', '--rate', '50')).code).toBe(0);
    await until('the end of the ban', async () => !(await banned()), 60_000);
    await box.run(['fail2ban-client', 'set', 'sshd', 'bantime', '600']);
    expect((await knock()).stderr).toMatch(/Permission denied/);
  });

  const keyFile = () => join(laptop.home, 'keys', `${name}-ed25519`);
  const openCopy = async (path: string) => {
    if (existsSync(path)) return;
    copyFileSync(keyFile(), path);
    await box.inLaptop(['ssh-keygen', '-q', '-p', '-P', PASSPHRASE, '-N', '', '-f', path]);
  };

  // From addresses of their own: what was refused before, the ban's knocks too, is counted by address.
  it.each([
    [
      0,
      'password',
      ['-o', 'PreferredAuthentications=password', '-o', 'PubkeyAuthentication=no'],
      'vaultadmin',
    ],
    [
      1,
      'keyboard-interactive',
      ['-o', 'PreferredAuthentications=keyboard-interactive', '-o', 'PubkeyAuthentication=no'],
      'vaultadmin',
    ],
    [2, 'root', [], 'root'],
    [2, 'the first user', [], 'installer'],
  ])('sshd refuses, stranger %i: %s', async (stranger, _what, options, user) => {
    // A copy without passphrase, so that ssh really offers the key.
    const key = join(out, 'open-key');
    await openCopy(key);
    const known = [
      '-o',
      'StrictHostKeyChecking=no',
      '-o',
      'UserKnownHostsFile=/dev/null',
      '-o',
      'BatchMode=yes',
    ];
    const ssh = [
      'ssh',
      ...known,
      '-o',
      'IdentitiesOnly=yes',
      '-i',
      key,
      ...options,
      '-b',
      box.strangers[stranger] ?? '',
      `${user}@${box.host}`,
      'true',
    ];
    const ended = await box.inStranger(ssh);
    expect(ended.code).toBe(255);
    expect(ended.stderr).toMatch(/Permission denied \(publickey\)/);
  });

  it('sshd, ufw, fail2ban, docker and apt say the same', async () => {
    const sshd = (await box.run(['sshd', '-T'])).stdout;
    for (const line of [
      'permitrootlogin no',
      'passwordauthentication no',
      'kbdinteractiveauthentication no',
      'pubkeyauthentication yes',
      'allowusers vaultadmin',
      'port 22',
    ])
      expect(sshd.split('\n')).toContain(line);
    expect((await box.run(['ufw', 'status', 'verbose'])).stdout).toMatch(
      /Status: active[\s\S]*Default: deny \(incoming\), allow \(outgoing\)/,
    );
    expect((await box.run(['fail2ban-client', 'get', 'sshd', 'maxretry'])).stdout.trim()).toBe('5');
    expect((await box.run(['fail2ban-client', 'get', 'sshd', 'bantime'])).stdout.trim()).toBe('600');
    expect((await box.run(['passwd', '-S', 'root'])).stdout).toMatch(/^root L /);
    expect((await box.run(['docker', 'info', '--format', '{{.ServerVersion}}'])).stdout.trim()).toMatch(
      /^\d+\./,
    );
    const apt = (await box.run(['apt-config', 'dump'])).stdout;
    expect(apt).toContain('Unattended-Upgrade::Automatic-Reboot "false"');
    expect(apt).toContain('APT::Periodic::Unattended-Upgrade "1"');
  });

  it('only port 22 is open from outside, and a published container port is not reachable', async () => {
    const image = (await box.run(['docker', 'image', 'ls', '-q'])).stdout.trim().split('\n')[0] ?? '';
    expect(image).not.toBe('');
    const run = await box.run([
      'docker',
      'run',
      '-d',
      '-p',
      '8080:8080',
      image,
      'httpd',
      '-f',
      '-p',
      '8080',
      '-h',
      '/',
    ]);
    expect(run.code, run.stderr).toBe(0);
    const open = async (port: number) =>
      (await box.inStranger(['timeout', '1', 'bash', '-c', `exec 3<>/dev/tcp/${box.host}/${port}`])).code ===
      0;
    // The control: the container does answer, to the box itself.
    const own = await box.run([
      'bash',
      '-c',
      'for i in $(seq 50); do (exec 3<>/dev/tcp/127.0.0.1/8080) 2>/dev/null && exit 0; read -t 0.1 < <(:); done; exit 1',
    ]);
    expect(own.code).toBe(0);
    const ports = [21, 22, 23, 25, 80, 111, 443, 3000, 5355, 8080];
    const found: number[] = [];
    for (const port of ports) if (await open(port)) found.push(port);
    expect(found).toEqual([22]);
    await box.run(['docker', 'rm', '-f', run.stdout.trim()]);
  });

  it('validate runs T1 with telemetry into the journal', async () => {
    const ended = await laptop.run('validate', '--suites', 'gpu-detection', '--watch', '3');
    expect(ended.last['type'], JSON.stringify(exit(ended))).toBe('result');
    const events = eventsOf(ended.records);
    expect(events.filter((e) => e['kind'] === 'samples').length).toBeGreaterThan(0);
    expect(new Set(events.map((e) => e['evidence']))).toEqual(new Set(['stand-in']));
    const verdicts = events
      .filter((e) => e['kind'] === 'check')
      .map((e) => e['check'] as { id: string; verdict: string });
    expect(verdicts.find((c) => c.id === 'gpu_name')?.verdict).toBe('pass');
  });

  it('no secret is in a command line, an environment, a file, a log or an answer', async () => {
    const processes = watch.stop();
    expect(watch.looks).toBeGreaterThan(10_000);
    const body = readFileSync(join(out, 'open-key'), 'latin1').split('\n').slice(2, 4);
    const secrets = [box.password, NEW_PASSWORD, PASSPHRASE, ...body];
    // The control: the copy that this test made holds the key, and is found.
    expect(await filesWith(out, secrets)).toEqual([join(out, 'open-key')]);
    // ssh-keygen was given the passphrase by this test, as an argument.
    expect(processes.filter((p) => !p.includes('ssh-keygen'))).toEqual([]);
    expect(await filesWith(laptop.home, secrets)).toEqual([]);
    expect(await boxFilesWith(box, secrets)).toEqual([]);
    const all = printed.join('\n');
    expect(all.length).toBeGreaterThan(100_000);
    expect(secrets.filter((secret) => all.includes(secret))).toEqual([]);
  });

  it('verify follows every hash chain, and report works with the box off', async () => {
    await box.powerCut();
    expect((await laptop.run('verify')).code).toBe(0);
    const made = await laptop.run('report', '--out', out);
    expect(exit(made)).toMatchObject({ code: 0, last: { type: 'result' } });
    const html = readFileSync(String(made.last['html']), 'utf8');
    expect(existsSync(String(made.last['json']))).toBe(true);
    expect(html).toContain('STAND-IN');
    expect(html).not.toMatch(/(?:src|href)="?https?:/);
    const status = await laptop.run('status');
    expect(status.last['outcome']).toBe(made.last['outcome']);
  });
});
