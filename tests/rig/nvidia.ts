/**
 * Stand-in packages of layers 2 and 3: real names, versions and dependencies, and next to nothing inside. Names of the CUDA
 * packages are those of a recorded Ubuntu with CUDA 13 (tests/fixtures/ubuntu-24.04-cuda13), those of the driver and of the
 * Container Toolkit are NVIDIA's for Debian. The driver's version is that of the recorded nvidia-smi, which they carry. DKMS,
 * initramfs-tools and modinfo are the distribution's own: only what they work on is a stand-in.
 */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { must, ROOT } from './host.ts';
import { STAND_IN } from './rootfs.ts';

const FILES = join(ROOT, 'tests', 'rig', 'standin', 'nvidia');
const STATUS = join(ROOT, 'tests', 'fixtures', 'ubuntu-24.04-cuda13', 'dpkg-status.gz');
export const DRIVER = '580.159.04';
const TOOLKIT = '1.18.2';
/** Kernels for a box, which has none of its own, the newest first; the running one is this machine's. */
export const KERNELS = ['6.12.90-stand-in-amd64', '6.12.48-stand-in-amd64'];
/** Packages of the distribution that layer 2 needs beside those of layer 1. */
export const FROM_DEBIAN = ['dkms', 'initramfs-tools'];

/** Inputs of the stand-in packages, beside this file. */
export const NVIDIA_FILES = [
  STATUS,
  ...[
    ...['nvcc', 'nvidia-persistenced', 'nvidia-persistenced.service', 'nvidia-ctk'],
    ...['nvidia-container-runtime-hook', 'nvidia_container_runtime.py', 'dkms.conf', 'Makefile', 'module.c'],
  ].map((name) => join(FILES, name)),
];

/** A stand-in package. */
export interface StandInDeb {
  name: string;
  version: string;
  depends?: string;
  files?: Record<string, { text: string; mode?: number } | { link: string }>;
  /** Of the package's own scripts, by name. */
  scripts?: Record<string, string>;
}

interface Deb extends StandInDeb {
  /** Which layer's set it is in. */
  layer: 2 | 3;
}

const file = (name: string, mode = 0o644) => ({
  text: readFileSync(join(FILES, name), 'utf8').replaceAll('@VERSION@', DRIVER),
  mode,
});
const program = (name: string) => file(name, 0o755);

/** As dh_dkms writes them. */
const DKMS_SCRIPTS = {
  postinst: `if [ "$1" = configure ]; then /usr/lib/dkms/common.postinst nvidia ${DRIVER} /usr/share/nvidia "" "$2"; fi`,
  prerm: `dkms remove -m nvidia -v ${DRIVER} --all`,
};

function driver(): Deb[] {
  const version = `${DRIVER}-1`;
  const same = (...names: string[]) => names.map((name) => `${name} (= ${version})`).join(', ');
  const source = `usr/src/nvidia-${DRIVER}`;
  const debs: Omit<Deb, 'version' | 'layer'>[] = [
    { name: 'nvidia-open-580', depends: same('nvidia-open') },
    { name: 'nvidia-open', depends: same('nvidia-driver-cuda', 'nvidia-kernel-open-dkms') },
    {
      name: 'nvidia-driver-cuda',
      depends: same('libcuda1', 'libnvidia-ml1', 'nvidia-persistenced'),
      files: { 'usr/bin/nvidia-smi': { text: readFileSync(STAND_IN, 'utf8'), mode: 0o755 } },
    },
    { name: 'libcuda1' },
    { name: 'libnvidia-ml1' },
    {
      name: 'nvidia-persistenced',
      files: {
        'usr/bin/nvidia-persistenced': program('nvidia-persistenced'),
        'usr/lib/systemd/system/nvidia-persistenced.service': file('nvidia-persistenced.service'),
      },
    },
    {
      name: 'nvidia-kernel-open-dkms',
      depends: 'dkms (>= 3)',
      files: {
        [`${source}/dkms.conf`]: file('dkms.conf'),
        [`${source}/Makefile`]: file('Makefile'),
        [`${source}/module.c`]: file('module.c'),
      },
      scripts: DKMS_SCRIPTS,
    },
  ];
  return debs.map((deb) => ({ ...deb, version, layer: 2 }));
}

/** Name, version and dependencies of every package of the recorded Ubuntu. */
function recorded(): Map<string, { version: string; depends: string }> {
  const found = new Map<string, { version: string; depends: string }>();
  for (const stanza of gunzipSync(readFileSync(STATUS)).toString('utf8').split('\n\n')) {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1] ?? '';
    found.set(field('Package'), { version: field('Version'), depends: field('Depends') });
  }
  return found;
}

/** What holds the compiler and the libraries to run with; the whole toolkit is some thirty packages more of the same kind. */
const CUDA = ['cuda-compiler-13-0', 'cuda-libraries-13-0'];
const LIBRARIES = ['libcudnn9-cuda-13', 'libcudnn9-dev-cuda-13', 'libnccl2', 'libnccl-dev'];
const OURS = /^(cuda|nsight|libnv|libcu|libnpp|libnccl)/;

