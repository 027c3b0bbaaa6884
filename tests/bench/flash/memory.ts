/** The largest resident memory of the writer, in bytes, for a disk of 200 GiB that is nearly empty, and for the image of the benchmark. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ESP, LINUX, MIB, writeDisk } from '../../unit/flash/partitions.ts';
import type { Images } from './images.ts';
import { ours } from './local.ts';
import { said } from './shell.ts';
import { Target } from './target.ts';

const LARGE = 200 * 1024 * MIB;

interface Peak {
  virtualSize: number;
  peakBytes: number;
  seconds: number;
}

async function peakOf(dir: string, image: string, virtualSize: number): Promise<Peak> {
  const target = await Target.make(dir, 'memory', virtualSize);
  try {
    const { peakBytes, total } = await ours(image, 'disk', target.path, virtualSize, join(dir, 'peak'));
    if (peakBytes === null || !(peakBytes > 0)) throw new Error('nothing was measured');
    return { virtualSize, peakBytes, seconds: total };
  } finally {
    target.close();
  }
}

export async function memory({ dir, qcow2, virtualSize }: Images): Promise<{ large: Peak; usual: Peak }> {
  const raw = join(dir, 'large.raw');
  const image = join(dir, 'large.qcow2');
  try {
    writeDisk(raw, {
      size: LARGE,
      partitions: [
        { type: ESP, first: MIB, length: 64 * MIB },
        { type: LINUX, first: 65 * MIB, length: LARGE - 66 * MIB },
      ],
      // A MiB every 4 GiB: tables all over it, and hardly anything to write.
      data: Array.from({ length: 50 }, (_, n) => ({ at: (65 + n * 4096) * MIB, length: MIB, seed: n + 1 })),
    });
    await said('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, image]);
    return { large: await peakOf(dir, image, LARGE), usual: await peakOf(dir, qcow2, virtualSize) };
  } finally {
    for (const path of [raw, image]) rmSync(path, { force: true });
  }
}
