/**
 * The zip of a hand-over, in one form only: names in order, one date, no extra fields, no comment, nothing between the parts.
 * So the same content gives the same bytes, and a reader takes nothing that this writer would not have written: what the
 * libraries for zips read leniently (names twice, gaps, sizes that differ from place to place) is refused (docs/adr/0016-report.md).
 */
import { promisify } from 'node:util';
import { constants, crc32, deflateRaw, inflateRawSync, type InflateRaw, type ZlibOptions } from 'node:zlib';
import { blocks } from './blocks.ts';

/** What is wrong with an archive, in a clause that follows a colon. */
export class ZipError extends Error {
  override readonly name = 'ZipError';
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
/** 2.0: folders and deflate. */
const NEEDED = 20;
/** Made under Unix, so that the mode below counts. */
const MADE_BY = (3 << 8) | NEEDED;
/** A plain file that all may read. */
const MODE = ((0o100644 << 16) >>> 0) >>> 0;
/** 1 January 1980, midnight: the first that a zip can say. */
const DATE = (1 << 5) | 1;
const STORED = 0;
const DEFLATED = 8;
/** Half the time of the usual 6 for a tenth more bytes: what is packed are a day's lines, which all look alike. */
const LEVEL = 4;

/** A day of telemetry of eight GPUs is 250 MB; what claims to be more is no report. */
export const MAX_CONTENT_BYTES = 1024 ** 3;
export const MAX_ZIP_BYTES = 256 * 1024 ** 2;
const MAX_ENTRIES = 20_000;
const NAME = /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[A-Za-z0-9._+-]+(?:\/[A-Za-z0-9._+-]+)*$/;
const MAX_NAME = 200;

export interface PackedEntry {
  name: string;
  method: number;
  crc: number;
  size: number;
  /** In pieces, to be written one after the other. */
  packed: readonly Buffer[];
  packedSize: number;
}

type Header = Omit<PackedEntry, 'packed'>;

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
    if (!NAME.test(name) || name.length > MAX_NAME) throw new ZipError(`"${name}" cannot be a name in it`);
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

/** From version to the lengths of name and extra field: the same in both headers. */
function common(to: Buffer, at: number, h: Header): void {
  to.writeUInt16LE(NEEDED, at);
  to.writeUInt16LE(h.method, at + 4);
  to.writeUInt16LE(DATE, at + 8);
  to.writeUInt32LE(h.crc, at + 10);
  to.writeUInt32LE(h.packedSize, at + 14);
  to.writeUInt32LE(h.size, at + 18);
  to.writeUInt16LE(h.name.length, at + 22);
}

function localHeader(h: Header): Buffer {
  const out = Buffer.alloc(LOCAL_BYTES + h.name.length);
  out.writeUInt32LE(LOCAL, 0);
  common(out, 4, h);
  out.write(h.name, LOCAL_BYTES, 'latin1');
  return out;
}

function centralHeader(h: Header, offset: number): Buffer {
  const out = Buffer.alloc(CENTRAL_BYTES + h.name.length);
  out.writeUInt32LE(CENTRAL, 0);
  out.writeUInt16LE(MADE_BY, 4);
  common(out, 6, h);
  out.writeUInt32LE(MODE, 38);
  out.writeUInt32LE(offset, 42);
  out.write(h.name, CENTRAL_BYTES, 'latin1');
  return out;
}

function endRecord(entries: number, size: number, offset: number): Buffer {
  const out = Buffer.alloc(END_BYTES);
  out.writeUInt32LE(END, 0);
  out.writeUInt16LE(entries, 8);
  out.writeUInt16LE(entries, 10);
  out.writeUInt32LE(size, 12);
  out.writeUInt32LE(offset, 16);
  return out;
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** The bytes of the archive. Errors: ZipError for a name that comes twice, and for too many files. */
export function joinZip(given: readonly PackedEntry[]): Buffer {
  const entries = [...given].sort(byName);
  if (entries.length > MAX_ENTRIES) throw new ZipError('it would hold too many files');
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const [i, entry] of entries.entries()) {
    if (entry.name === entries[i - 1]?.name) throw new ZipError(`${entry.name} would be in it twice`);
    const local = localHeader(entry);
    central.push(centralHeader(entry, at));
    parts.push(local, ...entry.packed);
    at += local.length + entry.packedSize;
  }
  const size = central.reduce((sum, c) => sum + c.length, 0);
  return Buffer.concat([...parts, ...central, endRecord(entries.length, size, at)]);
}

function unpack({ name, method, crc, size }: Header, packed: Buffer): Buffer {
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
      throw new ZipError(`${name} cannot be unpacked, or is longer than it says`);
    }
    if (used !== packed.length) throw new ZipError(`${name} is followed by bytes that belong to nothing`);
  }
  if (bytes.length !== size) throw new ZipError(`${name} is not as long as it says`);
  if (crc32(bytes) !== crc) throw new ZipError(`the checksum of ${name} is wrong`);
  return bytes;
}

