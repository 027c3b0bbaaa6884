// `npm run bench:layers -- [PART …] [--runs N]`: measures what was promised of the layers and prints one line a bar (scripts/bars.mjs).
// Parts: veth, slow, cut, all; each of them when none is named. N runs each, 3 unless told: most of an hour on two busy cores. Ends
// with 1 when a bar is missed or could not be measured.
import { parseArgs } from 'node:util';
import { bar, begin, end, measure } from './bars.mjs';
import { buildCli } from './build-cli.mjs';
import { ROOT, isRoot } from './lib.mjs';
import { setup } from './setup.mjs';

/** What two medians of the same runs may differ by, in s and as a part: seen between runs without any cut. */
const NOISE = { seconds: 3, part: 0.03 };

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? null;
const s = (n) => `${n.toFixed(1)} s`;
const totals = (runs) => runs.map((run) => run.total);
const list = (numbers) => numbers.map((n) => n.toFixed(1)).join(', ');

/** Where the time went, by the parts' medians. */
function shown(name, runs) {
  const names = Object.keys(runs[0].parts);
  const parts = names.map((part) => `${part} ${median(runs.map((run) => run.parts[part] ?? 0)).toFixed(1)}`);
  console.log(`  ${name}: ${list(totals(runs))} s; ${parts.join(', ')}`);
}

async function measured(name, runs) {
  if (process.platform !== 'linux' || !isRoot) return { why: 'the stand-in box needs Linux and root' };
  return (await measure('tests/bench/layers/run.ts', name, String(runs))) ?? { why: 'it failed' };
}

async function compared(part, where, most, runs) {
  const { app, ansible, links, why } = await measured(part, runs);
  const ratio = app ? median(totals(app)) / median(totals(ansible)) : null;
  const name = `layer 1 by the app, ${where}, part of ansible-playbook's time over SSH`;
  bar(name, ratio, { most }, '', { digits: 2, why });
  if (!app) return;
  shown('the app, with its health check', app);
  shown('ansible-playbook', ansible);
  for (const link of links ?? [])
    console.log(`  link: ${link.ms.toFixed(1)} ms round trip, ${link.mbit.toFixed(0)} Mbit/s`);
}

const veth = (runs) => compared('veth', 'on the veth', 1, runs);
const slow = (runs) => compared('slow', 'at 25 ms and 100 Mbit/s', 0.6, runs);

async function cut(runs) {
  const { whole, cut: broken, why } = await measured('cut', runs);
  const lost = whole ? median(totals(broken)) - median(totals(whole)) : null;
  const part = whole ? NOISE.part * median(totals(whole)) : 0;
  const noise = Number(Math.max(NOISE.seconds, part).toFixed(1));
  bar('layer 1, lost by a 60 s cut in the installation', lost, { most: noise }, 's', { digits: 1, why });
  if (!whole) return;
  console.log(`  0 s and the noise of this machine: ${s(NOISE.seconds)} or ${NOISE.part * 100} %`);
  shown('without a cut, on a third of a core', whole);
  shown('with it', broken);
}

async function all(runs) {
  const { all: found, why } = await measured('all', runs);
  const name = 'all layers, 0 to 5, from the bundle on a fresh box, median';
  bar(name, found ? median(found) : null, { below: 300 }, 's', { why });
  if (found) console.log(`  ${list(found)} s, a reboot and the health checks among them`);
}

const PARTS = { veth, slow, cut, all };

process.chdir(ROOT);
const { values, positionals } = parseArgs({
  options: { runs: { type: 'string', default: '3' } },
  allowPositionals: true,
});
const unknown = positionals.find((name) => !Object.hasOwn(PARTS, name));
if (unknown) throw new Error(`There is no part ${unknown}; there are ${Object.keys(PARTS).join(', ')}.`);
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs wants a whole number from 1');
await setup('test');
await buildCli();
begin();
for (const [name, part] of Object.entries(PARTS))
  if (positionals.length === 0 || positionals.includes(name)) await part(runs);
end();
