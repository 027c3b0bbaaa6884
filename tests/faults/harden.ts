/** Fault: nobody confirms the hardening, because the cable is out or the laptop died. The box takes it back by itself. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../rig/host.ts';
import { holds } from './evidence.ts';
import { attemptOf, during, layer0 } from './layer.ts';
import type { Random } from './random.ts';
import { PASSED, told, type Stage, type Told } from './stage.ts';

/** The role's longest time on the box, and some more. */
const ROLE_MS = 200_000;

export interface HardenFault {
  /** `cut`: the cable is out until the job has ended. `kill`: the command is killed when a confirmation is due. */
  by: 'cut' | 'kill';
  /** What a job in the field has is 120. */
  confirmSeconds: number;
}

/** Who may come in, as sshd, the firewall and their files say it, and as a stranger on the same cable finds it. */
async function door(stage: Stage): Promise<string> {
  const { box } = stage;
  const inside = await box.sh(`
    sshd -T | sort
    ufw status verbose
    cd /etc && find ssh/sshd_config ssh/sshd_config.d ufw default/ufw -type f | sort | xargs sha256sum
    systemctl is-enabled ssh.service ssh.socket ufw.service
    systemctl is-active ssh.service ssh.socket
    passwd -S root`);
  const options = [
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'PreferredAuthentications=none',
  ];
  const knock = ['ssh', ...options.flatMap((o) => ['-o', o]), `${box.user}@${box.host}`, 'true'];
  const methods = /\(([a-z,-]+)\)/.exec((await box.inStranger(knock)).stderr)?.[1] ?? 'no answer';
  return `${inside.stdout}\noffered to a stranger: ${methods}`;
}

/** Stops where hardening begins, with everything before it on the box. */
async function upToHardening(stage: Stage): Promise<void> {
  await layer0(stage);
  stage.plan((phases) => phases.filter((p) => p.id === 'l1-fetch' || p.id === 'l1-install'));
  const ended = await stage.start('resume').ended;
  assert.equal(attemptOf(stage, 'l1-install')?.state, 'passed', told(ended));
}

/** Rejects when the box does not stand as before, or cannot be hardened afterwards. */
export async function unconfirmed(stage: Stage, random: Random, opts: HardenFault): Promise<Told> {
  await upToHardening(stage);
  const before = await door(stage);
  assert.match(before, /^passwordauthentication yes$/m);
  stage.plan((phases) =>
    phases
      .filter((p) => p.id === 'l1-harden' || p.id === 'l1-health')
      .map((p) =>
        p.id === 'l1-harden' ? { ...p, params: { ...p.params, confirmSeconds: opts.confirmSeconds } } : p,
      ),
  );
  const run = stage.start('resume');
  const reached = (step: string) => (): boolean => {
    const row = attemptOf(stage, 'l1-harden');
    return row !== null && stage.journal.view(row.job, row.attempt).steps.some((s) => s.id === step);
  };
  if (opts.by === 'cut') {
    await during(run, 'the hardening', reached('harden'));
    await delay(random.between(0, 500));
    await stage.box.cutLink(random.pick(['down', 'drop']));
  } else {
    // The step that waits for the confirmation, a moment before it asks for it.
    await during(run, 'the confirmation', reached('confirm'));
    await run.kill('SIGKILL');
  }
  const row = attemptOf(stage, 'l1-harden');
  assert(row);
  const limit = ROLE_MS + opts.confirmSeconds * 1000;
  await until('the end of the hardening', () => stage.endedOnBox(row.job, row.attempt), limit);
  if (opts.by === 'cut') await stage.box.restoreLink();
  const ended = await (opts.by === 'cut' ? run : stage.start('attach')).ended;
  assert.equal(ended.last['code'], 'hardening_not_confirmed', told(ended));
  assert.equal(await door(stage), before);
  assert(
    !existsSync(join(stage.box.root, 'var/lib/vault-cube/revert/armed.json')),
    'a revert is still armed',
  );
  const mended = await stage.start('resume').ended;
  assert.equal(mended.code, PASSED, told(mended));
  assert.match(await door(stage), /^passwordauthentication no$/m);
  return {
    counts: { reverts: 1, events: holds(stage, { killed: opts.by === 'kill' }) },
    slowestMs: null,
  };
}
