/** What would go into each system's package. Only Linux x64 is ever built in tests: of the others this is all that is known. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, taken, type Target } from './builder.ts';
import { systemOf } from './native.ts';

const PARTS = { linux: 'linux', win: 'win32', mac: 'darwin' } as const;
const TARGETS: Target[] = (['linux', 'win', 'mac'] as const).flatMap((part) =>
  (['x64', 'arm64'] as const).map((arch) => ({ part, platform: PARTS[part], arch })),
);

interface Locked {
  dev?: boolean;
  os?: string[];
  cpu?: string[];
}
const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Locked>;
};
const shipped = Object.entries(packages).filter(([path, { dev }]) => path && !dev);

/** Speaks with an agent of Windows; 32 bits, which Windows runs on each of its machines. */
const PAGEANT = 'node_modules/ssh2/util/pagent.exe';

/** Machine code in the installed packages that ship, with the system it is for. */
const native = shipped
  .filter(([path]) => existsSync(join(ROOT, path)))
  .flatMap(([path]) =>
    readdirSync(join(ROOT, path), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  )
  .flatMap((file) => {
    const system = systemOf(file);
    return system ? [{ file: file.slice(ROOT.length), ...system }] : [];
  });

describe.each(TARGETS)('$platform $arch', (target) => {
  const { platform, arch } = target;
  const takes = taken(target);

  it('takes the database for this system, and no machine code of another one', () => {
    const mine = native.filter(({ file }) => takes(file) && file !== PAGEANT);
    expect(takes(PAGEANT)).toBe(platform === 'win32');
    expect(mine.filter((n) => n.platform !== platform || n.arch !== arch)).toEqual([]);
    expect(mine.map((n) => n.file)).toContain(
      `node_modules/@photostructure/sqlite/prebuilds/${platform}-${arch}/@photostructure+sqlite.glibc.node`,
    );
  });

  it('takes of the packages that are for one system only this one’s, where npm would install it', () => {
    const single = shipped.filter(([, { os }]) => os?.length === 1);
    const mine = single.filter(([path]) => takes(`${path}/pty.node`));
    expect(mine.map(([path]) => path)).toEqual([`node_modules/@lydell/node-pty-${platform}-${arch}`]);
    expect(mine.map(([, { os, cpu }]) => [os, cpu])).toEqual([[[platform], [arch]]]);
    expect(single.length).toBe(TARGETS.length);
  });

  it('takes the app, what it reads and what runs on the box', () => {
    const needed = [
      'package.json',
      'out/main/index.mjs',
      'out/main/shells.mjs',
      'out/preload/index.cjs',
      'out/renderer/index.html',
      'resources/box/vcbox/__main__.py',
      'resources/box/vcflash/__main__.py',
      'resources/practice/origin.json',
      'resources/profiles/vault-cube.json',
      'resources/report/page.html',
      'resources/trust/keys.json',
      'ansible/site.yml',
      'node_modules/ssh2/lib/index.js',
    ];
    expect(needed.filter((path) => !takes(path))).toEqual([]);
  });

  it('takes nothing else of the source tree', () => {
    const left = [
      'README.md',
      'main/index.ts',
      'tests/unit/packages/targets.test.ts',
      'ansible/tests/test_roles.py',
      'resources/box/vcbox/__pycache__/runner.cpython-311.pyc',
      'resources/icons/icon.svg',
      'scripts/package.mjs',
      'out/packages/x.deb',
      '.cache/rig/root/etc/shadow',
      '.git/config',
      'node_modules/zod/index.js',
    ];
    expect(left.filter(takes)).toEqual([]);
  });
});

it('finds machine code of every system among the packages, so that leaving it out means something', () => {
  const found = new Set(native.map((n) => `${n.platform} ${n.arch}`));
  for (const { platform, arch } of TARGETS) expect(found).toContain(`${platform} ${arch}`);
});
