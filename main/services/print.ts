/** report.pdf where there is no window: the app's own Electron, if it is here, started without a display for this alone. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PAPER_SWITCH, PRINT_SWITCH, PRINTED, TO_PRINT } from '../printing.ts';
import type { Print } from './archive.ts';
import { productRoot } from './paths.ts';

/** A page with a day of telemetry takes two seconds. */
const PATIENCE_MS = 60_000;

/** The runtime of a checkout: the one of development, or the official one; null where neither was set up. */
function runtime(root: string): string | null {
  if (!existsSync(join(root, 'out/main/index.mjs'))) return null;
  const own = join(root, '.cache/electron/electron');
  if (existsSync(own)) return own;
  const official = join(root, 'node_modules/electron');
  try {
    const path = join(official, 'dist', readFileSync(join(official, 'path.txt'), 'utf8'));
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}

/** `go` lets it print; without it, `stop` ends it. `ended` resolves to why it failed, or null. */
function start(program: string, args: readonly string[]) {
  const child = spawn(program, args, {
    ...{ stdio: ['pipe', 'ignore', 'ignore'], timeout: PATIENCE_MS, killSignal: 'SIGKILL' },
  });
  // One that has ended is told by its end.
  child.stdin?.on('error', () => undefined);
  const ended = new Promise<string | null>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? null : `it ended with ${signal ?? code}`));
  });
  return { ended, go: () => child.stdin?.end('\n'), stop: () => child.kill('SIGKILL') };
}

export const printPage: Print = async (html, paper) => {
  const root = productRoot();
  const program = runtime(root);
  if (program === null) return { pdf: null, why: 'the app’s own runtime, which prints it, is not here' };
  const dir = mkdtempSync(join(tmpdir(), 'vault-cube-print-'));
  let runs: ReturnType<typeof start> | null = null;
  try {
    const display = process.platform === 'linux' ? ['--ozone-platform=headless', '--disable-gpu'] : [];
    // Chromium's own sandbox refuses to run as root.
    const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    const switches = [`--${PRINT_SWITCH}=${dir}`, `--${PAPER_SWITCH}=${paper}`];
    // Started before the page is there: it gets ready while the record is read.
    runs = start(program, [...sandbox, ...display, ...switches, root]);
    writeFileSync(join(dir, TO_PRINT), await html, { mode: 0o600 });
    runs.go();
    const why = await runs.ended;
    if (why !== null) return { pdf: null, why: `it could not be printed: ${why}` };
    return { pdf: readFileSync(join(dir, PRINTED)) };
  } catch (error) {
    return { pdf: null, why: error instanceof Error ? error.message : String(error) };
  } finally {
    runs?.stop();
    await runs?.ended;
    rmSync(dir, { recursive: true, force: true });
  }
};
