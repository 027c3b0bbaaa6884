/**
 * The laptop's apt, which resolves and downloads for another machine: with that machine's dpkg status, and lists, caches and sources
 * of its own. The laptop's packages and apt's state here are neither looked at nor touched, and no root is needed. Proxies and
 * credentials that apt knows here are used.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { AppError } from '../../../preload/contract/errors.ts';
import { run, said, type Ran } from './tools.ts';

/** A package that apt would download. */
export interface Deb {
  uri: string;
  /** As apt names it in its cache. */
  file: string;
  bytes: number;
  sha256: string;
}

export interface AptOptions {
  /** Folder for apt's own files; what it has downloaded there it does not download again. */
  work: string;
  /** A file as in /etc/apt/sources.list.d: `.sources`, or one-line style. */
  sources: string;
  /** Keyrings that sign sources without a signed-by of their own. */
  keyrings: readonly string[];
  /** dpkg status of the machine that the packages are for, plain or .gz; null for one of which nothing is known. */
  status: string | null;
  /** As Debian names it: amd64. */
  arch: string;
  signal?: AbortSignal | undefined;
}

const CONF = (work: string, arch: string, main: string) => `\
#clear APT::Architectures;
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
APT::Architecture "${arch}";
APT::Architectures { "${arch}"; };
APT::Default-Release "";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
// Updates that Ubuntu has not given to everybody yet are for nobody's air-gapped machine.
APT::Get::Never-Include-Phased-Updates "true";
APT::Keep-Downloaded-Packages "true";
// A source that does not answer is an error: without it the bundle would hold older packages, or not all.
APT::Update::Error-Mode "any";
// apt's own user cannot reach a folder of this user.
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::ForceHash "sha256";
Acquire::Retries "2";
Dir::State "${work}/state/";
Dir::State::status "${work}/dpkg/status";
Dir::State::lists "${work}/lists/";
Dir::Cache "${work}/cache/";
Dir::Cache::archives "${work}/archives/";
Dir::Log "${work}/log/";
Dir::Etc::sourcelist "${work}/${main}";
Dir::Etc::sourceparts "-";
Dir::Etc::preferences "-";
Dir::Etc::preferencesparts "-";
Dir::Etc::trusted "-";
Dir::Etc::trustedparts "${work}/keyrings/";
`;

const URI_LINE = /^'([^']+)' (\S+) (\d+) SHA256:([0-9a-f]{64})$/;
/** Options of every resolution: as the roles ask apt on the box. */
const RESOLVE = ['-y', '-q', '--no-install-recommends', '--allow-change-held-packages'];

/** What apt itself complains of, without the rest of what it says. */
function complaint(done: Ran): string {
  const { stdout, stderr } = done;
  const lines = `${stdout}\n${stderr}`.split('\n');
  // "Depends: … but it is not installable" stands above the error that sums it up.
  const told = lines.filter((line) => /^(E|Err|W):|Depends: |Conflicts: |Breaks: /.test(line.trim()));
  return told.length
    ? told
        .slice(-8)
        .map((line) => line.trim())
        .join('; ')
    : said(done);
}

/** The text of a dpkg status. Errors: bundle_input_bad. */
export function readStatus(path: string): string {
  const bad = (detail: string, cause?: unknown) => new AppError('bundle_input_bad', { path, detail }, cause);
  let text: string;
  try {
    const bytes = readFileSync(path);
    text = (extname(path) === '.gz' ? gunzipSync(bytes) : bytes).toString('utf8');
  } catch (error) {
    throw bad((error as Error).message, error);
  }
  if (!/^Package: \S/m.test(text) || !/^Status: \S/m.test(text))
    throw bad('it is no dpkg status, as /var/lib/dpkg/status of the box is.');
  return text;
}

/** Names of the packages that a dpkg status says are installed. */
export function installedIn(status: string): string[] {
  return status.split(/\n\n+/).flatMap((stanza) => {
    const name = /^Package: (\S+)$/m.exec(stanza)?.[1];
    return name && /^Status: \S+ \S+ installed$/m.test(stanza) ? [name] : [];
  });
}

/** What `apt-get --print-uris` says would be downloaded. */
export function debsOf(printed: string): Deb[] {
  return printed.split('\n').flatMap((line) => {
    const [, uri, file, bytes, sha256] = URI_LINE.exec(line.trim()) ?? [];
    return uri && file && bytes && sha256 ? [{ uri, file, bytes: Number(bytes), sha256 }] : [];
  });
}

export class Apt {
  readonly archives: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #nowhere: string;
  readonly #opts: AptOptions;

