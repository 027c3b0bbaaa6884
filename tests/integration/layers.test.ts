/**
 * The roles, kinds and checks of layers 0 and 1 on a rig box in the state in which cloud images and installers leave one:
 * root with a password, sudo without, sshd behind a socket, drop-ins and firewall rules of others. Started through the real
 * launch path inside the box, without the app; the way over SSH is the road's test.
 */
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { packBoxCode, type BoxCode } from '../../main/services/boxcode.ts';
import { TREE } from '../../main/services/layers.ts';
import { build } from '../rig/build.ts';
import { RigBox, whyNoRig } from '../rig/box.ts';
import { until } from '../rig/host.ts';

const why = whyNoRig();
const IMAGE = 'vault-cube/busybox:stand-in';
const ADMIN_PASSWORD = 'Sudo of the admin 1';
const SITE = { layer: 1, playbook: 'site.yml' };
const HARDEN = { ...SITE, tags: ['hardening'], vars: {} };
/** The parts of the box that hardening may touch, as one text. */
const LOOK = `
  cd /etc && tar -cf - --sort=name ssh/sshd_config ssh/sshd_config.d default/ufw | sha256sum
  ufw status verbose; ufw show added; passwd -S root
  systemctl is-enabled ssh.socket ssh.service; systemctl is-active ssh.socket`;

interface Event {
  kind: string;
  name?: string;
  state?: string;
  index?: number;
  total?: number | null;
  code?: string | null;
  detail?: string | null;
  outcome?: string;
  counts?: Record<string, number>;
  check?: { id: string; verdict: string; value: unknown };
}

