// Runs a kind of tests and counts it: `{passed, failed, skipped, reasons}`, with the names of what was skipped.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PYTEST, VENV, run } from './lib.mjs';

/** `read` fills in the counts. What says nothing, an unhandled error or a leak fails the run, too. */
function counted(code, read) {
  const part = { passed: 0, failed: 0, skipped: 0, reasons: [] };
  try {
    read(part);
  } catch {
    part.failed = 1;
  }
  if (code !== 0 && part.failed === 0) part.failed = 1;
  return part;
}

/** The tests of projects, or the named files of them; `folder` takes the report. */
export async function vitest(folder, name, projects, files = []) {
  const file = join(folder, `${name}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const chosen = [projects].flat().flatMap((project) => ['--project', project]);
  const args = ['--no-install', 'vitest', 'run', ...chosen, ...reporters, ...files];
  const { code } = await run('npx', args, { show: true });
  return counted(code, (part) => {
    const report = JSON.parse(readFileSync(file, 'utf8'));
    part.passed = report.numPassedTests;
    part.failed = report.numFailedTests;
    part.skipped = report.numPendingTests + report.numTodoTests;
    // A file that could not be loaded has no tests to count, and is a failure all the same.
    part.failed += report.testResults.filter(
      (f) => f.status === 'failed' && f.assertionResults.length === 0,
    ).length;
    for (const f of report.testResults)
      for (const a of f.assertionResults)
        if (a.status === 'pending' || a.status === 'skipped') part.reasons.push(a.fullName);
  });
}

/** Tests of Python in folders or files. */
export async function pytest(folder, name, paths) {
  const file = join(folder, `${name}.xml`);
  const args = [...PYTEST, '-rs', `--junitxml=${file}`, ...paths];
  const { code } = await run(join(VENV, 'bin/python3'), args, { show: true });
  return counted(code, (part) => {
    const head = /<testsuite [^>]*>/.exec(readFileSync(file, 'utf8'))[0];
    const n = (key) => Number(new RegExp(`${key}="(\\d+)"`).exec(head)[1]);
    part.failed = n('failures') + n('errors');
    part.skipped = n('skipped');
    part.passed = n('tests') - part.failed - part.skipped;
  });
}
