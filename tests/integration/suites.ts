/** The suites that look at a box with all its layers, T9 and T8; with `MEND=all` only. */
import { expect } from 'vitest';
import type { CheckResult as Check } from '../../preload/contract/events.ts';
import { byHand } from './byhand.ts';
import { changedIn, kindIn, PASSED, type Ended, type Record_ } from './cli.ts';
import { NAME, type Provisioned } from './provisioned.ts';

const FAILED = 20;
/** As docs/validation.md names them, which a test of the box's code keeps so. */
const T8 = [
  ...['t8_ban', 't8_container', 't8_firewall', 't8_frameworks', 't8_gpu_after_reboot', 't8_kernel'],
  ...['t8_key_login', 't8_monitoring', 't8_reboot', 't8_second_run'],
];

/** What each check said last: a suite with a reboot in it says some of them twice. */
function checksIn(records: readonly Record_[]): Map<string, Check> {
  const all = kindIn(records, 'check').map((e) => e['check'] as Check);
  return new Map(all.map((check) => [check.id, check]));
}
const notPassed = (checks: ReadonlyMap<string, Check>) =>
  [...checks.values()]
    .filter((c) => c.verdict !== 'pass')
    .map((c) => c.id)
    .sort();

/** They start Ansible six times, and wait for a boot. */
const SUITE = { timeout: 900_000 };

/** For a box that has layers 0 to 5, as it was given them. */
export function suitesOn(given: () => Provisioned): void {
  const run = (command: string, ...args: string[]): Promise<Ended> =>
    given().laptop.run(command, '--box', NAME, ...args);
  const validate = (suite: string, ...args: string[]) => run('validate', '--suites', suite, ...args);
  const boot = async () => (await given().box.run(['cat', '/proc/sys/kernel/random/boot_id'])).stdout;

  byHand(
    'T9 names a service that was stopped and the role that would start it; all else of 20 and more passes',
    SUITE,
    async () => {
      await given().box.run(['systemctl', 'stop', 'fail2ban']);
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
      expect((await given().box.run(['systemctl', 'is-active', 'fail2ban'])).stdout.trim()).toBe('inactive');
      await given().box.run(['systemctl', 'start', 'fail2ban']);
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
    const { stdout } = await given().box.sh(left);
    expect(stdout).not.toMatch(/192\.0\.2|2001:db8|reboot-test|2801[78]|^[0-9a-f]{12}$/m);
    expect((await given().laptop.run('verify', '--box', NAME)).code).toBe(0);
  });

  byHand('T9 passes as a whole', SUITE, async () => {
    const { code, last, records } = await validate('roles');
    expect(notPassed(checksIn(records)), JSON.stringify(last)).toEqual([]);
    expect(PASSED).toContain(code);
  });

  byHand(
    'T8 names a port that a container publishes past the firewall; resume goes on to the reboot',
    async () => {
      await given().box.run(['iptables', '-I', 'DOCKER-USER', '-j', 'ACCEPT']);
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
}
