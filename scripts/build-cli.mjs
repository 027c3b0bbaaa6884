// Bundles main/cli.ts to out/cli.mjs; packages with native parts or dynamic requires stay outside.
import { build } from 'esbuild';
import { join } from 'node:path';
import { buildVerify } from './build-verify.mjs';
import { ROOT } from './lib.mjs';
import { version } from './setup.mjs';

export async function buildCli() {
  await buildVerify();
  await build({
    entryPoints: [join(ROOT, 'main/cli.ts')],
    outfile: join(ROOT, 'out/cli.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    sourcemap: true,
    logLevel: 'warning',
    banner: { js: '#!/usr/bin/env node' },
    define: { __APP_VERSION__: JSON.stringify(await version()) },
  });
}

if (process.argv[1]?.endsWith('build-cli.mjs')) await buildCli();
