/** The rig itself: what other tests stand on has to be what it says it is. */
import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { Client } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bundle } from '../../main/services/bundle.ts';
import { RigBox, whyNoRig } from '../rig/box.ts';
import { ROOT, until } from '../rig/host.ts';
import { cleanUp, leftovers, namesOf } from '../rig/resources.ts';

const why = whyNoRig();
const FIXTURES = join(ROOT, 'tests/fixtures/nvidia-smi-2xh100');
/** From nothing but the built root to a login prompt. One to two seconds on two idle cores; others may be at work beside it. */
const START_MS = 30_000;

interface Login {
  client: Client;
  fingerprint: string;
  /** Runs a command; resolves to its exit code and stdout. */
  exec(command: string, input?: string): Promise<{ code: number | null; out: string }>;
}

async function login(box: RigBox, password = box.password): Promise<Login> {
  const client = new Client();
  let fingerprint = '';
  const ready = once(client, 'ready');
  client.connect({
    host: box.host,
    port: box.port,
    username: box.user,
    password,
    hostVerifier: (key: Buffer) => {
      fingerprint = `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
      return true;
    },
    algorithms: { serverHostKey: ['ssh-ed25519'] },
  });
  await ready;
  return {
    client,
    fingerprint,
    exec: (command, input = '') =>
      new Promise((resolve, reject) => {
        client.exec(command, (error, channel) => {
          if (error) {
            reject(error);
            return;
          }
          let code: number | null = null;
          channel.on('exit', (status: number | null) => (code = status));
          channel.stderr.resume();
          channel.on('close', () => void out.then((o) => resolve({ code, out: o }), reject));
          const out = text(channel);
          channel.end(input);
        });
      }),
  };
}

describe.runIf(why === null)(`the rig${why ? ` (not run: ${why})` : ''}`, () => {
  let box: RigBox;
  let rootOnly: RigBox;

  beforeAll(async () => {
    // Two at once: each must get an address, a name and control groups of its own.
    [box, rootOnly] = await Promise.all([RigBox.start(), RigBox.start({ variant: 'root-only', port: 2222 })]);
  });

  afterAll(async () => {
    await Promise.all([box?.stop(), rootOnly?.stop()]);
  });

  const out = async (script: string): Promise<string> => {
    const done = await box.sh(script);
    expect(done, script).toMatchObject({ code: 0 });
    return done.stdout.trim();
  };

  it('is a healthy Debian system that says it is a stand-in', async () => {
    expect(await out('systemctl is-system-running --wait')).toBe('running');
    expect(await out('. /etc/os-release; echo $ID $VERSION_ID')).toBe('debian 13');
    expect(await out('cat /etc/vault-cube/evidence')).toBe('stand-in');
    // Nothing that layers 0 and 1 are there to bring.
    const installed = (await out("dpkg-query -W -f '${Package}\n'")).split('\n');
    for (const name of ['ufw', 'docker.io', 'fail2ban', 'python3-apt', 'build-essential', 'git', 'curl']) {
      expect(installed).not.toContain(name);
    }
    expect(installed).toContain('openssh-server');
  });

  it('lets its first user in over SSH, who may use sudo with the password and not without', async () => {
    const session = await login(box);
    expect(session.fingerprint).toBe(box.fingerprint());
    expect(await session.exec('id -un; id -u')).toEqual({ code: 0, out: 'installer\n1000\n' });
    expect((await session.exec('sudo -n true')).code).toBe(1);
    expect((await session.exec("sudo -S -k -p '' id -u", 'not the password\n')).code).toBe(1);
    expect(await session.exec("sudo -S -k -p '' id -u", `${box.password}\n`)).toEqual({
      code: 0,
      out: '0\n',
    });
    session.client.end();
    await expect(login(box, 'not the password')).rejects.toThrow(/authentication/i);
  });

  it('comes as a box with root only, beside the other one', async () => {
    const session = await login(rootOnly);
    expect(session.fingerprint).toBe(rootOnly.fingerprint());
    expect(session.fingerprint).not.toBe(box.fingerprint());
    expect(await session.exec('id -u; getent passwd 1000')).toEqual({ code: 2, out: '0\n' });
    session.client.end();
    expect(rootOnly.host).not.toBe(box.host);
    expect((await rootOnly.run(['cat', '/etc/machine-id'])).stdout).not.toBe(
      (await box.run(['cat', '/etc/machine-id'])).stdout,
    );
  });

  it('keeps the environment of this machine out, and passes input and exit codes', async () => {
    expect(await box.run(['sh', '-c', 'cat; exit 7'], { input: 'given\n' })).toEqual({
      code: 7,
      stdout: 'given\n',
      stderr: '',
    });
    expect((await box.run(['env'])).stdout.split('\n').filter(Boolean).sort()).toEqual([
      'HOME=/root',
      'LC_ALL=C.UTF-8',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    ]);
  });

  it('has no way out but its link', async () => {
    expect(await out('ip -4 route show default')).toBe('');
    const laptop = await box.inLaptop(['ip', '-4', '-o', 'addr', 'show', 'dev', box.name]);
    expect(laptop.stdout).toContain(`${box.laptop}/29`);
  });

  it('is reached by a stranger from another address', async () => {
    const scan = await box.inStranger(['ssh-keyscan', '-t', 'ed25519', box.host]);
    const blob = Buffer.from(scan.stdout.trim().split(' ')[2] ?? '', 'base64');
    const hash = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '');
    expect(`SHA256:${hash}`).toBe(box.fingerprint());
    const seen = async () => (await box.sh('journalctl -u ssh -o cat')).stdout.includes(box.stranger);
    await until('a line about the stranger in the log of sshd', seen, 5_000);
  });

  it('reboots, by itself or when told over SSH, and keeps its disk', async () => {
    const first = await box.bootId();
    await out('echo kept > /root/kept');
    const t0 = performance.now();
    await box.reboot();
    expect(performance.now() - t0).toBeLessThan(START_MS);
    const second = await box.bootId();
    expect(second).not.toBe(first);
    const session = await login(box);
    await box.rebootedBy(() =>
      session.exec("sudo -S -k -p '' systemctl reboot", `${box.password}\n`).catch(() => undefined),
    );
    session.client.end();
    expect(await box.bootId()).not.toBe(second);
    expect(await out('cat /root/kept')).toBe('kept');
  });

  it('loses its power in the middle of something, and boots again', async () => {
    const before = await box.bootId();
    await out('systemd-run --unit=works sleep infinity; echo kept > /var/tmp/kept');
    const session = await login(box);
    const dead = once(session.client, 'close');
    session.client.on('error', () => undefined);
    await box.powerCut();
    await expect(box.run(['true'])).rejects.toThrow('is off');
    session.client.end();
    await dead;
    await box.powerOn();
    expect(await box.bootId()).not.toBe(before);
    expect((await box.sh('systemctl is-active works')).stdout.trim()).toBe('inactive');
    expect(await out('cat /var/tmp/kept')).toBe('kept');
  });

  it('notices a pulled cable, over a reboot too', async () => {
    // An interface that is not up yet tells nothing.
    const carrier = () => out('cat /sys/class/net/host0/carrier 2>/dev/null || echo none');
    await box.cutLink('down');
    expect(await carrier()).toBe('0');
    await expect(box.waitForSsh(1_000)).rejects.toThrow('SSH');
    expect((await box.inStranger(['ssh-keyscan', '-T', '1', box.host])).stdout).toBe('');
    await box.reboot();
    await until('a link that stays down', async () => (await carrier()) === '0', 5_000);
    await expect(box.waitForSsh(1_000)).rejects.toThrow('SSH');
    await box.restoreLink();
    await box.waitForSsh();
    expect(await carrier()).toBe('1');
  });

  it('does not notice a link that swallows everything, and sessions outlast it', async () => {
    const session = await login(box);
    await box.cutLink('drop');
    expect(await out('cat /sys/class/net/host0/carrier')).toBe('1');
    let answered = false;
    const answer = session.exec('echo behind the gap').then((done) => ((answered = true), done));
    await expect(box.waitForSsh(1_500)).rejects.toThrow('SSH');
    expect((await box.inStranger(['ssh-keyscan', '-T', '1', box.host])).stdout).toBe('');
    expect(answered).toBe(false);
    await box.restoreLink();
    expect(await answer).toEqual({ code: 0, out: 'behind the gap\n' });
    session.client.end();
  });

  it('answers as nvidia-smi did where it was recorded, and shows faults when told to', async () => {
    const smi = (args: string) => box.sh(`nvidia-smi ${args}`);
    expect((await smi('-L')).stdout).toBe(readFileSync(join(FIXTURES, 'list.txt'), 'utf8'));
    // But for the time, which is now as the real one's is.
    const timeless = (xml: string) => xml.replace(/<timestamp>[^<]+/, '<timestamp>');
    const idle = readFileSync(join(FIXTURES, 'q-idle.xml'), 'utf8');
    expect(timeless((await smi('-q -x')).stdout)).toBe(timeless(idle));
    const query = '--query-gpu=index,driver_version,memory.total --format=csv,noheader,nounits';
    expect((await smi(query)).stdout).toBe('0, 580.159.04, 81559\n1, 580.159.04, 81559\n');
    await out('echo none > /etc/vault-cube/stand-in-gpus');
    expect(await smi('-L')).toEqual({ code: 6, stdout: 'No devices were found\n', stderr: '' });
    await out('echo lost > /etc/vault-cube/stand-in-gpus');
    expect(await smi('-q -x')).toMatchObject({ code: 15 });
    await out('rm /etc/vault-cube/stand-in-gpus');
    expect((await smi('-L')).code).toBe(0);
  });

  it('has a bundle that is whole, whose first set alone gives layer 0 its package', async () => {
    const bundle = new Bundle(box.bundle);
    bundle.requireFor({ id: 'debian', version: '13' });
    expect(bundle.manifest.evidence).toBe('stand-in');
    for (const file of bundle.manifest.files) {
      const bytes = readFileSync(join(box.bundle, file.path));
      expect(createHash('sha256').update(bytes).digest('hex'), file.path).toBe(file.sha256);
    }
    await installFromBundle(box, bundle.manifest.sets['l0'] ?? [], 'python3-apt');
    expect(await out("dpkg-query -W -f '${db:Status-Status}' python3-apt")).toBe('installed');
  });

  it('carries what layer 1 installs: firewall, bans and containers work', async () => {
    const sets = new Bundle(box.bundle).manifest.sets;
    await installFromBundle(
      box,
      sets['l1'] ?? [],
      'docker.io docker-cli ufw fail2ban nftables python3-systemd',
    );
    await out('docker load -q -i /srv/bundle/images/busybox.tar');
    expect(await out('docker run --rm vault-cube/busybox:stand-in echo contained')).toBe('contained');

    await out('systemd-run -q --unit=web python3 -m http.server 8000');
    const fetch = [
      'bash',
      '-c',
      `exec 3<>/dev/tcp/${box.host}/8000 && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && head -1 <&3`,
    ];
    const stranger = async () => (await box.inStranger(['timeout', '2', ...fetch])).stdout;
    await until('an open port before the firewall', async () => (await stranger()).includes('200'), 10_000);
    await out('ufw allow 22/tcp && ufw --force enable');
    expect(await stranger()).toBe('');

    const banner = ['timeout', '2', 'bash', '-c', `head -c 4 </dev/tcp/${box.host}/22`];
    await until('fail2ban', async () => (await box.sh('fail2ban-client ping')).code === 0, 20_000);
    expect((await box.inStranger(banner)).stdout).toBe('SSH-');
    await out(`fail2ban-client set sshd banip ${box.stranger}`);
    const banned = async () => (await box.inStranger(banner)).stdout === '';
    await until('a ban that the stranger feels', banned, 10_000);
    expect((await box.inLaptop(banner)).stdout).toBe('SSH-');
    await out(`fail2ban-client set sshd unbanip ${box.stranger}`);
    await until('the end of the ban', async () => !(await banned()), 10_000);
  });

  it('leaves nothing on this machine when it is stopped, whatever state it is in', async () => {
    await box.cutLink('drop');
    await box.stop();
    await rootOnly.cutLink('down');
    await rootOnly.powerCut();
    await rootOnly.stop();
    expect(await box.leftovers()).toEqual([]);
    expect(await rootOnly.leftovers()).toEqual([]);
  });

  it('ends with the process that started it, and the next one clears it away', async () => {
    const args = ['--import', 'tsx', join(ROOT, 'tests/rig/cli.ts'), 'up'];
    const owner = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
    const gone = once(owner, 'exit');
    let id = '';
    for await (const line of createInterface({ input: owner.stdout })) {
      id ||= /^box\s+(\S+)/.exec(line)?.[1] ?? '';
      if (line.startsWith('Ctrl+C')) break;
    }
    const names = namesOf(id);
    const held = (await leftovers(names)).map((what) => what.split(' ')[0]);
    expect(held).toEqual(expect.arrayContaining(['process', 'mount', 'link', 'namespace', 'folder']));
    owner.kill('SIGKILL');
    await gone;
    const processes = async () => (await leftovers(names)).filter((what) => what.startsWith('process'));
    await until('the end of the box of a dead process', async () => (await processes()).length === 0, 10_000);
    await cleanUp();
    expect(await leftovers(names)).toEqual([]);
  });
});

/** apt of the box with the bundle as its only source, as an install job sets it up (docs/adr/0005-bundle.md). */
const APT_CONF = `Dir::Etc::sourcelist "/srv/apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "/srv/apt/lists/";
Dir::Cache "/srv/apt/cache/";
Acquire::Languages "none";
APT::Sandbox::User "root";
`;

/** Puts files of the bundle into the box and has apt there install packages from them alone. */
async function installFromBundle(box: RigBox, paths: readonly string[], packages: string): Promise<void> {
  for (const path of paths) {
    mkdirSync(dirname(join(box.root, 'srv/bundle', path)), { recursive: true });
    copyFileSync(join(box.bundle, path), join(box.root, 'srv/bundle', path));
  }
  const folders = ['lists/partial', 'cache/archives/partial'];
  for (const folder of folders) mkdirSync(join(box.root, 'srv/apt', folder), { recursive: true });
  const tree = '/srv/bundle/apt';
  const source = `deb [signed-by=${tree}/key.gpg] file:${tree} ./\n`;
  writeFileSync(join(box.root, 'srv/apt/sources.list'), source);
  writeFileSync(join(box.root, 'srv/apt/apt.conf'), APT_CONF);
  const env = 'export APT_CONFIG=/srv/apt/apt.conf DEBIAN_FRONTEND=noninteractive';
  const install = `apt-get -q update && apt-get -y -q install --no-install-recommends ${packages}`;
  expect(await box.sh(`${env}; ${install}`)).toMatchObject({ code: 0 });
}
