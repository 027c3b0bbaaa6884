/**
 * Layers 2 to 5 as an engineer gives them to a box: by the command line, out of the bundle, with the reboots between them. What
 * the roles do in detail is in layers2.test.ts and layers45.test.ts. Stand-in packages and wheels, real apt, Docker, pip and boots.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isEvent } from '../faults/stage.ts';
import { whyNoRig } from '../rig/box.ts';
import type { Record_ } from './cli.ts';
import { NAME, provisioned, type Provisioned } from './provisioned.ts';

const why = whyNoRig();
const PASSED = [0, 10];
const DAEMONS = ['docker', 'containerd', 'nvidia-persistenced', 'ssh', 'fail2ban'];
const eventsOf = (records: readonly Record_[], kind: string) =>
  records.filter(isEvent({ kind })).map((r) => r['event'] as Record<string, unknown>);
const changedIn = (records: readonly Record_[]) =>
  eventsOf(records, 'task')
    .filter((e) => e['state'] === 'changed')
    .map((e) => String(e['name']));

/** With `MEND=all`. */
const byHand = process.env['MEND'] === 'all' ? it : () => undefined;

describe.runIf(why === null)(`layers 2 to 5 by the app${why ? ` (not run: ${why})` : ''}`, () => {
  let kept: Provisioned;
  const run = (command: string, ...args: string[]) => kept.laptop.run(command, '--box', NAME, ...args);
  const provision = (...args: string[]) => run('provision', '--bundle', kept.box.bundle, ...args);
  const boot = async () => (await kept.box.run(['cat', '/proc/sys/kernel/random/boot_id'])).stdout;

  const pids = async () =>
    (await kept.box.run(['systemctl', 'show', '-p', 'MainPID', '--value', ...DAEMONS])).stdout;

  beforeAll(async () => {
    kept = await provisioned();
  });
  afterAll(() => kept?.end());

  it('one after another, with one reboot, and each is healthy', async () => {
    const before = await boot();
    const { code, last, records, stderr } = await provision('--layers', '2,3,4,5');
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
});