function readCentral(bytes: Buffer, at: number, end: number): Header & { offset: number } {
  if (at + CENTRAL_BYTES > end) throw new ZipError('its list of files ends too soon');
  const length = bytes.readUInt16LE(at + 28);
  if (at + CENTRAL_BYTES + length > end) throw new ZipError('its list of files ends too soon');
  const name = bytes.toString('latin1', at + CENTRAL_BYTES, at + CENTRAL_BYTES + length);
  if (length > MAX_NAME || !NAME.test(name))
    throw new ZipError(`it holds a file named ${JSON.stringify(name.slice(0, MAX_NAME))}`);
  return {
    name,
    method: bytes.readUInt16LE(at + 10),
    crc: bytes.readUInt32LE(at + 16),
    packedSize: bytes.readUInt32LE(at + 20),
    size: bytes.readUInt32LE(at + 24),
    offset: bytes.readUInt32LE(at + 42),
  };
}

const ALTERED = 'it is not written as this app writes archives';

/** Every file of the archive, by name. Errors: ZipError for whatever is not as this app writes it. */
export function readZip(bytes: Buffer): Map<string, Buffer> {
  if (bytes.length > MAX_ZIP_BYTES) throw new ZipError('it is too large to be a report');
  if (bytes.length < END_BYTES || bytes.readUInt32LE(bytes.length - END_BYTES) !== END)
    throw new ZipError('it is no zip, or its end is missing');
  const endAt = bytes.length - END_BYTES;
  const count = bytes.readUInt16LE(endAt + 10);
  const size = bytes.readUInt32LE(endAt + 12);
  const start = bytes.readUInt32LE(endAt + 16);
  if (!endRecord(count, size, start).equals(bytes.subarray(endAt)) || start + size !== endAt)
    throw new ZipError(ALTERED);
  const headers: (Header & { offset: number })[] = [];
  let at = start;
  let total = 0;
  for (let i = 0; i < count; i += 1) {
    const header = readCentral(bytes, at, endAt);
    const before = headers.at(-1);
    if (before?.name === header.name) throw new ZipError(`${header.name} is in it twice`);
    if (before && before.name > header.name) throw new ZipError('its files are not in order');
    total += header.size;
    if (total > MAX_CONTENT_BYTES) throw new ZipError('it would unpack to more than a report can hold');
    const expected = centralHeader(header, header.offset);
    if (!expected.equals(bytes.subarray(at, at + expected.length))) throw new ZipError(ALTERED);
    headers.push(header);
    at += expected.length;
  }
  if (at !== endAt) throw new ZipError(ALTERED);
  return readFiles(bytes, headers, start);
}

function readFiles(
  bytes: Buffer,
  headers: (Header & { offset: number })[],
  end: number,
): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  let at = 0;
  for (const header of headers) {
    const { name, method, size, packedSize, offset } = header;
    if (method !== DEFLATED && !(method === STORED && size === packedSize)) throw new ZipError(ALTERED);
    const local = localHeader(header);
    const data = at + local.length;
    if (offset !== at || data + packedSize > end) throw new ZipError(ALTERED);
    if (!local.equals(bytes.subarray(at, data))) throw new ZipError(ALTERED);
    at = data + packedSize;
    files.set(name, unpack(header, bytes.subarray(data, at)));
  }
  if (at !== end) throw new ZipError(ALTERED);
  return files;
}
