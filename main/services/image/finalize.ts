/** P5: the disk cleaned with its machine off, looked at, compressed, and told in chunks. */
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chunkMap } from './chunks.ts';
import { lookCleaned } from './cleaned.ts';
import type { StageContext } from './context.ts';
import { withRoot } from './disk.ts';
import { diskOf } from './machine.ts';
import { stem } from './order.ts';
import { sbomOf } from './sbom.ts';
import { mustTool } from './tool.ts';
import { treeOf } from './tree.ts';

/** In the stage's folder, beside the image. */
export const MAP = 'chunks.json';
export const SBOM = 'sbom.json';
export const TREE = 'tree.txt';

export async function p5(ctx: StageContext): Promise<void> {
  const { order, log, signal, dir } = ctx;
  const before = ctx.entry('P3');
  ctx.evidence = before.meta.evidence;
  const raw = join(dir, 'disk.raw');
  const image = join(dir, `${stem(order)}.qcow2`);
  const key = readFileSync(join(before.dir, 'prepared/build_key.pub'), 'utf8');
  const put = (name: string, text: string) => writeFileSync(join(dir, name), text);
  await ctx.job.step('unpack', 'Unpack the disk', () =>
    mustTool(log, 'qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', diskOf(before.dir), raw], { signal }),
  );
  await withRoot(raw, async (root) => {
    const at = join(dir, 'root');
    await ctx.try('p5_clean', 'Cleaned', () =>
      root.mounted('rw', at, () =>
        mustTool(log, 'sh', [join(order.project, 'packer/scripts/clean.sh'), at], { signal }),
      ),
    );
    await ctx.try('p5_file_system', 'The file system is sound', () => root.check());
    await root.mounted('ro', at, async () => {
      for (const { id, title, left } of lookCleaned(at, key))
        ctx.add({
          ...{
            id,
            title,
            layer: null,
            suite: null,
            verdict: left.length ? 'fail' : 'pass',
            value: left.length,
          },
          ...{ unit: 'left', threshold: '0', source: null, reason: left.length ? left.join(', ') : null },
          ...{ nextAction: left.length ? 'Mend packer/scripts/clean.sh.' : null, evidence: null, seconds: 0 },
        });
      const sbom = sbomOf(at, order.name, order.version);
      ctx.facts['components'] = sbom.components.length;
      put(SBOM, JSON.stringify(sbom));
      put(TREE, `${treeOf(at).join('\n')}\n`);
    });
  });
  if (ctx.decide().outcome === 'failed') return;
  await ctx.job.step('compress', 'Compress the image', () =>
    mustTool(
      ...([log, 'qemu-img'] as const),
      ['convert', '-f', 'raw', '-O', 'qcow2', '-c', '-o', 'compression_type=zstd', raw, image],
      { signal },
    ),
  );
  rmSync(raw);
  const map = await ctx.try(
    ...(['p5_chunks', 'The image reads as the flasher reads it'] as const),
    () => chunkMap(image, { signal, onBytes: (done, total) => progress(ctx, done, total) }),
    ({ diskRoot }) => diskRoot,
  );
  put(MAP, JSON.stringify(map));
  ctx.facts['fileBytes'] = statSync(image).size;
}

let told = -Infinity;
function progress(ctx: StageContext, done: number, total: number): void {
  if (performance.now() - told < 1000) return;
  told = performance.now();
  ctx.job.progress({ phase: 'Read the image', done, total, perSecond: null, remainingSeconds: null });
}
