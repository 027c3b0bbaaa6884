/** What electron-builder would take into a package of any system: its own reading of electron-builder.yml, its own matching. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface Target {
  /** A part of electron-builder.yml. */
  part: 'linux' | 'win' | 'mac';
  platform: 'linux' | 'win32' | 'darwin';
  arch: 'x64' | 'arm64';
}

interface Stat {
  isDirectory(): boolean;
  moduleFullFilePath?: string;
}
interface Matcher {
  createFilter(): (path: string, stat: Stat) => boolean;
}
type Config = Record<string, unknown>;
type Expand = (pattern: string) => string;

interface Matching {
  getNodeModuleFileMatcher(
    app: string,
    to: string,
    expand: Expand,
    part: unknown,
    packager: unknown,
  ): Matcher;
  getMainFileMatchers(
    app: string,
    to: string,
    expand: Expand,
    part: unknown,
    packager: unknown,
    out: string,
    compile: boolean,
  ): Matcher[];
}
interface Reading {
  getConfig(folder: string, path: null, options: null): Promise<Config>;
}

// The insides of electron-builder: an update that moves them is seen here, and not in a package on a customer's laptop.
const own = createRequire(createRequire(import.meta.url).resolve('electron-builder/package.json'));
const matching = own('app-builder-lib/out/fileMatcher.js') as Matching;
const reading = own('app-builder-lib/out/util/config/config.js') as Reading;

const config = await reading.getConfig(ROOT, null, null);

/** Whether a file of the checkout, by its path from the root, goes into the package. */
export function taken({ part, arch }: Target): (path: string) => boolean {
  const expand = (pattern: string) => pattern.replaceAll('${arch}', arch);
  const info = {
    config,
    projectDir: ROOT,
    buildResourcesDir: 'resources/icons',
    isPrepackedAppAsar: false,
    debugLogger: { isEnabled: false },
  };
  const modules = matching.getNodeModuleFileMatcher(ROOT, '/app', expand, config[part], info).createFilter();
  const files = matching
    .getMainFileMatchers(ROOT, '/app', expand, config[part], { info }, join(ROOT, 'out/packages'), false)
    .map((matcher) => matcher.createFilter());
  return (path) => {
    const at = join(ROOT, path);
    return path.startsWith('node_modules/')
      ? modules(at, { isDirectory: () => false, moduleFullFilePath: path })
      : files.some((filter) => filter(at, { isDirectory: () => false }));
  };
}
