/**
 * Drives the writer through a flash: destroy what starts the disk, write, wait for the disk, read all of it back, compare, and only then
 * write what starts it. Whatever ends it before leaves a disk that starts nothing (docs/adr/0011-flash.md).
 */
import { AppError } from '../../../preload/contract/errors.ts';
import type { EngineOptions, Proof } from './engine-options.ts';
import { Contents } from './contents.ts';
import { differs } from './failures.ts';
import { dataBytes } from './image.ts';
import { Buffers, Lanes } from './lanes.ts';
import { packChunk, whatDiffers } from './packed.ts';
import { planOf, readsOf, runsOf, type Action } from './plan.ts';
import type { Totals } from './progress.ts';
import { Sealed, sha256, type Seed } from './sealed.ts';
import { CHUNK_BYTES, chunkAt, chunkCount } from './source/types.ts';
import { isTag, likeThat, tagOf, type ChunkHash } from './tags.ts';

/** Commands under way: more than the writer has buffers, so that it does not wait for us while we bring a record to our own disk. */
const IN_FLIGHT = 24;
/** Of the app's own memory, for chunks that it unpacks or compares. */
const OWN_BUFFERS = 4;
/** Chunks in one command to read, and such commands under way. */
const READ_RUN = 16;
const READS = 3;
/** The same of reading back, in shorter runs. */
const BACK_READS = 8;
/** What is written goes into the record after this much and not more often than that: each time the disk has to bring it home. */
const CHECKPOINT_BYTES = 64 * 1024 * 1024;
const CHECKPOINT_MS = 1_000;

export class Engine {
  readonly #o: EngineOptions;
  readonly #size: number;
  readonly #count: number;
  readonly #sealed: Sealed;
  readonly #contents: Contents;
  /** Read back by the job on the box since they were written, which has held the disk all the time. */
  readonly #readBack = new Set<number>();
  readonly #buffers = new Buffers(OWN_BUFFERS, CHUNK_BYTES);
  /** Written, and not known to be on the disk yet. */
  #fresh = new Map<number, ChunkHash>();
  #freshBytes = 0;
  #flushing: Promise<void> | null = null;
  #checkpointAt = performance.now();
  #writtenBytes = 0;
  #written: Map<number, ChunkHash>;
  #believed: Map<number, ChunkHash>;

  constructor(options: EngineOptions) {
    this.#o = options;
    this.#size = options.image.virtualSize;
    this.#count = chunkCount(this.#size);
    this.#sealed = new Sealed(options.image.layout.sealed, options.seed ?? null);
    this.#contents = new Contents(this.#size, this.#sealed);
    this.#written = new Map(options.record.written);
    this.#believed = new Map(options.record.believed);
  }

