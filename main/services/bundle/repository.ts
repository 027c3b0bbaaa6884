/** The bundle's flat apt repository: its index, a signature by a key of its own, and whether both are as they must be. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { AppError } from '../../../preload/contract/errors.ts';
import { has } from '../programs.ts';
import { run, said, type RunOptions } from './tools.ts';

/** What a repository has beside its packages. `key.gpg` is a keyring as apt's signed-by takes it. */
export const INDEX = ['Packages', 'Packages.gz', 'Release', 'InRelease', 'Release.gpg', 'key.gpg'] as const;

export interface Labels {
  Origin: string;
  Label: string;
  Suite: string;
  Codename: string;
}

/** Errors: bundle_tool_failed. */
async function must(what: string, file: string, args: readonly string[], opts: RunOptions): Promise<string> {
  const done = await run(file, args, opts);
  if (done.code !== 0) throw new AppError('bundle_tool_failed', { what, detail: said(done) });
  return done.stdout;
}

/**
 * Writes the index of the packages in `folder` there, signed by a key that exists for this one bundle and is forgotten afterwards:
 * nobody can sign another repository in its name. `owner` is the key's user id.
 * Errors: bundle_tool_failed.
 */
export async function signRepository(
  folder: string,
  labels: Labels,
  owner: string,
  signal?: AbortSignal,
): Promise<void> {
  const opts = { cwd: folder, signal };
  const index = "The repository's index";
  const packages = await must(index, 'apt-ftparchive', ['packages', '.'], opts);
  writeFileSync(join(folder, 'Packages'), packages);
  writeFileSync(join(folder, 'Packages.gz'), gzipSync(packages, { level: 9 }));
  const options = Object.entries(labels).flatMap(([k, v]) => ['-o', `APT::FTPArchive::Release::${k}=${v}`]);
  const release = await must(index, 'apt-ftparchive', [...options, 'release', '.'], opts);
  writeFileSync(join(folder, 'Release'), release);
  // The agent's socket lies in this folder, and its path must be short.
  const home = mkdtempSync(join(tmpdir(), 'vcg-'));
  const within = { ...opts, env: { GNUPGHOME: home } };
  const gpg = (...args: string[]) =>
    must("The repository's signature", 'gpg', ['--batch', '--quiet', '--yes', ...args], within);
  try {
    await gpg('--passphrase', '', '--quick-generate-key', owner, 'ed25519', 'sign', 'never');
    await gpg('--output', 'key.gpg', '--export');
    await gpg('--output', 'InRelease', '--clearsign', 'Release');
    await gpg('--output', 'Release.gpg', '--detach-sign', '--armor', 'Release');
  } finally {
    await run('gpgconf', ['--kill', 'all'], { env: { GNUPGHOME: home } });
    rmSync(home, { recursive: true, force: true });
  }
}

/** Where signatures can be checked: gpgv alone, which is for nothing else. */
export const canCheckSignature = (): boolean => has('gpgv');

/** What is wrong with the signatures of the repository in `apt`, a sentence each. */
export async function badSignatures(apt: string): Promise<string[]> {
  const check = async (name: string, ...args: string[]): Promise<string[]> => {
    if (!existsSync(join(apt, name))) return []; // named as missing already
    const done = await run('gpgv', ['--keyring', join(apt, 'key.gpg'), ...args], { cwd: apt });
    return done.code === 0 ? [] : [`${name} is not signed by the bundle's key: ${said(done)}`];
  };
  const bad = [
    ...(await check('InRelease', 'InRelease')),
    ...(await check('Release.gpg', 'Release.gpg', 'Release')),
  ];
  return bad;
}

/** Path (relative to the repository) and SHA-256 of each package of an index. */
export function packagesIn(index: string): { file: string; sha256: string }[] {
  return index.split(/\n\n+/).flatMap((stanza) => {
    const file = /^Filename: (?:\.\/)?(.+)$/m.exec(stanza)?.[1];
    const sha256 = /^SHA256: ([0-9a-f]{64})$/m.exec(stanza)?.[1];
    return file && sha256 ? [{ file, sha256 }] : [];
  });
}

/**
 * What the index in `apt` says that the bundle does not hold, a sentence each: apt on the box trusts the index, and would refuse
 * such a package in the middle of an installation. `hashes`: SHA-256 of the bundle's files by path.
 */
export function indexFaults(apt: string, hashes: ReadonlyMap<string, string>): string[] {
  const read = (name: string) => readFileSync(join(apt, name));
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  const faults: string[] = [];
  try {
    const listed = /^SHA256:\n((?: .*\n)*)/m.exec(`${read('Release').toString('utf8')}\n`)?.[1] ?? '';
    for (const name of ['Packages', 'Packages.gz']) {
      const known = listed.split('\n').find((line) => line.endsWith(` ${name}`));
      if (!known?.includes(sha256(read(name)))) faults.push(`Release has another hash of ${name}.`);
    }
    const packages = read('Packages');
    if (!gunzipSync(read('Packages.gz')).equals(packages)) faults.push('Packages.gz is not Packages.');
    for (const { file, sha256: wanted } of packagesIn(packages.toString('utf8'))) {
      const found = hashes.get(`apt/${file}`);
      if (found === undefined) faults.push(`Packages names ${file}, which the manifest does not.`);
      else if (found !== wanted) faults.push(`Packages has another hash of ${file} than the manifest.`);
    }
  } catch (error) {
    faults.push(`the index cannot be read: ${(error as Error).message}.`);
  }
  return faults;
}
