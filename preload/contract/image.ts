/** The manifest of a golden image, manifest.json beside it (docs/adr/0009-image-sources.md). */
import { z } from 'zod';
import { Sha256 } from './events.ts';
import { ImageBuild, Sbom } from './image-build.ts';

export const ImageManifest = z.strictObject({
  v: z.literal(1),
  name: z.string().min(1),
  version: z.string().min(1),
  /** The image's file name: a manifest beside several images is that one's. */
  file: z.string().min(1),
  /** Bytes of the disk. */
  virtualSize: z.number().int().positive().multipleOf(512),
  /** Over the file as it is stored. */
  fileSha256: Sha256,
  /** Over the disk, chunk by chunk: the same however it is stored. */
  diskRoot: Sha256,
  /** Of the chunks and the root. */
  hash: z.literal('sha256'),
  chunkBytes: z.literal(4 * 1024 * 1024),
  created: z.iso.datetime({ offset: true }),
  /** For people: "GPU layers installed, not proven". */
  labels: z.array(z.string().min(1)),
  /** The hash of each chunk in order, null for a hole; where the builder wrote it. */
  chunks: z.array(Sha256.nullable()).optional(),
  /** How it came about; an image that was built by other means has none. */
  build: ImageBuild.optional(),
  sbom: Sbom.optional(),
  /** Layers whose health checks a system of this image is to pass; without it those are run of which a trace is found. */
  layers: z.array(z.number().int().nonnegative()).optional(),
});
export type ImageManifest = z.infer<typeof ImageManifest>;
