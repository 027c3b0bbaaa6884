/** A job on a box as its socket shows it: a disk in memory that outlives its feeders, over links that a test cuts. */
import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import type { Connection } from '../../../main/remote/connection.ts';
import { CHUNK_BYTES, chunkAt, isZero } from '../../../main/services/flash/source/types.ts';
import {
  BLOCK_BYTES,
  Decoder,
  encodeHeader,
  type Frame,
  type Part,
} from '../../../main/services/flash/wire.ts';
import { tagOf, type ChunkHash } from '../../../main/services/flash/tags.ts';
import type { WriterProcess } from '../../../main/services/flash/writer.ts';

export const hashOf = (bytes: Uint8Array): ChunkHash =>
  isZero(bytes) ? null : createHash('sha256').update(bytes).digest('hex');

/** A connection whose end a test brings about. */
export class FakeLink {
  alive = true;
  readonly #closed: (() => void)[] = [];

  get conn(): Connection {
    return this as unknown as Connection;
  }

  onClose(listener: () => void): void {
    this.#closed.push(listener);
  }

  cut(): void {
    this.alive = false;
    for (const listener of this.#closed) listener();
  }
}

export class FakeJob {
  readonly disk: Buffer;
  readonly written = new Map<number, ChunkHash>();
  readonly readBack = new Set<number>();
  /** Names of commands, with their chunk where they have one, for each feeder. */
  readonly feeders: string[][] = [];
  readonly opens: Record<string, unknown>[] = [];
  closed = false;
  /** Whether it gives tags, and takes parts over what its disk has. */
  tags = false;
  /** What its disk is found to have at the moment in which parts are laid over it. */
  whenLaid: (chunk: number) => void = () => undefined;
  /** Looks at each frame before it is obeyed; false swallows it. */
  gate: (frame: Frame, feeder: number) => boolean = () => true;
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
    this.disk = Buffer.alloc(size, 0xa5);
  }

  /** Bytes of the chunk as the disk has them. */
  chunk(index: number): Buffer {
    const { offset, length } = chunkAt(index, this.#size, 'data');
    return this.disk.subarray(offset, offset + length);
  }

  get sent(): number[] {
    return this.feeders.map((commands) => commands.filter((c) => c.startsWith('data ')).length);
  }

  open(link: FakeLink): WriterProcess {
    const stdin = new PassThrough();
    const stdout = new PassThrough();
    const feeder = this.feeders.length;
    this.feeders.push([]);
    let end: () => void = () => undefined;
    const ended = new Promise<{ code: null; stderr: string }>((resolve) => {
      end = () => {
        stdin.destroy();
        resolve({ code: null, stderr: 'the link broke' });
      };
    });
    link.onClose(end);
    const decoder = new Decoder(CHUNK_BYTES);
    const say = (header: object) => void stdout.write(encodeHeader(header));
    stdin.on('data', (piece: Buffer) => {
      for (const frame of decoder.push(piece)) {
        if (!link.alive) return;
        const { do: name, chunk } = frame.header;
        this.feeders[feeder]?.push(chunk === undefined ? String(name) : `${String(name)} ${Number(chunk)}`);
        if (link.alive && this.gate(frame, feeder) && link.alive) this.#obey(frame, say);
      }
    });
    stdin.on('finish', () => setImmediate(end));
    return { stdin, stdout, ended, kill: end };
  }

  #obey({ header, payload }: Frame, say: (header: object) => void): void {
    const chunk = Number(header['chunk']);
    const count = Number(header['count']);
    switch (header['do']) {
      case 'open':
        this.opens.push(header);
        return say({
          ...{ is: 'opened', size: this.#size, logicalBlock: 512, direct: true, pid: 7 },
          have: this.written.size,
          ...(this.tags ? { mac: true, encodings: ['plain', 'over'] } : {}),
        });
      case 'have':
        return say({
          ...{ is: 'have', chunk, count },
          chunks: [...this.written].map(([c, hash]) => [c, hash, this.readBack.has(c)]),
        });
      case 'wipe': {
        const sealed = (this.opens.at(-1)?.['sealed'] ?? []) as number[];
        for (const c of sealed) this.#put(c, null);
        for (const c of sealed) this.written.delete(c);
        return say({ is: 'wiped', chunks: sealed });
      }
      case 'blocks':
        return say({ is: 'blocks', chunk, macs: this.#macs(chunk) });
      case 'data':
        if (header['encoding'] === 'over') return say(this.#lay(header, payload));
        this.#put(chunk, payload);
        return say({ is: 'written', chunk, ...this.#told(chunk) });
      case 'zero':
        for (let c = chunk; c < chunk + count; c += 1) this.#put(c, null);
        return say({ is: 'zeroed', chunk, count });
      case 'read':
        for (let c = chunk; c < chunk + count; c += 1) {
          this.readBack.add(c);
          say({
            is: 'read',
            chunk: c,
            sha256: hashOf(this.chunk(c)),
            ...(hashOf(this.chunk(c)) ? this.#told(c) : {}),
          });
        }
        return;
      case 'flush':
        return say({ is: 'flushed' });
      case 'checkpoint':
        return say({ is: 'kept' });
      case 'seal':
        return say({ is: 'sealed' });
      case 'close':
        this.closed = true;
        return say({ is: 'closed' });
      default:
    }
  }

  get #key(): string {
    return String(this.opens.at(-1)?.['mac']);
  }

  #told(chunk: number): object {
    const at = this.chunk(chunk);
    return this.tags && !isZero(at) ? { mac: tagOf(this.#key, chunk, at) } : { sha256: hashOf(at) };
  }

  #macs(chunk: number): string[] {
    const at = this.chunk(chunk);
    return Array.from({ length: Math.ceil(at.length / BLOCK_BYTES) }, (_, n) =>
      tagOf(this.#key, chunk, at.subarray(n * BLOCK_BYTES, (n + 1) * BLOCK_BYTES), n),
    );
  }

  #lay(header: Record<string, unknown>, payload: Uint8Array): object {
    const chunk = Number(header['chunk']);
    this.whenLaid(chunk);
    const made = Buffer.from(this.chunk(chunk));
    for (const [at, length, from] of header['parts'] as Part[])
      made.set(payload.subarray(from, from + length), at);
    if (tagOf(this.#key, chunk, made) !== header['mac']) return { is: 'unlike', chunk };
    this.#put(chunk, made);
    return { is: 'written', chunk, ...this.#told(chunk) };
  }

  #put(chunk: number, bytes: Uint8Array | null): void {
    const at = this.chunk(chunk);
    if (bytes) at.set(bytes);
    else at.fill(0);
    this.written.set(chunk, hashOf(at));
    this.readBack.delete(chunk);
  }

  /** The box lost its power: its record is gone, its disk is not. */
  forget(): void {
    this.written.clear();
    this.readBack.clear();
  }
}

/** Whose chunks are data where `states` has a letter; the letter is what they are full of. */
export function contentOf(states: string): Buffer[] {
  return [...states].map((letter) => Buffer.alloc(CHUNK_BYTES, letter === '.' ? 0 : letter));
}
