/** Power and reset of one box: systemd-nspawn, started again whenever the system inside asks for a reboot. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { must, until } from './host.ts';
import { cgroups, killAll, makeCgroups, type Names } from './resources.ts';

/** systemd-nspawn ends with this when the system inside reboots and nobody else keeps the container. */
const REBOOT = 133;
const START_MS = 20_000;
const OPTIONS = [
  ...['--boot', '--quiet', '--settings=no', '--register=no', '--keep-unit', '--console=pipe'],
  ...['--resolv-conf=off', '--timezone=off', '--link-journal=no'],
  // Docker in the box needs what a container is not given otherwise.
  '--capability=all',
  // The clock is this machine's: nothing in a box may set it, whatever is tried there.
  '--drop-capability=CAP_SYS_TIME',
  '--system-call-filter=@keyring @privileged bpf perf_event_open',
];
/** Enters each given control group, then becomes the command behind `--`. */
const ENTER = 'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs"; shift; done; shift; exec "$@"';

/** Children of a process, by this machine's numbers. */
function children(pid: number): number[] {
  try {
    const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return list.trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Whether this is the first process of a container, and has become its init. */
function isInit(pid: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return /^NSpid:\s.*\s1$/m.test(status) && /^Name:\s+systemd$/m.test(status);
  } catch {
    return false;
  }
}

export class Machine {
  readonly #names: Names;
  readonly #onBoot: () => void;
  #child: number | null = null;
  #stopping = false;
  /** How often the box has been started, reboots included. */
  boots = 0;

  /** `onBoot` is called at each start, before anything runs in the box. */
  constructor(names: Names, onBoot: () => void) {
    this.#names = names;
    this.#onBoot = onBoot;
  }

  /** What the box wrote to its console so far. */
  console(): string {
    const path = join(this.#names.dir, 'console.log');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  get on(): boolean {
    return this.#child !== null;
  }

  /** The box's process 1, by this machine's number; null while it is off or starts. */
  leader(): number | null {
    return this.#child === null ? null : (children(this.#child).find(isInit) ?? null);
  }

  /** Switches the box on; resolves when its process 1 runs. */
  async start(): Promise<void> {
    if (this.on) throw new Error(`${this.#names.id} is on already`);
    const fifo = join(this.#names.dir, 'console.in');
    if (!existsSync(fifo)) await must('mkfifo', ['-m', '600', fifo]);
    this.#stopping = false;
    this.#spawn();
    const running = (): boolean => {
      if (!this.on) throw new Error(`${this.#names.id} ended at its start:\n${this.console()}`);
      return this.leader() !== null;
    };
    await until(`the start of ${this.#names.id}`, running, START_MS);
  }

  #spawn(): void {
    const { id, dir, root } = this.#names;
    makeCgroups(id);
    // A console that is at its end would end the container's; one that is open for reading and writing never is.
    const input = openSync(join(dir, 'console.in'), 'r+');
    const output = openSync(join(dir, 'console.log'), 'a');
    // However this process ends, the kernel then sends this signal, upon which nspawn shuts the box down.
    const nspawn = ['setpriv', '--pdeathsig', 'TERM', 'systemd-nspawn', ...OPTIONS];
    const place = ['-D', root, '-M', id, `--network-bridge=${id}`];
    const binds = [`--bind=${join(dir, 'docker')}:/var/lib/docker`];
    const child = spawn('sh', ['-c', ENTER, 'sh', ...cgroups(id), '--', ...nspawn, ...place, ...binds], {
      // Of its own session: Ctrl+C at a terminal is for this process, which then stops the box.
      detached: true,
      stdio: [input, output, output],
      env: { ...process.env, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' },
    });
    closeSync(input);
    closeSync(output);
    this.#child = child.pid ?? null;
    this.boots += 1;
    this.#onBoot();
    child.once('error', () => (this.#child = null));
    child.once('exit', (code) => {
      this.#child = null;
      if (code === REBOOT && !this.#stopping) this.#spawn();
    });
  }

  /** Ends everything in the box at once, and keeps it off. */
  async cutPower(): Promise<void> {
    this.#stopping = true;
    await killAll(this.#names);
    await until(`the end of ${this.#names.id}`, () => !this.on, START_MS);
  }
}
