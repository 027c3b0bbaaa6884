// `npm run bench:flash -- [PART …] [--pairs N] [--size MIB] [--dir DIR]`: measures what was promised of flashing beside what others do,
// and prints one line a bar (scripts/bars.mjs). Parts: local, verify, ssh, gigabit, delta, memory; each of them when none is named. As
// root on Linux, with loop devices on files below DIR. Ends with 1 when a bar is missed or could not be measured, and one of fewer
// pairs, or of a smaller image, than a bar wants is not measured. All that was measured is in .cache/bench/flash.json.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bar, begin, end, measure } from './bars.mjs';
import { CACHE, ROOT, isRoot, run } from './lib.mjs';
import { peers } from './peers.mjs';
import { setup } from './setup.mjs';

const MIB = 1024 * 1024;
/** What a bar wants at least: pairs at the laptop, runs over SSH, MiB of disk in the image. */
const WANTED = { local: 15, remote: 5, sizeMiB: 8192 };
const PAIRS = 15;
/** Mbit/s of TCP that a link of 1 Gbit/s brings: less is another link, where the machine is too busy to be one. */
const GIGABIT = { least: 850, most: 1_000 };

const median = (list) => {
  const sorted = list.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};
const s = (n) => `${n.toFixed(2)} s`;
const spread = (list) =>
  `${s(median(list))} (${Math.min(...list).toFixed(2)} to ${Math.max(...list).toFixed(2)})`;
const gib = (bytes) => `${(bytes / 1024 ** 3).toFixed(2)} GiB`;
const shownRatio = ({ median: m, interval, pairs }) =>
  `${m.toFixed(3)}, 95 % of ${pairs} pairs ${interval ? interval.map((n) => n.toFixed(3)).join(' to ') : 'have no interval'}`;

/** Where the time of ours went, by the medians of its phases. */
function shownParts(list) {
  const names = [...new Set(list.flatMap(Object.keys))];
  return names
    .map((name) => `${name} ${median(list.map((parts) => parts[name] ?? 0)).toFixed(2)}`)
    .join(', ');
}

/** A bar of a ratio. `ratio` null: not measured, for the reason in `why`. */
function ratioBar(name, ratio, most, { least, sizeMiB, why }) {
  const few = ratio && ratio.pairs < least ? `${ratio.pairs} pairs of ${least}` : null;
  const small = ratio && sizeMiB < WANTED.sizeMiB ? `${sizeMiB} MiB of ${WANTED.sizeMiB}` : null;
  const smoke = [few, small].filter(Boolean).join(', ');
  const reason = smoke && `only a trial: ${ratio.median.toFixed(2)} with ${smoke}`;
  bar(name, ratio && !smoke ? ratio.median : null, { most }, '', { digits: 2, why: reason || why });
  if (ratio) console.log(`  ${shownRatio(ratio)}`);
}

function against(name, found, most, what, order) {
  const { ratio = null, ours, theirs, parts, why = 'it failed' } = found;
  ratioBar(what, ratio, most, { ...order, least: WANTED.local, why });
  if (ratio) console.log(`  ours ${spread(ours)} (${shownParts(parts)}), ${name} ${spread(theirs)}`);
}

const LOCAL = { 'qemu-img': 1.15, etcher: 0.6, bmaptool: 0.4, dd: 0.3 };
const CALLED = {
  'qemu-img': 'qemu-img convert -W -n',
  etcher: "Etcher's SDK with trim",
  bmaptool: 'bmaptool with its bmap',
  dd: 'dd conv=sparse',
};

function local(found, order) {
  for (const [name, most] of Object.entries(LOCAL)) {
    const what = `local flash of a sparse qcow2, hashing, part of the time of ${CALLED[name]}`;
    against(name, found[name] ?? { why: found.why }, most, what, order);
  }
}

