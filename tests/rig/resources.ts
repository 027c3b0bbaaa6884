/** What a box holds on this machine, all of it named after the box, and how all of it is removed. */
import {
  type Dirent,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { withLock } from './build.ts';
import { RIG, cgroupTrees, must, run, until } from './host.ts';

const RUN = join(RIG, 'run');
/** Networks of eight addresses in 198.18.0.0/15, the block that is set aside for tests of network devices. */
const NETWORKS = 16_384;
const KILL_MS = 15_000;

/** Names and addresses of one box. */
export interface Names {
  id: string;
  /** Folder below .cache/rig/run. */
  dir: string;
  /** The tree the box runs in. */
  root: string;
  /** Network namespace of the stranger. */
  stranger: string;
  /** Namespaces that a test may have made for it: of a sink, of a long link. */
  others: readonly string[];
  /** This machine's end of the box's cable; comes and goes with each boot. */
  port: string;
  laptopAddress: string;
  boxAddress: string;
  /** All that the link has left; the stranger has each of them. */
  strangerAddresses: readonly string[];
}

export function namesOf(id: string): Names {
  const network = parseInt(id.slice('vcg'.length), 36);
  const address = (host: number): string => {
    const n = network * 8 + host;
    return `198.${18 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`;
  };
  const dir = join(RUN, id);
  return {
    ...{ id, dir, root: join(dir, 'root'), stranger: `${id}s`, port: `vb-${id}` },
    others: ['k', 'w'].map((letter) => `${id}${letter}`),
    ...{ laptopAddress: address(1), boxAddress: address(2), strangerAddresses: [3, 4, 5, 6].map(address) },
  };
}

/** When a process was started, in clock ticks since boot: with its number it names a process for good. null when it is gone. */
export function startedAt(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

/** A folder that is about to become a box's or has been one; it belongs to the process in its name. */
const passing = (): string => mkdtempSync(join(RUN, `.${process.pid}-`));

let counter = 0;

/**
 * Takes a name and network that nobody has: the folder with its owner tells this checkout, the bridge tells the machine. From
 * here on `cleanUp` of any process removes the box when this process is gone.
 */
export async function claim(): Promise<Names> {
  mkdirSync(RUN, { recursive: true });
  const first = process.pid * 16 + counter++;
  for (let n = 0; n < NETWORKS; n++) {
    const names = namesOf(`vcg${((first + n) % NETWORKS).toString(36)}`);
    if (existsSync(names.dir)) continue;
    const work = passing();
    writeFileSync(join(work, 'owner.json'), JSON.stringify({ pid: process.pid, at: startedAt(process.pid) }));
    try {
      renameSync(work, names.dir); // refused when another took it meanwhile: it is not empty
    } catch {
      rmSync(work, { recursive: true });
      continue;
    }
    const bridge = await run('ip', ['link', 'add', names.id, 'type', 'bridge']);
    if (bridge.code === 0) return names;
    rmSync(names.dir, { recursive: true });
    if (!bridge.stderr.includes('File exists')) throw new Error(`no bridge: ${bridge.stderr.trim()}`);
  }
  throw new Error('no network is left for another box');
}

/** The laptop's side of the link, and a stranger on the same link. */
export async function makeNetwork(names: Names): Promise<void> {
  const { id, stranger } = names;
  const ip = (...args: string[]) => must('ip', args);
  await ip('addr', 'add', `${names.laptopAddress}/29`, 'dev', id);
  await ip('link', 'set', id, 'up');
  await ip('netns', 'add', stranger);
  await ip('link', 'add', `${stranger}0`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', stranger);
  await ip('link', 'set', `${stranger}0`, 'master', id, 'up');
  for (const address of names.strangerAddresses)
    await ip('-n', stranger, 'addr', 'add', `${address}/29`, 'dev', 'eth0');
  await ip('-n', stranger, 'link', 'set', 'lo', 'up');
  await ip('-n', stranger, 'link', 'set', 'eth0', 'up');
}

/** The box's own control groups, one in each tree: boxes of one process would else share theirs. */
export const cgroups = (id: string): string[] => cgroupTrees().map((tree) => join(tree, id));

export function makeCgroups(id: string): void {
  for (const folder of cgroups(id)) mkdirSync(folder, { recursive: true });
}

/** A group and those in it, deepest first; without those that end while they are listed. */
function* below(folder: string): Generator<string> {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  for (const entry of entries) {
    if (entry.isDirectory()) yield* below(join(folder, entry.name));
  }
  yield folder;
}

const groupsNow = (id: string): string[] => cgroups(id).flatMap((folder) => [...below(folder)]);

/** Every process of the box, by this machine's numbers. */
async function processesOf(names: Names): Promise<number[]> {
  const pids = new Set<number>();
  for (const folder of groupsNow(names.id)) {
    try {
      const lines = readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n');
      for (const line of lines.filter(Boolean)) pids.add(Number(line));
    } catch {
      // The group ended between the listing and the reading.
    }
  }
  if (existsSync(`/run/netns/${names.stranger}`)) {
    const inside = await run('ip', ['netns', 'pids', names.stranger]);
    for (const line of inside.stdout.split('\n').filter(Boolean)) pids.add(Number(line));
  }
  return [...pids];
}

/** Ends all processes of the box at once, as a power cut does. */
export async function killAll(names: Names): Promise<void> {
  const gone = async (): Promise<boolean> => {
    const pids = await processesOf(names);
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    }
    return pids.length === 0;
  };
  await until(`the end of all processes of ${names.id}`, gone, KILL_MS);
}

/** Mount points at or below a folder, the innermost first. */
function mountsBelow(named: string): string[] {
  // The kernel's list has no links in its paths; a checkout's cache may be one.
  const folder = existsSync(named) ? realpathSync(named) : named;
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter(Boolean);
  const points = lines.map((line) => (line.split(' ')[4] ?? '').replaceAll('\\040', ' '));
  return points.filter((point) => point === folder || point.startsWith(`${folder}/`)).reverse();
}

/** Removes all that a box holds, whatever state it is in; what is gone already is no error. */
export async function dispose(names: Names): Promise<void> {
  const { id, stranger, others } = names;
  await killAll(names);
  for (const point of mountsBelow(names.dir)) await must('umount', [point]);
  await run('nft', ['delete', 'table', 'bridge', id]);
  // One end of a cable takes the other with it; left to the end of its namespace it would go some time later.
  for (const link of [names.port, `${stranger}0`]) await run('ip', ['link', 'del', link]);
  for (const namespace of [stranger, ...others]) await run('ip', ['netns', 'del', namespace]);
  await run('ip', ['link', 'del', id]);
  for (const folder of groupsNow(id)) rmdirSync(folder);
  rmSync(join('/run/systemd/nspawn/propagate', id), { recursive: true, force: true });
  if (!existsSync(names.dir)) return;
  // By rename first: nobody sees a box without its owner.
  const work = passing();
  renameSync(names.dir, join(work, id));
  rmSync(work, { recursive: true, force: true });
}

/** What this machine still holds of a box, in words; empty when it was disposed of. */
export async function leftovers(names: Names): Promise<string[]> {
  const { id, dir, stranger, others, port } = names;
  const links = [id, port, `${stranger}0`].filter((link) => existsSync(`/sys/class/net/${link}`));
  const namespaces = [stranger, ...others].filter((name) => existsSync(`/run/netns/${name}`));
  const tables = await must('nft', ['list', 'tables']);
  return [
    ...(await processesOf(names)).map((pid) => `process ${pid}`),
    ...mountsBelow(dir).map((point) => `mount ${point}`),
    ...links.map((link) => `link ${link}`),
    ...namespaces.map((name) => `namespace ${name}`),
    ...(tables.split('\n').includes(`table bridge ${id}`) ? [`nft table ${id}`] : []),
    ...groupsNow(id).map((folder) => `control group ${folder}`),
    ...(existsSync(dir) ? [`folder ${dir}`] : []),
  ];
}

/** Removes the boxes whose process is gone; resolves to their names. */
export async function cleanUp(): Promise<string[]> {
  if (!existsSync(RUN)) return [];
  return withLock('cleanup', async () => {
    const removed: string[] = [];
    for (const id of readdirSync(RUN)) {
      if (id.startsWith('.')) {
        if (startedAt(parseInt(id.slice(1), 10)) !== null) continue;
        for (const point of mountsBelow(join(RUN, id))) await must('umount', [point]);
        rmSync(join(RUN, id), { recursive: true });
        continue;
      }
      const names = namesOf(id);
      try {
        const text = readFileSync(join(names.dir, 'owner.json'), 'utf8');
        const owner = JSON.parse(text) as { pid: number; at: string | null };
        if (startedAt(owner.pid) === owner.at) continue;
      } catch {
        continue; // its owner removed it since the listing
      }
      await dispose(names);
      removed.push(id);
    }
    return removed;
  });
}
