// Builds the window (out/main, out/preload, out/renderer) and the runtime it is developed with.
import { must } from './lib.mjs';
import { electronRuntime } from './electron.mjs';

/** The runtime's folder; null where the official one is to be used. */
export async function buildWindow() {
  const [runtime] = await Promise.all([
    electronRuntime(),
    must('npx', ['--no-install', 'electron-vite', 'build', '--logLevel', 'warn']),
  ]);
  return runtime;
}

if (process.argv[1]?.endsWith('build-window.mjs')) console.log(await buildWindow());
