// `npm run check`: types, lint, format, import rules, unused code, pytest, ansible-lint, shellcheck; side by side.
import { join } from 'node:path';
import { ROOT, VENV, has, must, run } from './lib.mjs';
import { setup } from './setup.mjs';

process.chdir(ROOT);
await setup('test');
const py = (tool) => join(VENV, 'bin', tool);
const files = async (...patterns) =>
  (await must('git', ['ls-files', '--', ...patterns])).split('\n').filter(Boolean);
const shell = await files('*.sh', '.ci/run');

const npx = (...args) => ['npx', ['--no-install', ...args]];
/** The longest first: two at a time, since most laptops and CI have two cores at least. */
const work = [
  ['pytest, box', py('python3'), ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'tests/box']],
  ['lint', ...npx('eslint', '--max-warnings=0', 'main', 'preload', 'renderer', 'tests', 'scripts', '*.mjs')],
  ['pytest, ansible', py('python3'), ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'ansible/tests']],
  ['format', ...npx('prettier', '--check', '--log-level', 'warn', '.')],
  [
    'ansible-lint',
    py('ansible-lint'),
    ['--offline', '-q', '--profile', 'production', '--project-dir', 'ansible', 'ansible'],
  ],
  ['types', ...npx('tsc', '-p', '.')],
  ['types, page', ...npx('tsc', '-p', 'renderer')],
  ['types, tests of the page', ...npx('tsc', '-p', 'tests/renderer')],
  ['types, preload', ...npx('tsc', '-p', 'preload')],
  ['types, contract', ...npx('tsc', '-p', 'preload/contract')],
  ['import rules', ...npx('depcruise', '--config', '.dependency-cruiser.mjs', 'main', 'preload', 'renderer')],
  ['unused code', ...npx('knip', '--no-progress')],
  ['python lint', py('ruff'), ['check', '-q', 'resources/box', 'tests', 'ansible']],
  ['shellcheck', 'shellcheck', shell],
  ['notices', process.execPath, ['scripts/notices.mjs', '--check']],
];
const env = {
  PATH: `${join(VENV, 'bin')}:${process.env.PATH}`,
  ANSIBLE_COLLECTIONS_PATH: join(VENV, 'lib'),
};

let failed = 0;
async function lane() {
  for (let next = work.shift(); next; next = work.shift()) {
    const [name, command, args] = next;
    if (name === 'shellcheck' && (shell.length === 0 || !(await has('shellcheck')))) {
      console.log(`skipped  ${name}: not installed`);
      continue;
    }
    const t0 = performance.now();
    const { code, output } = await run(command, args, { env });
    if (code !== 0) failed += 1;
    console.log(
      `${code === 0 ? 'ok     ' : 'FAILED '}  ${name} (${((performance.now() - t0) / 1000).toFixed(1)} s)`,
    );
    if (code !== 0) console.log(output.slice(-12000));
  }
}
await Promise.all([lane(), lane()]);
console.log(failed ? `${failed} failed` : 'all checks passed');
process.exitCode = failed ? 1 : 0;
