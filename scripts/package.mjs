// `npm run package [-- TARGET…] [--official]`: builds the window and packs it for this system, as electron-builder.yml says.
// Each system's packages are built on that system: npm installs native parts only for the one it runs on.
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { buildWindow } from './build-window.mjs';
import { ELECTRON_VERSION } from './electron.mjs';
import { ROOT, has, once } from './lib.mjs';
import { setup } from './setup.mjs';

const PACKAGES = join(ROOT, 'out/packages');

/** Of the folder in /opt, too: from one with a space in its name Chromium cannot start the helper of its sandbox. */
const LINUX_NAME = 'vault-cube-provisioner';

/** All that a package is made of beside node_modules, which stand in the lock file, and the runtime. */
const FOLDERS = ['out/main', 'out/preload', 'out/renderer', 'out/verify', 'resources', 'ansible'];
const FILES = [
  'scripts/fpm.mjs',
  'scripts/package.mjs',
  'electron-builder.yml',
  'package.json',
  'package-lock.json',
  'LICENSE',
  'THIRD-PARTY-NOTICES.txt',
];

function inputs() {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter(
        (entry) =>
          entry.isFile() && !/\/(tests|__pycache__|\.[^/]+)(\/|$)/.test(entry.parentPath.slice(ROOT.length)),
      )
      .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1)),
  );
  return [...files.sort(), ...FILES];
}

/** What electron-builder is given so that it downloads nothing: the runtime, and tools that are here anyway. */
async function here(runtime) {
  if (await has('dpkg-deb')) process.env.CUSTOM_FPM_PATH ??= join(ROOT, 'scripts/fpm.mjs');
  process.env.ELECTRON_BUILDER_7ZIP_PATH ??= (await import('7zip-bin')).path7za;
  if (!runtime) return {};
  return {
    electronDist: runtime,
    electronVersion: ELECTRON_VERSION,
    // What the development runtime starts when it is given a path; a package starts its own app alone.
    afterExtract: ({ appOutDir }) => rmSync(join(appOutDir, 'resources/default_app.asar'), { force: true }),
  };
}

/**
 * Packs the built window unless exactly this was packed before. `targets`: electron-builder's names; none: all that the
 * configuration has for this system. `runtime`: what buildWindow() gave; null for the official Electron, which
 * electron-builder downloads. Resolves to the folder of the packages.
 */
export async function packageApp(runtime, targets) {
  const files = inputs();
  await once(
    'package',
    files,
    () => existsSync(PACKAGES),
    async () => {
      rmSync(PACKAGES, { recursive: true, force: true });
      const begun = Date.now();
      const { Platform, build } = await import('electron-builder');
      await build({
        projectDir: ROOT,
        targets: Platform.current().createTarget(targets.length ? targets : null),
        config: {
          ...(await here(runtime)),
          ...(process.platform === 'linux' ? { productName: LINUX_NAME } : {}),
        },
      });
      // The archive's table is written before its files are read: one that grew meanwhile moves all that come after it.
      const changed = files.filter((file) => statSync(join(ROOT, file)).mtimeMs > begun);
      if (changed.length) throw new Error(`changed while it was packed, pack again: ${changed.join(', ')}`);
    },
    JSON.stringify([files, targets, runtime && ELECTRON_VERSION]),
  );
  return PACKAGES;
}

if (process.argv[1]?.endsWith('package.mjs')) {
  process.chdir(ROOT);
  await setup('run');
  const given = process.argv.slice(2);
  const runtime = await buildWindow();
  const targets = given.filter((arg) => arg !== '--official');
  console.log(await packageApp(given.includes('--official') ? null : runtime, targets));
}
