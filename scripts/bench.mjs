// `npm run bench`: measures what was promised of the road and prints one line a bar (scripts/bars.mjs). Ends with 1 when one is
// missed or could not be measured.
import { bar, begin, end, measure } from './bars.mjs';
import { ROOT, isRoot, run } from './lib.mjs';
import { setup } from './setup.mjs';

async function latency() {
  const found =
    process.platform === 'linux' && isRoot
      ? ((await measure('tests/bench/latency.ts')) ?? { why: 'it failed' })
      : { why: 'the stand-in box needs Linux and root' };
  const { latency: l, catchUp, why } = found;
  bar('event to journal, median at 50 events/s', l?.median ?? null, { below: 150 }, 'ms', { why });
  if (l) console.log(`  of ${l.events} events: p99 ${l.p99.toFixed(0)} ms, longest ${l.max.toFixed(0)} ms`);
  bar('caught up after a cut, worst of 20', catchUp?.worst ?? null, { below: 2_000 }, 'ms', { why });
}

async function check() {
  const t0 = performance.now();
  const { code, output } = await run('npm', ['run', '--silent', 'check']);
  const seconds = (performance.now() - t0) / 1000;
  if (code !== 0) console.log(output.slice(-4000));
  bar('npm run check', code === 0 ? seconds : null, { below: 90 }, 's', { digits: 1 });
}

process.chdir(ROOT);
await setup('test');
const { buildCli } = await import('./build-cli.mjs');
await buildCli();
begin();
await latency();
await check();
end();
