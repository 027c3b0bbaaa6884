/** A reboot between two jobs, on a box that really boots: asked, waited for by its boot id, and never done twice. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Stage, isEvent } from '../faults/stage.ts';
import { whyNoRig } from '../rig/box.ts';
import { until } from '../rig/host.ts';

const why = whyNoRig();

describe.runIf(why === null)(`a reboot${why ? ` (not run: ${why})` : ''}`, () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.open({}, 'VC-REBOOT');
  });
  afterAll(() => stage?.close());

  const bootId = async () => (await stage.box.run(['cat', '/proc/sys/kernel/random/boot_id'])).stdout.trim();
  const newest = () => stage.journal.jobs(stage.session.id).findLast((row) => row.kind === 'reboot');

  const plan = (awaySeconds = 120) =>
    stage.plan(
      () => [
        {
          ...{
            id: 'l2-reboot',
            title: 'Reboot',
            job: randomUUID(),
            kind: 'reboot',
            layer: null,
            suite: null,
          },
          params: { why: 'the test wants it', askSeconds: 5, awaySeconds },
        },
      ],
      0,
    );

  beforeEach(async () => {
    await stage.box.sh('touch /run/reboot-required && echo linux-image-test > /run/reboot-required.pkgs');
  });

  it('is not done where it is not to be, and done when it is; the box is waited for', async () => {
    plan();
    const before = await bootId();
    const declined = await stage.must(8, 'resume', '--no-reboot');
    expect(declined.last).toMatchObject({
      code: 'reboot_declined',
      message: /linux-image-test|not rebooted/,
    });
    expect(await bootId()).toBe(before);
    const ended = await stage.must(0, 'resume');
    expect(await bootId()).not.toBe(before);
    const waits = ended.records.filter(isEvent({ kind: 'waiting', for: 'reboot' }));
    expect(waits.map((r) => (r['event'] as { state: string }).state)).toEqual(['begin', 'end']);
    expect(newest()).toMatchObject({ state: 'passed', attempt: 2 });
    await stage.must(0, 'verify');
  });

  it('is not done again by the command that comes after one that was killed meanwhile', async () => {
    plan();
    const before = await bootId();
    const run = stage.start('resume');
    await until(
      'the reboot',
      () => newest()?.state === 'running' && run.records.some(isEvent({ kind: 'waiting' })),
      60_000,
    );
    await run.kill('SIGKILL');
    const changed = async () => {
      const id = await bootId().catch(() => '');
      return id !== '' && id !== before;
    };
    await until('the box', changed, 60_000);
    // A program can be started in it before sshd answers.
    await stage.box.waitForSsh();
    const after = await bootId();
    await stage.must(0, 'resume');
    expect(await bootId()).toBe(after);
    expect(stage.journal.jobs(stage.session.id).slice(-2)).toMatchObject([
      { state: 'lost' },
      { state: 'passed' },
    ]);
  });

  it('of a box that does not come back says what to look at, and goes on when it has', async () => {
    plan(3);
    const before = await bootId();
    const run = stage.start('resume');
    await until('the reboot', () => run.records.some(isEvent({ kind: 'waiting' })), 60_000);
    await stage.box.cutLink();
    const gone = await run.ended;
    expect([gone.code, gone.last['code']]).toEqual([3, 'box_not_back']);
    expect(gone.last['nextAction']).toMatch(/POST code/);
    await stage.box.restoreLink();
    // It may still be starting: the command is given to a box that answers again.
    await stage.box.waitForSsh();
    await stage.must(0, 'resume');
    expect(await bootId()).not.toBe(before);
  });

  it('is left out where none is due', async () => {
    await stage.box.sh('rm /run/reboot-required');
    plan();
    const before = await bootId();
    await stage.must(0, 'resume');
    expect(await bootId()).toBe(before);
  });
});
