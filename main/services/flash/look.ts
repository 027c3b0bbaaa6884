/** An image as it is shown before it is flashed: opened, judged by its tables and by what lies beside it, closed. Its data is not read. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ImageLook } from '../../../preload/contract/flash.ts';
import type { ForImage } from './disks/list.ts';
import { openImage } from './source/open.ts';
import { readSidecars, type Sidecars } from './source/sidecars.ts';

/** As prepareImage in image.ts goes about it: with a manifest its disk hash decides, else a checksum of the file. */
function proofOf({ manifest, fileSha256 }: Sidecars): ImageLook['proof'] {
  if (manifest) return 'disk_hash';
  return fileSha256 === null ? null : 'checksum';
}

/** What a disk must have room for. Errors: those of the image and of what lies beside it. */
export async function forImage(given: string): Promise<ForImage> {
  const { path, virtualSize } = await lookAtImage(given);
  return { path, virtualSize };
}

/** Errors: those of the image and of what lies beside it. */
export async function lookAtImage(given: string): Promise<ImageLook> {
  const path = resolve(given);
  const sidecars = readSidecars(path);
  const { manifest, from } = sidecars;
  const source = await openImage(path, manifest?.virtualSize ?? null);
  const { kind, virtualSize } = source;
  await source.close();
  return {
    ...{ path, kind, virtualSize, fileBytes: (await stat(path)).size },
    manifest: manifest && {
      ...{ name: manifest.name, version: manifest.version },
      ...{ created: manifest.created, labels: manifest.labels },
    },
    ...{ proof: proofOf(sidecars), proofFrom: from },
  };
}
