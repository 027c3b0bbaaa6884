#!/usr/bin/env node
// What electron-builder asks of fpm for a .deb, done by dpkg-deb, which every Debian and Ubuntu has: nothing is downloaded.
// Takes exactly the arguments that electron-builder gives (and ends with an error at any other): see FpmTarget in app-builder-lib.
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { must } from './lib.mjs';

const text = { type: 'string' };
const { values: given, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    'input-type': { ...text, short: 's' },
    'output-type': { ...text, short: 't' },
    force: { type: 'boolean' },
    depends: { ...text, short: 'd', multiple: true, default: [] },
    'deb-recommends': { ...text, multiple: true, default: [] },
    'deb-compression': { ...text, default: 'xz' },
    'deb-priority': { ...text, default: 'optional' },
    category: { ...text, default: 'default' },
    architecture: text,
    'after-install': text,
    'after-remove': text,
    description: text,
    version: text,
    package: text,
    name: text,
    maintainer: text,
    vendor: text,
    url: text,
    license: text,
  },
});
if (given['output-type'] !== 'deb' || given['input-type'] !== 'dir')
  throw new Error('scripts/fpm.mjs makes .deb out of folders, nothing else');

/** The first line is the synopsis; in what follows a line that is empty is written as a dot. */
function description() {
  const [synopsis, ...more] = given.description.split('\n').map((line) => line.trim());
  return [synopsis, ...more.map((line) => ` ${line || '.'}`)].join('\n');
}

function control(kib) {
  const fields = {
    Package: given.name,
    Version: given.version,
    License: given.license,
    Vendor: given.vendor,
    Architecture: given.architecture,
    Maintainer: given.maintainer,
    'Installed-Size': String(kib),
    Depends: given.depends.join(', '),
    Recommends: given['deb-recommends'].join(', '),
    Section: given.category,
    Priority: given['deb-priority'],
    Homepage: given.url,
    Description: description(),
  };
  const lines = Object.entries(fields).filter(([, value]) => value);
  return `${lines.map(([name, value]) => `${name}: ${value}`).join('\n')}\n`;
}

const root = mkdtempSync(join(tmpdir(), 'vault-cube-deb-'));
try {
  for (const pair of files) {
    const [, from, to] = /^(.+?)=(\/.+)$/.exec(pair) ?? [];
    if (!from) throw new Error(`not FROM=TO: ${pair}`);
    const target = join(root, to);
    // A slash at the end: what the folder holds, not the folder.
    mkdirSync(from.endsWith('/') ? target : dirname(target), { recursive: true });
    await must('cp', ['-a', from.endsWith('/') ? `${from}.` : from, target]);
  }
  // Whatever the umask of the build was: every user may read, only root may write.
  await must('chmod', ['-R', 'u=rwX,go=rX', root]);
  const kib = Number((await must('du', ['-sk', '--apparent-size', root])).split('\t')[0]);
  const sums = await must(
    'sh',
    ['-c', "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 md5sum"],
    {
      cwd: root,
    },
  );
  const debian = join(root, 'DEBIAN');
  mkdirSync(debian, { mode: 0o755 });
  writeFileSync(join(debian, 'control'), control(kib));
  writeFileSync(join(debian, 'md5sums'), sums);
  for (const [script, name] of [
    [given['after-install'], 'postinst'],
    [given['after-remove'], 'postrm'],
  ]) {
    if (!script) continue;
    copyFileSync(script, join(debian, name));
    chmodSync(join(debian, name), 0o755);
  }
  // Level 1 of xz: a sixth larger than level 6, in a fifth of its time, so that what is tested is what is shipped.
  const compression = [`-Z${given['deb-compression']}`, '-z1', `--threads-max=${availableParallelism()}`];
  await must('dpkg-deb', ['--build', '--root-owner-group', ...compression, root, given.package]);
} finally {
  rmSync(root, { recursive: true, force: true });
}