function verify(found, order) {
  const what = "flash and read-back, part of the time of Etcher's SDK, flash and verify";
  against('etcher', found.etcher ?? { why: found.why }, 0.5, what, order);
  const { disk, etcher } = found;
  if (!disk || !etcher?.theirs) return;
  const [write, read, both] = [(d) => d.write, (d) => d.read, (d) => d.write + d.read].map((of) =>
    disk.map(of),
  );
  console.log(
    `  the disk alone, the same ${gib(disk[0].bytes)} without a look at them: written ${spread(write)}, read back ${spread(read)}; a part of ${(median(both) / median(etcher.theirs)).toFixed(3)}`,
  );
}

const RIVALS = { here: '`zstd -dc IMAGE | ssh box dd`', there: "`ssh box 'zstd -dc | dd'`" };

/** Ours beside the others. */
function flashes({ ours, here, there, mbit, whole }) {
  const of = (part) => spread(ours.map((one) => one[part]));
  console.log(`  ours ${of('write')} and then, reading back, ${of('readBack')}; in all ${of('total')}`);
  console.log(`  ${shownParts(ours.map((one) => one.parts))}`);
  console.log(`  ${RIVALS.here} ${spread(here)}; ${RIVALS.there} ${spread(there)}`);
  console.log(`  with the read-back: ${shownRatio(whole.here)}; ${shownRatio(whole.there)}`);
  console.log(`  sent ${gib(median(ours.map((one) => one.sentBytes)))}; link ${mbit.toFixed(0)} Mbit/s`);
}

function ssh(found, order) {
  for (const [rival, most] of [
    ['here', 0.35],
    ['there', 0.5],
  ]) {
    const what = `over SSH on loopback, without the read-back, part of the time of ${RIVALS[rival]}`;
    const ratio = found.transfer?.[rival] ?? null;
    ratioBar(what, ratio, most, { ...order, least: WANTED.remote, why: found.why });
  }
  if (found.ours) flashes(found);
}

/** What was measured at 1 Gbit/s, or that it was not: the link is measured, too. */
function atGigabit(found) {
  const { mbit } = found ?? {};
  if (mbit === undefined || (mbit >= GIGABIT.least && mbit <= GIGABIT.most)) return found;
  return { why: `the link brought ${mbit.toFixed(0)} Mbit/s, not ${GIGABIT.least} to ${GIGABIT.most}` };
}

function gigabit(given, order) {
  const found = atGigabit(given);
  const what = `over SSH at 1 Gbit/s, clusters of zstd, without the read-back, part of the better of the two's time`;
  const ratio = found.transfer?.[found.better] ?? null;
  ratioBar(what, ratio, 0.95, { ...order, least: WANTED.remote, why: found.why });
  if (!given.ours) return;
  console.log(`  the better one: ${RIVALS[given.better]}`);
  flashes(given);
}

const SLOW = 'at 1 Gbit/s';

function delta({ loopback, gigabit: slow, why }, order) {
  const rest = { ...order, least: WANTED.remote };
  const bytes = 'another version with 5 % of its chunks changed, part of the bytes of a full flash';
  ratioBar(bytes, loopback?.bytes ?? null, 0.08, { ...rest, why });
  const timed = (where, given, most) => {
    const one = where === SLOW ? atGigabit(given) : given;
    const what = `another version with 5 % of its chunks changed, ${where}, read-back included in both, part of a full flash's time`;
    ratioBar(what, one?.time ?? null, most, { ...rest, why: one?.why ?? why });
    if (!given?.full) return;
    const of = (list, part) => spread(list.map((took) => took[part]));
    console.log(`  full ${of(given.full, 'total')}, of it reading back ${of(given.full, 'readBack')}`);
    console.log(`  delta ${of(given.delta, 'total')}, of it reading back ${of(given.delta, 'readBack')}`);
    console.log(`  delta: ${shownParts(given.delta.map((took) => took.parts))}`);
    console.log(`  link ${given.mbit.toFixed(0)} Mbit/s`);
  };
  timed('on loopback', loopback, 0.7);
  timed(SLOW, slow, 0.2);
}

