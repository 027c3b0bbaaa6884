// `npm run cli -- …`: builds if a source is newer than the bundle, then becomes the command line.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './lib.mjs';
import { nodeModules } from './setup.mjs';

const newest = (dir) =>
  Math.max(
    ...readdirSync(join(ROOT, dir), { recursive: true, withFileTypes: true })
      .filter((f) => f.name.endsWith('.ts'))
      .map((f) => statSync(join(f.parentPath ?? f.path, f.name)).mtimeMs),
  );

const bundle = join(ROOT, 'out/cli.mjs');
await nodeModules();
if (
  !existsSync(bundle) ||
  statSync(bundle).mtimeMs < Math.max(newest('main'), newest('preload'), newest('verify'))
) {
  const { buildCli } = await import('./build-cli.mjs');
  await buildCli();
}
await import(bundle);
