/** What the rig asks of the machine it runs on: commands, folders, and whether it can run here at all. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { KEYRING, rigSources } from './sources.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Everything the rig builds or leaves lies below this folder. */
export const RIG = join(ROOT, '.cache', 'rig');
/** Python with pip, of the project's own environment. */
export const PYTHON = join(ROOT, '.cache', 'venv', 'bin', 'python3');

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** Text for its standard input, which is closed behind it. */
  input?: string;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

/** Runs a command to its end; rejects only when it cannot be started. A signal gives code 128. */
export async function run(file: string, args: readonly string[], opts: RunOptions = {}): Promise<Ran> {
  const child = spawn(file, args, { cwd: opts.cwd, env: opts.env, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => undefined); // a child that reads nothing may be gone already
  child.stdin.end(opts.input ?? '');
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 128));
  });
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}

/** Runs a command and resolves to its stdout; rejects with what it said unless it ends with 0. */
export async function must(file: string, args: readonly string[], opts: RunOptions = {}): Promise<string> {
  const done = await run(file, args, opts);
  if (done.code === 0) return done.stdout;
  const said = `${done.stdout}\n${done.stderr}`.trim().slice(-4000);
  throw new Error(`${file} ${args.join(' ')} ended with ${done.code}\n${said}`);
}

/** Waits until `ready` is true; rejects with `what` after `ms`. */
export async function until(what: string, ready: () => boolean | Promise<boolean>, ms: number) {
  const end = performance.now() + ms;
  while (!(await ready())) {
    if (performance.now() > end) throw new Error(`${what} did not happen within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Roots of the control group trees that systemd-nspawn uses here: one where all is version 2, two on a mixed machine. */
export function cgroupTrees(): string[] {
  const trees = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/systemd'];
  return trees.filter((tree) => existsSync(join(tree, 'cgroup.procs')));
}

/** The program that shows it is there, and the Debian package it comes with. */
const TOOLS: Record<string, string> = {
  'systemd-nspawn': 'systemd-container',
  mmdebstrap: 'mmdebstrap',
  'apt-get': 'apt',
  'apt-ftparchive': 'apt-utils',
  'dpkg-deb': 'dpkg',
  gpg: 'gnupg',
  ip: 'iproute2',
  nft: 'nftables',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  flock: 'util-linux',
  'ssh-keygen': 'openssh-client',
};

/** What a virtual machine wants beside them. */
const VM_TOOLS: Record<string, string> = {
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  mke2fs: 'e2fsprogs',
  'mkfs.vfat': 'dosfstools',
  mcopy: 'mtools',
};
export const OVMF = '/usr/share/OVMF';

function there(tool: string): boolean {
  const folders = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`.split(':');
  return folders.some((folder) => folder !== '' && existsSync(join(folder, tool)));
}

/** Why the rig cannot run here, in words for the name of a skipped test; null when it can. */
export function whyNoRig(): string | null {
  if (process.platform !== 'linux') return 'not Linux';
  if (process.arch !== 'x64') return `a machine of type ${process.arch}: the rig's wheels are for x86-64`;
  if (process.getuid?.() !== 0) return 'not root: no box can be started';
  for (const [tool, from] of Object.entries(TOOLS)) {
    if (!there(tool)) return `no ${tool}: apt install ${from}`;
  }
  if (!existsSync(KEYRING)) return 'no keys of the Debian archive: apt install debian-archive-keyring';
  if (cgroupTrees().length === 0) return 'no control groups: systemd-nspawn needs a mounted hierarchy';
  if (rigSources() === null) return "this machine's apt sources name no Debian archive";
  if (!existsSync(PYTHON)) return "the project's Python tools are not set up: node scripts/setup.mjs";
  return null;
}

/** Why no virtual machine can run here; null when one can. Slowly, in software: KVM is not asked for. */
export function whyNoVm(): string | null {
  const why = whyNoRig();
  if (why !== null) return why;
  for (const [tool, from] of Object.entries(VM_TOOLS)) {
    if (!there(tool)) return `no ${tool}: apt install ${from}`;
  }
  return existsSync(join(OVMF, 'OVMF_CODE_4M.fd')) ? null : 'no firmware: apt install ovmf';
}
