/** What lies in the built package: fuses, the app and the code on its way to the box, machine code, licences. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { extractAll, statFile } from '@electron/asar';
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packBoxCode } from '../../main/services/boxcode.ts';
import { systemOf } from '../unit/packages/native.ts';
import { UNPACKED, builtDeb } from './installed.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BINARY = join(UNPACKED, 'vault-cube-provisioner');
const ARCHIVE = join(UNPACKED, 'resources/app.asar');
/** Beside the archive, as Electron looks for what cannot lie in it. */
const OUTSIDE = 'resources/app.asar.unpacked/node_modules';
const isOutside = (file: string) => 'unpacked' in statFile(ARCHIVE, file);
const why = existsSync(BINARY) ? null : 'no package was built here: npm run package';
const deb = builtDeb();

/** Every file below, by its path from there. */
const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

describe.runIf(why === null)(`the built package${why ? ` (not run: ${why})` : ''}`, () => {
  let app: string;

  beforeAll(() => {
    app = mkdtempSync(join(tmpdir(), 'vault-cube-asar-'));
    extractAll(ARCHIVE, app);
  });
  afterAll(() => rmSync(app, { recursive: true, force: true }));

  it('has every fuse set: it is no Node, takes no debugger, and starts nothing but its own archive', async () => {
    const wire = await getCurrentFuseWire(BINARY);
    // As the wire holds it: 48 is a 0, off, 49 is a 1, on.
    const isOn = (fuse: FuseV1Options) => ({ 48: false, 49: true })[Number(wire[fuse])];
    expect({
      runAsNode: isOn(FuseV1Options.RunAsNode),
      cookies: isOn(FuseV1Options.EnableCookieEncryption),
      nodeOptions: isOn(FuseV1Options.EnableNodeOptionsEnvironmentVariable),
      inspect: isOn(FuseV1Options.EnableNodeCliInspectArguments),
      integrity: isOn(FuseV1Options.EnableEmbeddedAsarIntegrityValidation),
      onlyAsar: isOn(FuseV1Options.OnlyLoadAppFromAsar),
      snapshot: isOn(FuseV1Options.LoadBrowserProcessSpecificV8Snapshot),
      filePrivileges: isOn(FuseV1Options.GrantFileProtocolExtraPrivileges),
    }).toEqual({
      runAsNode: false,
      cookies: true,
      nodeOptions: false,
      inspect: false,
      integrity: true,
      onlyAsar: true,
      snapshot: false,
      filePrivileges: false,
    });
    expect(readdirSync(join(UNPACKED, 'resources')).filter((f) => f.endsWith('.asar'))).toEqual(['app.asar']);
  });

  /** The file that a package is loaded from; one that is an ES module alone has none for `require`. */
  const entryOf = (name: string): string => {
    const from = createRequire(join(app, 'out/main/index.mjs'));
    try {
      return from.resolve(name);
    } catch {
      const folder = join(app, 'node_modules', name);
      const { exports: given } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        exports: { '.': { import: string | { default: string } } };
      };
      const entry = given['.'].import;
      const path = join(folder, typeof entry === 'string' ? entry : entry.default);
      expect(existsSync(path), path).toBe(true);
      return path;
    }
  };

  it('holds the app, what it reads, and the packages that its process loads', () => {
    expect(readdirSync(app).sort()).toEqual(['ansible', 'node_modules', 'out', 'package.json', 'resources']);
    const built = readdirSync(join(app, 'out/main')).map((file) =>
      readFileSync(join(app, 'out/main', file), 'utf8'),
    );
    const names = built.flatMap((text) =>
      // Imported, or read when it is first used (main/remote/ssh2.ts).
      [
        ...text.matchAll(
          /^import .* from "([^"]+)";?$|\bfromHere\("([^"]+)"\)|\bimport\("([a-z@][^"]*)"\)/gm,
        ),
      ].map(([, name, first, later]) => name ?? first ?? later ?? ''),
    );
    const loaded = names.filter((name) => name !== 'electron' && !isBuiltin(name) && !name.startsWith('./'));
    expect(loaded).toEqual(expect.arrayContaining(['ssh2', '@lydell/node-pty']));
    for (const name of loaded) expect(entryOf(name).startsWith(`${app}/node_modules/`), name).toBe(true);
    // Packages build no images.
    const builder = 'imagebuild.mjs';
    expect(filesIn(join(ROOT, 'out/main'))).toContain(builder);
    expect(filesIn(join(app, 'out/main'))).toEqual(
      filesIn(join(ROOT, 'out/main')).filter((name) => name !== builder),
    );
    for (const folder of ['resources/practice', 'resources/profiles', 'resources/report', 'out/renderer'])
      expect(filesIn(join(app, folder))).toEqual(filesIn(join(ROOT, folder)));
  });

  it('holds the code for the box to the byte', async () => {
    const [inPackage, here] = await Promise.all([packBoxCode(app), packBoxCode(ROOT)]);
    expect(inPackage.sha256).toBe(here.sha256);
  });

  it('holds machine code of this system alone, outside of the archive', () => {
    const native = filesIn(UNPACKED).flatMap((file) => {
      const system = systemOf(join(UNPACKED, file));
      return system ? [{ file, ...system }] : [];
    });
    expect(native.filter((n) => n.platform !== 'linux' || n.arch !== 'x64')).toEqual([]);
    expect(native.map((n) => n.file)).toEqual(
      expect.arrayContaining([
        'vault-cube-provisioner',
        `${OUTSIDE}/@lydell/node-pty-linux-x64/pty.node`,
        `${OUTSIDE}/@photostructure/sqlite/prebuilds/linux-x64/@photostructure+sqlite.glibc.node`,
      ]),
    );
    const inside = filesIn(app).filter((file) => systemOf(join(app, file)) && !isOutside(file));
    expect(inside).toEqual([]);
  });

  it('carries the licences of all that is in it', () => {
    for (const name of ['LICENSE', 'THIRD-PARTY-NOTICES.txt'])
      expect(readFileSync(join(UNPACKED, name), 'utf8')).toBe(readFileSync(join(ROOT, name), 'utf8'));
    for (const name of ['LICENSE.electron.txt', 'LICENSES.chromium.html'])
      expect(existsSync(join(UNPACKED, name))).toBe(true);
    const notices = readFileSync(join(UNPACKED, 'THIRD-PARTY-NOTICES.txt'), 'utf8');
    const named = (name: string) => notices.includes(`\n${name} `);
    const bundled = readdirSync(join(ROOT, 'out/bundled')).flatMap(
      (file) => JSON.parse(readFileSync(join(ROOT, 'out/bundled', file), 'utf8')) as string[],
    );
    expect(bundled).toEqual(
      expect.arrayContaining(['react', 'react-dom', '@mantine/core', '@xterm/xterm', 'zod']),
    );
    expect(bundled.filter((name) => !named(name))).toEqual([]);
    const modules = readdirSync(join(app, 'node_modules')).flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(app, 'node_modules', name)).map((n) => `${name}/${n}`) : [name],
    );
    const covered = '@lydell/node-pty-linux-x64'; // by the package it is a part of
    expect(modules.filter((name) => name !== covered && !named(name))).toEqual([]);
  });
});

