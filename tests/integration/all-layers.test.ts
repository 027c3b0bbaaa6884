/**
 * Layers 2 to 5 as an engineer gives them to a box: by the command line, out of the bundle, with the reboots between them; then the
 * suites that look at a box with all its layers, T9 and T8. What the roles do in detail is in layers2.test.ts and
 * layers45.test.ts. Stand-in packages and wheels, real apt, Docker, pip and boots.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CheckResult as Check } from '../../preload/contract/events.ts';
import { isEvent } from '../faults/stage.ts';
import { whyNoRig } from '../rig/box.ts';
import { NOTHING, Sink } from '../rig/sink.ts';
import { SOME_OF_EACH, withoutCable } from './airgap.ts';
import { byHand } from './byhand.ts';
import type { Record_ } from './cli.ts';
import { NAME, provisioned, type Provisioned } from './provisioned.ts';

// Four layers with a boot between them, on a machine that runs another box beside it.
vi.setConfig({ testTimeout: 420_000 });

const why = whyNoRig();
const PASSED = [0, 10];
const FAILED = 20;
/** As docs/validation.md names them, which a test of the box's code keeps so. */
const T8 = [
  ...['t8_ban', 't8_container', 't8_firewall', 't8_frameworks', 't8_gpu_after_reboot', 't8_kernel'],
  ...['t8_key_login', 't8_monitoring', 't8_reboot', 't8_second_run'],
];
const DAEMONS = ['docker', 'containerd', 'nvidia-persistenced', 'ssh', 'fail2ban'];
const eventsOf = (records: readonly Record_[], kind: string) =>
  records.filter(isEvent({ kind })).map((r) => r['event'] as Record<string, unknown>);
const changedIn = (records: readonly Record_[]) =>
  eventsOf(records, 'task')
    .filter((e) => e['state'] === 'changed')
    .map((e) => String(e['name']));

/** What each check said last: a suite with a reboot in it says some of them twice. */
function checksIn(records: readonly Record_[]): Map<string, Check> {
  const all = eventsOf(records, 'check').map((e) => e['check'] as Check);
  return new Map(all.map((check) => [check.id, check]));
}
const notPassed = (checks: ReadonlyMap<string, Check>) =>
  [...checks.values()]
    .filter((c) => c.verdict !== 'pass')
    .map((c) => c.id)
    .sort();

/** They start Ansible six times, and wait for a boot. */
const SUITE = { timeout: 900_000 };

