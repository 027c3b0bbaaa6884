// Builds the window (out/main, out/preload, out/renderer) and the runtime it is developed with, where they are not built yet.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, must, once } from './lib.mjs';
import { buildVerify } from './build-verify.mjs';
import { electronRuntime } from './electron.mjs';
import { version } from './setup.mjs';

const SOURCES = ['main', 'preload', 'renderer', 'resources/verify', 'resources/report'];
const BUILT = [
  'out/main/index.mjs',
  'out/main/crypt.mjs',
  'out/main/apart.mjs',
  'out/main/imagebuild.mjs',
  'out/main/shells.mjs',
  'out/preload/index.cjs',
  'out/renderer/index.html',
  'out/verify/page.html',
];

/** Every file that the three builds read. */
function inputs() {
  const files = SOURCES.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1)),
  );
  return [...files.sort(), 'electron.vite.config.mjs', 'package-lock.json'];
}

/** The runtime's folder; null where the official one is to be used. */
export async function buildWindow() {
  const files = inputs();
  const [runtime] = await Promise.all([
    electronRuntime(),
    once(
      'window',
      files,
      () => BUILT.every((file) => existsSync(join(ROOT, file))),
      async () => {
        await must('npx', ['--no-install', 'electron-vite', 'build', '--logLevel', 'warn']);
        await buildVerify();
      },
      // The version stands in the About box.
      `${files.join(' ')} ${await version()}`,
    ),
  ]);
  return runtime;
}

if (process.argv[1]?.endsWith('build-window.mjs')) console.log(await buildWindow());
