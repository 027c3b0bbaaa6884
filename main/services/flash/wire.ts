/** The frames between the app and the program that writes, both ways. Pure. */
import { z } from 'zod';
import { Sha256 } from '../../../preload/contract/events.ts';

/** Bytes of the virtual disk, its offset within the chunk, the length, and where they lie in the image file. */
export type Extent = readonly [at: number, length: number, fileOffset: number];

export interface TargetName {
  kind: 'disk' | 'file';
  path: string;
  serial: string | null;
  /** Bytes. */
  size: number;
}

export type Command =
  | {
      do: 'open';
      v: 1;
      target: TargetName;
      image: { path: string } | null;
      virtualSize: number;
      sealed: readonly number[];
      /** Key of the tags that are wanted for hashes of what is written (tags.ts). */
      mac?: string;
      /** To a job on a box: who feeds. `key` is the same for all connections of one feeder, `name` is for people. */
      feeder?: Feeder;
      /** Beside it: tells the image from all others. A job takes no chunks of a second one. */
      imageId?: string;
    }
  /** `flush` is about all that was asked before it, `checkpoint` about what was answered: the writer goes on meanwhile. */
  | { do: 'wipe' | 'flush' | 'checkpoint' | 'close' | 'beat' }
  /** `image`, to a job on a box: what the image has in the chunks of first-boot settings, by which it judges the rest of the disk. */
  | { do: 'seal'; image?: readonly (readonly [chunk: number, sha256: string | null])[] }
  | { do: 'copy'; chunk: number; extents: readonly Extent[] }
  /** `bytes` of payload follow the header: the chunk as it is, or its `parts`. */
  | { do: 'data'; chunk: number; bytes: number; encoding: 'plain' }
  | { do: 'data'; chunk: number; bytes: number; encoding: 'zstd'; parts: readonly Part[] }
  /** Parts over what the disk has there; written if the chunk then has this tag. */
  | { do: 'data'; chunk: number; bytes: number; encoding: 'over'; parts: readonly Part[]; mac: string }
  | { do: 'zero' | 'read' | 'have'; chunk: number; count: number }
  /** Tags of what the disk has in each block of the chunk. */
  | { do: 'blocks'; chunk: number };

export interface Feeder {
  key: string;
  name: string;
}

/** Bytes in which a chunk is compared where only a part of it may be another. */
export const BLOCK_BYTES = 64 * 1024;

/**
 * Of a chunk whose clusters are sent as an image stores them: where it lies in the chunk, how many bytes it gives, where it lies in the
 * payload, and of how many bytes zstd's frames for it are there at most; 0: it lies there as it is. What lies behind its last frame is
 * something else.
 */
export type Part = readonly [at: number, length: number, from: number, packed: number];

/** Chunks that one `have` may ask for. */
export const HAVE_MAX = 4096;

/** Codes of `failed`. A newer writer may have others. */
export const FAILURES = [
  ...['target_missing', 'target_not_a_disk', 'target_serial', 'target_size', 'target_in_use', 'target_gone'],
  ...['target_full', 'target_io', 'target_read_only', 'image_missing', 'image_unreadable', 'image_changed'],
  'image_corrupt',
  ...['bad_command', 'order', 'internal'],
  // Of a job on a box, which judges by itself as well.
  ...['feeder_busy', 'target_mismatch', 'image_mismatch', 'verify_failed', 'root_differs'],
] as const;

const chunk = z.number().int().nonnegative();
const hash = Sha256.nullable();
const mac = z.string().regex(/^[0-9a-f]{32}$/);

