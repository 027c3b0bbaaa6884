// `npm run test:roles`: the tests of the Ansible roles that ansible/README.md lists (T9), whole files of them: idempotency, services,
// refusals, ways back. Last line: N passed, N failed, N skipped.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, PYTEST, ROOT, VENV, run } from './lib.mjs';
import { setup } from './setup.mjs';

/** Files that the table of tests names, each once. */
function listed() {
  const text = readFileSync(join(ROOT, 'ansible/README.md'), 'utf8');
  const [, table = ''] = text.split('| role | about | test | in |\n');
  return [...new Set([...table.matchAll(/\| `([^`|]+)` \|$/gm)].map((m) => m[1]))];
}

process.chdir(ROOT);
await setup('test');
const { buildCli } = await import('./build-cli.mjs');
await buildCli();
const results = join(CACHE, 'role-tests');
mkdirSync(results, { recursive: true });
const files = listed();
const [xml, json] = [join(results, 'pytest.xml'), join(results, 'vitest.json')];
const python = files.filter((file) => file.endsWith('.py'));
const pytest = await run(join(VENV, 'bin/python3'), [...PYTEST, '-rs', `--junitxml=${xml}`, ...python], {
  show: true,
});
const boxes = files.filter((file) => file.endsWith('.ts'));
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${json}`];
const args = ['--no-install', 'vitest', 'run', '--project', 'integration', ...reporters, ...boxes];
const vitest = await run('npx', args, { show: true });
const head = /<testsuite [^>]*>/.exec(readFileSync(xml, 'utf8'))?.[0] ?? '';
const n = (key) => Number(new RegExp(` ${key}="(\\d+)"`).exec(head)?.[1] ?? 0);
const report = JSON.parse(readFileSync(json, 'utf8'));
const failed = n('failures') + n('errors') + report.numFailedTests;
const skipped = n('skipped') + report.numPendingTests + report.numTodoTests;
const passed = n('tests') - n('failures') - n('errors') - n('skipped') + report.numPassedTests;
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = pytest.code || vitest.code ? 1 : 0;
