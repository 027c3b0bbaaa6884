/**
 * `ansible/` by itself: an ordinary control node and two rig boxes at once over SSH, with the inventory's example. The boxes have
 * layer 1 already, so what is seen is what groups say, what was put out of order, and that all else stays untouched.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TREE } from '../../main/services/layers.ts';
import { whyNoRig, type RigBox } from '../rig/box.ts';
import { until } from '../rig/host.ts';
import { byHand } from './byhand.ts';
import { ControlNode } from './control.ts';
import { Bench } from './mend/mend.ts';
import { provisioned, type Provisioned } from './provisioned.ts';

const why = whyNoRig();
const ALL = ['bundle.yml', 'site.yml', '--forks', '2', '--tags', 'bundle,l1,hardening'];
/** Seconds after which an unproven hardening is taken back: longer than the run needs to the moment at which it is killed. */
const BACK = 25;
/** What hardening may touch, as one text. */
const ACCESS = `cd /etc && tar -cf - --sort=name --mtime=@0 ssh/sshd_config ssh/sshd_config.d default/ufw ufw | sha256sum
  ufw status verbose; iptables-save -t filter | grep DOCKER-USER; passwd -S root
  systemctl is-enabled ssh.socket ssh.service ufw.service`;

/** Names of the tasks that changed a box, as Ansible prints them. */
function changedTasks(stdout: string): string[] {
  const tasks = stdout.split(/^TASK /m).slice(1);
  return tasks.filter((task) => /^changed: /m.test(task)).map((task) => task.slice(0, task.indexOf(']') + 1));
}

