/**
 * What is known of a target: which chunks were written to it and flushed, each with its hash, in one file of lines in the app's data
 * folder. Lines are added after the target has them, so the file never says more than is there. It is a belief all the same: another
 * machine may have written since, so nothing is called verified by it; it only saves writing (docs/adr/0011-flash.md).
 */
import { closeSync, fsyncSync, openSync, readFileSync, truncateSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../../preload/contract/errors.ts';
import { replaceSynced, writeSynced } from '../../synced.ts';
import { privateFolder } from '../paths.ts';
import { KEY, newKey, type ChunkHash } from './tags.ts';

/** What tells a target from all others: of a disk its serial and size, of a file its path. */
const TargetKey = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('disk'), serial: z.string(), size: z.number().int() }),
  z.strictObject({ kind: z.literal('file'), path: z.string() }),
]);
export type TargetKey = z.infer<typeof TargetKey>;

/** What tells an image from the one it was: one that was written to since is another. */
const ImageKey = z.strictObject({
  path: z.string(),
  size: z.number().int(),
  inode: z.number(),
  mtimeMs: z.number(),
  diskRoot: z.string().nullable(),
});
export type ImageKey = z.infer<typeof ImageKey>;

const Head = z.strictObject({
  v: z.literal(1),
  target: TargetKey,
  image: ImageKey,
  virtualSize: z.number().int(),
  /** Of the tags among the hashes; records of earlier versions have neither. */
  key: z.string().regex(KEY).optional(),
});
type Head = z.infer<typeof Head>;

/** `w`: of this image; `b`: of an image before it, whose chunk may be the same. `-`: zeros. */
const LINE = /^([wb]) (\d{1,8}) (-|[0-9a-f]{64}|[0-9a-f]{32})$/;
/** Not known any more: what a flash writes there is another thing each time. */
const FORGOTTEN = /^x (\d{1,8})$/;
const DONE = 'done';
/** Before the writer opens the target: from here on what is there is ours, also where nothing more is known. */
const BEGIN = 'begin';
/** The writer that worked last, which may not have ended yet. */
const WRITER = /^writer (\d{1,10})$/;

export interface Found {
  head: Head;
  written: Map<number, ChunkHash>;
  believed: Map<number, ChunkHash>;
  done: boolean;
  begun: boolean;
  writer: number | null;
  /** Bytes of whole lines: what comes behind is torn. */
  length: number;
}

/** What a file says, up to the first line that is not whole. Null where not even its head is. Pure. */
export function parseRecord(bytes: Buffer): Found | null {
  let found: Found | null = null;
  for (let at = 0; ;) {
    const end = bytes.indexOf(10, at);
    if (end < 0) return found;
    const line = bytes.toString('latin1', at, end);
    at = end + 1;
    if (!found) {
      const head = headOf(bytes.toString('utf8', 0, end));
      if (!head) return null;
      found = {
        head,
        written: new Map(),
        believed: new Map(),
        done: false,
        begun: false,
        writer: null,
        length: at,
      };
      continue;
    }
    if (!take(found, line)) return found;
    found.length = at;
  }
}

