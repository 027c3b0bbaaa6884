/** Builds what every box is made from, once: `.cache/rig/root-<key>` and `.cache/rig/bundle-<key>`, linked as `bundle`. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { BUNDLE_FILES, makeBundle } from './bundle.ts';
import { FRAMEWORK_FILES } from './frameworks.ts';
import { RIG, ROOT, whyNoRig } from './host.ts';
import { NVIDIA_FILES } from './nvidia.ts';
import { FIXTURES, RECORDINGS, STAND_IN, makeRoot } from './rootfs.ts';
import { rigSources, type Sources } from './sources.ts';

export interface Built {
  /** Root file system, to be used as a lower layer and never written to. */
  root: string;
  bundle: string;
}

/** Does `work` while no other process does the same. A holder that dies lets go. */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(RIG, { recursive: true });
  const script = 'echo held; exec cat';
  const holder = spawn('flock', [join(RIG, `${name}.lock`), 'sh', '-c', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(holder, 'exit');
  try {
    await once(holder.stdout, 'data');
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}

/** Of texts and of what is in files. */
export function key(texts: readonly string[], files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  for (const file of files) hash.update(readFileSync(file)).update('\0');
  return hash.digest('hex').slice(0, 12);
}

function paths(sources: Sources): Built {
  const code = (name: string): string => join(ROOT, 'tests', 'rig', name);
  const recordings = RECORDINGS.map((name) => join(FIXTURES, name));
  const root = key([sources.release, sources.all], [code('rootfs.ts'), STAND_IN, ...recordings]);
  const inputs = [
    ...[...BUNDLE_FILES, ...NVIDIA_FILES, ...FRAMEWORK_FILES],
    ...['bundle.ts', 'frameworks.ts', 'image.ts', 'nvidia.ts'].map(code),
  ];
  return { root: join(RIG, `root-${root}`), bundle: join(RIG, `bundle-${key([root], inputs)}`) };
}

/**
 * Removes what other inputs made, and what builds left that were broken off: roots that no box stands on, and bundles but for
 * the last one, which may be in use.
 */
function prune(built: Built): void {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  const age = (name: string): number => statSync(join(RIG, name)).mtimeMs;
  const names = readdirSync(RIG);
  const roots = names.filter((name) => name.startsWith('root-') && name !== basename(built.root));
  const bundles = names.filter((name) => name.startsWith('bundle-') && name !== basename(built.bundle));
  const old = bundles.sort((a, b) => age(b) - age(a)).slice(1);
  for (const name of [...roots.filter((root) => !mounts.includes(root)), ...old]) {
    rmSync(join(RIG, name), { recursive: true, force: true });
  }
}

function linked(): string | null {
  try {
    return readlinkSync(join(RIG, 'bundle'));
  } catch {
    return null;
  }
}

function link(bundle: string): void {
  const work = join(RIG, '.bundle.new');
  rmSync(work, { force: true });
  symlinkSync(basename(bundle), work);
  renameSync(work, join(RIG, 'bundle'));
}

/** Builds what is missing. `say` is told each part that takes time. Rejects with the reason where the rig cannot run. */
export async function build(say: (line: string) => void = () => undefined): Promise<Built> {
  const why = whyNoRig();
  const sources = rigSources();
  if (why !== null || sources === null) throw new Error(`the rig cannot run here: ${why}`);
  const built = paths(sources);
  const done = (): boolean =>
    existsSync(built.root) && existsSync(built.bundle) && linked() === basename(built.bundle);
  if (done()) return built;
  await withLock('build', async () => {
    if (done()) return;
    const step = async (what: string, path: string, work: () => Promise<void>): Promise<void> => {
      if (existsSync(path)) return;
      const t0 = performance.now();
      await work();
      say(`${what} built in ${((performance.now() - t0) / 1000).toFixed(1)} s`);
    };
    await step('root file system', built.root, () => makeRoot(built.root, sources));
    await step('bundle', built.bundle, () => makeBundle(built.bundle, built.root));
    link(built.bundle);
    prune(built);
  });
  return built;
}
