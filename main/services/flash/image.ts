/** An image made ready to be flashed: judged, held against what lies beside it, its partition tables found. Nothing is written yet. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AppError } from '../../../preload/contract/errors.ts';
import { layoutOf, type DiskLayout } from './gpt.ts';
import { sameImage, type ImageKey } from './record.ts';
import { openImage } from './source/open.ts';
import { checkFile, orderedImage, readSidecars } from './source/sidecars.ts';
import {
  CHUNK_BYTES,
  type ForwardSource,
  type RandomSource,
  chunkAt,
  chunkCount,
  refusalsOf,
} from './source/types.ts';

export interface FlashImage {
  /** Absolute. */
  readonly path: string;
  readonly key: ImageKey;
  /** What the disk must hash to at the end; null without a manifest. */
  readonly diskRoot: string | null;
  /** What orders tell of it (orderedImage). */
  readonly ordered: Record<string, unknown>;
  /** Layers that its manifest says it has; null where none says it. */
  readonly layers: readonly number[] | null;
  /** Whether the file itself was hashed and agreed with what lies beside it. */
  readonly fileChecked: boolean;
  readonly virtualSize: number;
  readonly layout: DiskLayout;
  /** Null for what is compressed as a whole. */
  readonly random: RandomSource | null;
  /** Which chunks hold data; null where only the reading tells. */
  readonly data: Uint8Array | null;
  /** Another passage over a stream, from its beginning. To be closed by the caller before the next. */
  forward(): Promise<ForwardSource>;
  /** Errors: flash_image_moved. */
  mustBeUnchanged(target: string): Promise<void>;
  close(): Promise<void>;
}

/** Bytes of its chunks that hold data, but for those of `without`; null where only the reading tells. */
export function dataBytes(
  { data, virtualSize }: FlashImage,
  without: (chunk: number) => boolean,
): number | null {
  if (!data) return null;
  let sum = 0;
  for (const [chunk, holds] of data.entries())
    if (holds && !without(chunk)) sum += chunkAt(chunk, virtualSize, 'data').length;
  return sum;
}

interface Look {
  signal: AbortSignal;
  /** Of the reading that is needed before anything is written: what for, and how far in bytes. */
  onRead: (what: string, done: number, total: number | null) => void;
}

async function keyOf(path: string, diskRoot: string | null): Promise<ImageKey> {
  try {
    const { size, ino, mtimeMs } = await stat(path);
    return { path, size, inode: ino, mtimeMs, diskRoot };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new AppError('image_missing', { path }, error);
    throw refusalsOf(path).unreadable(error);
  }
}

/**
 * The file is hashed beforehand where nothing else would show that it is broken before the target is touched, or at all: a stream has no
 * tables to judge, and without a manifest no disk hash is compared at the end. Errors: those of the image, its sidecars, image_changed.
 */
export async function prepareImage(given: string, look: Look): Promise<FlashImage> {
  const path = resolve(given);
  const sidecars = readSidecars(path);
  const diskRoot = sidecars.manifest?.diskRoot ?? null;
  const key = await keyOf(path, diskRoot);
  const told = sidecars.manifest?.virtualSize ?? null;
  const source = await openImage(path, told);
  const open: (RandomSource | ForwardSource)[] = [source];
  try {
    const fileChecked =
      (source.access === 'forward' || diskRoot === null) && (await hashFile(path, sidecars, key.size, look));
    const head = Buffer.alloc(CHUNK_BYTES);
    const refuse = refusalsOf(path);
    const common = {
      ...{ path, key, diskRoot, fileChecked, layers: sidecars.manifest?.layers ?? null },
      ordered: orderedImage(sidecars),
      mustBeUnchanged: async (target: string) => {
        if (sameImage(await keyOf(path, diskRoot), key)) return;
        const detail = 'its size, date or place on the medium is another than at the beginning.';
        throw new AppError('flash_image_moved', { path, target, detail });
      },
    };
    if (source.access === 'random') {
      const { virtualSize } = source;
      await source.read(0, head);
      const layout = layoutOf(head.subarray(0, chunkAt(0, virtualSize, 'data').length), virtualSize, refuse);
      const data = new Uint8Array(chunkCount(virtualSize));
      for (const { index, state } of source.chunks()) data[index] = state === 'data' ? 1 : 0;
      const forward = () => Promise.reject(new AppError('internal', { detail: 'this image is no stream' }));
      return { ...common, virtualSize, layout, random: source, data, forward, close: () => source.close() };
    }
    const passage = await walk(source, head, told, look);
    await source.close();
    open.pop();
    const virtualSize = told ?? passage.size;
    const layout = layoutOf(head.subarray(0, Math.min(CHUNK_BYTES, virtualSize)), virtualSize, refuse);
    const forward = async () => {
      const next = await openImage(path, virtualSize);
      if (next.access === 'forward') return next;
      await next.close();
      throw refuse.corrupt('it became an image of another kind');
    };
    const none = () => Promise.resolve();
    return { ...common, virtualSize, layout, random: null, data: passage.data, forward, close: none };
  } catch (error) {
    for (const one of open) await one.close();
    throw error;
  }
}

async function hashFile(
  path: string,
  sidecars: ReturnType<typeof readSidecars>,
  size: number,
  { signal, onRead }: Look,
): Promise<boolean> {
  let done = 0;
  const onBytes = (bytes: number) => {
    done += bytes;
    onRead('Compare the image with its checksum', done, size);
  };
  return checkFile(path, sidecars, { onBytes, signal });
}

/** Reads the first chunk; without a size from the manifest all of it, so that a stream that is cut off is refused before anything is written. */
async function walk(
  source: ForwardSource,
  head: Uint8Array,
  told: number | null,
  { signal, onRead }: Look,
): Promise<{ size: number; data: Uint8Array | null }> {
  const first = await source.next(head);
  let size = first?.length ?? 0;
  if (told !== null) return { size: told, data: null };
  const states = [first?.state === 'data' ? 1 : 0];
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  for (;;) {
    signal.throwIfAborted();
    const chunk = await source.next(buffer);
    if (!chunk) return { size, data: Uint8Array.from(states) };
    size += chunk.length;
    states.push(chunk.state === 'data' ? 1 : 0);
    onRead('Unpack the image once to know its size', size, null);
  }
}
