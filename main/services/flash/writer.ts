/** The app's end of the wire to the program that writes: commands in flight, answers, liveness. */
import type { Readable, Writable } from 'node:stream';
import { AppError } from '../../../preload/contract/errors.ts';
import { failureOf, type Subject } from './failures.ts';
import { withoutZeros, type Packed, type Pieces } from './packed.ts';
import type { ChunkHash, ReadBack } from './tags.ts';
import {
  Answer,
  Decoder,
  HAVE_MAX,
  encodeHeader,
  type Command,
  type Extent,
  type Feeder,
  type TargetName,
} from './wire.ts';

/** A started writer. Whoever launched it knows how it became root, if it did. */
export interface WriterProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Its end, with the last it said on stderr. */
  readonly ended: Promise<{ code: number | null; stderr: string }>;
  /** Ends it at once; of a process of root, only closes what it is spoken to over. */
  kill(): void;
}

export type Feeding = Feeder & { imageId: string };

/** `asksNobody`: so it may be started before anybody knows whether there is something for it to do; until it is told, it touches nothing. */
export type Launch = ((signal: AbortSignal) => Promise<WriterProcess>) & { readonly asksNobody?: true };

export type Opened = Extract<Answer, { is: 'opened' }>;

/** It beats every 2 s. Counted in ticks and not by a clock, so that a laptop that slept has not been silent. */
const TICK_MS = 2_000;
const SILENT_TICKS = 15;
/** How long a writer may take to bring to the disk what is in flight, before it is left to itself. */
const END_MS = 20_000;

type Done = Exclude<Answer, { is: 'beat' } | { is: 'failed' }>;
interface Waiting {
  resolve: (answer: Done) => void;
  reject: (error: Error) => void;
}

/** What an answer answers: of those about chunks, several are in flight. */
function keyOf(answer: Done): string {
  switch (answer.is) {
    case 'unlike':
      return `written ${answer.chunk}`;
    case 'written':
    case 'zeroed':
    case 'read':
    case 'have':
    case 'blocks':
      return `${answer.is} ${answer.chunk}`;
    case 'opened':
    case 'wiped':
    case 'flushed':
    case 'kept':
    case 'sealed':
    case 'closed':
      return answer.is;
  }
}

export class Writer {
  readonly #process: WriterProcess;
  readonly #subject: Subject;
  readonly #waiting = new Map<string, Waiting>();
  readonly #decoder = new Decoder();
  readonly #timer: NodeJS.Timeout;
  readonly #feeder: Feeding | null;
  #ticks = 0;
  #opened = false;
  /** Whether the other end takes a chunk in parts. */
  #unpacks = false;
  /** Whether it tells what its disk has block by block, and takes parts that go over that. */
  #lays = false;
  #closed = false;
  /** Why nothing more can be asked; the first reason counts. */
  #dead: AppError | null = null;

