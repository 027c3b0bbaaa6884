/** Any image as a source. */
import { HEAD_BYTES, detect } from './detect.ts';
import { gunzip, unxz, unzstd } from './decompress.ts';
import { openFile } from './file.ts';
import { qcow2Source } from './qcow2.ts';
import { forwardSource, rawSource } from './raw.ts';
import { type ForwardSource, type ImageSource, type RandomSource, assertNever } from './types.ts';

/**
 * Opens an image and judges all that can be judged without reading its data. `virtualSize`: of its manifest, held to.
 * Errors: image_missing, image_not_supported, image_corrupt, image_truncated, image_unreadable.
 */
export async function openImage(path: string, virtualSize: number | null = null): Promise<ImageSource> {
  const file = await openFile(path);
  const { refuse, size } = file;
  /** What is compressed as a whole is read by name, as a stream. */
  const forward = async (kind: ForwardSource['kind'], unpack: typeof gunzip): Promise<ForwardSource> => {
    await file.close();
    return forwardSource(file, kind, unpack(path, refuse), virtualSize);
  };
  const held = (source: RandomSource): RandomSource => {
    if (virtualSize === null || source.virtualSize === virtualSize) return source;
    const detail = `it has ${source.virtualSize} bytes, and its manifest says ${virtualSize}`;
    throw source.virtualSize < virtualSize ? refuse.truncated(detail) : refuse.corrupt(detail);
  };
  try {
    const head = Buffer.alloc(Math.min(HEAD_BYTES, size));
    await file.read(head, 0);
    const kind = detect(head, refuse);
    switch (kind) {
      case 'qcow2':
        return held(await qcow2Source(file));
      case 'raw':
        return held(await rawSource(file));
      case 'raw.zst':
        return await forward(kind, unzstd);
      case 'raw.gz':
        return await forward(kind, gunzip);
      case 'raw.xz':
        return await forward(kind, unxz);
      default:
        return assertNever(kind);
    }
  } catch (error) {
    await file.close();
    throw error;
  }
}
