/** pip, which chooses and downloads wheels for another machine's Python, from the index that it is set up for here. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AppError } from '../../../preload/contract/errors.ts';
import { run, said } from './tools.ts';

/** Wheels say which glibc they need at least; Ubuntu 24.04 has 2.39, the stand-in's Debian 13 a later one. */
const GLIBC_MINORS = Array.from({ length: 39 - 5 + 1 }, (_, i) => 39 - i);
/** What wheels were called before glibc's number was in their name. */
const OLDER = ['manylinux2014', 'manylinux2010', 'manylinux1'];

export interface PipTarget {
  /** Interpreter on this machine that has pip. */
  python: string;
  /** Of the machine that the wheels are for, as in 3.12. */
  version: string;
  /** As `uname -m` prints it there. */
  machine: string;
  signal?: AbortSignal | undefined;
}

/** pip's options that name the other machine. */
function tags({ version, machine }: PipTarget): string[] {
  const platforms = [...GLIBC_MINORS.map((minor) => `manylinux_2_${minor}`), ...OLDER, 'linux'];
  return [
    ...['--python-version', version, '--implementation', 'cp'],
    ...['--abi', `cp${version.replace('.', '')}`, '--abi', 'abi3', '--abi', 'none'],
    ...platforms.flatMap((platform) => ['--platform', `${platform}_${machine}`]),
  ];
}

/** Lets pip download wheels into the folder `to`. `what` names them in errors. Errors: laptop_disk_full, bundle_fetch_failed. */
export async function pipDownload(
  target: PipTarget,
  what: string,
  to: string,
  args: readonly string[],
): Promise<void> {
  const command = ['-m', 'pip', 'download', '-q', '--disable-pip-version-check', '--only-binary=:all:'];
  const argv = [...command, '-d', to, ...tags(target), ...args];
  // A wheel can be larger than /tmp, where pip would put it first.
  const env = { TMPDIR: dirname(to), PIP_NO_INPUT: '1' };
  const done = await run(target.python, argv, { env, signal: target.signal });
  if (done.code === 0) return;
  if (/No space left on device|Errno 28/.test(done.stderr))
    throw new AppError('laptop_disk_full', { path: to });
  const told = done.stderr.split('\n').filter((line) => /^\s*ERROR|hash|Expected|Got/i.test(line));
  const detail = told.length
    ? told
        .slice(0, 6)
        .map((line) => line.trim())
        .join(' ')
    : said(done);
  throw new AppError('bundle_fetch_failed', { what, detail });
}

/** Downloads the one wheel of a pinned line into a folder of its own below `work`; answers with its path. */
export async function pipOne(target: PipTarget, what: string, work: string, line: string): Promise<string> {
  const to = mkdtempSync(join(work, 'wheel-'));
  const list = join(to, 'wanted.txt');
  writeFileSync(list, `${line}\n`);
  await pipDownload(target, what, to, ['--no-deps', '-r', list]);
  rmSync(list);
  const [name] = readdirSync(to);
  if (!name) throw new AppError('bundle_fetch_failed', { what, detail: 'pip brought nothing.' });
  return join(to, name);
}
