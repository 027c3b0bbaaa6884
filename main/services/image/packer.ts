/** Runs one build of packer/, and sees it end when its machine does. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CheckResult } from '../../../preload/contract/events.ts';
import { Evidence } from '../../../preload/contract/outcome.ts';
import { ACCEL_ARGS } from './accel.ts';
import { causeOf, failedInside } from './cause.ts';
import type { StageContext } from './context.ts';
import { ansibleTool } from './order.ts';
import { phasesOf, slowestTasks } from './phases.ts';
import { StageFailed, mustTool, runTool } from './tool.ts';

export type PackerVars = Record<string, string | number>;

const WATCH_MS = 250;
/** Packer's own words when it ends the machine: from here on it may be gone. */
const ENDING =
  /Gracefully halting virtual machine|Halting the virtual machine|Deleting output directory|cleanup provisioner/;
/** Of a machine in software, on a machine that is busy. */
const SSH_TIMEOUT = { kvm: '20m', tcg: '60m' };

/** Makes or completes the folder that belongs to one build alone, and answers with its password. Errors: StageFailed. */
export async function prepare(ctx: StageContext, folder: string): Promise<string> {
  const { order, log, signal } = ctx;
  await mustTool(log, 'sh', [join(order.project, 'packer/prepare.sh'), folder], { signal });
  const password = readFileSync(join(folder, 'password'), 'utf8');
  log.hide(password);
  return password;
}

export interface PackerOrder {
  /** base, provision, test or look, with the source. */
  only: string;
  prepared: string;
  vars: PackerVars;
}

function allVars(ctx: StageContext, { prepared, vars }: PackerOrder, password: string): PackerVars {
  const { order, known } = ctx;
  const { accel, cpu } = ACCEL_ARGS[known.accel];
  return {
    ...{ accel, cpu_model: cpu, memory: order.memoryMiB, cpus: order.cpus, disk_size: order.diskSize },
    ...{ ssh_timeout: SSH_TIMEOUT[known.accel], out_dir: join(ctx.dir, 'disk'), results: ctx.logs },
    ...{ prepared, build_password: password, ansible_dir: join(order.project, 'ansible') },
    ansible_command: ansibleTool('ansible-playbook'),
    ...vars,
  };
}

/** The disk is then `disk/disk.qcow2` in the stage's folder. Errors: StageFailed. */
export async function runPacker(ctx: StageContext, what: PackerOrder): Promise<void> {
  const { order, log, store, signal } = ctx;
  const password = await prepare(ctx, what.prepared);
  mkdirSync(ctx.logs, { recursive: true, mode: 0o700 });
  const file = join(ctx.logs, 'vars.pkrvars.json');
  const pid = join(ctx.logs, 'qemu.pid');
  rmSync(pid, { force: true });
  writeFileSync(file, JSON.stringify(allVars(ctx, what, password)), { mode: 0o600 });
  const machine = new Machine(pid);
  const stop = new AbortController();
  const begun = log.text().length;
  let ending = false;
  let died = false;
  const watch = setInterval(() => {
    // Looked at to the end, for its processor time.
    const state = machine.look();
    if (ending || state !== 'gone') return;
    stop.abort(new StageFailed(causeOf('packer', log.text().slice(begun), true)));
  }, WATCH_MS);
  try {
    const args = ['build', '-color=false', '-timestamp-ui', `-only=${what.only}`, `-var-file=${file}`, '.'];
    const code = await runTool(log, 'packer', args, {
      cwd: join(order.project, 'packer'),
      env: { PACKER_CACHE_DIR: join(store.work, 'packer'), CHECKPOINT_DISABLE: '1', PACKER_NO_COLOR: '1' },
      signal: AbortSignal.any([signal, stop.signal]),
      onLine: (line) => {
        if (ending || !ENDING.test(line)) return;
        ending = true;
        died = machine.look() === 'gone' && !failedInside(log.text().slice(begun));
      },
    });
    const said = log.text().slice(begun);
    if (code !== 0) throw new StageFailed(causeOf('packer', said, died));
    ctx.facts['phases'] = phasesOf(said);
    ctx.facts['slowestTasks'] = slowestTasks(said);
    ctx.facts['machineCpuSeconds'] = machine.cpuSeconds;
  } finally {
    clearInterval(watch);
    rmSync(file, { force: true });
    machine.end();
  }
}

/** QEMU, known by the file into which it writes its number. */
class Machine {
  readonly #file: string;
  #pid: number | null = null;
  /** Processor time it took, as far as it was seen: beside the wall clock, what a calm machine would need. */
  cpuSeconds = 0;

  constructor(file: string) {
    this.#file = file;
  }

  look(): 'not yet' | 'runs' | 'gone' {
    if (this.#pid === null && existsSync(this.#file)) {
      const pid = Number(readFileSync(this.#file, 'utf8').trim());
      if (pid > 0) this.#pid = pid;
    }
    if (this.#pid === null) return 'not yet';
    if (!this.#isOurs()) return 'gone';
    this.cpuSeconds = cpuSecondsOf(this.#pid) ?? this.cpuSeconds;
    return 'runs';
  }

  #isOurs(): boolean {
    try {
      return readFileSync(`/proc/${this.#pid}/cmdline`, 'latin1').includes(this.#file);
    } catch {
      return false;
    }
  }

  /** Whatever Packer left running. */
  end(): void {
    if (this.look() === 'runs' && this.#pid !== null) process.kill(this.#pid, 'SIGKILL');
  }
}

/** Of the kernel's clock, which Linux shows to programs as a hundredth of a second on every architecture. */
const TICKS = 100;

/** User and system time of a process; null where it is gone. */
function cpuSecondsOf(pid: number): number | null {
  try {
    // The name, in brackets, may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
    return Math.round((Number(fields[11]) + Number(fields[12])) / TICKS);
  } catch {
    return null;
  }
}

/** What scripts/checks.py found in the machine. Errors: StageFailed. */
export function takeChecks(ctx: StageContext): void {
  const path = join(ctx.logs, 'checks.jsonl');
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
  if (lines.length === 0)
    throw new StageFailed({ cause: 'the machine told of no checks.', action: 'Look at the log.' });
  for (const line of lines) {
    const found = JSON.parse(line) as { type?: unknown; evidence?: unknown; check?: unknown };
    if (found.type === 'evidence') ctx.evidence = Evidence.parse(found.evidence);
    else ctx.add(CheckResult.parse(found.check));
  }
}

const RECAP = /golden\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)/;

/** Of the last play in the log; null where there is none. Pure. */
export function recapOf(log: string): { ok: number; changed: number; failed: number } | null {
  const line = log.split('\n').findLast((one) => RECAP.test(one));
  const [, ok, changed, unreachable, failed] = RECAP.exec(line ?? '') ?? [];
  return ok === undefined
    ? null
    : { ok: Number(ok), changed: Number(changed), failed: Number(failed) + Number(unreachable) };
}

/** Names of the tasks that changed the machine, as Ansible prints them behind Packer's marks. Pure. */
export function changedTasks(log: string): string[] {
  const names: string[] = [];
  let task = '';
  for (const line of log.split('\n')) {
    task = /TASK \[([^\]]+)\]/.exec(line)?.[1] ?? task;
    if (/changed: \[golden\]/.test(line) && !names.includes(task)) names.push(task);
  }
  return names;
}