  /** Returns only when every chunk was read back and is what it should be. Errors: those of writer and image, flash_*. */
  async run(): Promise<Proof> {
    const { image, writer, record, phase, target, name, side } = this.#o;
    record.begin();
    record.forget(this.#sealed.seeded);
    const opened = await writer.open({
      ...{ target, virtualSize: this.#size, sealed: this.#sealed.ascending },
      image: image.random && side === 'laptop' ? image.path : null,
      mac: record.key,
    });
    if (!opened.mac) this.#withoutTags();
    // A number of the box's processes means nothing here, and the job itself lets only one feeder in.
    if (side === 'laptop') record.opened(opened.pid);
    const { sectorBytes } = image.layout;
    if (target.kind === 'disk' && sectorBytes !== null && sectorBytes !== opened.logicalBlock)
      throw new AppError('flash_sectors', { target: name, disk: opened.logicalBlock, image: sectorBytes });
    // The writer has opened the image by its name: it is the one that was judged.
    await image.mustBeUnchanged(name);
    if (side === 'box') await this.#learn(opened.have);

    await phase('wipe', async () => {
      for (const chunk of await writer.wipe()) {
        this.#written.delete(chunk);
        this.#believed.delete(chunk);
        this.#readBack.delete(chunk);
      }
    });
    await phase('write', () => this.#write());
    await phase('flush', () => this.#flush());
    const unread = this.#all().filter((chunk) => !this.#readBack.has(chunk) || !this.#contents.isKept(chunk));
    const lost = await phase('verify', () => this.#verify(unread));
    if (lost.length) await this.#mend(lost);
    await this.#sealed.hash();
    const found = this.#contents.root();
    if (image.diskRoot !== null && found !== image.diskRoot)
      throw new AppError('flash_root_differs', {
        ...{ target: name, from: 'the manifest beside the image', found, wanted: image.diskRoot },
      });
    await image.mustBeUnchanged(name);
    const { seed } = this.#o;
    if (seed) await phase('seed', () => this.#writeSeed(seed));
    await phase('seal', () => this.#seal());
    return {
      ...{ diskRoot: found, writtenBytes: this.#writtenBytes, mendedChunks: lost.length },
      keptChunks: this.#contents.keptCount,
      seed: seed ? 'written' : null,
    };
  }

  /**
   * What the box knows of its disk counts before what this laptop recorded. Where it knows nothing although a flash was cut off (it lost
   * its power, or the disk comes from elsewhere), the disk itself is asked, before anything of it is destroyed.
   */
  async #learn(known: number): Promise<void> {
    const { writer, record, phase, note } = this.#o;
    if (known > 0) {
      this.#written.clear();
      await writer.have(this.#count, (chunk, hash, readBack) => {
        this.#written.set(chunk, hash);
        if (readBack) this.#readBack.add(chunk);
      });
      return;
    }
    if (!record.cutOff) return;
    note('The box has no record of the flash that was cut off; it reads what its disk has.');
    await phase('map', async () => {
      this.#o.tell({ kind: 'totals', totals: { write: null, verify: this.#size } });
      const lanes = new Lanes(READS);
      for (const [chunk, count] of runsOf(this.#all(), READ_RUN)) {
        this.#o.signal.throwIfAborted();
        await lanes.add(() =>
          writer.read(chunk, count, (one, found) => {
            this.#believed.set(one, found.sha256);
            const wanted = this.#written.get(one);
            if (likeThat(found, wanted) !== wanted) this.#written.delete(one);
            this.#o.tell({ kind: 'bytes', bytes: this.#length(one) });
          }),
        );
      }
      await lanes.drained();
    });
  }

  #length(chunk: number): number {
    return chunkAt(chunk, this.#size, 'data').length;
  }

  #all(): number[] {
    return Array.from({ length: this.#count }, (_, chunk) => chunk);
  }

  #totals(): Totals {
    const read = [...this.#readBack].reduce((sum, chunk) => sum + this.#length(chunk), 0);
    const has = (chunk: number) => this.#sealed.has(chunk) || this.#written.has(chunk);
    return { write: dataBytes(this.#o.image, has), verify: this.#size - read };
  }

  async #write(): Promise<void> {
    this.#o.tell({ kind: 'totals', totals: this.#totals() });
    await this.#o.ahead?.stop();
    const { random } = this.#o.image;
    if (!random) return this.#writeStream(null);
    const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    for (const chunk of this.#sealed.ascending) {
      await random.read(chunk, buffer);
      this.#sealed.keep(chunk, buffer.subarray(0, this.#length(chunk)));
    }
    const copies = this.#o.side === 'laptop';
    const known = { copies, sealed: this.#sealed, written: this.#written, believed: this.#believed };
    await this.#carryOut(planOf(random, known));
  }

  async #carryOut(actions: AsyncIterable<Action> | Iterable<Action>): Promise<void> {
    const lanes = new Lanes(IN_FLIGHT);
    try {
      for await (const action of actions) {
        this.#o.signal.throwIfAborted();
        if (action.do === 'keep') this.#contents.keep(action.chunk, action.hash);
        else await lanes.add(() => this.#do(action));
      }
    } finally {
      // Nobody is left who still writes; the first error is that of the lanes.
      await lanes.drained();
    }
  }

  #do(action: Exclude<Action, { do: 'keep' }>): Promise<void> {
    switch (action.do) {
      case 'zero':
        return this.#zero(action.chunk, action.count);
      case 'copy':
        return this.#o.writer
          .copy(action.chunk, action.extents)
          .then((hash) => this.#wrote(action.chunk, hash));
      case 'data':
        if (action.unless && this.#o.ahead?.of(action.chunk) === action.unless)
          return this.#there(action.chunk, action.unless);
        return this.#buffers.with((buffer) => this.#data(action.chunk, action.unless, buffer));
    }
  }

  async #zero(chunk: number, count: number): Promise<void> {
    this.#o.tell({ kind: 'zeroing', more: 1 });
    try {
      await this.#o.writer.zero(chunk, count);
    } finally {
      this.#o.tell({ kind: 'zeroing', more: -1 });
    }
    for (let i = chunk; i < chunk + count; i += 1) {
      this.#contents.wrote(i, null);
      this.#fresh.set(i, null);
    }
  }

  async #data(chunk: number, unless: ChunkHash | undefined, buffer: Uint8Array): Promise<void> {
    const { random } = this.#o.image;
    if (!random) throw new AppError('internal', { detail: 'a stream was asked for one chunk' });
    if (this.#o.writer.unpacks && unless === undefined) {
      const packed = await packChunk(random, chunk, buffer);
      if (packed) return this.#wrote(chunk, await this.#o.writer.packed(chunk, packed));
    }
    const part = buffer.subarray(0, this.#length(chunk));
    const hole = (await random.read(chunk, part)) === 'hole';
    await this.#send(chunk, part, hole, unless);
  }

  /** The target should have it, so it is not written. */
  async #there(chunk: number, hash: ChunkHash): Promise<void> {
    this.#contents.keep(chunk, hash);
    this.#o.tell({ kind: 'bytes', bytes: this.#length(chunk) });
  }

  async #send(chunk: number, part: Uint8Array, hole: boolean, unless: ChunkHash | undefined): Promise<void> {
    if (unless !== undefined && (hole ? null : await this.#like(unless, chunk, part)) === unless)
      return this.#there(chunk, unless);
    if (hole) {
      await this.#zero(chunk, 1);
      // Of a stream whose holes are known they are not among the bytes to come.
      if (this.#o.image.data?.[chunk] !== 0) this.#o.tell({ kind: 'bytes', bytes: part.length });
    } else {
      const laid = unless ? await this.#lay(chunk, part) : undefined;
      await this.#wrote(chunk, laid ?? (await this.#o.writer.data(chunk, part)));
    }
  }

  /**
   * Only those blocks that the box's disk has not: it is asked, and writes only what makes the whole chunk of it. Undefined where that is no
   * way, or does not make it.
   */
  async #lay(chunk: number, part: Uint8Array): Promise<ChunkHash | undefined> {
    const { writer, record } = this.#o;
    if (!writer.lays || record.key === null) return undefined;
    const differing = whatDiffers(record.key, chunk, part, await writer.blocks(chunk));
    if (!differing) return undefined;
    const wanted = tagOf(record.key, chunk, part);
    return (await writer.over(chunk, differing, wanted)) ? wanted : undefined;
  }

  /** Of this chunk's bytes, what `hash` can be compared with. */
  async #like(hash: ChunkHash, chunk: number, bytes: Uint8Array): Promise<string> {
    const { key } = this.#o.record;
    return isTag(hash) && key !== null ? tagOf(key, chunk, bytes) : sha256(bytes);
  }

  /** A writer whose Python has no OpenSSL that it knows: what was recorded by tags cannot be compared with what it reads. */
  #withoutTags(): void {
    for (const known of [this.#written, this.#believed])
      for (const [chunk, hash] of known) if (isTag(hash)) known.delete(chunk);
  }

  async #wrote(chunk: number, hash: ChunkHash): Promise<void> {
    const bytes = this.#length(chunk);
    this.#contents.wrote(chunk, hash);
    this.#readBack.delete(chunk);
    this.#fresh.set(chunk, hash);
    this.#freshBytes += bytes;
    this.#writtenBytes += bytes;
    this.#o.tell({ kind: 'bytes', bytes });
    const due =
      this.#freshBytes >= CHECKPOINT_BYTES && performance.now() - this.#checkpointAt >= CHECKPOINT_MS;
    if (due && !this.#flushing) await this.#keepFresh(() => this.#o.writer.checkpoint());
  }

  async #flush(): Promise<void> {
    // Without a pause where none is needed: whoever looks next must see that one is under way.
    if (this.#flushing) await this.#flushing;
    await this.#keepFresh(() => this.#o.writer.flush());
  }

  /** After it, everything that was answered before it is on the disk and in the record. One at a time. */
  async #keepFresh(bringHome: () => Promise<void>): Promise<void> {
    const fresh = this.#fresh;
    this.#fresh = new Map();
    this.#freshBytes = 0;
    this.#flushing = bringHome().then(() => this.#o.record.add(fresh));
    try {
      await this.#flushing;
    } finally {
      this.#flushing = null;
      this.#checkpointAt = performance.now();
    }
  }

  /** A passage over a stream; `only`: of these chunks, else of all that the target does not have. */
  async #writeStream(only: ReadonlySet<number> | null): Promise<void> {
    const source = await this.#o.image.forward();
    const lanes = new Lanes(OWN_BUFFERS);
    try {
      for (let more = true; more;) {
        this.#o.signal.throwIfAborted();
        // A buffer is held until its chunk is written, and reading goes on in the next.
        more = await new Promise<boolean>((resolve, reject) => {
          void lanes
            .add(() =>
              this.#buffers.with(async (buffer) => {
                const chunk = await source.next(buffer).catch((error: Error) => {
                  reject(error);
                  throw error;
                });
                resolve(chunk !== null);
                if (chunk)
                  await this.#streamed(
                    chunk.index,
                    buffer.subarray(0, chunk.length),
                    chunk.state === 'hole',
                    only,
                  );
              }),
            )
            .catch(reject);
        });
      }
    } finally {
      try {
        await lanes.drained();
      } finally {
        await source.close();
      }
    }
  }

  async #streamed(
    chunk: number,
    part: Uint8Array,
    hole: boolean,
    only: ReadonlySet<number> | null,
  ): Promise<void> {
    if (this.#sealed.has(chunk)) {
      this.#sealed.keep(chunk, part);
      return;
    }
    if (only) return only.has(chunk) ? this.#send(chunk, part, hole, undefined) : undefined;
    const mine = this.#written.get(chunk);
    if (mine !== undefined) this.#contents.keep(chunk, mine);
    else await this.#send(chunk, part, hole, this.#believed.get(chunk));
  }

  /** Reads chunks back; answers, ascending, those that were kept and are not there. Errors: flash_verify_failed. */
  async #verify(chunks: readonly number[]): Promise<number[]> {
    const lost: number[] = [];
    const lanes = new Lanes(BACK_READS);
    try {
      const [data, holes] = [false, true].map((is) =>
        chunks.filter((chunk) => this.#contents.isHole(chunk) === is),
      ) as [number[], number[]];
      for (const [chunk, count] of readsOf(data, holes)) {
        this.#o.signal.throwIfAborted();
        await lanes.add(() =>
          this.#o.writer.read(chunk, count, (one, found) => {
            const verdict = this.#contents.judge(one, found);
            this.#o.tell({ kind: 'bytes', bytes: this.#length(one) });
            if (verdict.is === 'broken') throw differs(this.#o.name, one, verdict.found, verdict.wanted);
            if (verdict.is === 'lost') lost.push(one);
          }),
        );
      }
    } finally {
      await lanes.drained();
    }
    return lost.sort((a, b) => a - b);
  }

  /** Somebody else wrote to the target since it was recorded: those chunks are written after all. */
  async #mend(lost: readonly number[]): Promise<void> {
    const { image, note, phase, tell } = this.#o;
    const { random } = image;
    note(`${lost.length} chunks are not as the record of the last flash says; they are written again.`);
    const bytes = lost.reduce((sum, chunk) => sum + this.#length(chunk), 0);
    await phase('write', async () => {
      tell({ kind: 'totals', totals: { write: bytes, verify: bytes } });
      if (!random) return this.#writeStream(new Set(lost));
      await this.#carryOut(lost.map((chunk) => ({ do: 'data' as const, chunk, unless: undefined })));
    });
    await phase('flush', () => this.#flush());
    await phase('verify', () => this.#verify(lost));
  }

  /** A part of what comes last: each chunk as it is to be in the end, read back. */
  async #finish(chunks: readonly number[]): Promise<void> {
    await this.#sealed.write(this.#o.writer, chunks, this.#o.record.key, (chunk, found, wanted) =>
      differs(this.#o.name, chunk, found, wanted),
    );
  }

  /** Nothing starts yet: without chunk 0, which comes last of all, there is no disk with a table. */
  async #writeSeed(seed: Seed): Promise<void> {
    await this.#o.writer.seal(this.#sealed.underSeed());
    await this.#sealed.lay();
    await this.#finish(this.#sealed.seedOnly);
    seed.onWritten();
  }

  async #seal(): Promise<void> {
    const { writer, record, seed } = this.#o;
    if (!seed) await writer.seal(new Map());
    await this.#finish(this.#sealed.ofTables);
    await writer.close();
    record.add(this.#sealed.lasting());
    record.done();
  }
}