  /** `feeder`: who we are to a job on a box, which then wants to hear from us as often as it lets hear from itself. */
  constructor(process: WriterProcess, subject: Subject, tickMs = TICK_MS, feeder: Feeding | null = null) {
    this.#feeder = feeder;
    this.#process = process;
    this.#subject = subject;
    process.stdout.on('data', (piece: Buffer) => this.#take(piece));
    // What cannot be sent any more is told by its end, and better.
    process.stdin.on('error', () => undefined);
    process.stdout.on('error', () => undefined);
    void process.ended.then(({ code, stderr }) => this.#onEnd(code, stderr));
    this.#timer = setInterval(() => this.#tick(tickMs), tickMs);
    this.#timer.unref();
  }

  async open(order: {
    target: TargetName;
    image: string | null;
    virtualSize: number;
    sealed: readonly number[];
    mac: string | null;
  }): Promise<Opened> {
    const { target, virtualSize, sealed, mac } = order;
    const image = order.image === null ? null : { path: order.image };
    const { imageId, ...feeder } = this.#feeder ?? {};
    const more = { ...(this.#feeder ? { feeder, imageId } : {}), ...(mac === null ? {} : { mac }) };
    const asked = { do: 'open', v: 1, target, image, virtualSize, sealed, ...more } as Command;
    const opened = (await this.#ask(asked, 'opened')) as Opened;
    this.#opened = true;
    this.#unpacks = opened.encodings.includes('zstd');
    this.#lays = opened.encodings.includes('over');
    return opened;
  }

  /** What a job on a box knows of the chunks below `end`: their hashes, and whether it has read them back itself. */
  async have(
    end: number,
    told: (chunk: number, sha256: ChunkHash, readBack: boolean) => void,
  ): Promise<void> {
    for (let chunk = 0; chunk < end; chunk += HAVE_MAX) {
      const count = Math.min(HAVE_MAX, end - chunk);
      const answer = await this.#ask({ do: 'have', chunk, count }, `have ${chunk}`);
      if (answer.is === 'have') for (const one of answer.chunks) told(...one);
    }
  }

  /** Answers the chunks of which something was zeroed. */
  async wipe(): Promise<readonly number[]> {
    const answer = await this.#ask({ do: 'wipe' }, 'wiped');
    return answer.is === 'wiped' ? answer.chunks : [];
  }

  /** Bytes from the image file, the rest zeros; answers the hash of what was written. */
  async copy(chunk: number, extents: readonly Extent[]): Promise<ChunkHash> {
    return hashOf(await this.#ask({ do: 'copy', chunk, extents }, `written ${chunk}`));
  }

  /** `bytes` may be used anew when this has resolved. */
  async data(chunk: number, bytes: Uint8Array): Promise<ChunkHash> {
    const less = this.#unpacks ? withoutZeros(bytes) : null;
    if (less) return hashOf(await this.#parts(chunk, less, { encoding: 'zstd' }));
    const command = { do: 'data', chunk, bytes: bytes.length, encoding: 'plain' } as const;
    return hashOf(await this.#ask(command, `written ${chunk}`, [bytes]));
  }

  /** As the image stores it; answers the hash of the chunk that the other end made of it. */
  async packed(chunk: number, { bytes, parts }: Packed): Promise<ChunkHash> {
    return hashOf(await this.#parts(chunk, { parts, pieces: [bytes] }, { encoding: 'zstd' }));
  }

  /** Only those pieces of a chunk, over what the disk has there. False where that does not make one of this tag: nothing was written then. */
  async over(chunk: number, pieces: Pieces, mac: string): Promise<boolean> {
    const answer = await this.#parts(chunk, pieces, { encoding: 'over', mac });
    if (answer.is === 'unlike') return false;
    if (hashOf(answer) === mac) return true;
    throw new AppError('internal', { detail: `chunk ${chunk} was laid over what was there as another one` });
  }

  #parts(
    chunk: number,
    { parts, pieces }: Pieces,
    how: { encoding: 'zstd' } | { encoding: 'over'; mac: string },
  ): Promise<Done> {
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
    return this.#ask({ do: 'data', chunk, bytes, ...how, parts }, `written ${chunk}`, pieces);
  }

  /** Tags of what the disk has in each block of a chunk. */
  async blocks(chunk: number): Promise<readonly string[]> {
    const answer = await this.#ask({ do: 'blocks', chunk }, `blocks ${chunk}`);
    return answer.is === 'blocks' ? answer.macs : [];
  }

  get unpacks(): boolean {
    return this.#unpacks;
  }

  get lays(): boolean {
    return this.#lays;
  }

  async zero(chunk: number, count: number): Promise<void> {
    await this.#ask({ do: 'zero', chunk, count }, `zeroed ${chunk}`);
  }

  async flush(): Promise<void> {
    await this.#ask({ do: 'flush' }, 'flushed');
  }

  /** Everything that was answered before it is on the disk then; nothing waits for it. */
  async checkpoint(): Promise<void> {
    await this.#ask({ do: 'checkpoint' }, 'kept');
  }

  /** Reads back past the cache; `told` of each chunk as it comes. */
  async read(chunk: number, count: number, told: (chunk: number, found: ReadBack) => void): Promise<void> {
    const answers = Array.from({ length: count }, (_, i) =>
      this.#expect(`read ${chunk + i}`).then((answer) => told(chunk + i, readBackOf(answer))),
    );
    this.#send({ do: 'read', chunk, count });
    await allOf(answers);
  }

  /** `image`: its own hashes of chunks that will hold something else. */
  async seal(image: ReadonlyMap<number, ChunkHash>): Promise<void> {
    await this.#ask({ do: 'seal', ...(image.size ? { image: [...image] } : {}) }, 'sealed');
  }

  /** Ends it; returns when it has ended. */
  async close(): Promise<void> {
    await this.#ask({ do: 'close' }, 'closed');
    this.#closed = true;
    this.#process.stdin.end();
    await this.#process.ended;
    clearInterval(this.#timer);
  }

  #ending: Promise<void> | null = null;
  /** Lets it bring to the disk what is in flight and end; returns when it has ended, or was left to itself. Also after an error, or its end. */
  abandon(): Promise<void> {
    return (this.#ending ??= this.#abandon());
  }

  async #abandon(): Promise<void> {
    this.#die(new AppError('flash_writer_gone', { target: this.#subject.target, detail: 'it was ended.' }));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#process.kill();
        resolve();
      }, END_MS);
    });
    await Promise.race([this.#process.ended, late]);
    clearTimeout(timer);
  }

  #expect(key: string): Promise<Done> {
    if (this.#dead) return Promise.reject(this.#dead);
    if (this.#waiting.has(key))
      return Promise.reject(new AppError('internal', { detail: `two commands wait for "${key}"` }));
    return new Promise((resolve, reject) => this.#waiting.set(key, { resolve, reject }));
  }

  #ask(command: Command, key: string, payload: readonly Uint8Array[] = []): Promise<Done> {
    const answer = this.#expect(key);
    this.#send(command, payload);
    return answer;
  }

  #send(command: Command, payload: readonly Uint8Array[] = []): void {
    const { stdin } = this.#process;
    if (this.#dead || !stdin.writable) return;
    stdin.write(encodeHeader(command));
    for (const piece of payload) stdin.write(piece);
  }

  #take(piece: Buffer): void {
    if (this.#dead) return;
    this.#ticks = 0;
    try {
      for (const { header } of this.#decoder.push(piece)) this.#onAnswer(Answer.parse(header));
    } catch (error) {
      const { target } = this.#subject;
      const detail = `its answer cannot be read (${error instanceof Error ? error.message : String(error)}).`;
      this.#die(new AppError('flash_writer_failed', { target, detail }, error));
    }
  }

  #onAnswer(answer: Answer): void {
    if (answer.is === 'beat') return;
    if (answer.is === 'failed') return this.#die(failureOf(answer, this.#subject));
    const key = keyOf(answer);
    const waiting = this.#waiting.get(key);
    if (!waiting) throw new Error(`nobody asked for "${key}"`);
    this.#waiting.delete(key);
    waiting.resolve(answer);
  }

  #onEnd(code: number | null, stderr: string): void {
    clearInterval(this.#timer);
    if (this.#closed) return;
    const said = stderr.trim().split('\n').at(-1) ?? '';
    const detail = `${said || (code === null ? 'it was killed' : `it ended with ${code}`)}.`;
    this.#die(new AppError('flash_writer_gone', { target: this.#subject.target, detail }));
  }

  #tick(tickMs: number): void {
    if (this.#feeder && this.#opened) this.#send({ do: 'beat' });
    this.#ticks += 1;
    if (this.#ticks < SILENT_TICKS) return;
    const seconds = Math.round((SILENT_TICKS * tickMs) / 1000);
    this.#die(new AppError('flash_writer_silent', { target: this.#subject.target, seconds }));
  }

  #die(error: AppError): void {
    if (this.#dead) return;
    this.#dead = error;
    clearInterval(this.#timer);
    // What is still on its way to a box is memory that others fill from now on: the job would write it, and remember it as what was meant.
    if (this.#feeder) this.#process.kill();
    else this.#process.stdin.end();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

function hashOf(answer: Done): ChunkHash {
  const found = answer.is === 'written' ? (answer.mac ?? answer.sha256) : undefined;
  if (found === undefined) throw new AppError('internal', { detail: `"${answer.is}" has no hash` });
  return found;
}

function readBackOf(answer: Done): ReadBack {
  if (answer.is === 'read') return { sha256: answer.sha256, mac: answer.mac ?? null };
  throw new AppError('internal', { detail: `"${answer.is}" has no hash` });
}

/** All of them, also where the first fails: a promise that nobody looks at ends the process. */
async function allOf(promises: readonly Promise<unknown>[]): Promise<void> {
  const ends = await Promise.allSettled(promises);
  const bad = ends.find((end) => end.status === 'rejected');
  if (bad) throw bad.reason;
}
