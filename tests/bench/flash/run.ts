/**
 * One part of `npm run bench:flash`: `tsx tests/bench/flash/run.ts PART ORDER`, where ORDER is JSON. The part `images` makes what the
 * others read. The last line is a JSON object; times in s, sizes in bytes.
 */
import { local, verify, type LocalOrder, type Missing } from './local.ts';
import { makeImages, recall, remember } from './images.ts';
import { memory } from './memory.ts';
import { delta, gigabit, ssh } from './remote.ts';
import { Target } from './target.ts';

interface Order {
  /** The work folder. */
  dir: string;
  sizeMiB: number;
  pairs: number;
  missing: Missing;
  sdk: string;
}

async function onTarget<T>(order: Order, work: (o: LocalOrder) => Promise<T>): Promise<T> {
  const images = recall(order.dir);
  const target = await Target.make(order.dir, 'target', images.virtualSize);
  try {
    return await work({ ...order, images, target });
  } finally {
    target.close();
  }
}

const PARTS: Record<string, (order: Order) => Promise<object>> = {
  images: async ({ dir, sizeMiB }) => {
    const images = await makeImages(dir, sizeMiB);
    remember(images);
    return images;
  },
  local: (order) => onTarget(order, local),
  verify: (order) => onTarget(order, verify),
  ssh: (order) => onTarget(order, ssh),
  gigabit: (order) => onTarget(order, gigabit),
  delta: (order) => onTarget(order, delta),
  memory: ({ dir }) => memory(recall(dir)),
};

const [name = '', order = ''] = process.argv.slice(2);
const part = PARTS[name];
if (!part) throw new Error(`usage: run.ts ${Object.keys(PARTS).join('|')} ORDER`);
console.log(JSON.stringify(await part(JSON.parse(order) as Order)));
