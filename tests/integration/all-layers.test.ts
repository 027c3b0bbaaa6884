/**
 * Layers 2 to 5 as an engineer gives them to a box: by the command line, out of the bundle, with the reboots between them. What
 * the roles do in detail is in layers2.test.ts and layers45.test.ts. Stand-in packages and wheels, real apt, Docker, pip and boots.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { isEvent } from '../faults/stage.ts';
import { whyNoRig } from '../rig/box.ts';
import { NOTHING, Sink } from '../rig/sink.ts';
import { withoutCable } from './airgap.ts';
import type { Record_ } from './cli.ts';
import { NAME, provisioned, type Provisioned } from './provisioned.ts';

// Four layers with a boot between them, on a machine that runs another box beside it.
vi.setConfig({ testTimeout: 420_000 });

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
  let sink: Sink;
  const run = (command: string, ...args: string[]) => kept.laptop.run(command, '--box', NAME, ...args);
  const provision = (...args: string[]) => run('provision', '--bundle', kept.box.bundle, ...args);
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
    const some = expect.toSatisfy((n: number) => n > 0, 'more than none') as number;
    const all = { ipv4: some, ipv6: some, dns: some };
    expect(await sink.control('box')).toEqual(all);
    expect(await sink.control('container')).toEqual(all);
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
