// `npm run check`: types, lint, format, import rules, unused code, pytest, ansible-lint, shellcheck; side by side.
import { join } from 'node:path';
import { PYTEST, ROOT, VENV, has, must, run } from './lib.mjs';
import { setup } from './setup.mjs';

process.chdir(ROOT);
await setup('test');
const py = (tool) => join(VENV, 'bin', tool);
const files = async (...patterns) =>
  (await must('git', ['ls-files', '--', ...patterns])).split('\n').filter(Boolean);
const FORMAT_CACHE = ['--cache', '--cache-strategy', 'content', '--cache-location', '.cache/prettier'];
/** Folders and files of the top level, so that the rig's root file systems below .cache are not walked. */
const formatted = async () =>
  [...new Set((await files()).map((path) => path.split('/')[0]))].filter((name) =>
    /^[a-z]+$|\.(ts|mjs|json|yml)$/.test(name),
  );
const shell = await files('*.sh', '.ci/run');

/** A tool of node_modules, without the second that npx takes. */
const npx = (tool, ...args) => [join('node_modules', '.bin', tool), args];
/** TypeScript 7: the same verdicts in a quarter of the time. The import rules' tool needs the JavaScript API of TypeScript 6. */
const tsc = (project) => [process.execPath, ['node_modules/typescript-native/bin/tsc', '-p', project]];
/** Waits for processes and the network of this machine far more than it computes: beside the others. */
const waiting = [['pytest, box', py('python3'), [...PYTEST, 'tests/box']]];
/** Whole plays that send files, and environments that are made, take as long as all other tests of roles together: `npm test`'s. */
const PLAYS = ['test_site_bundle.py', 'test_monitoring_code.py', 'test_locked_venv.py'].map(
  (name) => `--ignore=ansible/tests/${name}`,
);
/** The longest first: two at a time, since most laptops and CI have two cores at least. */
const work = [
  ['pytest, ansible', py('python3'), [...PYTEST, ...PLAYS, 'ansible/tests']],
  ['lint', ...npx('oxlint', '--type-aware', '--deny-warnings', '.')],
  ['format', ...npx('prettier', '--check', ...FORMAT_CACHE, '--log-level', 'warn', ...(await formatted()))],
  [
    'ansible-lint',
    py('ansible-lint'),
    ['--offline', '-q', '--profile', 'production', '--project-dir', 'ansible', 'ansible'],
  ],
  ['types', ...tsc('.')],
  ['types, page', ...tsc('renderer')],
  ['types, tests of the page', ...tsc('tests/renderer')],
  ['types, preload', ...tsc('preload')],
  ['types, page that verifies', ...tsc('resources/verify')],
  ['types, contract', ...tsc('preload/contract')],
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
async function lane(work) {
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
await Promise.all([lane(work), lane(work), lane(waiting)]);
console.log(failed ? `${failed} failed` : 'all checks passed');
process.exitCode = failed ? 1 : 0;
