/** A disk that is a file: two partitions in a GPT written here, behind a real loop device, gone again whatever happens. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SECTOR = 512;
const SECTORS = 65_536;
/** Bytes. */
export const LOOP_SIZE = SECTORS * SECTOR;
const ENTRIES = 128;
const ENTRY_BYTES = 128;
const LINUX_DATA = 'af3dc60f838472478e793d69d8477de4';

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

/** Node's own came with 20.15. */
function crc32(bytes: Buffer): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

interface PartitionOrder {
  /** Sectors. */
  first: number;
  last: number;
  name: string;
}

/** The primary table: protective MBR, header, entries. lsblk and partx ask for no more. */
function gpt(partitions: readonly PartitionOrder[]): Buffer {
  const entries = Buffer.alloc(ENTRIES * ENTRY_BYTES);
  partitions.forEach(({ first, last, name }, at) => {
    const entry = entries.subarray(at * ENTRY_BYTES, (at + 1) * ENTRY_BYTES);
    Buffer.from(LINUX_DATA, 'hex').copy(entry);
    entry.fill(at + 1, 16, 32);
    entry.writeBigUInt64LE(BigInt(first), 32);
    entry.writeBigUInt64LE(BigInt(last), 40);
    entry.write(name, 56, 'utf16le');
  });
  const table = Buffer.alloc(2 * SECTOR);
  table[450] = 0xee;
  table.writeUInt32LE(1, 454);
  table.writeUInt32LE(SECTORS - 1, 458);
  table.writeUInt16LE(0xaa55, 510);
  const header = table.subarray(SECTOR, SECTOR + 92);
  header.write('EFI PART', 'latin1');
  header.writeUInt32LE(0x10000, 8);
  header.writeUInt32LE(92, 12);
  for (const [at, value] of [
    [24, 1],
    [32, SECTORS - 1],
    [40, 34],
    [48, SECTORS - 34],
    [72, 2],
  ] as const)
    header.writeBigUInt64LE(BigInt(value), at);
  header.fill(7, 56, 72);
  header.writeUInt32LE(ENTRIES, 80);
  header.writeUInt32LE(ENTRY_BYTES, 84);
  header.writeUInt32LE(crc32(entries), 88);
  header.writeUInt32LE(crc32(header), 16);
  return Buffer.concat([table, entries]);
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
    const fd = openSync(this.file, 'w');
    writeSync(
      fd,
      gpt([
        { first: 2048, last: 34_815, name: 'vault boot' },
        { first: 34_816, last: 63_487, name: 'vault root' },
      ]),
    );
    writeSync(fd, Buffer.alloc(1), 0, 1, LOOP_SIZE - 1);
    closeSync(fd);
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
