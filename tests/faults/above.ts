/** Faults in the layers above the first: each befalls one of them somewhere in its installation, and one resume ends healthy. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { JobRow } from '../../preload/contract/job.ts';
import { until } from '../rig/host.ts';
import type { Above } from '../integration/provisioned.ts';
import { over } from './cuts.ts';
import { holds } from './evidence.ts';
import {
  attemptOf,
  during,
  endedWell,
  enterInstall,
  isOpen,
  killAnsible,
  mend,
  nothingLeft,
  type Installing,
} from './layer.ts';
import type { Random } from './random.ts';
import { eventIn, told, type Stage, type Told } from './stage.ts';

const ABOVE: readonly [Above, ...Above[]] = [2, 3, 4, 5];
/** Three answers that are missing, one a second, end a connection (main/remote/connection.ts). */
const KEEPALIVE_MS = 3_000;
/** Where in an installation a fault comes: so far through its tasks, or when a program is seen at work in the box. */
export type Moment = { through: number } | { program: string };
/** What takes its time in each layer, as pgrep -f finds it; what a cut through it leaves is of another kind each time. */
const PROGRAMS: Record<Above, readonly [string, ...string[]]> = {
  2: ['^dpkg |/dpkg ', 'sbin/dkms (add|build|install)', 'mkinitramfs'],
  3: ['^dpkg |/dpkg ', 'apt-get'],
  4: [' -m (venv|ensurepip|pip) ', ' -m pip '],
  5: ['^dpkg |/dpkg ', 'apt-get'],
};

export interface AboveFault {
  layer: Above;
  moment: Moment;
  /** Whether the layer is brought to its end afterwards; else whoever comes next goes on with it. */
  mend?: boolean;
}

/** Any of the layers, and any moment in it. */
export function anywhere(random: Random): AboveFault {
  const layer = random.pick(ABOVE);
  const moment = random.chance(0.5)
    ? { through: random.between(0.05, 0.85) }
    : { program: random.pick(PROGRAMS[layer]) };
  return { layer, moment };
}

/** How far through its tasks an attempt is, from 0 to 1. */
function through(stage: Stage, { job, attempt }: JobRow): number {
  let part = 0;
  for (const { event } of stage.journal.events(job, attempt)) {
    if (event.known && event.kind === 'task' && event.body.total) part = event.body.index / event.body.total;
  }
  return part;
}

/** Begins the layer and resolves at the moment. */
async function upTo(stage: Stage, random: Random, { layer, moment }: AboveFault): Promise<Installing> {
  const at = await enterInstall(stage, layer);
  if ('through' in moment)
    await during(at.run, `${moment.through} of its tasks`, () => through(stage, at.row) >= moment.through);
  else {
    const seen = async (): Promise<boolean> =>
      (await stage.box.run(['pgrep', '-f', moment.program])).code === 0;
    await during(at.run, moment.program, seen);
  }
  await delay(random.between(0, 300));
  return at;
}

/** The box loses its power, and has it again. */
export async function powerCutAbove(stage: Stage, random: Random, opts: AboveFault): Promise<Told> {
  const { run, row } = await upTo(stage, random, opts);
  await stage.box.powerCut();
  await stage.box.powerOn();
  const ended = await run.ended;
  assert.deepEqual([ended.code, ended.last['code']], [31, 'job_lost'], told(ended));
  assert.equal(stage.journal.attempt(row.job, row.attempt)?.state, 'lost');
  if (opts.mend !== false) await mend(stage, opts.layer);
  return { counts: { cuts: 1, events: holds(stage) }, slowestMs: null };
}

/**
 * Ansible is killed. In layer 2 behind the packages the reboot that they need was noted nowhere yet: resume asks for it all the
 * same.
 */
export async function ansibleKilledAbove(stage: Stage, random: Random, opts: AboveFault): Promise<Told> {
  const { run, row } = await upTo(stage, random, opts);
  await killAnsible(stage, random);
  const ended = await run.ended;
  assert.deepEqual([ended.code, ended.last['code']], [8, 'job_failed'], told(ended));
  await nothingLeft(stage, row);
  const boot = await stage.box.bootId();
  await mend(stage, opts.layer);
  if (opts.layer === 2) assert.notEqual(await stage.box.bootId(), boot, 'the new driver needs a boot');
  return { counts: { kills: 1, events: holds(stage) }, slowestMs: null };
}