describe.runIf(deb !== null)('the deb', () => {
  const dpkgDeb = (...args: string[]) => execFileSync('dpkg-deb', [...args, deb ?? ''], { encoding: 'utf8' });

  it('holds the unpacked app, a command, an entry for menus and an icon; all read by everybody, written by root alone', () => {
    const entries = dpkgDeb('--contents')
      .trimEnd()
      .split('\n')
      .map((line) => /^(\S+) (\S+) +(\d+) \S+ \S+ \.(.*)$/.exec(line)?.slice(1) ?? [line]);
    const odd = entries.filter(
      ([mode = '', owner]) => owner !== 'root/root' || !/^(d|-)rw[x-]r-[x-]r-[x-]$/.test(mode),
    );
    expect(odd).toEqual([]);
    const files = entries.filter(([mode]) => mode?.startsWith('-')).map(([, , , path]) => path);
    const prefix = '/opt/vault-cube-provisioner/';
    const inside = files.filter((f) => f?.startsWith(prefix)).map((f) => f?.slice(prefix.length));
    expect(inside.sort()).toEqual(filesIn(UNPACKED));
    expect(files).toEqual(
      expect.arrayContaining([
        '/usr/share/applications/vault-cube-provisioner.desktop',
        '/usr/share/doc/vault-cube-provisioner/copyright',
        '/usr/share/icons/hicolor/256x256/apps/vault-cube-provisioner.png',
      ]),
    );
  });

  it('names what it needs, who keeps it and its version', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    const control = dpkgDeb('--field');
    for (const line of [
      `Version: ${version}`,
      'Package: vault-cube-provisioner',
      'Architecture: amd64',
      'Depends: libgtk-3-0, libnss3, libasound2, libgbm1, xdg-utils, python3',
      'Description: Brings a GPU workstation, the Vault Cube, into service',
    ])
      expect(control.split('\n')).toContain(line);
  });
});
