// The window's three builds: main (Node, ES module), preload (one old-format file, as the sandbox wants it), the page.
import { defineConfig } from 'electron-vite';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './scripts/lib.mjs';
import { version } from './scripts/setup.mjs';

const at = (path) => join(ROOT, path);
const define = { __APP_VERSION__: JSON.stringify(await version()) };

/** The component library marks its files for servers that render pages; here the mark means nothing. */
const onLog = (level, log, print) => {
  if (log.code !== 'MODULE_LEVEL_DIRECTIVE') print(level, log);
};

/** Leaves the names of the npm packages in a bundle in out/bundled; a test holds the licence notices against them. */
const bundled = (part) => ({
  name: 'bundled',
  generateBundle() {
    const paths = [...this.getModuleIds()].map(
      (id) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id)?.[1],
    );
    mkdirSync(at('out/bundled'), { recursive: true });
    const names = [...new Set(paths.filter(Boolean))].sort();
    writeFileSync(at(`out/bundled/${part}.json`), `${JSON.stringify(names, null, 2)}\n`);
  },
});

export default defineConfig({
  main: {
    define,
    plugins: [bundled('main')],
    build: {
      outDir: at('out/main'),
      // Bundled, of which only what is used: read file by file it alone took a tenth of the start.
      externalizeDeps: { exclude: ['zod'] },
      rolldownOptions: {
        input: {
          index: at('main/index.ts'),
          shells: at('main/shells.ts'),
          crypt: at('main/crypt.ts'),
          apart: at('main/apart.ts'),
          imagebuild: at('main/imagebuild.ts'),
        },
        output: { format: 'es', entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' },
      },
    },
  },
  preload: {
    plugins: [bundled('preload')],
    build: {
      outDir: at('out/preload'),
      externalizeDeps: false,
      rolldownOptions: {
        input: at('preload/index.ts'),
        output: { format: 'cjs', entryFileNames: 'index.cjs' },
      },
    },
  },
  renderer: {
    root: at('renderer'),
    base: '/',
    plugins: [bundled('page')],
    build: {
      outDir: at('out/renderer'),
      rolldownOptions: { input: at('renderer/index.html'), onLog },
      target: 'chrome130',
      minify: true,
      // Fonts and pictures stay files: the page's policy loads nothing out of a style sheet.
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 2_000,
    },
  },
});
