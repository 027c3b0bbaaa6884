// `npm run bench`: measures what was promised and prints one line a bar, `bar: NAME: measured X, wanted Y: met|missed`. Ends with 1
// when one is missed or could not be measured. Timings are of this machine: its load is said first.
import { cpus, loadavg } from 'node:os';
import { ROOT, isRoot, run } from './lib.mjs';
import { setup } from './setup.mjs';

const MEDIAN_MS = 150;
const CATCH_UP_MS = 2_000;
const CHECK_S = 90;

let missed = 0;

/** `value` null: it could not be measured, for the reason in `text`. */
function bar(name, value, limit, unit, text = '') {
  const met = value !== null && value < limit;
  if (!met) missed += 1;
  const shown = value === null ? `nothing (${text})` : `${value.toFixed(unit === 's' ? 1 : 0)} ${unit}`;
  console.log(`bar: ${name}: measured ${shown}, wanted < ${limit} ${unit}: ${met ? 'met' : 'missed'}`);
}

async function latency() {
  const names = ['event to journal, median at 50 events/s', 'caught up after a cut, worst of 20'];
  if (process.platform !== 'linux' || !isRoot) {
    for (const name of names) bar(name, null, 0, 'ms', 'the stand-in box needs Linux and root');
    return;
  }
  const { code, output } = await run('npx', ['--no-install', 'tsx', 'tests/bench/latency.ts']);
  if (code !== 0) {
    console.log(output.slice(-4000));
    bar(names[0], null, MEDIAN_MS, 'ms', 'it failed');
    bar(names[1], null, CATCH_UP_MS, 'ms', 'it failed');
    return;
  }
  const { latency: l, catchUp } = JSON.parse(output.trim().split('\n').at(-1));
  bar(names[0], l.median, MEDIAN_MS, 'ms');
  console.log(`  of ${l.events} events: p99 ${l.p99.toFixed(0)} ms, longest ${l.max.toFixed(0)} ms`);
  bar(names[1], catchUp.worst, CATCH_UP_MS, 'ms');
}

async function check() {
  const t0 = performance.now();
  const { code, output } = await run('npm', ['run', '--silent', 'check']);
  const seconds = (performance.now() - t0) / 1000;
  if (code !== 0) console.log(output.slice(-4000));
  bar('npm run check', code === 0 ? seconds : null, CHECK_S, 's', 'it failed');
}

process.chdir(ROOT);
await setup('test');
const { buildCli } = await import('./build-cli.mjs');
await buildCli();
console.log(`load average ${loadavg()[0].toFixed(1)} on ${cpus().length} cores`);
await latency();
await check();
console.log(missed ? `${missed} missed` : 'all met');
process.exitCode = missed ? 1 : 0;