describe.runIf(why === null)(`a fleet${why ? ` (not run: ${why})` : ''}`, () => {
  let berlin: Provisioned;
  let madrid: Provisioned;
  let node: ControlNode;

  const both = () => [berlin, madrid];
  async function sh(box: RigBox, script: string): Promise<string> {
    const ran = await box.sh(script);
    expect(ran.code, `${script}\n${ran.stdout}${ran.stderr}`).toBe(0);
    return ran.stdout;
  }

  beforeAll(async () => {
    berlin = await provisioned();
    madrid = await provisioned();
    const vars = { site_bundle_dir: berlin.box.bundle, site_bundle_sets: ['l0', 'l1'] };
    const members = {
      'cube-berlin': { box: berlin.box, groups: ['berlin', 'offline'], vars },
      'cube-madrid': { box: madrid.box, groups: ['madrid', 'offline'], vars },
    };
    node = new ControlNode(members, berlin.key, berlin.laptop.secrets.sudoPassword ?? '', {});
    node.group('berlin', { base_system_fail2ban_ignoreip: ['192.0.2.0/24'] });
    node.group('madrid', { access_hardening_allow_grafana: true });
  });

  afterAll(async () => {
    await node?.end();
    await Promise.all(both().map((kept) => kept?.end()));
  });

  // Whole plays take a minute or two each; a play on each box at once is run always.
  byHand(
    'one command brings the bundle, layer 1 and hardening to both, each with what its group says',
    async () => {
      for (const { box } of both()) {
        rmSync(join(box.root, TREE, 'images/busybox.tar'));
        await sh(
          box,
          'systemctl disable --now fail2ban.service && docker rmi -f vault-cube/busybox:stand-in',
        );
      }
      const done = await node.play(...ALL);
      expect(done.code, done.stdout + done.stderr).toBe(0);
      expect(done.recap).toMatchObject({ 'cube-berlin': { failed: 0 }, 'cube-madrid': { failed: 0 } });
      const findings = await Promise.all(both().map((kept) => new Bench(kept).check()));
      // Whoever looks at madrid was not told that Grafana is wanted there.
      expect(findings).toEqual([{}, { l1_ufw_nothing_else: 'fail' }]);
      const ignored = both().map(({ box }) => sh(box, 'fail2ban-client get sshd ignoreip'));
      const open = both().map(({ box }) => sh(box, 'ufw status'));
      expect((await Promise.all(ignored)).map((said) => said.includes('192.0.2.0/24'))).toEqual([
        true,
        false,
      ]);
      expect((await Promise.all(open)).map((said) => said.includes('3000/tcp'))).toEqual([false, true]);
      for (const { box } of both()) {
        expect((await node.ssh(box, 'publickey', 'id', '-un')).stdout).toBe('vaultadmin\n');
        expect((await node.ssh(box, 'password', 'id')).stderr).toContain('Permission denied (publickey)');
        expect(await sh(box, 'ls /var/lib/vault-cube-hardening /etc/systemd/system')).not.toMatch(
          /armed|hardening-revert/,
        );
      }
    },
  );

  byHand('once more changes nothing on both, and starts no daemon anew', async () => {
    const pids = () =>
      Promise.all(both().map(({ box }) => sh(box, 'systemctl show -p MainPID --value docker ssh fail2ban')));
    const before = await pids();
    const done = await node.play(...ALL);
    expect(done.code, done.stdout + done.stderr).toBe(0);
    const still = { changed: 0, failed: 0, unreachable: 0 };
    expect(changedTasks(done.stdout)).toEqual([]);
    expect(done.recap).toMatchObject({ 'cube-berlin': still, 'cube-madrid': still });
    expect(await pids()).toEqual(before);
  });

  it('a reboot is done where it is due and --limit names it, and nowhere else', async () => {
    for (const { box } of both()) await sh(box, 'touch /run/vault-cube-reboot-due');
    const before = [await berlin.box.bootId(), await madrid.box.bootId()];
    const done = await node.play('reboot.yml', '--limit', 'madrid');
    expect(done.code, done.stdout + done.stderr).toBe(0);
    expect(Object.keys(done.recap)).toEqual(['cube-madrid']);
    await madrid.box.waitForSsh();
    expect(await berlin.box.bootId()).toBe(before[0]);
    expect(await madrid.box.bootId()).not.toBe(before[1]);
  });

  it('nobody is locked out: a password that nobody knows is refused, and a run that is killed is taken back', async () => {
    await Promise.all([unknownPassword(), killed()]);
  });

  /** sudo asks for none, as on many images, so the run works; hardening would have it ask for one that nobody has. */
  async function unknownPassword(): Promise<void> {
    const { box } = berlin;
    await sh(
      box,
      'echo "vaultadmin ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/90-image && echo vaultadmin:another | chpasswd',
    );
    const before = await sh(box, ACCESS);
    const done = await node.play('site.yml', '--tags', 'hardening', '--limit', 'berlin');
    expect(done.code).not.toBe(0);
    expect(done.stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /"Use the password" failed for vaultadmin: .* Nothing was changed/,
    );
    expect(await sh(box, `${ACCESS}; cat /etc/sudoers.d/90-image`)).toBe(
      `${before}vaultadmin ALL=(ALL) NOPASSWD: ALL\n`,
    );
  }

  /** The control node dies between a change and the proof. */
  async function killed(): Promise<void> {
    const { box } = madrid;
    const inBox = (path: string) => join(box.root, path);
    const rules = () => readFileSync(inBox('etc/ufw/user.rules'), 'utf8');
    const before = await sh(box, ACCESS);
    const isOpen = () => rules().includes('--dport 3000');
    const open = isOpen();
    const more = { access_hardening_allow_grafana: !open, access_hardening_revert_after: BACK };
    const run = node.start(
      'site.yml',
      '--tags',
      'hardening',
      '--limit',
      'madrid',
      '-e',
      JSON.stringify(more),
    );
    run.stdout?.resume();
    await until('the change', () => isOpen() !== open, 120_000);
    if (run.pid === undefined) throw new Error('ansible-playbook did not start');
    process.kill(-run.pid, 'SIGKILL');
    expect(existsSync(inBox('var/lib/vault-cube-hardening/armed'))).toBe(true);
    const back = () => !existsSync(inBox('var/lib/vault-cube-hardening/armed'));
    await until('the way back', back, (BACK + 30) * 1000);
    await until(
      'the end of it',
      async () => (await box.sh('systemctl is-active vault-cube-hardening-revert')).code !== 0,
      30_000,
    );
    expect(await sh(box, ACCESS)).toBe(before);
    expect((await node.ssh(box, 'publickey', 'id', '-un')).stdout).toBe('vaultadmin\n');
  }
});
