/** Into the middle of a layer, and out of it again: what the faults during an installation have in common. */
import assert from 'node:assert/strict';
import type { JobRow } from '../../preload/contract/job.ts';
import type { CliRun, Ended } from '../integration/cli.ts';
import { until } from '../rig/host.ts';
import type { Random } from './random.ts';
import { PASSED, told, type Stage } from './stage.ts';

/** A phase of a provision on a very busy machine begins within this, in ms. */
const BEGIN_MS = 300_000;
/** The supervisor lets a dpkg end its step, for as long as it says: two minutes. */
const GONE_MS = 150_000;

/** Whether the session's run has not come to its end. */
export const isOpen = ({ run }: Stage['session']): boolean => run !== null && run.endedAt === null;

/** Layer 0 passes, if it has not. */
export async function layer0(stage: Stage): Promise<void> {
  const has = stage.journal
    .jobs(stage.session.id)
    .some((r) => r.kind === 'bootstrap' && r.state === 'passed');
  if (has) return;
  const ended = await stage.provision('0').ended;
  assert.equal(ended.code, 0, told(ended));
}

/** The newest attempt of a phase of the session's run; null before it has one. */
export function attemptOf(stage: Stage, phase: string): JobRow | null {
  const found = stage.session.run?.phases.find((p) => p.id === phase);
  return found ? stage.journal.latest(found.job) : null;
}

/** Waits until `ready`; rejects when the command ends before. */
export async function during(
  run: CliRun,
  what: string,
  ready: () => boolean | Promise<boolean>,
): Promise<void> {
  const over = (): boolean => run.child.exitCode !== null || run.child.signalCode !== null;
  await until(
    what,
    async () => {
      if (await ready()) return true;
      if (over()) throw new Error(`the command ended before ${what}: ${told(await run.ended)}`);
      return false;
    },
    BEGIN_MS,
  );
}

export interface Installing {
  run: CliRun;
  row: JobRow;
}

/** Begins a layer, or goes on with it, up to the moment where Ansible runs. */
export async function enterInstall(stage: Stage, layer = 1): Promise<Installing> {
  if (layer === 1) await layer0(stage);
  const phase = `l${layer}-install`;
  const before = attemptOf(stage, phase);
  const run = isOpen(stage.session) ? stage.start('resume') : stage.provision(String(layer));
  const newRow = (): JobRow | null => {
    const row = attemptOf(stage, phase);
    const same = row?.job === before?.job && row?.attempt === before?.attempt;
    return row && !same && row.state === 'running' ? row : null;
  };
  await during(run, 'the start of the installation', () => newRow() !== null);
  const row = newRow();
  assert(row);
  const atWork = (): boolean =>
    stage.journal.view(row.job, row.attempt).steps.some((s) => s.id === `l${layer}`);
  await during(run, 'the start of Ansible', atWork);
  return { run, row };
}

/** ansible-playbook, or the Python that forks its modules: each is a process that can be killed. */
const ANSIBLE = [
  '^[^ ]+ [^ ]+/bin/ansible-playbook -c local',
  'forkserver.py .*/bin/ansible-playbook -c local',
] as const;

export async function killAnsible(stage: Stage, random: Random): Promise<void> {
  const killed = await stage.box.run(['pkill', '-9', '-o', '-f', random.pick(ANSIBLE)]);
  assert.equal(killed.code, 0, 'there was no Ansible to kill');
}

/** Waits until dpkg works in the box. */
export const dpkgAtWork = (stage: Stage, run: CliRun): Promise<void> =>
  during(run, 'dpkg at work', async () => (await stage.box.run(['pgrep', '-x', 'dpkg'])).code === 0);

/** What of an attempt still runs in the box, as lines of ps; its supervisor and its runner, too. */
async function processes(stage: Stage, { job, attempt }: JobRow): Promise<string[]> {
  const unit = `vault-job-${job}-${attempt}.service`;
  const script = `
    cat /sys/fs/cgroup/vaultcube.slice/${unit}/cgroup.procs 2>/dev/null
    for p in /proc/[0-9]*; do
      tr '\\0' '\\n' <$p/environ 2>/dev/null | grep -qx 'VCBOX_JOB=${job}.${attempt}' && echo "\${p#/proc/}"
    done | sort -u | while read -r p; do ps -o pid=,stat=,args= -p "$p"; done`;
  const { stdout } = await stage.box.sh(script);
  return stdout.split('\n').filter((line) => line.trim() !== '' && !/^\s*\d+\s+Z/.test(line));
}

/** Waits until nothing of the attempt runs in the box. */
export async function nothingLeft(stage: Stage, row: JobRow): Promise<void> {
  let left: string[] = [];
  const gone = async (): Promise<boolean> => {
    left = await processes(stage, row);
    return left.length === 0;
  };
  await until('the end of the job', gone, GONE_MS).catch((error: Error) => {
    throw new Error(`${error.message}; left: ${left.join('; ')}`);
  });
}

/** A command has ended well; with deviations where the stand-in lacks what only the real machine has. */
export const endedWell = (ended: Ended): void =>
  assert(ended.code === 0 || ended.code === PASSED, told(ended));

/** Every package is whole: installed, or only its settings are left. */
export async function dpkgWhole(stage: Stage): Promise<void> {
  const audit = await stage.box.run(['dpkg', '--audit']);
  assert.equal(audit.stdout.trim(), '', 'dpkg --audit');
  const states = await stage.box.run(['dpkg-query', '-W', '-f', '${db:Status-Abbrev} ${Package}\\n']);
  const broken = states.stdout.split('\n').filter((line) => line !== '' && !/^[ihr][ic] /.test(line));
  assert.deepEqual(broken, []);
}

/** One resume, and the layer has passed; the box is then as if nothing had happened. */
export async function mend(stage: Stage, layer = 1): Promise<Ended> {
  const ended = await (isOpen(stage.session) ? stage.start('resume') : stage.provision(String(layer))).ended;
  endedWell(ended);
  await dpkgWhole(stage);
  return ended;
}