/** The app is killed; the box goes on, and resume finds what it did. */
export async function appKilledAbove(stage: Stage, random: Random, opts: AboveFault): Promise<Told> {
  const { run, row } = await upTo(stage, random, opts);
  stage.killed = true;
  await run.kill('SIGKILL');
  await delay(random.between(0, 4_000));
  await mend(stage, opts.layer);
  atOnce(stage, row);
  return { counts: { kills: 1, events: holds(stage) }, slowestMs: null };
}

/** An attempt was the last of its phase, and passed: the fault cost nothing. */
function atOnce(stage: Stage, { job, attempt }: JobRow): void {
  const last = stage.journal.latest(job);
  assert.deepEqual([last?.attempt, last?.state], [attempt, 'passed'], 'one attempt, whatever happened');
}

/** Waits for the end of a command that nothing may have cost anything. */
async function endsWell(stage: Stage, { run, row }: Installing): Promise<void> {
  endedWell(await run.ended);
  atOnce(stage, row);
}

/** The cable is out for longer than a connection lives. */
export async function cableOutAbove(stage: Stage, random: Random, opts: AboveFault): Promise<Told> {
  const at = await upTo(stage, random, opts);
  await stage.box.cutLink(random.pick(['down', 'drop']));
  await delay(random.between(2, 4) * KEEPALIVE_MS);
  await stage.box.restoreLink();
  await endsWell(stage, at);
  return { counts: { cuts: 1, events: holds(stage) }, slowestMs: null };
}

/** The laptop sleeps, for longer than a connection lives, with or without its cable. */
export async function asleepAbove(stage: Stage, random: Random, opts: AboveFault): Promise<Told> {
  const at = await upTo(stage, random, opts);
  at.run.child.kill('SIGSTOP');
  const unplugged = random.chance(0.5);
  try {
    if (unplugged) await stage.box.cutLink('down');
    await delay(random.between(2, 4) * KEEPALIVE_MS);
    assert(!over(at.run), 'a stopped command cannot end');
  } finally {
    at.run.child.kill('SIGCONT');
  }
  if (unplugged) {
    await delay(random.between(0, 2_000));
    await stage.box.restoreLink();
  }
  await endsWell(stage, at);
  return { counts: { sleeps: 1, events: holds(stage) }, slowestMs: null };
}

/** Takes the locks of apt and dpkg as apt does, waiting for its turn, and keeps them for so many seconds. */
const HOLDER = `import fcntl, sys, time
held = [open(f"/var/lib/{name}", "r+") for name in ("dpkg/lock-frontend", "dpkg/lock", "apt/lists/lock")]
for file in held: fcntl.lockf(file, fcntl.LOCK_EX)
open("/run/rig-held", "w").close()
time.sleep(float(sys.argv[1]))
`;

/** Another one works with apt when the layer begins, and once more in its middle. */
export async function aptLockAbove(stage: Stage, random: Random, layer: Above): Promise<Told> {
  const { box } = stage;
  const hold = async (unit: string, seconds: number): Promise<void> => {
    const argv = ['systemd-run', '-q', '--collect', `--unit=${unit}`, 'python3', '-c', HOLDER];
    const started = await box.run([...argv, String(seconds)]);
    assert.equal(started.code, 0, started.stderr);
  };
  await box.sh('rm -f /run/rig-held');
  await hold('rig-held-first', 600);
  await until('the lock', async () => (await box.sh('test -e /run/rig-held')).code === 0, 10_000);
  const run = isOpen(stage.session) ? stage.start('resume') : stage.provision(String(layer));
  await run.until('a wait for the lock', (r) => eventIn(r)?.['for'] === 'apt lock');
  await delay(random.between(0, 6_000));
  await box.run(['systemctl', 'stop', 'rig-held-first']);
  await run.until('its end', (r) => eventIn(r)?.['for'] === 'apt lock' && eventIn(r)?.['state'] === 'end');
  await hold('rig-held-second', random.between(1, 6));
  endedWell(await run.ended);
  assert.equal(attemptOf(stage, `l${layer}-install`)?.state, 'passed');
  return { counts: { waits: 2, events: holds(stage) }, slowestMs: null };
}
