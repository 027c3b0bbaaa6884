/**
 * The zip of a hand-over, in one form only: names in order, one date, no extra fields, no comment, nothing between the parts.
 * So the same content gives the same bytes, and a reader takes nothing that this writer would not have written: what the
 * libraries for zips read leniently (names twice, gaps, sizes that differ from place to place) is refused (docs/adr/0016-report.md).
 */
import { crc32 } from 'node:zlib';

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
export const STORED = 0;
export const DEFLATED = 8;

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

export type Header = Omit<PackedEntry, 'packed'>;

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

/** A file of an archive as it lies there. */
export interface Listed {
  header: Header;
  packed: Buffer;
}

/** Whether a name may be in an archive. */
export const mayBeName = (name: string): boolean => NAME.test(name) && name.length <= MAX_NAME;

/** Whether the content is what the header says. Errors: ZipError. */
export function mustFit({ name, size, crc }: Header, content: Buffer): void {
  if (content.length !== size) throw new ZipError(`${name} is not as long as it says`);
  if (crc32(content) !== crc) throw new ZipError(`the checksum of ${name} is wrong`);
}

export const notUnpacked = (name: string): ZipError =>
  new ZipError(`${name} cannot be unpacked, or is longer than it says`);
export const followed = (name: string): ZipError =>
  new ZipError(`${name} is followed by bytes that belong to nothing`);

/** Every file of the archive, still packed. Errors: ZipError for whatever is not as this app writes it. */
export function listZip(bytes: Buffer): Listed[] {
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

function readFiles(bytes: Buffer, headers: (Header & { offset: number })[], end: number): Listed[] {
  const files: Listed[] = [];
  let at = 0;
  for (const header of headers) {
    const { method, size, packedSize, offset } = header;
    if (method !== DEFLATED && !(method === STORED && size === packedSize)) throw new ZipError(ALTERED);
    const local = localHeader(header);
    const data = at + local.length;
    if (offset !== at || data + packedSize > end) throw new ZipError(ALTERED);
    if (!local.equals(bytes.subarray(at, data))) throw new ZipError(ALTERED);
    at = data + packedSize;
    files.push({ header, packed: bytes.subarray(data, at) });
  }
  if (at !== end) throw new ZipError(ALTERED);
  return files;
}
