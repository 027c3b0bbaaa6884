/**
 * The table by hand: `npx tsx tests/integration/mend/run.ts [--rounds] [PATTERN]` breaks a box that has layers 0 to 5, row by row;
 * looks what `vault-cube drift` says, of the layers' tasks and of their health checks; provisions these layers once more; and looks
 * what else changed. With --rounds as many rows together as are apart from each other. Prints what is not as the table says;
 * exit 1 then. `npm test` does the first rounds (mend.test.ts, all-layers.test.ts).
 */
import { parseArgs } from 'node:util';
import { installKernels } from '../../rig/kernels.ts';
import { KERNELS } from '../../rig/nvidia.ts';
import { PASSED } from '../cli.ts';
import { NAME, provisioned, type Provisioned } from '../provisioned.ts';
import { ACCESS } from './access.ts';
import { L2 } from './l2.ts';
import { ACROSS, L3 } from './l3.ts';
import { L4 } from './l4.ts';
import { L5 } from './l5.ts';
import { Bench, layersOf, mendRows, rounds, type Told } from './mend.ts';
import { SYSTEM } from './system.ts';

/** Two kernels, and the layers above the first, as the app gives them. */
async function layersAbove(kept: Provisioned): Promise<void> {
  await installKernels(kept.box, KERNELS);
  const args = ['--box', NAME, '--layers', '2,3,4,5', '--bundle', kept.box.bundle];
  const { code, last } = await kept.laptop.run('provision', ...args);
  if (!PASSED.includes(code)) throw new Error(`the layers did not pass: ${JSON.stringify(last)}`);
}

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const pattern = new RegExp(positionals[0] ?? '');
const rows = [...SYSTEM, ...ACCESS, ...L2, ...L3, ...ACROSS, ...L4, ...L5].filter((row) =>
  pattern.test(`L${layersOf([row])} ${row.what}`),
);
const together = values.rounds ? rounds(rows) : rows.map((row) => [row]);
const kept = await provisioned();
const stop = () => void kept.end().then(() => process.exit(130));
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
let good = 0;
try {
  if (/[2-5]/.test(layersOf(rows))) await layersAbove(kept);
  const bench = new Bench(kept);
  for (const round of together) {
    const t0 = performance.now();
    const { wrong, tasks } = await mendRows(bench, round).catch(async (error: unknown): Promise<Told> => {
      // The next row begins with a whole box.
      await bench.provision(layersOf(round));
      return { wrong: [String(error)], tasks: [] };
    });
    good += wrong.length ? 0 : round.length;
    const seconds = ((performance.now() - t0) / 1000).toFixed(0);
    for (const { what, finds } of round)
      console.log(`${wrong.length ? '✕' : '✓'} ${what}: ${Object.keys(finds).join(', ')}`);
    console.log(`    ${seconds} s; drift: ${tasks.join('; ') || 'no task, the health check alone'}`);
    for (const text of wrong) console.log(`    ✕ ${text.slice(0, 300)}`);
  }
} finally {
  await kept.end();
}
const how = values.rounds ? `in ${together.length} rounds` : 'each alone';
console.log(
  `bar: broken by hand, named by check and drift, mended (${how}): measured ${good} of ${rows.length}, wanted ${rows.length}: ${good === rows.length ? 'met' : 'missed'}`,
);
process.exitCode = good === rows.length ? 0 : 1;