function headOf(text: string): Head | null {
  try {
    return Head.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function take(found: Found, line: string): boolean {
  const chunk = LINE.exec(line);
  if (chunk) {
    const [, kind, index, hash = '-'] = chunk;
    (kind === 'w' ? found.written : found.believed).set(Number(index), hash === '-' ? null : hash);
    return true;
  }
  const forgotten = FORGOTTEN.exec(line);
  if (forgotten) {
    const index = Number(forgotten[1]);
    found.written.delete(index);
    found.believed.delete(index);
    return true;
  }
  const writer = WRITER.exec(line);
  if (writer) found.writer = Number(writer[1]);
  else if (line === DONE) found.done = true;
  else if (line === BEGIN) found.begun = true;
  else return false;
  return true;
}

export type Fate = 'new' | 'same image' | 'other image';

export class ChunkRecord {
  readonly path: string;
  /** `same image`: an earlier flash of this very image to this target is known, ended or not. */
  readonly fate: Fate;
  /** Whether that one was verified to its end. */
  readonly wasDone: boolean;
  readonly lastWriter: number | null;
  /** Whether the last flash of this target had written something and was not verified to its end. */
  readonly cutOff: boolean;
  /** Of the tags among the hashes; null where it has none and takes none. */
  readonly key: string | null;
  readonly #written: Map<number, ChunkHash>;
  readonly #believed: Map<number, ChunkHash>;

  private constructor(path: string, fate: Fate, found: Found, cutOff: boolean) {
    this.path = path;
    this.fate = fate;
    this.wasDone = found.done;
    this.lastWriter = found.writer;
    this.cutOff = cutOff && found.written.size + found.believed.size > 0;
    this.key = found.head.key ?? null;
    this.#written = found.written;
    this.#believed = found.believed;
  }

  /** Chunks of this image that the target should have. */
  get written(): ReadonlyMap<number, ChunkHash> {
    return this.#written;
  }

  /** Chunks of images before it that the target should have. */
  get believed(): ReadonlyMap<number, ChunkHash> {
    return this.#believed;
  }

  /** Whether a writer was let at this target: then what is there is this app's own. */
  static knows(folder: string, target: TargetKey): boolean {
    return existing(pathOf(folder, target))?.begun ?? false;
  }

  /** Errors: laptop_disk_full, journal_readonly. */
  static open(folder: string, want: Omit<Head, 'v' | 'key'>): ChunkRecord {
    const path = pathOf(privateFolder(folder), want.target);
    return storing(path, () => {
      const found = existing(path);
      const same = found && JSON.stringify(found.head.target) === JSON.stringify(want.target);
      if (same && found.head.virtualSize === want.virtualSize && sameImage(found.head.image, want.image)) {
        truncateSync(path, found.length);
        return new ChunkRecord(path, 'same image', found, !found.done);
      }
      // What the target has of the image before may be what this one has there, too.
      const believed = same ? new Map([...found.believed, ...found.written]) : new Map<number, ChunkHash>();
      const head: Head = { v: 1, ...want, key: (same && found.head.key) || newKey() };
      const writer = same ? found.writer : null;
      const begun = same ? found.begun : false;
      const text = `${JSON.stringify(head)}\n${begun ? `${BEGIN}\n` : ''}${lines('b', believed)}`;
      replaceSynced(path, text, 0o600);
      syncFolder(dirname(path));
      const now = { head, written: new Map(), believed, done: false, begun, writer, length: 0 };
      return new ChunkRecord(path, same ? 'other image' : 'new', now, same ? !found.done : false);
    });
  }

  /** Before the writer opens the target. */
  begin(): void {
    this.#append(`${BEGIN}\n`);
  }

  /** The writer has it open: until it has ended, no other may. */
  opened(pid: number): void {
    this.#append(`writer ${pid}\n`);
  }

  /** To be called after the target has them, flushed. */
  add(chunks: ReadonlyMap<number, ChunkHash>): void {
    if (chunks.size === 0) return;
    this.#append(lines('w', chunks));
    for (const [chunk, hash] of chunks) this.#written.set(chunk, hash);
  }

  /** To be called before they are touched: the next flash writes them whatever it finds. */
  forget(chunks: Iterable<number>): void {
    let text = '';
    for (const chunk of chunks) {
      this.#written.delete(chunk);
      this.#believed.delete(chunk);
      text += `x ${chunk}\n`;
    }
    if (text) this.#append(text);
  }

  /** All of it was read back and is what it should be. */
  done(): void {
    this.#append(`${DONE}\n`);
  }

  /** Errors: laptop_disk_full. */
  #append(text: string): void {
    storing(this.path, () => writeSynced(this.path, text, 'a'));
  }
}

const pathOf = (folder: string, target: TargetKey): string =>
  join(folder, `${createHash('sha256').update(JSON.stringify(target)).digest('hex').slice(0, 32)}.chunks`);

const lines = (kind: 'w' | 'b', chunks: ReadonlyMap<number, ChunkHash>): string =>
  [...chunks].map(([chunk, hash]) => `${kind} ${chunk} ${hash ?? '-'}\n`).join('');

export const sameImage = (a: ImageKey, b: ImageKey): boolean => JSON.stringify(a) === JSON.stringify(b);

function existing(path: string): Found | null {
  try {
    return parseRecord(readFileSync(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function syncFolder(path: string): void {
  // Windows cannot; there the rename alone has to do.
  if (process.platform === 'win32') return;
  const fd = openSync(path, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

function storing<T>(path: string, fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    if (error instanceof AppError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new AppError(code === 'ENOSPC' ? 'laptop_disk_full' : 'journal_readonly', { path }, error);
  }
}
