/** Faults of what a box stands in: a disk that gets full in the middle of a layer, and a clock that is wrong. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync, copyFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CliRun } from '../integration/cli.ts';
import { must } from '../rig/host.ts';
import { holds } from './evidence.ts';
import { during, endedWell, enterInstall, isOpen, mend } from './layer.ts';
import type { Random } from './random.ts';
import { eventIn, isEvent, PASSED, told, type Stage, type Told } from './stage.ts';

const VENVS = '/opt/vault-cube/venvs';
/** Large enough for whoever asks before, as sizes of such a disk cost nothing until they are used. */
const ROOM = '40g';

async function sh(stage: Stage, script: string): Promise<string> {
  const ran = await stage.box.sh(`set -e\n${script}`);
  assert.equal(ran.code, 0, `${script}: ${ran.stdout}${ran.stderr}`);
  return ran.stdout;
}

/** A disk of its own at a folder, with what was in it. */
const mount = (folder: string): string => `
  mkdir -p ${folder} /run/rig-kept
  cp -a ${folder}/. /run/rig-kept
  mount -t tmpfs -o size=${ROOM},mode=755 tmpfs ${folder}
  cp -a /run/rig-kept/. ${folder}
  rm -r /run/rig-kept`;

/** Takes all but some KiB of a disk's room away; what is written meanwhile makes it try again. */
const fill = (folder: string, spare: number): string => `
  for n in $(seq 200); do
    used=$(df --output=used -k ${folder} | tail -1)
    mount -o remount,size=$((used + ${spare}))k ${folder} && exit 0
  done
  exit 1`;

/** The disk with the environments gets full while pip fills them: layer 4 fails, says why, and goes on once there is room. */
export async function diskFullInVenvs(stage: Stage, random: Random, opts: { mend: boolean }): Promise<Told> {
  await sh(stage, mount(VENVS));
  const { run } = await enterInstall(stage, 4);
  const which = random.pick(['torch', 'tensorflow', 'vllm']);
  const begun = async (): Promise<boolean> =>
    (await stage.box.run(['test', '-e', `${VENVS}/${which}/pyvenv.cfg`])).code === 0;
  await during(run, `the environment ${which}`, begun);
  await delay(random.between(0, 500));
  await sh(stage, fill(VENVS, Math.round(random.between(4, 512))));
  return fullThenRoom(stage, run, { layer: 4, folder: VENVS, ...opts });
}

/** `/boot` gets full while the initramfs is made, as it does on boxes with many kernels. For a box that has a kernel. */
export async function diskFullInBoot(stage: Stage, random: Random): Promise<Told> {
  await sh(stage, mount('/boot'));
  const { run } = await enterInstall(stage, 2);
  const making = async (): Promise<boolean> =>
    (await stage.box.run(['pgrep', '-f', 'mkinitramfs'])).code === 0;
  await during(run, 'mkinitramfs', making);
  await sh(stage, fill('/boot', Math.round(random.between(4, 512))));
  return fullThenRoom(stage, run, { layer: 2, folder: '/boot', mend: true });
}

async function fullThenRoom(
  stage: Stage,
  run: CliRun,
  { layer, folder, mend: mends }: { layer: number; folder: string; mend: boolean },
): Promise<Told> {
  const ended = await run.ended;
  assert.deepEqual([ended.code, ended.last['code']], [8, 'job_failed'], told(ended));
  assert.match(JSON.stringify(ended.records), /[Nn]o space left/, 'nothing says that the disk is full');
  await sh(stage, `mount -o remount,size=${ROOM} ${folder}`);
  // What is in memory would be gone with the reboot behind layer 2.
  if (layer === 2) {
    await sh(stage, `cp -a ${folder} /root/rig-kept; umount ${folder}`);
    await sh(stage, `cp -a /root/rig-kept/. ${folder}; rm -r /root/rig-kept`);
  }
  if (mends) await mend(stage, layer);
  return { counts: { disks: 1, events: holds(stage) }, slowestMs: null };
}

