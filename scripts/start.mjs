// `npm start`: sets up what is missing, and walks the road from a first login to a report on the practice box, in this terminal.
// No root, no machine. Its last line is `report: PATH`.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CACHE, ROOT } from './lib.mjs';
import { setup } from './setup.mjs';

process.chdir(ROOT);
await setup('run');
const { buildCli } = await import('./build-cli.mjs');
await buildCli();
const reports = join(CACHE, 'reports');
mkdirSync(reports, { recursive: true });
const home = mkdtempSync(join(tmpdir(), 'vault-cube-start-'));
try {
  // Its own output, so that a terminal is one and Ctrl+C reaches it.
  const child = spawn(process.execPath, ['out/cli.mjs', 'practice', '--out', reports], {
    env: { ...process.env, VAULT_CUBE_HOME: home },
    stdio: 'inherit',
  });
  process.exitCode = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 128));
  });
} finally {
  rmSync(home, { recursive: true, force: true });
}