function cuda(): Deb[] {
  const all = recorded();
  const taken = new Map<string, Deb>();
  const take = (name: string): void => {
    const known = all.get(name);
    if (taken.has(name)) return;
    if (!known) throw new Error(`${STATUS} has no ${name}`);
    const { version, depends } = known;
    taken.set(name, { name, version, depends, layer: 2 });
    // The first of alternatives is a config package that the recorded Ubuntu has, too.
    const needed = depends.split(/, ?/).map((word) => word.trim().split(/[ |]/)[0] ?? '');
    for (const other of needed) if (OURS.test(other) && all.has(other)) take(other);
  };
  for (const name of [...CUDA, ...LIBRARIES]) take(name);
  const nvcc = taken.get('cuda-nvcc-13-0');
  if (nvcc) nvcc.files = { 'usr/local/cuda-13.0/bin/nvcc': program('nvcc') };
  const toolkit: Deb = {
    name: 'cuda-toolkit-13-0',
    version: all.get('cuda-compiler-13-0')?.version ?? '',
    depends: CUDA.join(', '),
    layer: 2,
    files: { 'usr/local/cuda': { link: 'cuda-13.0' } },
  };
  return [toolkit, ...taken.values()];
}

function containerToolkit(): Deb[] {
  const version = `${TOOLKIT}-1`;
  const base = `nvidia-container-toolkit-base (= ${version})`;
  const debs: Omit<Deb, 'version' | 'layer'>[] = [
    {
      name: 'nvidia-container-toolkit',
      depends: `${base}, libnvidia-container-tools (>= ${version})`,
      files: { 'usr/bin/nvidia-container-runtime-hook': program('nvidia-container-runtime-hook') },
    },
    {
      name: 'nvidia-container-toolkit-base',
      files: {
        'usr/bin/nvidia-ctk': program('nvidia-ctk'),
        'usr/bin/nvidia-container-runtime': program('nvidia_container_runtime.py'),
      },
    },
    { name: 'libnvidia-container-tools', depends: `libnvidia-container1 (>= ${version})` },
    { name: 'libnvidia-container1' },
  ];
  return debs.map((deb) => ({ ...deb, version, layer: 3 }));
}

function kernel(release: string): Deb[] {
  const source = `/usr/src/linux-headers-${release}`;
  const modules = `usr/lib/modules/${release}`;
  const version = `${release.split('-')[0]}-1`;
  // As the distribution's kernel packages do it: whoever builds for a kernel has a hook.
  const hooks = (folder: string) =>
    `if [ "$1" = configure ] && [ -d ${folder} ]; then run-parts --exit-on-error --arg=${release} ${folder}; fi`;
  return [
    {
      name: `linux-image-${release}`,
      version,
      depends: 'kmod, initramfs-tools',
      layer: 2,
      files: {
        [`boot/vmlinuz-${release}`]: { text: 'stand-in: no kernel\n' },
        [`boot/config-${release}`]: { text: 'CONFIG_RD_GZIP=y\nCONFIG_MODULES=y\n' },
        [`${modules}/modules.order`]: { text: '' },
        [`${modules}/modules.builtin`]: { text: '' },
        [`${modules}/modules.builtin.modinfo`]: { text: '' },
      },
      scripts: { postinst: `depmod ${release}\n${hooks('/etc/kernel/postinst.d')}` },
    },
    {
      name: `linux-headers-${release}`,
      version,
      layer: 2,
      files: {
        [`${source.slice(1)}/include/config/auto.conf`]: { text: 'CONFIG_MODULES=y\n' },
        [`${modules}/build`]: { link: source },
      },
      scripts: { postinst: hooks('/etc/kernel/header_postinst.d') },
    },
  ];
}

function fill(tree: string, deb: StandInDeb): void {
  const put = (path: string, text: string, mode = 0o644): void => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
    chmodSync(join(tree, path), mode);
  };
  const control = [
    `Package: ${deb.name}`,
    `Version: ${deb.version}`,
    'Architecture: amd64',
    'Maintainer: Vault Cube rig (stand-in) <stand-in@localhost>',
    ...(deb.depends ? [`Depends: ${deb.depends}`] : []),
    'Description: stand-in without content, for tests',
  ];
  put('DEBIAN/control', `${control.join('\n')}\n`);
  for (const [name, text] of Object.entries(deb.scripts ?? {}))
    put(`DEBIAN/${name}`, `#!/bin/sh\nset -e\n${text}\n`, 0o755);
  for (const [path, what] of Object.entries(deb.files ?? {})) {
    if ('text' in what) put(path, what.text, what.mode);
    else {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      symlinkSync(what.link, join(tree, path));
    }
  }
}

export interface StandIns {
  /** File names in the folder, by layer. */
  2: string[];
  3: string[];
}

/** Builds packages into `folder`, the same inputs into the same bytes; answers with their file names. */
export async function buildDebs(folder: string, debs: readonly StandInDeb[]): Promise<string[]> {
  const work = mkdtempSync(join(tmpdir(), 'vcg-'));
  // dpkg-deb takes later dates back to this one.
  const env = { ...process.env, SOURCE_DATE_EPOCH: '0' };
  const made: string[] = [];
  try {
    for (const deb of debs) {
      const tree = join(work, deb.name);
      fill(tree, deb);
      const name = `${deb.name}_${deb.version}_amd64.deb`;
      const args = ['--root-owner-group', '-Zgzip', '--build', tree, join(folder, name)];
      await must('dpkg-deb', args, { env });
      made.push(name);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return made;
}

/** Builds all packages of layers 2 and 3 into `folder`. */
export async function makeNvidia(folder: string): Promise<StandIns> {
  const all = [...driver(), ...cuda(), ...containerToolkit(), ...KERNELS.flatMap(kernel)];
  const of = (layer: 2 | 3) =>
    buildDebs(
      folder,
      all.filter((deb) => deb.layer === layer),
    );
  return { 2: await of(2), 3: await of(3) };
}
