/** Unpacks the files of an archive with the browser's own inflate. As strict as archive/zip.ts. */
import {
  DEFLATED,
  followed,
  listZip,
  mustFit,
  notUnpacked,
  ZipError,
  type Listed,
} from '../../main/services/archive/zipform.ts';

async function inflate({ header, packed }: Listed): Promise<Buffer> {
  const { name, size } = header;
  const out = Buffer.alloc(size);
  let length = 0;
  const stream = new DecompressionStream('deflate-raw');
  const writer = stream.writable.getWriter();
  // It fails with what is read, which is told of.
  void writer.write(new Uint8Array(packed)).catch(() => undefined);
  void writer.close().catch(() => undefined);
  const reader = stream.readable.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      // Never more than the header says, whatever the stream holds.
      if (length + value.length > size) throw notUnpacked(name);
      out.set(value, length);
      length += value.length;
    }
  } catch (error) {
    if (error instanceof ZipError) throw error;
    throw length === size ? followed(name) : notUnpacked(name);
  } finally {
    void reader.cancel().catch(() => undefined);
  }
  return out.subarray(0, length);
}

/** Every file of the archive, by name, or why it cannot be read. `tell` is told which part is unpacked, 0 to 1. */
export async function readZip(
  bytes: Buffer,
  tell: (part: number) => void,
): Promise<ReadonlyMap<string, Buffer> | ZipError> {
  try {
    const files = new Map<string, Buffer>();
    let done = 0;
    for (const listed of listZip(bytes)) {
      const content = listed.header.method === DEFLATED ? await inflate(listed) : listed.packed;
      mustFit(listed.header, content);
      files.set(listed.header.name, content);
      tell((done += listed.packed.length) / bytes.length);
    }
    return files;
  } catch (error) {
    if (error instanceof ZipError) return error;
    throw error;
  }
}
