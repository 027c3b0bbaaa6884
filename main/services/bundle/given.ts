/** What the engineer gives by hand: archives of container images, and model directories. Taken over as they are. */
import { constants, createReadStream, existsSync, realpathSync, statSync } from 'node:fs';
import { copyFile, rename, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import { z } from 'zod';
import { AppError } from '../../../preload/contract/errors.ts';
import { filesBelow, type BuildFolder } from './folder.ts';
import type { Hashes } from './hashes.ts';

/** A description in an archive is smaller than this; what is larger is a layer. */
const DESCRIPTION_BYTES = 1024 * 1024;

/** A file that goes into the bundle: from where, and its path there. */
export interface Given {
  from: string;
  path: string;
  bytes: number;
}

const ImageList = z
  .array(z.object({ Config: z.string(), RepoTags: z.array(z.string()).nullable().optional() }))
  .min(1);
const ImageConfig = z.object({ architecture: z.string(), os: z.string() });

const bad = (path: string, detail: string, cause?: unknown) =>
  new AppError('bundle_input_bad', { path, detail }, cause);

function sizeOf(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw bad(path, 'there is no such file.');
  if (!stat.isFile()) throw bad(path, 'it is no file.');
  return stat.size;
}

/** The small files of a tar, by name. */
async function descriptions(path: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const tar = extract();
  const reading = createReadStream(path).on('error', (error) => tar.destroy(error));
  reading.pipe(tar);
  for await (const entry of tar) {
    const { name, size, type } = entry.header;
    if (type === 'file' && (size ?? 0) <= DESCRIPTION_BYTES)
      found.set(name, (await buffer(entry)).toString('utf8'));
    else entry.resume();
  }
  return found;
}

/**
 * An archive of container images, as `docker save` and `skopeo copy … docker-archive:` write it: it has a name and is for the box's
 * kind of processor. `arch`: as Debian and Docker name it, amd64. Errors: bundle_input_bad.
 */
export async function imageGiven(path: string, arch: string): Promise<Given & { tags: string[] }> {
  const bytes = sizeOf(path);
  const wrong = 'it is no archive of "docker save"';
  let files: Map<string, string>;
  try {
    files = await descriptions(path);
  } catch (error) {
    throw bad(path, `${wrong}: ${(error as Error).message}.`, error);
  }
  const parse = <T>(schema: z.ZodType<T>, name: string): T => {
    try {
      return schema.parse(JSON.parse(files.get(name) ?? ''));
    } catch (error) {
      throw bad(path, `${wrong}: its ${name} is missing or damaged.`, error);
    }
  };
  const images = parse(ImageList, 'manifest.json');
  const tags = images.flatMap((image) => image.RepoTags ?? []);
  if (tags.length === 0) throw bad(path, 'its image has no name; save it by its name, not by its id.');
  for (const { Config } of images) {
    const config = parse(ImageConfig, Config);
    if (config.architecture !== arch || config.os !== 'linux')
      throw bad(path, `its image is for ${config.os} on ${config.architecture}, not for linux on ${arch}.`);
  }
  const name = basename(path).endsWith('.tar') ? basename(path) : `${basename(path)}.tar`;
  return { from: path, path: `images/${name}`, bytes, tags };
}

/** All files of a model directory; links, as in a download cache, are followed. Errors: bundle_input_bad. */
export function modelGiven(dir: string): Given[] {
  const name = basename(resolve(dir));
  if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) throw bad(dir, 'there is no such folder.');
  const files = filesBelow(dir).map((below) => {
    const from = join(dir, below);
    if (!existsSync(from)) throw bad(from, 'it is a link to nothing.');
    return { from: realpathSync(from), path: `models/${name}/${below}`, bytes: sizeOf(from) };
  });
  if (files.length === 0) throw bad(dir, 'the folder is empty.');
  return files;
}

/** Which of them the folder has not yet in just these bytes. Errors: usage where two would have one name. */
export async function missingGiven(
  all: readonly Given[],
  folder: BuildFolder,
  hashes: Hashes,
  signal?: AbortSignal,
): Promise<Given[]> {
  const seen = new Set<string>();
  const missing: Given[] = [];
  for (const given of all) {
    if (seen.has(given.path))
      throw new AppError('usage', { what: `Two of the given files would both be ${given.path}.` });
    seen.add(given.path);
    const there = folder.find(given.path);
    const same =
      statSync(there, { throwIfNoEntry: false })?.size === given.bytes &&
      (await hashes.of(there, signal)) === (await hashes.of(given.from, signal));
    if (!same) missing.push(given);
  }
  return missing;
}

/** Copies them; one that is not whole yet has another name. `onBytes` is told how many are here. Errors: file_unwritable. */
export async function takeGiven(
  missing: readonly Given[],
  folder: BuildFolder,
  opts: { onBytes: (done: number) => void; signal?: AbortSignal | undefined },
): Promise<void> {
  let done = 0;
  for (const { from, path, bytes } of missing) {
    opts.signal?.throwIfAborted();
    const to = folder.stage(path);
    const part = `${to}.part`;
    try {
      // On a file system that can, the copy shares the bytes of the original.
      await copyFile(from, part, constants.COPYFILE_FICLONE);
      await rename(part, to);
    } catch (error) {
      await rm(part, { force: true });
      throw new AppError('file_unwritable', { path: to, detail: (error as Error).message }, error);
    }
    done += bytes;
    opts.onBytes(done);
  }
}
