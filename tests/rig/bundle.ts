/**
 * The site bundle of the stand-in box, in the format of docs/adr/0005-bundle.md, made by the product's own code. What the rig adds:
 * stand-ins of NVIDIA's packages and of layer 4's wheels, one small image, and a proof by the box's Python.
 */
import {
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { takeAnsible, takeCollections } from '../../main/services/bundle/ansible.ts';
import { Apt } from '../../main/services/bundle/apt.ts';
import { indexDebs, planDebs, takeDebs } from '../../main/services/bundle/debs.ts';
import { BuildFolder } from '../../main/services/bundle/folder.ts';
import { Hashes } from '../../main/services/bundle/hashes.ts';
import { rolePackages } from '../../main/services/bundle/layers.ts';
import { describeBundle, setsOf } from '../../main/services/bundle/manifest.ts';
import { makeFrameworks } from './frameworks.ts';
import { PYTHON, ROOT, must } from './host.ts';
import { writeImage } from './image.ts';
import { FROM_DEBIAN, makeNvidia } from './nvidia.ts';
import { RELEASE, rigSources } from './sources.ts';

const MAKERS = ['ansible', 'apt', 'debs', 'folder', 'layers', 'manifest', 'pip', 'repository'];
/** What a bundle's content depends on, beside this file and those next to it. */
export const BUNDLE_FILES: string[] = [
  ...['requirements.txt', 'collections/requirements.yml', 'roles/base_system/vars/debian-13.yml'],
  ...['roles/monitoring/vars/main.yml', 'roles/extended_hardening/vars/debian-13.yml'],
]
  .map((path) => join(ROOT, 'ansible', path))
  .concat(join(ROOT, 'resources/bundle/take_collections.py'))
  .concat(MAKERS.map((name) => join(ROOT, 'main/services/bundle', `${name}.ts`)));

/** Python of the box, for which the wheels are chosen on a machine that may have another. */
const PYTHON_VERSION = '3.13';

/** What each layer asks of Debian; it stands on those before it. */
function orders() {
  const { base, monitoring, hardening } = rolePackages('debian-13');
  const l2 = [...base, ...FROM_DEBIAN];
  const order = (layer: number, ...commands: string[][]) => ({ layer, commands, notes: [] });
  return [
    order(0, ['install', 'python3-apt']),
    order(1, ['upgrade', '--with-new-pkgs'], ['install', ...base]),
    order(2, ['install', ...l2]),
    order(5, ['install', ...l2, ...monitoring]),
    order(6, ['install', ...l2, ...monitoring, ...hardening]),
  ];
}

async function takePackages(apt: Apt, folder: BuildFolder, hashes: Hashes): Promise<Map<number, string[]>> {
  const plan = await planDebs(apt, orders());
  await takeDebs(plan, apt, folder, { hashes, onBytes: () => undefined });
  const layers = new Map([...plan.layers].map(([layer, names]) => [layer, [...names]]));
  const at = folder.scratch('nvidia');
  const nvidia = await makeNvidia(at);
  for (const name of readdirSync(at)) linkSync(join(at, name), folder.place(`apt/${name}`));
  for (const layer of [2, 3] as const) layers.set(layer, [...(layers.get(layer) ?? []), ...nvidia[layer]]);
  const labels = { Origin: 'Vault Cube rig', Label: 'stand-in', Suite: RELEASE, Codename: RELEASE };
  await indexDebs([...layers.values()].flat(), folder, labels, 'Vault Cube rig (stand-in)');
  return layers;
}

/** An image of the distribution's busybox; answers with its file's name. */
async function takeImage(apt: Apt, folder: BuildFolder): Promise<string> {
  const command = ['install', 'busybox-static'];
  const [deb] = (await apt.plan('an image', command)).filter(({ file }) =>
    file.startsWith('busybox-static_'),
  );
  if (!deb) throw new Error('the sources have no busybox-static');
  await apt.download('busybox-static', command);
  apt.takeLocal(deb);
  const at = folder.scratch('busybox');
  await must('dpkg-deb', ['-x', join(apt.archives, deb.file), at]);
  const path = ['usr/bin/busybox', 'bin/busybox']
    .map((inside) => join(at, inside))
    .find((candidate) => statSync(candidate, { throwIfNoEntry: false }));
  if (!path) throw new Error(`${deb.file} holds no busybox`);
  const applets = (await must(path, ['--list'])).split('\n').filter(Boolean);
  await writeImage(folder.place('images/busybox.tar'), readFileSync(path), applets);
  return 'busybox.tar';
}

/** Proves with the box's own Python that the wheels are all there, since they were chosen by another one. */
async function proveWheels(root: string, folder: BuildFolder, wheels: readonly string[]): Promise<void> {
  const copy = `${root}.scratch`;
  rmSync(copy, { recursive: true, force: true });
  try {
    await must('cp', ['-a', '--reflink=auto', root, copy]);
    mkdirSync(join(copy, 'tmp/wheels'));
    for (const name of wheels) await must('cp', [folder.find(`wheels/${name}`), join(copy, 'tmp/wheels')]);
    const pip = wheels.find((name) => name.startsWith('pip-'));
    const find = ['--no-index', '--find-links', '/tmp/wheels', '--require-hashes', '--no-cache-dir'];
    const list = ['-r', '/tmp/wheels/requirements-l0.txt', '--dry-run', '-q', '--root-user-action=ignore'];
    const command = ['python3', `/tmp/wheels/${pip}/pip`, 'install', '--break-system-packages'];
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' };
    await must('chroot', [copy, ...command, ...find, ...list], { env });
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** A model's folder as a person would give it, and no model: nothing can be asked of it. Its files, below `folder`. */
function makeModel(folder: string): string[] {
  const files = {
    'stand-in/config.json': JSON.stringify({ architectures: ['StandIn'], num_attention_heads: 8 }),
    'stand-in/tokenizer/tokenizer.json': '{}',
    'stand-in/model.safetensors': Buffer.alloc(300_000, 'stand-in'),
  };
  for (const [path, data] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), data);
  }
  return Object.keys(files);
}

/** Makes the bundle folder `bundle` for the box whose root file system is `root`. */
export async function makeBundle(bundle: string, root: string): Promise<void> {
  const work = `${bundle}.new`;
  rmSync(work, { recursive: true, force: true });
  const folder = await BuildFolder.open(work);
  const hashes = new Hashes();
  try {
    const sources = join(folder.work, 'rig.list');
    writeFileSync(sources, `${rigSources()?.all ?? ''}\n`);
    const status = join(root, 'var/lib/dpkg/status');
    const apt = new Apt({ work: join(folder.work, 'apt'), sources, keyrings: [], status, arch: 'amd64' });
    await apt.update();
    const debs = await takePackages(apt, folder, hashes);
    const pip = { python: PYTHON, version: PYTHON_VERSION, machine: 'x86_64' };
    const wheels = await takeAnsible(folder, pip, hashes);
    await proveWheels(root, folder, wheels);
    const collections = await takeCollections(folder, pip, hashes);
    await makeFrameworks(join(work, 'frameworks'));
    const frameworks = readdirSync(join(work, 'frameworks'));
    const images = [await takeImage(apt, folder)];
    const models = makeModel(join(work, 'models'));
    const manifest = await describeBundle({
      name: 'Stand-in box: layers 0 to 6',
      distribution: { id: 'debian', version: '13', codename: RELEASE, arch: 'amd64' },
      evidence: 'stand-in',
      sets: setsOf({ debs, wheels, collections, frameworks, images, models }),
      locate: (path) => folder.find(path),
      hashes,
    });
    folder.commit(manifest);
  } finally {
    await folder.close();
  }
  renameSync(work, bundle);
}
