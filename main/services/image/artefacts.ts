/** P6: exactly the named artefacts and the signature, in a folder that was not there before, and proven there. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  NOT_PROVEN,
  STAGE_TABLE,
  type ImageStage,
  type StageRecord,
} from '../../../preload/contract/image-build.ts';
import { ImageManifest } from '../../../preload/contract/image.ts';
import { weakestEvidence } from '../../../preload/contract/outcome.ts';
import { printed } from '../programs.ts';
import { sha256Of } from '../bundle/hashes.ts';
import { CHUNK_BYTES } from '../flash/source/types.ts';
import type { StageContext } from './context.ts';
import type { ChunkMap } from './chunks.ts';
import { MAP, SBOM } from './finalize.ts';
import { labelsOf, stem } from './order.ts';
import { STAGE_LOG, place } from './store.ts';
import { StageFailed } from './tool.ts';
import { MANIFEST, SIGNATURE, verifySet } from './verify.ts';

export const LOG = 'packer-build.log';

async function gitRevision(project: string): Promise<string | null> {
  const { stdout, error } = await printed(
    'git',
    ['-C', project, 'describe', '--always', '--dirty', '--abbrev=40'],
    {
      timeout: 10_000,
    },
  );
  return error ? null : stdout.trim();
}

/** All stages' logs, each under its name. */
function wholeLog(ctx: StageContext, stages: readonly ImageStage[]): string {
  return stages
    .map(
      (id) =>
        `===== ${id} ${STAGE_TABLE[id].title} =====\n${readFileSync(join(ctx.entry(id).dir, STAGE_LOG), 'utf8')}`,
    )
    .join('\n');
}

export interface SetInfo {
  build: string;
  app: string;
  stages: readonly StageRecord[];
}

export async function p6(ctx: StageContext, info: SetInfo): Promise<void> {
  const { order, known, signal } = ctx;
  const name = stem(order);
  const file = `${name}.qcow2`;
  const made = ctx.entry('P5').dir;
  const map = JSON.parse(readFileSync(join(made, MAP), 'utf8')) as ChunkMap;
  const sbom: unknown = JSON.parse(readFileSync(join(made, SBOM), 'utf8'));
  const evidence = weakestEvidence(info.stages.map((stage) => stage.evidence));
  ctx.evidence = evidence;
  const out = `${order.out}.new`;
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  place(join(made, file), join(out, file));
  const fileSha256 = await sha256Of(join(out, file), { signal });
  writeFileSync(join(out, `${name}.sha256`), `${fileSha256}  ${file}\n`);
  writeFileSync(join(out, LOG), wholeLog(ctx, ['P1', 'P2', 'P3', 'P4', 'P5']));
  const others = [`${name}.sha256`, LOG].map((path) => {
    const bytes = readFileSync(join(out, path));
    return { file: path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  });
  const sourceFacts = ctx.entry('P2').meta.facts;
  const manifest = ImageManifest.parse({
    ...{ v: 1, name: order.name, version: order.version, file, virtualSize: map.virtualSize, fileSha256 },
    ...{ diskRoot: map.diskRoot, hash: 'sha256', chunkBytes: CHUNK_BYTES, created: new Date().toISOString() },
    labels: [...labelsOf(order, NOT_PROVEN), ...(evidence === 'real' ? [] : [evidence])],
    layers: [...order.layers],
    chunks: map.chunks,
    build: {
      ...{ id: info.build, app: info.app, gitRevision: await gitRevision(order.project), evidence },
      profile: { id: known.profile.id, sha256: known.profileSha256 },
      bundle: known.bundle,
      source: {
        kind: order.source.kind,
        file: order.source.path.split('/').at(-1),
        sha256: sourceFacts['sourceSha256'] ?? null,
      },
      ...{ accelerator: known.accel, allocated: map.allocated, fileBytes: statSync(join(out, file)).size },
      ...{ stages: info.stages, artefacts: others },
    },
    sbom,
  });
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`);
  writeFileSync(join(out, MANIFEST), bytes);
  if (order.signer) writeFileSync(join(out, SIGNATURE), order.signer(bytes, `${name} ${manifest.diskRoot}`));
  await ctx.try('p6_set', 'The set is whole', async () => {
    const { problems } = await verifySet(out, { keys: [], signal });
    const [first] = problems;
    if (first)
      throw new StageFailed({
        cause: `the set that was written is not whole: ${first}`,
        action: 'Build again.',
      });
  });
  if (existsSync(order.out))
    throw new StageFailed({
      cause: `${order.out} came about meanwhile.`,
      action: 'Name another folder with --out.',
    });
  mkdirSync(dirname(order.out), { recursive: true });
  renameSync(out, order.out);
}
