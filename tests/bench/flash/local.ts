/** A disk at the laptop: our flash beside what others do, in pairs of runs that follow each other. Times in s. */
import { join } from 'node:path';
import { cold, warm } from './caches.ts';
import type { Took } from './clock.ts';
import type { Images } from './images.ts';
import { said, script, timed } from './shell.ts';
import { ratioOf, type Ratio } from './statistics.ts';
import type { Target } from './target.ts';

/** Why a contender cannot run here, by its name. */
export type Missing = Partial<Record<string, string>>;

export interface LocalOrder {
  images: Images;
  target: Target;
  pairs: number;
  missing: Missing;
  /** The folder that Etcher's SDK was installed into. */
  sdk: string;
}

export interface Compared {
  ratio: Ratio;
  ours: number[];
  theirs: number[];
  /** Where the time of each of ours went. */
  parts: Took['parts'][];
}
/** The same data past the cache, by nobody who looks at it: written and synced, and read back. */
export interface Disk {
  write: number;
  read: number;
  bytes: number;
}
/** By the name of the contender; `why` of one that did not run. */
export type Found = Record<string, Compared | { why: string }>;

interface Contender {
  /** What of the image it reads. */
  source: (images: Images) => string | null;
  run: (order: LocalOrder) => Promise<number>;
}

const last = <T>(output: string): T => JSON.parse(output.trim().split('\n').at(-1) ?? '') as T;

/** In a process of its own, as Etcher's SDK is; neither has its start among its seconds. */
export async function ours(image: string, kind: 'disk' | 'file', path: string, bytes: number, peak?: string) {
  const args = ['--import', 'tsx', join(import.meta.dirname, 'ours.ts'), image, kind, path, String(bytes)];
  const output = await said(process.execPath, [...args, ...(peak === undefined ? [] : [peak])]);
  return last<Took & { writtenBytes: number; peakBytes: number | null }>(output);
}

/** Those that leave what was in the holes discard before; all of them end with an fsync. Both are among their seconds. */
const by =
  (text: string) =>
  ({ target }: LocalOrder, ...args: string[]): Promise<number> =>
    timed(() => script(`blkdiscard -f "$1"; ${text}; sync "$1"`, target.path, ...args));

async function etcher({ sdk, images, target }: LocalOrder, mode: 'write' | 'verify'): Promise<number> {
  const args = [
    join(import.meta.dirname, 'etcher.mjs'),
    sdk,
    images.raw,
    target.path,
    String(target.bytes),
    mode,
  ];
  return last<{ seconds: number }>(await said(process.execPath, args)).seconds;
}

const QEMU = 'qemu-img convert -f qcow2 -O raw -n -W -m 8 -t none --target-is-zero "$2" "$1"';

const WRITERS: Record<string, Contender> = {
  'qemu-img': { source: (i) => i.qcow2, run: (o) => by(QEMU)(o, o.images.qcow2) },
  etcher: { source: (i) => i.raw, run: (o) => etcher(o, 'write') },
  bmaptool: {
    source: (i) => i.bmap && i.raw,
    run: (o) => by('bmaptool -q copy --bmap "$3" "$2" "$1"')(o, o.images.raw, o.images.bmap ?? ''),
  },
  dd: {
    source: (i) => i.raw,
    run: (o) => by('dd if="$2" of="$1" bs=4M conv=sparse,fsync status=none')(o, o.images.raw),
  },
};
const VERIFIERS: Record<string, Contender> = {
  etcher: { source: (i) => i.raw, run: (o) => etcher(o, 'verify') },
};

/** Each once over a disk full of old bytes: what is on it afterwards is the image, holes included. Errors: an Error with who left what. */
async function mustHold(
  name: string,
  { target, images }: LocalOrder,
  run: () => Promise<unknown>,
): Promise<void> {
  await target.stale();
  await run();
  const found = await target.sha256(images.virtualSize);
  if (found !== images.sha256) throw new Error(`${name} left other bytes on the disk than the image has`);
}

async function compared(order: LocalOrder, rivals: Record<string, Contender>, part: (took: Took) => number) {
  const { images, target, pairs, missing } = order;
  const own = () => ours(images.qcow2, 'disk', target.path, target.bytes);
  const from = async <T>(source: string, run: () => Promise<T>): Promise<T> => {
    await target.empty();
    await warm(source);
    return run();
  };
  await mustHold('our flash', order, own);
  const found: Found = {};
  const able: [string, Contender, string][] = [];
  for (const [name, rival] of Object.entries(rivals)) {
    const source = rival.source(images);
    const why = missing[name] ?? (source === null ? 'there is no image in its form' : undefined);
    if (why !== undefined || source === null) {
      found[name] = { why: why ?? '' };
      continue;
    }
    try {
      await mustHold(name, order, () => rival.run(order));
      able.push([name, rival, source]);
    } catch (error) {
      found[name] = { why: (error as Error).message.replace(/\s+/g, ' ').slice(0, 300) };
    }
  }
  const all = new Map<string, Omit<Compared, 'ratio'>>();
  for (const [name] of able) all.set(name, { ours: [], theirs: [], parts: [] });
  for (let n = 0; n < pairs; n += 1)
    for (const [name, rival, source] of able) {
      const times = all.get(name);
      const pair = [
        async () => {
          const took = await from(images.qcow2, own);
          times?.ours.push(part(took));
          times?.parts.push(took.parts);
        },
        async () => times?.theirs.push(await from(source, () => rival.run(order))),
      ];
      // Whoever comes first gains or loses by it half of the time.
      for (const run of n % 2 ? pair.reverse() : pair) await run();
    }
  for (const [name, times] of all) found[name] = { ...times, ratio: ratioOf(times.ours, times.theirs) };
  return found;
}

/** Without reading back, which these do not do either. */
export const local = (order: LocalOrder): Promise<Found> => compared(order, WRITERS, ({ write }) => write);

/** From the order to the proof. `disk`: in as many runs, what no reading back after writing can be faster than. */
export async function verify(order: LocalOrder): Promise<{ disk: Disk[] }> {
  const { images, target, pairs } = order;
  const found = await compared(order, VERIFIERS, ({ total }) => total);
  const disk: Disk[] = [];
  for (let n = 0; n < pairs; n += 1) {
    await target.empty();
    await cold();
    const program = join(import.meta.dirname, 'disk.py');
    disk.push(last<Disk>(await said('python3', [program, images.raw, target.path])));
  }
  return { ...found, disk };
}
