// Bundles the page that verifies an archive without the app (resources/verify/) to one file, out/verify/page.html.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './lib.mjs';
import { version } from './setup.mjs';

const at = (path) => join(ROOT, path);

/** What of Node the checks use, in the browser's own words. */
const INSTEAD = {
  'node:crypto': at('resources/verify/crypto.ts'),
  'node:util': at('resources/verify/util.ts'),
  'node:zlib': at('resources/verify/zlib.ts'),
};

const browser = {
  name: 'browser',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path }) =>
      INSTEAD[path] ? { path: INSTEAD[path] } : { errors: [{ text: `${path} is not there in a browser` }] },
    );
    // Read from the disk, of which a page has none.
    onResolve({ filter: /\/template\.ts$/ }, () => ({ path: at('resources/verify/template.ts') }));
    onResolve({ filter: /\?text$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.slice(0, -'?text'.length)),
      namespace: 'text',
    }));
    onLoad({ filter: /.*/, namespace: 'text' }, ({ path }) => ({
      contents: readFileSync(path, 'utf8'),
      loader: 'text',
    }));
    // The words of the library's own errors, in fifty languages, of which none is shown.
    onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({ contents: 'export {}', loader: 'js' }));
  },
};

const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

export async function buildVerify() {
  const { outputFiles } = await build({
    entryPoints: [at('resources/verify/main.ts')],
    bundle: true,
    write: false,
    platform: 'browser',
    target: ['chrome109', 'firefox115', 'safari16.4'],
    format: 'iife',
    minify: true,
    charset: 'utf8',
    logLevel: 'warning',
    inject: [at('resources/verify/buffer.ts')],
    plugins: [browser],
    define: { __APP_VERSION__: JSON.stringify(await version()) },
  });
  // Nothing in it may end the element that it stands in.
  const script = outputFiles[0].text.replaceAll('</script', '<\\/script');
  const style = readFileSync(at('resources/verify/page.css'), 'utf8');
  const policy = `default-src 'none'; script-src ${hash(script)}; worker-src blob:; style-src ${hash(style)}; base-uri 'none'; form-action 'none'`;
  const filled = {
    policy,
    style: `<style>${style}</style>`,
    // Filled when the page is written out (main/services/verifypage.ts).
    trust: '<script type="application/json" id="trust">[]</script>',
    script: `<script>${script}</script>`,
  };
  const html = readFileSync(at('resources/verify/page.html'), 'utf8').replace(
    /\{\{(\w+)\}\}/g,
    (_, name) => filled[name],
  );
  mkdirSync(at('out/verify'), { recursive: true });
  writeFileSync(at('out/verify/page.html'), html);
}

if (process.argv[1]?.endsWith('build-verify.mjs')) await buildVerify();