  /** Lays apt's files. Errors: bundle_input_bad, bundle_keyring_missing. */
  constructor(opts: AptOptions) {
    const { work } = opts;
    this.#opts = opts;
    this.archives = join(work, 'archives');
    this.#nowhere = join(work, 'nowhere');
    const folders = ['dpkg', 'state', 'lists/partial', 'cache', 'archives/partial', 'nowhere/partial', 'log'];
    for (const folder of folders) mkdirSync(join(work, folder), { recursive: true });
    rmSync(join(work, 'keyrings'), { recursive: true, force: true });
    mkdirSync(join(work, 'keyrings'));
    const main = extname(opts.sources) === '.sources' ? 'main.sources' : 'main.list';
    writeFileSync(join(work, main), this.#sources());
    for (const path of opts.keyrings) {
      if (!existsSync(path)) throw new AppError('bundle_keyring_missing', { path, sources: 'the command' });
      copyFileSync(path, join(work, 'keyrings', basename(path)));
    }
    writeFileSync(join(work, 'dpkg/status'), opts.status === null ? '' : readStatus(opts.status));
    writeFileSync(join(work, 'apt.conf'), CONF(work, opts.arch, main));
    this.#env = { APT_CONFIG: join(work, 'apt.conf'), DEBIAN_FRONTEND: 'noninteractive' };
  }

  /** The sources' text, whose keyrings must be here: apt would only say that it does not know a key. */
  #sources(): string {
    const path = this.#opts.sources;
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      throw new AppError('bundle_input_bad', { path, detail: (error as Error).message }, error);
    }
    const uncommented = text.replaceAll(/^\s*#.*$/gm, '');
    for (const [, keyring = ''] of uncommented.matchAll(/signed-by\s*[:=]\s*(\/[^\s\]]+)/gi)) {
      if (!existsSync(keyring))
        throw new AppError('bundle_keyring_missing', { path: keyring, sources: path });
    }
    return text;
  }

  #run(
    tool: 'apt-get' | 'apt-cache',
    args: readonly string[],
    onStatus?: (line: string) => void,
  ): Promise<Ran> {
    return run(tool, args, { env: this.#env, signal: this.#opts.signal, onStatus });
  }

  /** Reads the sources' lists. Errors: bundle_sources_failed. */
  async update(): Promise<void> {
    const done = await this.#run('apt-get', ['-q', 'update']);
    if (done.code !== 0)
      throw new AppError('bundle_sources_failed', {
        sources: this.#opts.sources,
        detail: complaint(done),
      });
  }

  /** The versions that the sources offer of each of these packages; one that they do not have is left out. */
  async versions(packages: readonly string[]): Promise<Map<string, string[]>> {
    const found = new Map<string, string[]>();
    if (packages.length === 0) return found;
    const { stdout } = await this.#run('apt-cache', ['madison', ...packages]);
    for (const line of stdout.split('\n')) {
      const [name, version, from] = line.split('|').map((word) => word.trim());
      if (!name || !version || !from?.endsWith(' Packages')) continue;
      const known = found.get(name) ?? [];
      if (!known.includes(version)) found.set(name, [...known, version]);
    }
    return found;
  }

  /**
   * What `apt-get <command>` would download on that machine, whatever lies here already. `what` names it in errors.
   * Errors: bundle_unresolved.
   */
  async plan(what: string, command: readonly string[]): Promise<Deb[]> {
    // apt does not name what its cache holds.
    const empty = ['-o', `Dir::Cache::archives=${this.#nowhere}/`];
    const done = await this.#run('apt-get', [...RESOLVE, ...empty, '--print-uris', ...command]);
    if (done.code !== 0) throw new AppError('bundle_unresolved', { what, detail: complaint(done) });
    return debsOf(done.stdout);
  }

  /**
   * Lets apt download it into `archives`; what is there in its size is not fetched again, what is there in part is continued.
   * `onFraction` is told how much of what it fetches is here, from 0 to 1. Errors: bundle_fetch_failed.
   */
  async download(
    what: string,
    command: readonly string[],
    onFraction?: (part: number) => void,
  ): Promise<void> {
    const status = (line: string) => {
      const percent = /^dlstatus:[^:]*:([\d.]+):/.exec(line)?.[1];
      if (percent) onFraction?.(Number(percent) / 100);
    };
    const args = [...RESOLVE, '-o', 'APT::Status-Fd=3', '--download-only', ...command];
    const done = await this.#run('apt-get', args, status);
    if (done.code !== 0) throw new AppError('bundle_fetch_failed', { what, detail: complaint(done) });
  }

  /** apt takes packages of a source on a disk from where they are; brings such a one into `archives`. */
  takeLocal({ uri, file }: Deb): void {
    const target = join(this.archives, file);
    if (uri.startsWith('file:') && !existsSync(target))
      copyFileSync(fileURLToPath(uri.replace(/^file:\/*/, 'file:///')), target);
  }
}