describe.runIf(why === null)(`layers 2 to 5 by the app${why ? ` (not run: ${why})` : ''}`, () => {
  let kept: Provisioned;
  let sink: Sink;
  const run = (command: string, ...args: string[]) => kept.laptop.run(command, '--box', NAME, ...args);
  const provision = (...args: string[]) => run('provision', '--bundle', kept.box.bundle, ...args);
  const validate = (suite: string, ...args: string[]) => run('validate', '--suites', suite, ...args);
  const boot = async () => (await kept.box.run(['cat', '/proc/sys/kernel/random/boot_id'])).stdout;

  const pids = async () =>
    (await kept.box.run(['systemctl', 'show', '-p', 'MainPID', '--value', ...DAEMONS])).stdout;

  beforeAll(async () => {
    kept = await provisioned();
    sink = await Sink.open(kept.box);
  });
  afterAll(async () => {
    await sink?.close();
    await kept?.end();
  });

  it('T8 is refused before they are there, with the layers that it comes after', async () => {
    const { last } = await validate('integration');
    expect(last).toMatchObject({ code: 'suite_blocked', message: /after L2, L3, L4, L5/ });
  });

  it('one after another, with one reboot, the cable out while each installs, and each is healthy', async () => {
    const before = await boot();
    const command = ['provision', '--box', NAME, '--bundle', kept.box.bundle, '--layers', '2,3,4,5'];
    const installing = kept.laptop.start(...command);
    const cable = await withoutCable(installing, kept.box);
    const { code, last, records, stderr } = await installing.ended;
    expect(PASSED, `${JSON.stringify(last)} ${stderr.slice(-2000)}`).toContain(code);
    expect(await boot()).not.toBe(before);
    const waits = eventsOf(records, 'waiting').filter((e) => e['for'] === 'reboot');
    expect(waits.map((e) => e['state'])).toEqual(['begin', 'end']);
    expect(changedIn(records)).toEqual(
      expect.arrayContaining([
        ...["Install NVIDIA's packages", 'Note that a reboot is due', 'Restart Docker'],
        'Environments with exactly what their lock files name',
      ]),
    );
    expect(Object.values(cable)).toEqual(['down', 'down', 'down', 'down']);
  });

  it('nothing of it tried an outside address or a name, which the sink would have counted', async () => {
    expect(await sink.counts(), (await sink.seen()).join('\n')).toEqual(NOTHING);
    expect(await sink.control('box')).toEqual(SOME_OF_EACH);
    expect(await sink.control('container')).toEqual(SOME_OF_EACH);
  });

  it('once more they change nothing, need no reboot, and start no daemon anew', async () => {
    const before = [await boot(), await pids()];
    const { code, records } = await provision('--layers', '2,3,4,5');
    expect(PASSED).toContain(code);
    expect(changedIn(records)).toEqual([]);
    expect([await boot(), await pids()]).toEqual(before);
  });

  byHand('nor does drift see anything', async () => {
    const { code, last } = await run('drift');
    expect(PASSED, JSON.stringify(last)).toContain(code);
    expect(last).toMatchObject({ drift: [] });
  });

  byHand(
    'T9 names a service that was stopped and the role that would start it; all else of 20 and more passes',
    SUITE,
    async () => {
      await kept.box.run(['systemctl', 'stop', 'fail2ban']);
      const { code, last, records } = await validate('roles');
      const checks = checksIn(records);
      expect(notPassed(checks), JSON.stringify(last)).toEqual([
        ...['l1_fail2ban_jail', 't9_fail2ban_config', 't9_role_base_system'],
      ]);
      expect(code).toBe(FAILED);
      expect(checks.get('t9_role_base_system')?.value).toMatch(
        /^would change: .*Run fail2ban now and at boot/,
      );
      expect(checks.size).toBeGreaterThan(23);
      // It looked, and mended nothing.
      expect((await kept.box.run(['systemctl', 'is-active', 'fail2ban'])).stdout.trim()).toBe('inactive');
      await kept.box.run(['systemctl', 'start', 'fail2ban']);
    },
  );

  byHand('T8 passes, with a reboot between its jobs, and leaves nothing behind', SUITE, async () => {
    const before = await boot();
    const { code, last, records, stderr } = await validate('integration');
    const checks = checksIn(records);
    expect([...checks.keys()].sort(), `${JSON.stringify(last)} ${stderr.slice(-2000)}`).toEqual(T8);
    expect(notPassed(checks), JSON.stringify([...checks.values()])).toEqual([]);
    expect(PASSED).toContain(code);
    expect(await boot()).not.toBe(before);
    expect(changedIn(records)).toEqual([]);
    // What the laptop found is evidence like any other.
    expect(checks.get('t8_key_login')?.evidence).toContain('"methods": "publickey"');
    const { laptop } = JSON.parse(checks.get('t8_firewall')?.evidence ?? '{}') as { laptop: object };
    const silent = ['80', '443', '3000', '28017', '28018'].map((port) => [port, 'silent']);
    expect(laptop).toMatchObject({ 22: 'open', ...(Object.fromEntries(silent) as object) });
    const left = 'docker ps -aq; fail2ban-client get sshd banip; ls /run | grep vault-cube-reboot; ss -Hltn';
    const { stdout } = await kept.box.sh(left);
    expect(stdout).not.toMatch(/192\.0\.2|2001:db8|reboot-test|2801[78]|^[0-9a-f]{12}$/m);
    expect((await kept.laptop.run('verify', '--box', NAME)).code).toBe(0);
  });

  byHand('T9 passes as a whole', SUITE, async () => {
    const { code, last, records } = await validate('roles');
    expect(notPassed(checksIn(records)), JSON.stringify(last)).toEqual([]);
    expect(PASSED).toContain(code);
  });

  byHand(
    'T8 names a port that a container publishes past the firewall; resume goes on to the reboot',
    async () => {
      await kept.box.run(['iptables', '-I', 'DOCKER-USER', '-j', 'ACCEPT']);
      const first = await validate('integration', '--no-reboot');
      expect(first.last['code']).toBe('reboot_declined');
      const said = checksIn(first.records).get('t8_firewall');
      expect(said).toMatchObject({ verdict: 'fail', value: '28018 (container): refused' });
      const { code, records } = await run('resume');
      expect(code).toBe(FAILED);
      // The files are right, so that the boot closes it, which is another state than before.
      expect(checksIn(records).get('t8_reboot')).toMatchObject({
        verdict: 'fail',
        value: /published ports, iptables/,
      });
      expect(notPassed(checksIn((await run('check', '--layers', '1')).records))).toEqual([]);
    },
  );
});