function memory({ large, usual, why }) {
  const peak = large ? large.peakBytes / MIB : null;
  bar('memory of the writer, a disk of 200 GiB', peak, { below: 256 }, 'MiB', { why });
  if (!large) return;
  console.log(
    `  ${s(large.seconds)}; of a disk of ${gib(usual.virtualSize)} ${(usual.peakBytes / MIB).toFixed(0)} MiB`,
  );
}

const PARTS = { local, verify, ssh, gigabit, delta, memory };

function told() {
  const { values, positionals } = parseArgs({
    options: {
      pairs: { type: 'string', default: String(PAIRS) },
      size: { type: 'string', default: String(WANTED.sizeMiB) },
      dir: { type: 'string', default: tmpdir() },
    },
    allowPositionals: true,
  });
  const unknown = positionals.find((name) => !Object.hasOwn(PARTS, name));
  if (unknown) throw new Error(`There is no part ${unknown}; there are ${Object.keys(PARTS).join(', ')}.`);
  const [pairs, sizeMiB] = [Number(values.pairs), Number(values.size)];
  if (!Number.isInteger(pairs) || pairs < 1) throw new Error('--pairs wants a whole number from 1');
  if (!Number.isInteger(sizeMiB) || sizeMiB < 128 || sizeMiB % 4)
    throw new Error('--size wants MiB, from 128 in steps of 4');
  return {
    pairs,
    sizeMiB,
    base: resolve(values.dir),
    names: positionals.length ? positionals : Object.keys(PARTS),
  };
}

/** What can be measured here, of the image that is made for it. */
async function measured(name, order) {
  return (await measure('tests/bench/flash/run.ts', name, JSON.stringify(order))) ?? { why: 'it failed' };
}

/** Prints its bars part by part. Resolves to all that was measured. */
async function all({ names, base, pairs, sizeMiB }) {
  if (process.platform !== 'linux' || !isRoot) {
    for (const name of names) PARTS[name]({ why: 'loop devices need Linux and root' }, { sizeMiB });
    return {};
  }
  const peer = await peers();
  mkdirSync(base, { recursive: true });
  const order = { dir: mkdtempSync(join(base, 'vc-bench-flash-')), pairs, sizeMiB, ...peer };
  try {
    const images = await measured('images', order);
    if (images.dir)
      console.log(
        `image: a disk of ${gib(images.virtualSize)}, ${gib(images.dataBytes)} of it chunks with data, ${gib(images.realBytes)} files of this machine`,
      );
    console.log('target: a loop device with direct I/O on a file below --dir; all runs end with an fsync');
    console.log(
      'before each run: synced, caches dropped, target discarded, the data of the source read into memory; each contender once over stale bytes, hashes compared',
    );
    const results = { images };
    for (const name of names) {
      results[name] = images.dir ? await measured(name, order) : { why: 'the image could not be made' };
      PARTS[name](results[name], order);
    }
    return results;
  } finally {
    rmSync(order.dir, { recursive: true, force: true });
  }
}

/** With what is needed to read the figures later. */
async function keep(order, results) {
  const dir = join(CACHE, 'bench');
  const commit = (await run('git', ['rev-parse', 'HEAD'])).output.trim();
  const machine = {
    cpus: cpus().length,
    model: cpus()[0]?.model,
    kernel: (await run('uname', ['-r'])).output.trim(),
  };
  const head = { at: new Date().toISOString(), commit, machine, load: loadavg(), order };
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'flash.json'), `${JSON.stringify({ ...head, results }, null, 1)}\n`);
  console.log(`all of it: ${join('.cache', 'bench', 'flash.json')}`);
}

process.chdir(ROOT);
const order = told();
await setup('test');
begin();
await keep(order, await all(order));
end();