/** What the writer answers. `sha256` null: the chunk is all zeros. Fields of a newer writer are let be. */
export const Answer = z.discriminatedUnion('is', [
  z.looseObject({
    is: z.literal('opened'),
    size: z.number().int().nonnegative(),
    logicalBlock: z.number().int().positive(),
    direct: z.boolean(),
    /** Whether it gives the tags that were wanted. */
    mac: z.boolean().default(false),
    pid: z.number().int().positive(),
    /** Of a job on a box: how many chunks it knows to be there. */
    have: z.number().int().nonnegative().default(0),
    /** What it takes payloads in. */
    encodings: z.array(z.string()).default(['plain']),
  }),
  /** `[chunk, hash or tag, read back since]` of those that are known. */
  z.looseObject({
    is: z.literal('have'),
    chunk,
    count: z.number().int().positive(),
    chunks: z.array(z.tuple([chunk, hash.or(mac), z.boolean()])),
  }),
  /** `chunks`: those of which something was zeroed, also at the target's end. Where it is left out, the reading back finds them. */
  z.looseObject({ is: z.literal('wiped'), chunks: z.array(chunk).default([]) }),
  /** `mac` in place of the hash where tags are wanted and it is not zeros. */
  z.looseObject({ is: z.literal('written'), chunk, sha256: hash.optional(), mac: mac.optional() }),
  /** The disk has something else there than it said, and nothing was written. */
  z.looseObject({ is: z.literal('unlike'), chunk }),
  z.looseObject({ is: z.literal('zeroed'), chunk, count: z.number().int().positive() }),
  z.looseObject({ is: z.literal('flushed') }),
  z.looseObject({ is: z.literal('kept') }),
  z.looseObject({ is: z.literal('read'), chunk, sha256: hash, mac: mac.optional() }),
  /** One of each block; proves nothing, and saves sending what is there. */
  z.looseObject({ is: z.literal('blocks'), chunk, macs: z.array(mac) }),
  z.looseObject({ is: z.literal('sealed') }),
  z.looseObject({ is: z.literal('closed') }),
  z.looseObject({ is: z.literal('beat') }),
  z.looseObject({
    is: z.literal('failed'),
    code: z.string(),
    detail: z.string(),
    chunk: chunk.nullish(),
    command: z.unknown(),
  }),
]);
export type Answer = z.infer<typeof Answer>;

export const HEADER_MAX = 1024 * 1024;

export interface Frame {
  header: Record<string, unknown>;
  /** Empty where the header has no `bytes`. */
  payload: Uint8Array;
}

/** What is sent before the payload. Throws where the header is larger than the other end takes. */
export function encodeHeader(header: object): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  if (json.length > HEADER_MAX) throw new Error(`a header of ${json.length} bytes`);
  const head = Buffer.allocUnsafe(4 + json.length);
  head.writeUInt32BE(json.length, 0);
  json.copy(head, 4);
  return head;
}

/** A header is judged before what follows it is kept: what is no frame of ours must not fill the memory. */
function parseHeader(json: Buffer, payloadMax: number): { header: Record<string, unknown>; bytes: number } {
  const header: unknown = JSON.parse(json.toString('utf8'));
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw new Error('a frame whose header is no object');
  const { bytes = 0 } = header as { bytes?: unknown };
  if (typeof bytes !== 'number' || !Number.isInteger(bytes) || bytes < 0 || bytes > payloadMax)
    throw new Error(`a frame with a payload of ${String(bytes)} bytes`);
  return { header: header as Record<string, unknown>, bytes };
}

/** Frames out of pieces of any size. Throws a plain Error for what is no frame, and for ever after it. */
export class Decoder {
  readonly #payloadMax: number;
  #rest: Buffer = Buffer.alloc(0);
  #parsed: { header: Record<string, unknown>; bytes: number } | null = null;

  /** `payloadMax`: the writer sends none. */
  constructor(payloadMax = 0) {
    this.#payloadMax = payloadMax;
  }

  push(piece: Uint8Array): Frame[] {
    this.#rest = this.#rest.length ? Buffer.concat([this.#rest, piece]) : Buffer.from(piece);
    const frames: Frame[] = [];
    for (;;) {
      if (!this.#parsed) {
        if (this.#rest.length < 4) return frames;
        const length = this.#rest.readUInt32BE(0);
        if (length > HEADER_MAX) throw new Error(`a header of ${length} bytes`);
        if (this.#rest.length < 4 + length) return frames;
        this.#parsed = parseHeader(this.#rest.subarray(4, 4 + length), this.#payloadMax);
        this.#rest = this.#rest.subarray(4 + length);
      }
      const { header, bytes } = this.#parsed;
      if (this.#rest.length < bytes) return frames;
      frames.push({ header, payload: this.#rest.subarray(0, bytes) });
      this.#rest = this.#rest.subarray(bytes);
      this.#parsed = null;
    }
  }

  /** Whether a frame was begun and has not ended. */
  get torn(): boolean {
    return this.#rest.length > 0 || this.#parsed !== null;
  }
}
