/** What an engine is given, and what it gives back. */
import type { FlashPhase } from '../../../preload/contract/flash.ts';
import type { TagsAhead } from './ahead.ts';
import type { FlashImage } from './image.ts';
import type { ProgressEvent } from './progress.ts';
import type { ChunkRecord } from './record.ts';
import type { Seed } from './sealed.ts';
import type { TargetName } from './wire.ts';
import type { Writer } from './writer.ts';

export interface EngineOptions {
  image: FlashImage;
  record: ChunkRecord;
  writer: Writer;
  /** What was already learnt of the image's chunks; asked for no more once writing begins. */
  ahead?: TagsAhead | undefined;
  /** `laptop`: the writer reads the image itself. `box`: all is sent to a job that keeps a record of its own. */
  side: 'laptop' | 'box';
  target: TargetName;
  /** What a person calls it. */
  name: string;
  /** What a partition of the disk is to have instead of the image's bytes, once those are proven. */
  seed?: Seed | undefined;
  signal: AbortSignal;
  /** `at` is added by whoever takes it. */
  tell: (event: Tell) => void;
  phase: <T>(phase: FlashPhase, fn: () => Promise<T>) => Promise<T>;
  note: (text: string) => void;
}

export type Tell = ProgressEvent extends infer E ? (E extends { at: number } ? Omit<E, 'at'> : never) : never;

/** What was proven, and what it took. */
export interface Proof {
  /** Over the disk as it was read back, of a seed's chunks over the image's. */
  diskRoot: string;
  /** Bytes of data sent to the disk in this run, and chunks that it had already. */
  writtenBytes: number;
  keptChunks: number;
  /** Chunks that the disk should have had and had not. */
  mendedChunks: number;
  /** Whether first-boot settings were written and read back after that. */
  seed: 'written' | null;
}
