/** A box, a laptop that knows it, and what the rows do to both: changed settings, tiny disks, other clocks. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { RigBox } from '../../rig/box.ts';
import { CLI, type Laptop, type SecretsGiven } from '../cli.ts';
import type { Undo } from './row.ts';

/**
 * In the box's sshd from the start. Its own penalties for failed logins, which sshd of OpenSSH 9.8 and later has, would turn
 * the rows after three wrong passwords away; one row takes this out and waits for them.
 */
export const NO_PENALTIES = 'etc/ssh/sshd_config.d/05-rows.conf';
export const penaltiesOff = (root: string): void =>
  writeFileSync(join(root, NO_PENALTIES), 'PerSourcePenalties no\n');

export interface Typed {
  code: number;
  stdout: string;
  stderr: string;
}

export class Bench {
  readonly box: RigBox;
  readonly laptop: Laptop;
  /** What the box is called on the laptop. */
  readonly name: string;
  /** A folder of the laptop for keys and profiles, beside the data folder. */
  readonly files: string;

  constructor(box: RigBox, laptop: Laptop, name: string) {
    this.box = box;
    this.laptop = laptop;
    this.name = name;
    this.files = `${laptop.home}-files`;
    mkdirSync(this.files, { mode: 0o700 });
  }

  end(): void {
    rmSync(this.files, { recursive: true, force: true });
  }

  file(name: string): string {
    return join(this.files, name);
  }

  /** `inspect` of the known box. */
  inspect(...more: string[]): string[] {
    return ['inspect', '--box', this.name, ...more];
  }

  /** Runs a script as root in the box; throws with what it said unless it ends with 0. */
  async sh(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.box.sh(script);
    if (code !== 0) throw new Error(`in the box: ${script}\nended with ${code}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Scripts of root in the box: one now, one to take it back. */
  async done(script: string, undo: string): Promise<Undo> {
    await this.sh(script);
    return async () => {
      await this.sh(undo);
    };
  }

  /** Another setting of sshd, first of all, so that it wins. A restart keeps sessions, and is over when sshd listens. */
  sshd(line: string): Promise<Undo> {
    const path = '/etc/ssh/sshd_config.d/00-row.conf';
    return this.done(
      `echo '${line}' >${path} && systemctl restart ssh`,
      `rm -f ${path}; systemctl restart ssh`,
    );
  }

  /** Types the command as a person does who has no terminal at hand: lines, not records. */
  async type(args: readonly string[], secrets: SecretsGiven): Promise<Typed> {
    const child = spawn(process.execPath, [CLI, ...args, '--secrets', '-'], {
      env: { ...process.env, ...this.laptop.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(JSON.stringify(secrets));
    const ended = new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code ?? 128));
    });
    const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    return { code, stdout, stderr };
  }
}

const mount = (...args: string[]) => execFileSync('mount', args, { stdio: 'pipe' });
const unmount = (dir: string): void => void execFileSync('umount', [dir], { stdio: 'pipe' });

/** Puts a disk of its own under the laptop's data folder, whose content goes along. Call what it gives before the folder goes. */
export function smallDisk(home: string, size: string): () => void {
  const aside = `${home}.aside`;
  execFileSync('cp', ['-a', home, aside]);
  mount('-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', home);
  execFileSync('cp', ['-a', `${aside}/.`, home]);
  rmSync(aside, { recursive: true });
  return () => unmount(home);
}

/** Fills the data folder's disk to its last page. */
export async function fillDisk(home: string): Promise<Undo> {
  const filler = join(home, 'filler');
  try {
    for (;;) writeFileSync(filler, Buffer.alloc(4096), { flag: 'a' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
  return async () => rmSync(filler, { force: true });
}

/** The data folder where nothing can be written, root or not: once more over itself, read-only. */
export async function readOnlyFolder(home: string): Promise<Undo> {
  mount('--bind', home, home);
  mount('-o', 'remount,bind,ro', home);
  return async () => unmount(home);
}
