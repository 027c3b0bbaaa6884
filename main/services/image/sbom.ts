/** Everything that is installed in a system, as CycloneDX has it: of dpkg, and of Python environments. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Sbom } from '../../../preload/contract/image-build.ts';

type Component = Sbom['components'][number];

const fields = (paragraph: string): Map<string, string> =>
  new Map(
    [...paragraph.matchAll(/^([A-Za-z-]+): (.*)$/gm)].map(([, name = '', value = '']) => [
      name.toLowerCase(),
      value,
    ]),
  );

/** dpkg's status file. Only what is installed. Pure. */
export function debComponents(status: string, distribution: string): Component[] {
  return status.split(/\n\n+/).flatMap((paragraph) => {
    const f = fields(paragraph);
    const [name, version, arch] = ['package', 'version', 'architecture'].map((key) => f.get(key) ?? '');
    if (!name || !version || !/ installed$/.test(f.get('status') ?? '')) return [];
    const purl = `pkg:deb/${distribution}/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${arch}`;
    return [{ type: 'library', name, version, purl }];
  });
}

/** METADATA of a distribution. Null where it names none. Pure. */
export function pipComponent(metadata: string, at: string): Component | null {
  const f = fields(metadata.split(/\r?\n\r?\n/)[0] ?? '');
  const [name, version] = [f.get('name'), f.get('version')];
  if (!name || !version) return null;
  const purl = `pkg:pypi/${name.toLowerCase().replaceAll('_', '-')}@${encodeURIComponent(version)}`;
  return {
    type: 'library',
    name,
    version,
    purl,
    properties: [{ name: 'vault-cube:environment', value: at }],
  };
}

/** site-packages of a system and of environments below /opt. */
function sitePackages(root: string): string[] {
  const list = (path: string): string[] =>
    existsSync(join(root, path)) ? readdirSync(join(root, path)) : [];
  const prefixes = [
    ...['usr/lib', 'usr/local/lib'],
    ...['opt/vault-cube', 'opt/vault-cube/venvs'].flatMap((at) =>
      list(at).map((name) => `${at}/${name}/lib`),
    ),
  ];
  return prefixes.flatMap((prefix) =>
    list(prefix)
      .filter((name) => /^python3/.test(name))
      .flatMap((name) => [`${prefix}/${name}/site-packages`, `${prefix}/${name}/dist-packages`])
      .filter((path) => existsSync(join(root, path))),
  );
}

function pips(root: string): Component[] {
  return sitePackages(root).flatMap((at) =>
    readdirSync(join(root, at))
      // What dpkg brought is told of by dpkg.
      .filter((name) => name.endsWith('.dist-info') && !at.startsWith('usr/lib'))
      .flatMap((name) => {
        const path = join(root, at, name, 'METADATA');
        const found = existsSync(path) ? pipComponent(readFileSync(path, 'utf8'), `/${at}`) : null;
        return found ? [found] : [];
      }),
  );
}

/** Without date and serial number, so that the same system has the same list. `name`, `version`: of the image. */
export function sbomOf(root: string, name: string, version: string): Sbom {
  const release = readFileSync(join(root, 'etc/os-release'), 'utf8');
  const distribution = /^ID="?([a-z]+)/m.exec(release)?.[1] ?? 'unknown';
  const status = readFileSync(join(root, 'var/lib/dpkg/status'), 'utf8');
  const components = [...debComponents(status, distribution), ...pips(root)];
  components.sort((a, b) => (a.purl < b.purl ? -1 : a.purl > b.purl ? 1 : 0));
  return {
    ...{ bomFormat: 'CycloneDX', specVersion: '1.5', version: 1 },
    metadata: { component: { type: 'operating-system', name, version } },
    components,
  };
}
