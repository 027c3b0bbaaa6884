/** The finished disk, mounted where this machine can look into it. As root. */
import { mkdirSync, rmdirSync } from 'node:fs';
import { printed } from '../programs.ts';
import { StageFailed } from './tool.ts';

interface Table {
  partitiontable: { sectorsize?: number; partitions: { start: number; size: number; type: string }[] };
}

const TIMEOUT_MS = 600_000;

/** Its stdout. Errors: StageFailed. */
async function must(file: string, args: readonly string[]): Promise<string> {
  const { stdout, stderr, error } = await printed(file, args, { timeout: TIMEOUT_MS });
  if (!error) return stdout;
  const said = (stderr.trim() || stdout.trim()).split('\n').at(-1) ?? '';
  throw new StageFailed({ cause: `${file} ended with ${error.code}: ${said}`, action: 'Look at the log.' });
}

/** The largest partition, in bytes: the root of the system. Errors: StageFailed. */
async function rootOf(raw: string): Promise<{ offset: number; size: number }> {
  const { partitiontable: table } = JSON.parse(await must('sfdisk', ['-J', raw])) as Table;
  const sector = table.sectorsize ?? 512;
  const [root] = table.partitions.toSorted((a, b) => b.size - a.size);
  if (!root)
    throw new StageFailed({ cause: 'the disk has no partitions.', action: 'Look at the source image.' });
  return { offset: root.start * sector, size: root.size * sector };
}

export interface RootDevice {
  /** Checks the file system without changing it. Errors: StageFailed. */
  check(): Promise<void>;
  /** Freed blocks become holes of the file. */
  mounted<T>(mode: 'rw' | 'ro', at: string, fn: () => Promise<T>): Promise<T>;
}

/** A loop device over the root file system, for as long as `fn` runs. Errors: StageFailed. */
export async function withRoot<T>(raw: string, fn: (device: RootDevice) => Promise<T>): Promise<T> {
  const { offset, size } = await rootOf(raw);
  const at = ['--offset', String(offset), '--sizelimit', String(size)];
  const loop = (await must('losetup', ['--find', '--show', ...at, raw])).trim();
  try {
    return await fn({
      check: async () => void (await must('e2fsck', ['-f', '-n', loop])),
      mounted: async (mode, folder, inside) => {
        mkdirSync(folder, { recursive: true });
        await must('mount', [
          '-o',
          mode === 'rw' ? 'rw,nosuid,nodev' : 'ro,noload,nosuid,nodev,noexec',
          loop,
          folder,
        ]);
        try {
          const value = await inside();
          if (mode === 'rw') await must('fstrim', [folder]);
          return value;
        } finally {
          await must('umount', [folder]);
          rmdirSync(folder);
        }
      },
    });
  } finally {
    await must('losetup', ['-d', loop]);
  }
}
