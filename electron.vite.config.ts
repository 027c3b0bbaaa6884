import { defineConfig } from 'electron-vite';
import { resolve } from 'node:path';
import { version } from './scripts/setup.mjs';

const at = (path: string) => resolve(import.meta.dirname, path);
const define = { __APP_VERSION__: JSON.stringify(await version()) };

export default defineConfig({
  main: {
    define,
    build: {
      outDir: 'out/main',
      rollupOptions: { input: at('main/index.ts'), output: { format: 'es', entryFileNames: 'index.mjs' } },
    },
  },
  // A sandboxed preload script is one file in the old module format.
  preload: {
    build: {
      outDir: 'out/preload',
      externalizeDeps: false,
      rollupOptions: {
        input: at('preload/index.ts'),
        output: { format: 'cjs', entryFileNames: 'index.cjs' },
      },
    },
  },
  renderer: {
    root: at('renderer'),
    base: '/',
    build: {
      outDir: at('out/renderer'),
      rollupOptions: { input: at('renderer/index.html') },
      target: 'chrome130',
    },
  },
});