const CLOCK = '/usr/local/lib/rig-clock.so';
/** What every program in the box then takes for the time: so many seconds more than it is. */
const SHIM = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
#include <sys/time.h>
int clock_gettime(clockid_t id, struct timespec *t) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int r = real(id, t);
  if (!r && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) t->tv_sec += (OFFSET);
  return r;
}
int gettimeofday(struct timeval *t, void *z) {
  struct timespec s;
  int r = clock_gettime(CLOCK_REALTIME, &s);
  if (!r) { t->tv_sec = s.tv_sec; t->tv_usec = s.tv_nsec / 1000; }
  return r;
}
time_t time(time_t *t) {
  struct timespec s;
  clock_gettime(CLOCK_REALTIME, &s);
  if (t) *t = s.tv_sec;
  return s.tv_sec;
}
`;

/**
 * The box's clock is days behind, as with an empty battery, when a layer begins; it is put right afterwards. A container cannot have
 * a clock of its own, so every program that is started in it is told another time.
 */
export async function clockWrong(
  stage: Stage,
  random: Random,
  opts: { layer: number; mend: boolean },
): Promise<Told> {
  const { layer } = opts;
  const work = mkdtempSync(join(tmpdir(), 'vcg-'));
  const days = random.between(30, 3_000);
  try {
    writeFileSync(join(work, 'shim.c'), SHIM);
    const offset = `-DOFFSET=-${Math.round(days * 86_400)}`;
    await must('cc', ['-shared', '-fPIC', '-O1', offset, '-o', join(work, 'shim.so'), join(work, 'shim.c')]);
    copyFileSync(join(work, 'shim.so'), join(stage.box.root, CLOCK));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  await sh(stage, `chmod 755 ${CLOCK}; echo ${CLOCK} >/etc/ld.so.preload`);
  const now = Number(await sh(stage, 'date +%s'));
  assert(Date.now() / 1000 - now > 86_400, 'the box tells the right time');
  const run = isOpen(stage.session) ? stage.start('resume') : stage.provision(String(layer));
  const ended = await run.ended;
  await sh(stage, 'rm /etc/ld.so.preload');
  const times = ended.records
    .filter(isEvent({ kind: 'task' }))
    .map((r) => Date.parse(String(eventIn(r)?.['t'])));
  assert(
    times.length > 0 && times.every((t) => Date.now() - t > 86_400_000),
    'the job was told the right time',
  );
  // apt refuses package lists that are of the future to it, but for those that it has read before.
  const failed = ended.code === 0 || ended.code === PASSED ? 0 : 1;
  if (failed) assert.deepEqual([ended.code, ended.last['code']], [8, 'job_failed'], told(ended));
  if (failed && opts.mend) await mend(stage, layer);
  return { counts: { clocks: 1, failed, events: holds(stage) }, slowestMs: null };
}

/** The laptop's clock jumps by hours between two commands, as after a journey or a night without its battery. */
export async function laptopClockJumps(stage: Stage, random: Random, layer: number): Promise<Told> {
  const { run } = await enterInstall(stage, layer);
  await delay(random.between(0, 2_000));
  stage.killed = true;
  await run.kill('SIGKILL');
  const shim = join(stage.laptop.home, 'clock.mjs');
  const ms = Math.round(random.between(-72, 72) * 3_600_000);
  writeFileSync(
    shim,
    `const Real = Date;
globalThis.Date = class extends Real {
  constructor(...given) { if (given.length) super(...given); else super(Real.now() + (${ms})); }
  static now() { return Real.now() + (${ms}); }
};
`,
  );
  stage.laptop.env['NODE_OPTIONS'] = `--import=${shim}`;
  try {
    endedWell(await stage.start('resume').ended);
    await stage.must(0, 'verify');
  } finally {
    delete stage.laptop.env['NODE_OPTIONS'];
  }
  return { counts: { clocks: 1, events: holds(stage) }, slowestMs: null };
}
