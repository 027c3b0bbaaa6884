// `npm start`: the road from a first login to a report. Until the window exists it walks it on the command line, against a
// stand-in box that it boots for that. Its last line is `report: PATH`.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, isRoot, run } from './lib.mjs';
import { setup } from './setup.mjs';

process.chdir(ROOT);

if (process.platform !== 'linux' || !isRoot) {
  await setup('run');
  console.log(`The walk needs a stand-in box, which needs Linux and root (it boots a system in a container):
  sudo npm start
With a real box, the same road on the command line begins with:
  npm run cli -- inspect --box VC-0042 --host ADDRESS --user USER
  npm run cli -- --help`);
  process.exit(0);
}

await setup('test');
const { buildCli } = await import('./build-cli.mjs');
await buildCli();
const reports = join(ROOT, '.cache', 'reports');
mkdirSync(reports, { recursive: true });
const home = mkdtempSync(join(tmpdir(), 'vault-cube-start-'));
try {
  const walk = ['--no-install', 'tsx', 'tests/rig/walk.ts', home, reports];
  const { code } = await run('npx', walk, { show: true });
  process.exitCode = code;
} finally {
  rmSync(home, { recursive: true, force: true });
}
