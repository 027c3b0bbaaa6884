/** A site bundle as a disk of the machine: sent by SSH and unpacked it would take twice its room there, and in software minutes. */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { StageContext } from './context.ts';
import { mustTool } from './tool.ts';

/** As scripts/layers.sh of packer/ finds it. */
const LABEL = 'VC-BUNDLE';
const BLOCK = 4096;
const INODE = 256;
/** Tables, and what they are rounded up to. */
const SPARE = 1.02;
const SPARE_BYTES = 16 * 1024 ** 2;

/** Room that the files below take in ext4, in bytes. */
function roomFor(root: string): { bytes: number; files: number } {
  let bytes = 0;
  let files = 0;
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    files += 1;
    bytes += Math.ceil(statSync(join(root, name)).size / BLOCK) * BLOCK + INODE;
  }
  return { bytes: Math.ceil(bytes * SPARE) + SPARE_BYTES, files };
}

/**
 * Packer's variables for the disk while `fn` runs; the disk lies in the stage's folder and is removed behind it. None where the order has
 * no bundle. Errors: StageFailed.
 */
export async function withBundleDisk<T>(
  ctx: StageContext,
  fn: (vars: Record<string, string>) => Promise<T>,
): Promise<T> {
  const { order, log, signal, dir } = ctx;
  if (order.bundle === null) return fn({});
  const file = join(dir, 'bundle.ext4');
  const { bytes, files } = roomFor(order.bundle);
  const args = [
    ...['-q', '-F', '-t', 'ext4', '-L', LABEL, '-b', String(BLOCK), '-m', '0', '-N', String(files + 1000)],
    ...[
      '-O',
      '^has_journal',
      '-E',
      'root_owner=0:0',
      '-d',
      order.bundle,
      file,
      `${Math.ceil(bytes / BLOCK)}`,
    ],
  ];
  try {
    await ctx.job.step('bundle_disk', 'The site bundle as a disk', () =>
      mustTool(log, 'mke2fs', args, { signal }),
    );
    return await fn({ bundle_disk: file });
  } finally {
    rmSync(file, { force: true });
  }
}
