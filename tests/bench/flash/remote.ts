/** The parts of the benchmark over SSH: a whole flash, on loopback and at 1 Gbit/s, and one of an image of which little is other. Times in s. */
import { warm } from './caches.ts';
import { Box, whyNoGigabit, type BoxTook } from './box.ts';
import { changed } from './images.ts';
import type { LocalOrder } from './local.ts';
import { median, ratioOf, type Ratio } from './statistics.ts';

const GIGABIT = 1_000;
/** Of the chunks with data, in the other version of the image. */
const CHANGED = 0.05;

type Rival = 'here' | 'there';

export interface Flashes {
  ours: BoxTook[];
  /** `zstd -dc | ssh dd`, and `ssh 'zstd -dc | dd'`. */
  here: number[];
  there: number[];
  /** Of what they do, too, and of all that ours does. */
  transfer: Record<Rival, Ratio>;
  whole: Record<Rival, Ratio>;
  /** Whose median is the lower. */
  better: Rival;
  /** Mbit/s that the link brings, measured without SSH. */
  mbit: number;
}

async function withBox<T>(o: LocalOrder, work: (box: Box) => Promise<T>): Promise<T> {
  const box = await Box.open(o.images.dir, o.target);
  try {
    return await work(box);
  } finally {
    await box.close();
  }
}

/** `ours` is the image that our side reads, and `megabits` what the link brings. */
const flashes = (o: LocalOrder, ours: string, megabits: number | null): Promise<Flashes> =>
  withBox(o, async (box) => {
    const { images, target, pairs } = o;
    const own = () => {
      box.forget();
      return box.ours(ours);
    };
    const rivals = { here: () => box.unpackedHere(images.zst), there: () => box.unpackedThere(images.zst) };
    for (const [name, run] of [['our flash', own], ...Object.entries(rivals)] as const) {
      await target.stale();
      await run();
      if ((await target.sha256(images.virtualSize)) !== images.sha256)
        throw new Error(`${name} left other bytes on the disk than the image has`);
    }
    if (megabits !== null) box.link(megabits);
    const mbit = await box.rate();
    const from = async <T>(source: string, run: () => Promise<T>) => {
      await target.empty();
      await warm(source);
      return run();
    };
    const found = { ours: [] as BoxTook[], here: [] as number[], there: [] as number[] };
    for (let n = 0; n < pairs; n += 1) {
      const turn: (() => Promise<unknown>)[] = [
        async () => found.here.push(await from(images.zst, rivals.here)),
        async () => found.ours.push(await from(ours, own)),
        async () => found.there.push(await from(images.zst, rivals.there)),
      ];
      for (const run of n % 2 ? turn.reverse() : turn) await run();
    }
    const against = (part: (took: BoxTook) => number): Record<Rival, Ratio> => ({
      here: ratioOf(found.ours.map(part), found.here),
      there: ratioOf(found.ours.map(part), found.there),
    });
    return {
      ...found,
      transfer: against(({ write }) => write),
      whole: against(({ total }) => total),
      better: median(found.here) < median(found.there) ? 'here' : 'there',
      mbit,
    };
  });

export const ssh = (o: LocalOrder): Promise<Flashes> => flashes(o, o.images.qcow2, null);

/** The image's clusters are compressed at the level of the file that the others send. */
export async function gigabit(o: LocalOrder): Promise<Flashes | { why: string }> {
  const why = whyNoGigabit();
  return why === null ? flashes(o, o.images.packed, GIGABIT) : { why };
}

export interface Delta {
  full: BoxTook[];
  delta: BoxTook[];
  /** Of a full flash, reading back included in both. */
  time: Ratio;
  bytes: Ratio;
  mbit: number;
}

/** A full flash and one of the other version after it, in turns. */
async function deltas(o: LocalOrder, box: Box, other: string): Promise<Omit<Delta, 'mbit'>> {
  const full: BoxTook[] = [];
  const delta: BoxTook[] = [];
  for (let n = 0; n < o.pairs; n += 1) {
    box.forget();
    await o.target.empty();
    await warm(o.images.qcow2);
    full.push(await box.ours(o.images.qcow2));
    await warm(other);
    delta.push(await box.ours(other));
  }
  const of = (part: (took: BoxTook) => number) => ratioOf(delta.map(part), full.map(part));
  return { full, delta, time: of(({ total }) => total), bytes: of(({ sentBytes }) => sentBytes) };
}

export const delta = (o: LocalOrder): Promise<{ loopback: Delta; gigabit: Delta | { why: string } }> =>
  withBox(o, async (box) => {
    const other = await changed(o.images, 'changed', CHANGED, 7);
    await o.target.stale();
    await box.ours(o.images.qcow2);
    await box.ours(other.qcow2);
    if ((await o.target.sha256(other.virtualSize)) !== other.sha256)
      throw new Error('the second flash left other bytes on the disk than its image has');
    const loopback = { mbit: await box.rate(), ...(await deltas(o, box, other.qcow2)) };
    const why = whyNoGigabit();
    if (why !== null) return { loopback, gigabit: { why } };
    box.link(GIGABIT);
    return { loopback, gigabit: { mbit: await box.rate(), ...(await deltas(o, box, other.qcow2)) } };
  });
