// `npm start`: sets up what is missing and opens the window. Without a display it walks the same road, from a first login to a
// report, on the practice box in this terminal; no root, no machine. Its last line is then `report: PATH`.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CACHE, ROOT, isRoot } from './lib.mjs';
import { setup } from './setup.mjs';

process.chdir(ROOT);

/** Runs it with this terminal's own output, so that Ctrl+C reaches it. Resolves to its exit code. */
async function show(command, args, env = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 128));
  });
}

async function openWindow() {
  await setup('window');
  const { buildWindow } = await import('./build-window.mjs');
  const runtime = await buildWindow();
  // Chromium's own sandbox refuses to run as root.
  const sandbox = isRoot ? ['--no-sandbox'] : [];
  if (runtime) return show(join(runtime, 'electron'), [...sandbox, ROOT]);
  const { default: electron } = await import('electron');
  return show(String(electron), [ROOT]);
}

async function walk() {
  await setup('run');
  const { buildCli } = await import('./build-cli.mjs');
  await buildCli();
  const reports = join(CACHE, 'reports');
  mkdirSync(reports, { recursive: true });
  const home = mkdtempSync(join(tmpdir(), 'vault-cube-start-'));
  try {
    const args = ['out/cli.mjs', 'practice', '--out', reports];
    return await show(process.execPath, args, { VAULT_CUBE_HOME: home });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

const display = process.platform !== 'linux' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
process.exitCode = await (display ? openWindow() : walk());
