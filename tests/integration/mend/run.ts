/**
 * The table by hand: `npx tsx tests/integration/mend/run.ts [PATTERN]` breaks a provisioned box row by row, looks what the
 * health check finds, provisions once more, and looks what else changed. Prints what is not as the table says; exit 1 then.
 * Half a minute a row on a calm machine; `npm test` does rows of the table together (mend.test.ts).
 */
import { provisioned } from '../provisioned.ts';
import { ACCESS } from './access.ts';
import { Bench, differences, type Findings, type Row } from './mend.ts';
import { SYSTEM } from './system.ts';

function unlike(found: Findings, wanted: Findings): string[] {
  const ids = [...new Set([...Object.keys(found), ...Object.keys(wanted)])];
  return ids
    .filter((id) => found[id] !== wanted[id])
    .map((id) => `${id} is ${found[id] ?? 'pass'}, wanted ${wanted[id] ?? 'pass'}`);
}

/** Files that a row before this one has left otherwise: mending those once more may find nothing to change. */
const left = new Set<string>();

async function mend(bench: Bench, row: Row): Promise<string[]> {
  const before = await bench.snapshot();
  await bench.breakIt(row);
  const wrong = unlike(await bench.check(), row.finds).map((text) => `check: ${text}`);
  const mended = await bench.provision();
  if (mended.code !== 0)
    wrong.push(`provision ended with ${mended.code}: ${JSON.stringify(mended.findings).slice(0, 1000)}`);
  wrong.push(...unlike(mended.findings, {}).map((text) => `after: ${text}`));
  const may = row.leaves?.filter((path) => left.has(path)) ?? [];
  const others = differences(before, await bench.snapshot(), row.leaves);
  for (const path of row.leaves ?? []) left.add(path);
  return [...wrong, ...others.filter((text) => !may.some((path) => text === `${path}: was to be left`))];
}

const pattern = new RegExp(process.argv[2] ?? '');
const rows = [...SYSTEM, ...ACCESS].filter((row) => pattern.test(row.what));
const kept = await provisioned();
const stop = () => void kept.end().then(() => process.exit(130));
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
let good = 0;
try {
  const bench = new Bench(kept);
  for (const row of rows) {
    const t0 = performance.now();
    const wrong = await mend(bench, row).catch((error: unknown) => [String(error)]);
    good += wrong.length ? 0 : 1;
    const seconds = ((performance.now() - t0) / 1000).toFixed(0);
    console.log(`${wrong.length ? '✕' : '✓'} ${row.what} (${seconds} s)`);
    for (const text of wrong) console.log(`    ${text.slice(0, 300)}`);
  }
} finally {
  await kept.end();
}
console.log(
  `bar: broken by hand, found and mended: measured ${good} of ${rows.length}, wanted ${rows.length}: ${good === rows.length ? 'met' : 'missed'}`,
);
process.exitCode = good === rows.length ? 0 : 1;
