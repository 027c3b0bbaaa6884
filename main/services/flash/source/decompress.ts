/** The decompressors of libraries, with their failures told as the image's errors. */
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { Readable, pipeline } from 'node:stream';
import { createGunzip, inflateRawSync } from 'node:zlib';
import { ZSTDDecoder } from 'zstddec/stream';
import type { Refusals } from './types.ts';
import { FrameWalker } from './zstd-frames.ts';

const PIECE_BYTES = 256 * 1024;
const zstd = new ZSTDDecoder();

/** Before the first zstd cluster; free after the first call. */
export const zstdReady = (): Promise<void> => zstd.init();

/** One cluster of a qcow2 image into `into`, which it must fill. `stored` may have bytes of others at its end. Errors: image_corrupt. */
export function inflateCluster(
  stored: Uint8Array,
  algorithm: 'zstd' | 'deflate',
  into: Uint8Array,
  refuse: Refusals,
): void {
  let done = 0;
  if (algorithm === 'deflate') {
    try {
      // A full cluster is all that is wanted of it; more than that is an error.
      const out = inflateRawSync(stored, {
        maxOutputLength: into.length,
        chunkSize: Math.max(into.length, 64),
      });
      into.set(out);
      done = out.length;
    } catch (error) {
      throw refuse.corrupt('a compressed cluster cannot be unpacked', error);
    }
  } else {
    // QEMU allows several frames for one cluster.
    for (let at = 0; at < stored.length && done < into.length;) {
      const end = new FrameWalker(refuse).advance(stored, at);
      if (!end.ended) throw refuse.corrupt('a zstd cluster is longer than the table says');
      // Of a frame that is damaged, or larger than the room given, the library returns nothing.
      const out = zstd.decode(stored.subarray(at, end.at), into.length - done);
      into.set(out, done);
      done += out.length;
      at = end.at;
      if (out.length === 0) break;
    }
  }
  if (done !== into.length) throw refuse.corrupt('a compressed cluster gives other than a whole cluster');
}

/** The file's bytes in pieces. Errors: image_unreadable. */
async function* pieces(path: string, refuse: Refusals): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const piece of createReadStream(path, { highWaterMark: PIECE_BYTES })) yield piece as Buffer;
  } catch (error) {
    throw refuse.unreadable(error);
  }
}

export async function* gunzip(path: string, refuse: Refusals): AsyncGenerator<Uint8Array, void> {
  const unzip = createGunzip({ chunkSize: PIECE_BYTES });
  // The iterator below is told of all errors, of reading, too.
  pipeline(createReadStream(path, { highWaterMark: PIECE_BYTES }), unzip, () => undefined);
  try {
    for await (const piece of unzip) yield piece as Buffer;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'Z_BUF_ERROR') throw refuse.truncated('the compressed data stop in the middle', error);
    if (code?.startsWith('Z_')) throw refuse.corrupt('the compressed data cannot be unpacked', error);
    throw refuse.unreadable(error);
  }
}

export async function* unzstd(path: string, refuse: Refusals): AsyncGenerator<Uint8Array, void> {
  await zstd.init();
  const walker = new FrameWalker(refuse);
  const waiting: Uint8Array[] = [];
  let taken = 0;
  function* fed(): Generator<Uint8Array, void> {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      taken += 1;
      yield next;
    }
  }
  const decoder = zstd.decodeStreaming(fed());
  /**
   * The library does not look at what the decoder answers and would ask it for ever. No input goes beyond a frame's end, so a
   * decoder that gives nothing has either taken all of its input or failed.
   */
  let gaveNothing = false;
  function step(): Uint8Array | null {
    const before = taken;
    let result: IteratorResult<Uint8Array, unknown>;
    try {
      result = decoder.next();
    } catch (error) {
      throw refuse.corrupt('the compressed data cannot be unpacked', error);
    }
    if (gaveNothing && taken === before && !result.done)
      throw refuse.corrupt('the compressed data cannot be unpacked');
    if (result.done) return null;
    gaveNothing = result.value.length === 0;
    return result.value;
  }
  for await (const piece of pieces(path, refuse)) {
    for (let at = 0; at < piece.length;) {
      const end = walker.advance(piece, at);
      if (end.at > at) waiting.push(piece.subarray(at, end.at));
      at = end.at;
    }
    // One is kept back: the decoder may not find the end before there is one.
    while (waiting.length > 1) {
      const out = step();
      if (out?.length) yield out;
    }
  }
  if (!walker.between) throw refuse.truncated('the compressed data stop in the middle');
  for (let out = step(); out; out = step()) if (out.length) yield out;
}

const { XzReadableStream } = createRequire(import.meta.url)(
  'xz-decompress',
) as typeof import('xz-decompress');

/** The library's own words are a number of xz-embedded's `enum xz_ret`. */
function xzError(error: unknown, refuse: Refusals): Error {
  const code = /error code (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
  const again = 'Compress it again: xz -6 --check=crc64 IMAGE';
  if (code === '8') return refuse.truncated('the compressed data stop in the middle', error);
  if (code === '3' || code === '4') return refuse.notSupported('unpacking it takes too much memory', again);
  if (code === '2' || code === '6') return refuse.notSupported('it uses a rare option of xz', again);
  return refuse.corrupt('the compressed data cannot be unpacked', error);
}

export async function* unxz(path: string, refuse: Refusals): AsyncGenerator<Uint8Array, void> {
  const source = Readable.toWeb(Readable.from(pieces(path, refuse))) as ReadableStream<Uint8Array>;
  const reader = new XzReadableStream(source).getReader();
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        ended = true;
        return;
      }
      if (value.length) yield value;
    }
  } catch (error) {
    ended = true;
    throw xzError(error, refuse);
  } finally {
    // The library has room for one stream at a time and waits for the end of this one.
    if (!ended) await reader.cancel();
  }
}
