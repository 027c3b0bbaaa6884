// `npm test`: sets the machine up, runs every kind of test it can run, and counts. Last line: N passed, N failed, N skipped.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, ROOT, has } from './lib.mjs';
import { setup } from './setup.mjs';
import { pytest, vitest } from './suites.mjs';

const results = join(CACHE, 'results');
const total = { passed: 0, failed: 0, skipped: 0 };
const reasons = new Set();

async function part(name, work) {
  const t0 = performance.now();
  const counts = await work;
  for (const key of Object.keys(total)) total[key] += counts[key];
  for (const reason of counts.reasons) reasons.add(`${name}: ${reason}`);
  const seconds = ((performance.now() - t0) / 1000).toFixed(0);
  console.log(
    `${name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped (${seconds} s)`,
  );
}

try {
  process.chdir(ROOT);
  await setup('test');
  rmSync(results, { recursive: true, force: true });
  mkdirSync(results, { recursive: true });
  const { buildCli } = await import('./build-cli.mjs');
  await buildCli();
  const { buildWindow } = await import('./build-window.mjs');
  const runtime = await buildWindow();
  const { packageApp } = await import('./package.mjs');
  // Elsewhere the official runtime would have to be downloaded.
  if (runtime) await packageApp(runtime, (await has('dpkg-deb')) ? ['deb'] : ['dir']);
  await part('unit', vitest(results, 'unit', 'unit'));
  await part('page', vitest(results, 'page', 'renderer'));
  await part('box', pytest(results, 'box', ['tests/box']));
  await part('ansible', pytest(results, 'ansible', ['ansible/tests']));
  await part('window and boxes', vitest(results, 'together', ['e2e', 'integration']));
} catch (error) {
  console.error(`test: ${error.message}`);
  total.failed += 1;
}
if (reasons.size) console.log(`Skipped:\n${[...reasons].map((r) => `  ${r}`).join('\n')}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
const code = total.failed ? 1 : 0;
process.exitCode = code;
// Seen once after a whole run with failures: the process ended with 0 all the same. Nothing that is loaded here may decide that.
process.on('exit', () => {
  process.exitCode = code;
});
