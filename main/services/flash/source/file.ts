/** Reading at positions of the image file, with the image's own errors. */
import { type FileHandle, open } from 'node:fs/promises';
import { AppError } from '../../../../preload/contract/errors.ts';
import { type Refusals, refusalsOf } from './types.ts';

export interface ImageFile {
  readonly path: string;
  /** When it was opened. */
  readonly size: number;
  readonly refuse: Refusals;
  /** Fills `into`. Errors: image_truncated when the file ends before, image_unreadable. */
  read(into: Uint8Array, position: number): Promise<void>;
  close(): Promise<void>;
}

/** Errors: image_missing, image_not_supported for what is no plain file, image_unreadable. */
export async function openFile(path: string): Promise<ImageFile> {
  const refuse = refusalsOf(path);
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new AppError('image_missing', { path }, error);
    throw refuse.unreadable(error);
  }
  const stat = await handle.stat();
  if (!stat.isFile()) {
    await handle.close();
    throw refuse.notSupported('it is no plain file', 'Name the image file itself.');
  }

  async function read(into: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < into.length;) {
      let more: number;
      try {
        more = (await handle.read(into, done, into.length - done, position + done)).bytesRead;
      } catch (error) {
        throw refuse.unreadable(error);
      }
      if (more === 0) throw refuse.truncated(`it ends at byte ${position + done}, where more was to be read`);
      done += more;
    }
  }
  return { path, size: stat.size, refuse, read, close: () => handle.close() };
}
