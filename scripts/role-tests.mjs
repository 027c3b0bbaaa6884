// `npm run test:roles`: the tests of the Ansible roles that ansible/README.md lists (T9), whole files of them: idempotency, services,
// refusals, ways back. Last line: N passed, N failed, N skipped.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, ROOT } from './lib.mjs';
import { setup } from './setup.mjs';
import { pytest, vitest } from './suites.mjs';

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
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });
const files = listed();
const of = (suffix) => files.filter((file) => file.endsWith(suffix));
const parts = [
  await pytest(results, 'pytest', of('.py')),
  await vitest(results, 'vitest', 'integration', of('.ts')),
];
const sum = (key) => parts.reduce((all, part) => all + part[key], 0);
console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
process.exitCode = sum('failed') ? 1 : 0;
