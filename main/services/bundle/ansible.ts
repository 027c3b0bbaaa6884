/** Layer 0: ansible-core's wheels, pip, and the collections that the roles need. */
import { existsSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { AppError } from '../../../preload/contract/errors.ts';
import { productRoot } from '../paths.ts';
import type { BuildFolder } from './folder.ts';
import type { Hashes } from './hashes.ts';
import { readLock, wheelName } from './locks.ts';
import { pipDownload, pipOne, type PipTarget } from './pip.ts';
import { run, said } from './tools.ts';

const LIST = 'requirements-l0.txt';
const ARCHIVE = 'ansible-collections.tar.xz';
const ORIGIN = 'origin.json';
/** The archive's hash, and what it was made of: a second build sees that it need not make it again. */
interface Origin {
  ansible: string;
  collections: string[];
  sha256: string;
}
const originText = (origin: Origin) => `${JSON.stringify(origin, null, 1)}\n`;

/** What is downloaded for layer 0, in bytes, a little rounded up: the `ansible` wheel, of which the collections stay, is the most. */
export const ANSIBLE_BYTES = 80e6;

const Collections = z.object({ collections: z.array(z.object({ name: z.string(), version: z.string() })) });

/** The line of ansible/requirements.txt that pins this package. */
function pin(name: string): string {
  const lines = readFileSync(join(productRoot(), 'ansible/requirements.txt'), 'utf8').split('\n');
  const line = lines.find((text) => text.startsWith(`${name}==`));
  if (!line) throw new AppError('internal', { detail: `ansible/requirements.txt does not pin ${name}` });
  return line.trim();
}

/** The wheels that are here, whole, for the ansible-core that is wanted; null where they must be fetched. */
async function wheelsHere(folder: BuildFolder, { hashes, signal }: Options): Promise<string[] | null> {
  const list = folder.find(`wheels/${LIST}`);
  if (!existsSync(list)) return null;
  const pins = readLock(list);
  const pip = /^# installed by (\S+\.whl) sha256:([0-9a-f]{64})$/m.exec(readFileSync(list, 'utf8'));
  if (!pip?.[1] || !pins.some((p) => `${p.name}==${p.version}` === pin('ansible-core'))) return null;
  const known = new Map(pins.map((p) => [`${p.name}==${p.version}`, p.sha256]));
  const files = readdirSync(join(folder.dir, 'wheels')).filter((file) => {
    const named = wheelName(file);
    return file === pip[1] || (named && known.has(`${named.name}==${named.version}`));
  });
  for (const file of files) {
    const named = wheelName(file);
    const wanted = file === pip[1] ? [pip[2]] : known.get(`${named?.name}==${named?.version}`);
    if (!wanted?.includes(await hashes.of(join(folder.dir, 'wheels', file), signal))) return null;
  }
  return files.length === pins.length + 1 ? [...files, LIST] : null;
}

interface Options {
  hashes: Hashes;
  signal?: AbortSignal | undefined;
}

/** Brings ansible-core with what it needs, and pip to install it with; answers with the file names. Errors: bundle_fetch_failed, laptop_disk_full. */
export async function takeAnsible(folder: BuildFolder, target: PipTarget, hashes: Hashes): Promise<string[]> {
  const here = await wheelsHere(folder, { hashes, signal: target.signal });
  if (here) return here.sort();
  const work = folder.scratch('ansible');
  const core = pin('ansible-core');
  await pipDownload(target, core, work, [core]);
  const lines: string[] = [];
  const files = readdirSync(work).sort();
  for (const file of files) {
    const named = wheelName(file);
    if (named)
      lines.push(`${named.name}==${named.version} --hash=sha256:${await hashes.of(join(work, file))}`);
  }
  const pip = await pipOne(target, 'pip', work, 'pip');
  lines.unshift(`# installed by ${basename(pip)} sha256:${await hashes.of(pip)}`);
  for (const path of [...files.map((file) => join(work, file)), pip])
    renameSync(path, folder.place(`wheels/${basename(path)}`));
  writeFileSync(folder.stage(`wheels/${LIST}`), `${lines.join('\n')}\n`);
  return [...files, basename(pip), LIST].sort();
}

/** Makes the archive of the pinned collections; answers with the file names. Errors: bundle_fetch_failed, bundle_tool_failed, laptop_disk_full. */
export async function takeCollections(
  folder: BuildFolder,
  target: PipTarget,
  hashes: Hashes,
): Promise<string[]> {
  const names = [ARCHIVE, ORIGIN];
  const list = readFileSync(join(productRoot(), 'ansible/collections/requirements.yml'), 'utf8');
  const collections = Collections.parse(parse(list)).collections.map((c) => `${c.name}=${c.version}`);
  const ansible = pin('ansible');
  const [archive = '', origin = ''] = names.map((name) => folder.find(`collections/${name}`));
  if (existsSync(archive) && existsSync(origin)) {
    const made: Origin = { ansible, collections, sha256: await hashes.of(archive, target.signal) };
    if (readFileSync(origin, 'utf8') === originText(made)) return names;
  }
  const work = folder.scratch('collections');
  const wheel = await pipOne(target, ansible, work, ansible);
  const out = join(work, ARCHIVE);
  const script = join(productRoot(), 'resources/bundle/take_collections.py');
  const done = await run(target.python, [script, wheel, out, ...collections], { signal: target.signal });
  if (done.code !== 0)
    throw new AppError('bundle_tool_failed', { what: 'The archive of collections', detail: said(done) });
  const made: Origin = { ansible, collections, sha256: await hashes.of(out, target.signal) };
  renameSync(out, folder.stage(`collections/${ARCHIVE}`));
  writeFileSync(folder.stage(`collections/${ORIGIN}`), originText(made));
  return names;
}
