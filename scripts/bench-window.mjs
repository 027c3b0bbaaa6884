// `npm run bench:window [PART …]`: measures what was promised of the window and prints one line a bar (scripts/bars.mjs). Parts:
// npm-start, start, day, terminal, box; all of them when none is named. Ends with 1 when a bar is missed or could not be measured.
import { existsSync } from 'node:fs';
import { bar, begin, end, measure } from './bars.mjs';
import { buildCli } from './build-cli.mjs';
import { buildWindow } from './build-window.mjs';
import { ROOT, has, isRoot } from './lib.mjs';
import { setup } from './setup.mjs';

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? null;
const most = (list) => (list.length ? Math.max(...list) : null);
const ms = (n) => `${n.toFixed(0)} ms`;
const range = (list) => `${ms(Math.min(...list))} to ${ms(Math.max(...list))}`;

/** The measurement of a part, or why there is none. */
const measured = async (name) => (await measure(`tests/bench/window/${name}.ts`)) ?? { why: 'it failed' };

async function npmStart() {
  const { fresh = null, warm, why } = await measured('fresh');
  const seconds = (n) => (n === null ? null : n / 1000);
  bar('npm start, fresh clone to first content', seconds(fresh), { below: 180 }, 's', { digits: 1, why });
  console.log('  npm cache and home folder empty; Debian packages of this machine');
  bar('npm start, warm', seconds(median(warm ?? [])), { below: 3 }, 's', { digits: 1, why });
}

function idle(name, found, why) {
  bar(`idle, ${name}, all processes`, found?.MB ?? null, { below: 400 }, 'MB', { why });
  bar(`idle, ${name}, CPU over 30 s`, found?.cpu ?? null, { below: 1 }, '% of a core', { digits: 2, why });
  const each = Object.entries(found?.each ?? {}).map(([kind, cpu]) => `${kind} ${cpu.toFixed(2)}`);
  if (each.length) console.log(`  ${each.join(', ')}`);
}

async function start() {
  const { first, starts, idle: found, why } = await measured('start');
  const used = starts?.map((s) => s.used) ?? [];
  bar('start to a first screen that answers, median', median(used), { below: 1_000 }, 'ms', { why });
  if (starts) {
    const drawn = ms(median(starts.map((s) => s.shown)));
    console.log(
      `  ${used.length} starts, ${range(used)}; drawn after ${drawn}; with an empty data folder ${ms(first)}`,
    );
  }
  idle('first screen', found, why);
}

async function day() {
  const found = await measured('day');
  const { why } = found;
  bar('a day of charts, open and draw, median', found.open ?? null, { below: 300 }, 'ms', { why });
  if (found.opens)
    console.log(
      `  the first time ${ms(found.first)}; ${range(found.opens)}; its box opened in ${ms(found.box)}`,
    );
  bar('a day of charts, zoom, median', found.zoom ?? null, { below: 50 }, 'ms', { why });
  if (found.detail)
    console.log(`  longest ${ms(found.worstZoom)}; every sample of the window after ${ms(found.detail)}`);
  bar('a day of charts, the page', found.rendererMB ?? null, { below: 300 }, 'MB', { why });
}

function answers(name, floods, why) {
  const longest = most(floods.flatMap((f) => [f.key, f.main]));
  bar(`100 MB through ${name}, longest answer`, longest, { below: 100 }, 'ms', { why });
  for (const f of floods) {
    const speed = (100 / (f.ms / 1000)).toFixed(1);
    const calls = `${f.calls} calls of main up to ${ms(f.main)}`;
    console.log(`  ${speed} MB/s; ${f.keys} keys to the next frame up to ${ms(f.key)}, ${calls}`);
  }
  const lost = floods.length ? floods.filter((f) => !f.whole).length : null;
  bar(`100 MB through ${name}, floods not whole`, lost, { below: 1 }, '', { why });
}

async function terminal() {
  const { ours = [], alone = [], why } = await measured('terminal');
  answers('a shell of the laptop', ours, why);
  const parts = ours.map((f, i) => alone[i].ms / f.ms);
  bar(
    '100 MB through a shell of the laptop, part of xterm.js alone, median',
    median(parts),
    { least: 0.8 },
    '',
    {
      digits: 2,
      why,
    },
  );
  for (const { ms: took, renderer, columns, rows } of alone)
    console.log(`  alone ${(100 / (took / 1000)).toFixed(1)} MB/s (${renderer}, ${columns} × ${rows})`);
}

async function box() {
  const found =
    process.platform === 'linux' && isRoot
      ? await measured('rig')
      : { why: 'the stand-in box needs Linux and root' };
  const { pixel, connected, flood, why } = found;
  bar('event on the box to pixel, median at 50 events/s', pixel?.median ?? null, { below: 250 }, 'ms', {
    why,
  });
  if (pixel) console.log(`  of ${pixel.events} events: p99 ${ms(pixel.p99)}, longest ${ms(pixel.longest)}`);
  idle('connected', connected, why);
  answers('a shell on the box', flood ? [flood] : [], why);
}

const PARTS = { 'npm-start': npmStart, start, day, terminal, box };

process.chdir(ROOT);
const named = process.argv.slice(2);
const unknown = named.find((name) => !Object.hasOwn(PARTS, name));
if (unknown) throw new Error(`There is no part ${unknown}; there are ${Object.keys(PARTS).join(', ')}.`);
await setup('test');
await Promise.all([buildCli(), buildWindow()]);
begin();
if (!(await has('Xvfb')) || !existsSync('.cache/electron/electron'))
  console.log('  without Xvfb and the development runtime nothing of this can be measured');
for (const [name, part] of Object.entries(PARTS))
  if (named.length === 0 || named.includes(name)) await part();
end();
