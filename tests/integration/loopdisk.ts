/** A disk that is a file: two partitions in a GPT, behind a real loop device, gone again whatever happens. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LINUX, MIB, writeDisk } from '../unit/flash/partitions.ts';

/** Bytes. */
export const LOOP_SIZE = 32 * MIB;

const tool = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { stdio: 'pipe', encoding: 'utf8' }).trim();

/** Why there can be none here; null when there can. */
export function whyNoLoop(): string | null {
  if (process.platform !== 'linux') return 'not Linux';
  if (process.getuid?.() !== 0) return 'not root: no loop device can be made';
  for (const [command, option] of [
    ['losetup', '--find'],
    ['partx', '--version'],
    ['mke2fs', '-V'],
    ['lsblk', '--version'],
  ] as const)
    try {
      tool(command, option);
    } catch (error) {
      return `${command}: ${(error as Error).message.split('\n')[0]}`;
    }
  return null;
}

export class LoopDisk {
  readonly dir = mkdtempSync(join(tmpdir(), 'vc-loop-'));
  /** What stands for its serial: the name of its file. */
  readonly serial: string;
  readonly file: string;
  /** /dev/loop…; '' when it is detached. */
  path = '';
  readonly #undo: (() => void)[] = [];

  constructor(serial: string) {
    this.serial = serial;
    this.file = join(this.dir, `${serial}.img`);
    try {
      this.#make();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #make(): void {
    writeDisk(this.file, {
      size: LOOP_SIZE,
      partitions: [
        { type: LINUX, first: MIB, length: 16 * MIB, name: 'vault boot' },
        { type: LINUX, first: 17 * MIB, length: 14 * MIB, name: 'vault root' },
      ],
      data: [],
    });
    this.path = this.loop(this.file);
    // Not every kernel reads partition tables by itself.
    tool('partx', '--add', this.path);
    this.#undo.push(() => tool('partx', '--delete', this.path));
    tool('mke2fs', '-q', '-t', 'ext4', '-L', 'data disk', `${this.path}p1`);
  }

  /** One more loop device, of a file or another device. */
  loop(of: string): string {
    const path = tool('losetup', '--find', '--show', of);
    this.#undo.push(() => tool('losetup', '--detach', path));
    return path;
  }

  mount(name: string, ...args: string[]): string {
    const at = this.folder(name);
    tool('mount', ...args, at);
    this.#undo.push(() => tool('umount', at));
    return at;
  }

  folder(name: string): string {
    const at = join(this.dir, name);
    mkdirSync(at, { recursive: true });
    return at;
  }

  /** What was made last goes first; one step that fails does not keep the others. */
  close(): void {
    const problems: unknown[] = [];
    for (const undo of this.#undo.reverse())
      try {
        undo();
      } catch (error) {
        problems.push(error);
      }
    if (problems.length)
      throw new AggregateError(problems, `a loop device of ${this.file} was not cleaned up`);
    rmSync(this.dir, { recursive: true });
  }
}
