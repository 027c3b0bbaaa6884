/** Packing and unpacking for the one form of zip that zipform.ts writes and reads. */
import { promisify } from 'node:util';
import { constants, crc32, deflateRaw, inflateRawSync, type InflateRaw, type ZlibOptions } from 'node:zlib';
import { blocks } from './blocks.ts';
import {
  DEFLATED,
  followed,
  listZip,
  MAX_CONTENT_BYTES,
  mayBeName,
  mustFit,
  notUnpacked,
  STORED,
  ZipError,
  type Listed,
  type PackedEntry,
} from './zipform.ts';

/** Half the time of the usual 6 for a tenth more bytes: what is packed are a day's lines, which all look alike. */
const LEVEL = 4;

const deflate = promisify<Buffer, ZlibOptions, Buffer>(deflateRaw);

/** What deflate looks back on. */
const WINDOW_BYTES = 32 * 1024;

/** One block on a thread of its own. All but the last end on a whole byte, so that put together they are one stream. */
const deflateBlock = (block: Buffer, before: Buffer | null, last: boolean): Promise<Buffer> =>
  deflate(block, {
    level: LEVEL,
    // One piece of output, or the thread would come back to this one for each.
    chunkSize: Math.max(1024, block.length >> 1),
    finishFlush: last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
    ...(before ? { dictionary: before.subarray(-WINDOW_BYTES) } : {}),
  });

/** Packs one file, block by block, on threads of their own: the next block can be made meanwhile. The same blocks give the same bytes. */
export class Packer {
  readonly #packed: Promise<Buffer>[] = [];
  #before: Buffer | null = null;
  /** The newest block, which may be the last. */
  #held: Buffer | null = null;
  #size = 0;
  #crc = 0;

  /** `block` is not to be changed any more. Errors: ZipError when it gets too large. */
  add(block: Buffer): void {
    this.#size += block.length;
    if (this.#size > MAX_CONTENT_BYTES) throw new ZipError('one of its files is too large');
    this.#crc = crc32(block, this.#crc);
    this.#begin(false);
    this.#held = block;
  }

  #begin(last: boolean): void {
    if (!this.#held) return;
    const packed = deflateBlock(this.#held, this.#before, last);
    // Awaited at the end, all together; until then its failure is nobody's.
    packed.catch(() => undefined);
    this.#packed.push(packed);
    this.#before = this.#held;
    this.#held = null;
  }

  /** Errors: ZipError for a name that cannot be. */
  async end(name: string): Promise<PackedEntry> {
    if (!mayBeName(name)) throw new ZipError(`"${name}" cannot be a name in it`);
    const only = this.#packed.length === 0 ? (this.#held ?? Buffer.alloc(0)) : null;
    this.#begin(true);
    const packed = await Promise.all(this.#packed);
    const packedSize = packed.reduce((sum, p) => sum + p.length, 0);
    const entry = { name, crc: this.#crc, size: this.#size };
    return only && packedSize >= only.length
      ? { ...entry, method: STORED, packed: [only], packedSize: only.length }
      : { ...entry, method: DEFLATED, packed, packedSize };
  }
}

/** Packs one file that is there as a whole. Errors: those of Packer. */
export async function pack(name: string, bytes: Buffer): Promise<PackedEntry> {
  const packer = new Packer();
  for (const block of blocks(bytes)) packer.add(block);
  return packer.end(name);
}

function unpack({ header, packed }: Listed): Buffer {
  const { name, method, size } = header;
  let bytes = packed;
  if (method === DEFLATED) {
    let used: number;
    try {
      // Never more than the header says, whatever the stream holds.
      const options = { maxOutputLength: Math.max(size, 1), info: true };
      const got = inflateRawSync(packed, options) as unknown as { buffer: Buffer; engine: InflateRaw };
      bytes = got.buffer;
      used = got.engine.bytesWritten;
    } catch {
      throw notUnpacked(name);
    }
    if (used !== packed.length) throw followed(name);
  }
  mustFit(header, bytes);
  return bytes;
}

/** Every file of the archive, by name. Errors: ZipError for whatever is not as this app writes it. */
export const readZip = (bytes: Buffer): Map<string, Buffer> =>
  new Map(listZip(bytes).map((listed) => [listed.header.name, unpack(listed)]));