describe.runIf(why === null)(`layers 0 and 1${why ? ` (not run: ${why})` : ''}`, () => {
  let box: RigBox;
  let code: BoxCode;
  let dir: string;
  let sources: string;

  /** Runs as root inside and expects success; resolves to its output. */
  async function sh(script: string, input = ''): Promise<string> {
    const ran = await box.sh(script, { input });
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    return ran.stdout;
  }

  const ssh = (...command: string[]) => {
    const options = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null'];
    const key = ['-F', 'none', '-i', join(dir, 'key'), ...options.flatMap((o) => ['-o', o])];
    return box.inLaptop(['ssh', ...key, `vaultadmin@${box.host}`, ...command]);
  };

  /** Starts a job; resolves to its folder. */
  async function start(kind: string, params: object): Promise<string> {
    const laptop = { name: 'laptop', user: 'engineer' };
    const spec = JSON.stringify({ v: 1, job: randomUUID(), attempt: 1, kind, title: kind, laptop, params });
    await sh('cat > /root/spec.json', spec);
    const hash = createHash('sha256').update(spec).digest('hex');
    const argv = ['/root/stage0.py', '/root/box.tar', code.sha256, '/root/spec.json', hash];
    const said = JSON.parse(await sh(`python3 -I ${argv.join(' ')}`, '\n')) as { ok: boolean; dir: string };
    expect(said).toMatchObject({ ok: true, joined: false });
    return said.dir;
  }

  /** Follows a job as the app does until `seen` is in its log or it has ended; resolves to its events so far. */
  async function follow(folder: string, seen = 'nothing that a log holds'): Promise<Event[]> {
    const log = await sh(
      `cd ${folder} && for i in $(seq 1500); do touch control/follower
        [ -e result.json ] || grep -q '${seen}' events.jsonl && exec cat events.jsonl
        sleep 0.2; done; exit 1`,
    );
    return log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Event);
  }

  const finish = async (kind: string, params: object): Promise<Event[]> => follow(await start(kind, params));

  const end = (events: Event[]): Event => {
    const last = events.at(-1);
    if (last?.kind !== 'finished') throw new Error('the job has not ended');
    return last;
  };

  const changed = (events: Event[]) =>
    events.filter((e) => e.kind === 'task' && e.state === 'changed').map((e) => e.name);

  /** Hardens and confirms by a new login, as the app does. */
  async function harden(): Promise<Event[]> {
    const folder = await start('harden', { ...HARDEN, confirmSeconds: 120 });
    await follow(folder, '"for":"confirm"');
    const login = await ssh('id', '-un');
    expect(login.stdout.trim(), login.stderr).toBe('vaultadmin');
    await sh(`touch ${folder}/control/confirm`);
    return follow(folder);
  }

  async function layerOne(): Promise<Event[]> {
    const vars = { base_system_image_archives_dir: `${TREE}/images` };
    return finish('layer', { ...SITE, tags: ['l1'], vars });
  }

  /** Checks of a layer that did not pass, with what they found. */
  async function notPassed(suite: string): Promise<string[]> {
    const events = await finish('checks', { suite, checks: [], profile: {}, telemetry: null });
    const checks = events.flatMap((e) => (e.check ? [e.check] : []));
    expect(checks.length).toBeGreaterThan(0);
    return checks.filter((c) => c.verdict !== 'pass').map((c) => `${c.id} ${c.verdict}: ${String(c.value)}`);
  }

  const reaches = async (host: string, port: number): Promise<boolean> =>
    (await box.inStranger(['timeout', '2', 'bash', '-c', `exec 3<>/dev/tcp/${host}/${port}`])).code === 0;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'vc-layers-'));
    const [packed, built] = [await packBoxCode(), await build()];
    code = packed;
    const setup = (root: string): void => {
      mkdirSync(join(root, TREE), { recursive: true });
      cpSync(built.bundle, join(root, TREE), { recursive: true });
      writeFileSync(join(root, 'root/box.tar'), packed.tar);
      writeFileSync(join(root, 'root/stage0.py'), packed.stage0);
      writeFileSync(join(root, 'etc/ssh/sshd_config.d/50-cloud-init.conf'), 'PasswordAuthentication yes\n');
      const rule = 'vaultadmin ALL=(ALL) NOPASSWD:ALL\n';
      writeFileSync(join(root, 'etc/sudoers.d/90-cloud-init-users'), rule, { mode: 0o440 });
    };
    box = await RigBox.start({ variant: 'root-only', setup });
    await box.inLaptop(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(dir, 'key')]);
    // What the step Keys does before layer 1.
    const make = `groupadd --system vaultcube && useradd -m -s /bin/bash -u 1000 -U -G sudo,vaultcube vaultadmin
      install -d -m 700 -o vaultadmin -g vaultadmin /home/vaultadmin/.ssh
      cat > /home/vaultadmin/.ssh/authorized_keys && chown vaultadmin: /home/vaultadmin/.ssh/authorized_keys`;
    await sh(make, readFileSync(join(dir, 'key.pub'), 'utf8'));
    await sh('chpasswd', `vaultadmin:${ADMIN_PASSWORD}\n`);
    // Units of others name sshd by its alias, which does not exist before ssh.service is enabled.
    const unit = '[Unit]\nAfter=sshd.service\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=true\n';
    await sh('cat > /etc/systemd/system/names-sshd.service && systemctl start names-sshd.service', unit);
    // As Ubuntu 24.04 does it: systemd holds the port.
    await sh('systemctl disable --now ssh.service && systemctl enable --now ssh.socket');
    sources = await sh('find /etc/apt/sources* /var/lib/apt/lists -type f | sort | xargs sha256sum');
  });

  afterAll(async () => {
    await box?.stop();
    if (dir) rmSync(dir, { recursive: true, force: true });
  });

  beforeEach(({ onTestFailed }) => {
    onTestFailed(async () => {
      const units = 'systemctl status --no-pager --lines=0 ssh.service ssh.socket; ls -ld /run/sshd; df /run';
      const look = await box.sh(`journalctl -b --no-pager -u ssh.service -u ssh.socket | tail -60; ${units}`);
      console.log(look.stdout, look.stderr);
    });
  });

  it('layer 0 puts Ansible on the box, once', async () => {
    const params = { ansible: { series: '2.19' } };
    expect(end(await finish('bootstrap', params))).toMatchObject({ outcome: 'passed', code: null });
    expect(end(await finish('bootstrap', params)).counts).toMatchObject({ changed: 0, failed: 0 });
    expect(await notPassed('l0')).toEqual([]);
  });

  it('layer 1 installs from the bundle alone, and counts its tasks', async () => {
    const events = await layerOne();
    expect(end(events)).toMatchObject({ outcome: 'passed', counts: { failed: 0 } });
    expect(changed(events)).toContain('Container images from these archives');
    const tasks = events.filter((e) => e.kind === 'task' && e.state !== 'begin');
    const { ok, changed: made, skipped } = end(events).counts ?? {};
    expect((ok ?? 0) + (made ?? 0) + (skipped ?? 0)).toBe(tasks.length);
    expect(tasks.at(-1)?.index).toBe(tasks.at(-1)?.total);
    expect(await sh('find /etc/apt/sources* /var/lib/apt/lists -type f | sort | xargs sha256sum')).toBe(
      sources,
    );
  });

  it('layer 1 a second time changes nothing', async () => {
    const events = await layerOne();
    expect(changed(events)).toEqual([]);
    expect(end(events)).toMatchObject({ outcome: 'passed', counts: { changed: 0, failed: 0 } });
  });

  it('hardening that nobody confirms is taken back, socket, rules and root included', async () => {
    await sh('ufw allow 9999/tcp && ufw limit ssh && ufw deny 23');
    const before = await sh(LOOK);
    expect(before).toMatch(/Status: inactive[\s\S]*ufw allow 9999\/tcp[\s\S]*root P [\s\S]*enabled/);
    const last = end(await finish('harden', { ...HARDEN, confirmSeconds: 5 }));
    expect(last).toMatchObject({ outcome: 'failed', code: 'hardening_not_confirmed' });
    expect(last.detail).toMatch(/as they were before\.$/);
    expect(await sh(LOOK)).toBe(before);
    expect((await ssh('true')).code).toBe(0);
  });

  it('hardening that another file undermines fails by name and is taken back', async () => {
    // What lies elsewhere is not looked through, and users add up over all files.
    const file = '/etc/ssh/sshd_config.d/10-a.conf';
    await sh(`mkdir /etc/ssh/more && echo 'AllowUsers guest vaultadmin' > /etc/ssh/more/a.conf`);
    await sh(`echo 'Include /etc/ssh/more/*.conf' > ${file}`);
    const before = await sh(LOOK);
    const last = end(await finish('harden', { ...HARDEN, confirmSeconds: 60 }));
    expect(last).toMatchObject({ outcome: 'failed', code: 'ansible_failed' });
    expect(last.detail).toMatch(/admits by .*allowusers guest/);
    expect(await sh(LOOK)).toBe(before);
    expect((await ssh('true')).code).toBe(0);
    await sh(`rm ${file}`);
  });

  it('hardening that a new login confirms stays, and every check of layer 1 passes', async () => {
    const events = await harden();
    expect(end(events)).toMatchObject({ outcome: 'passed', code: null });
    expect(changed(events)).toEqual(
      expect.arrayContaining([
        'Hand the port over to sshd itself',
        'Remove rules of others',
        "Lock root's password",
      ]),
    );
    expect(await notPassed('l1')).toEqual([]);
    expect(await sh('ufw show added')).toBe(
      "Added user rules (see 'ufw status' for running firewall):\nufw allow 22/tcp\n",
    );
    expect((await ssh('sudo', '-n', 'true')).code).toBe(1);
    const sudo = await box.inLaptop(
      ['ssh', '-F', 'none', '-i', join(dir, 'key'), '-o', 'StrictHostKeyChecking=no'].concat([
        '-o',
        'UserKnownHostsFile=/dev/null',
        `vaultadmin@${box.host}`,
        "sudo -S -k -p '' id -u",
      ]),
      { input: `${ADMIN_PASSWORD}\n` },
    );
    expect(sudo.stdout.trim(), sudo.stderr).toBe('0');
  });

  it('hardening a second time changes nothing', async () => {
    const events = await harden();
    expect(changed(events)).toEqual([]);
    expect(end(events)).toMatchObject({ outcome: 'passed', counts: { changed: 0, failed: 0 } });
  });

  it('a container is closed to strangers by port and by route, open to the box, and reaches out', async () => {
    // A first process without a handler ignores SIGTERM, and would hold up the reboot below for as long as systemd waits.
    const serve = 'trap "exit 0" TERM; httpd -f -p 8081 -h /etc & wait';
    const web = `docker run -d --restart always -p 8081:8081 ${IMAGE} sh -c '${serve}'`;
    const id = (await sh(web)).trim();
    const own = async () => (await box.run(['bash', '-c', 'exec 3<>/dev/tcp/127.0.0.1/8081'])).code === 0;
    await until('the container', own, 20_000);
    expect(await reaches(box.host, 8081)).toBe(false);
    const address = (await sh(`docker inspect -f '{{.NetworkSettings.IPAddress}}' ${id}`)).trim();
    await box.inStranger(['ip', 'route', 'add', `${address}/32`, 'via', box.host]);
    expect(await reaches(address, 8081)).toBe(false);
    // The control: without the rules the same packets arrive, so it is the rules that stop them.
    const rules = await sh('iptables-save -t filter');
    await sh('iptables -F DOCKER-USER && iptables -P FORWARD ACCEPT');
    expect(await reaches(box.host, 8081)).toBe(true);
    await sh('iptables-restore', rules);
    expect(await reaches(box.host, 8081)).toBe(false);
    const server = createServer((_request, response) => response.end('from outside'));
    await once(server.listen(0, box.laptop), 'listening');
    const { port } = server.address() as AddressInfo;
    const out = await sh(`docker run --rm ${IMAGE} wget -T 5 -q -O - http://${box.laptop}:${port}/`);
    server.close();
    expect(out).toBe('from outside');
  });

  it('a reboot keeps all of it', async () => {
    await box.reboot();
    const own = async () => (await box.run(['bash', '-c', 'exec 3<>/dev/tcp/127.0.0.1/8081'])).code === 0;
    await until('the container', own, 60_000);
    expect(await reaches(box.host, 8081)).toBe(false);
    expect(await reaches(box.host, 22)).toBe(true);
    expect(await notPassed('l1')).toEqual([]);
  });
});
