/** The stages in order, what each is made from, and what it does. All fingerprints are known before anything is built. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../../preload/contract/errors.ts';
import type { IMAGE_STAGES } from '../../../preload/contract/image-build.ts';
import { readManifest } from '../bundle.ts';
import { loadProfile } from '../profiles.ts';
import { chooseAccel } from './accel.ts';
import type { Known, StageContext } from './context.ts';
import { p5 } from './finalize.ts';
import { FileHashes, fingerprint, statHash, treeHash } from './fingerprint.ts';
import { p2, p3, p4 } from './machine.ts';
import { stem, type ImageOrder } from './order.ts';
import { p1 } from './validate.ts';

export type BuiltStage = (typeof IMAGE_STAGES)[number];

export const RUN: Record<BuiltStage, (ctx: StageContext) => Promise<void>> = {
  ...{ P1: p1, P2: p2, P3: p3, P4: p4, P5: p5 },
};

/** Errors: those of profiles and bundles. */
export async function knownOf(order: ImageOrder): Promise<Known> {
  const { profile, sha256 } = loadProfile(order.profile);
  const bundle = order.bundle === null ? null : readManifest(order.bundle);
  return {
    ...{ profile, profileSha256: sha256 },
    bundle: bundle && { name: bundle.manifest.name, manifestSha256: bundle.sha256 },
    accel: order.accel === 'auto' ? await chooseAccel() : order.accel,
  };
}

/** What changes a format or a step of this code, so that an older cache is not taken. */
const VERSION = 1;

/** One hash a stage. Errors: image_order_bad. */
export async function fingerprints(order: ImageOrder, known: Known): Promise<Record<BuiltStage, string>> {
  const { project, bundle } = order;
  const packer = join(project, 'packer');
  const of = (...names: string[]) => treeHash(packer, (path) => names.some((name) => path.startsWith(name)));
  const box = join(project, 'resources/box');
  const sourceSha256 = await new FileHashes(join(order.work, 'hashes.json'))
    .of(order.source.path)
    .catch((error: Error) => {
      throw new AppError(
        'image_order_bad',
        { detail: `${order.source.path} cannot be read: ${error.message}.` },
        error,
      );
    });
  const ansible = treeHash(join(project, 'ansible'));
  const machine = { accel: known.accel, memory: order.memoryMiB, cpus: order.cpus, disk: order.diskSize };
  const templates = of('sources', 'variables', 'build');
  const P1 = fingerprint({
    ...{ VERSION, packer: treeHash(packer), ansible, profile: known.profileSha256, bundle: known.bundle },
    files: bundle === null ? null : statHash(bundle),
    kind: order.source.kind,
  });
  const P2 = fingerprint({
    ...{ VERSION, templates, machine, sourceSha256, wanted: order.source.sha256, kind: order.source.kind },
    files: of('scripts/base.sh', order.source.kind === 'disk' ? 'cloud' : 'autoinstall', 'prepare.sh'),
  });
  const P3 = fingerprint({
    ...{
      VERSION,
      before: P2,
      ansible,
      profile: known.profileSha256,
      bundle: known.bundle,
      layers: order.layers,
    },
    files: of('scripts/checks', 'scripts/layers', 'play-'),
    box: existsSync(box) ? treeHash(box) : null,
  });
  const P4 = fingerprint({ VERSION, before: P3, secondRun: order.secondRun });
  const P5 = fingerprint({ VERSION, before: P4, clean: of('scripts/clean.sh'), file: stem(order) });
  return { P1, P2, P3, P4, P5 };
}
