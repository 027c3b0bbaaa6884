/**
 * What virtual machines are made from, once, below .cache/rig/vm-<key>: a Debian with its kernel, as a live system and as a golden image
 * that starts by UEFI and has a place for first-boot settings (docs/adr/0004-rig.md).
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageManifest } from '../../preload/contract/image.ts';
import { HOLE_HASH, chunkHash, diskRoot } from '../../main/services/flash/source/disk-root.ts';
import { CHUNK_BYTES, isZero } from '../../main/services/flash/source/types.ts';
import { ESP, LINUX, MIB, gpt } from '../unit/flash/partitions.ts';
import { key, withLock } from './build.ts';
import { RIG, ROOT, must, whyNoVm } from './host.ts';
import { RELEASE, rigSources } from './sources.ts';

export interface VmImages {
  dir: string;
  /** Of both systems. */
  kernel: string;
  initrd: string;
  /** The live system's root, to be started with a layer above it. */
  live: string;
  /** qcow2 with manifest.json beside it. */
  golden: string;
}

/** The user of the live system, as Ubuntu Server's has one. */
export const LIVE = { user: 'installer', password: 'live-system' };

const PACKAGES = [
  ...[
    'linux-image-cloud-amd64',
    'initramfs-tools',
    'zstd',
    'systemd-sysv',
    'systemd-boot-efi',
    'udev',
    'dbus',
  ],
  ...['kmod', 'iproute2', 'procps', 'openssh-server', 'sudo', 'python3', 'cloud-init', 'cloud-guest-utils'],
  ...['netplan.io', 'fdisk', 'e2fsprogs'],
];
/** Neither is read by anything here. */
const LEFT_OUT = ['doc', 'man', 'locale', 'info'];
/** What its emulated hardware needs, and no more: the initramfs is unpacked by software. */
const INITRAMFS = {
  'conf.d/vm': 'MODULES=list\nCOMPRESS=zstd\nCOMPRESSLEVEL=1\n',
  modules: 'virtio_pci\nvirtio_blk\nnvme\next4\n',
};
/** Each takes seconds there, and changes nothing that is looked at. */
const MASKED = [
  ...[
    'apt-daily.timer',
    'apt-daily-upgrade.timer',
    'dpkg-db-backup.timer',
    'e2scrub_all.timer',
    'fstrim.timer',
  ],
  ...['e2scrub_reap.service', 'getty@tty1.service', 'serial-getty@ttyS0.service'],
];
const CONSOLE = 'console=ttyS0,115200';

const AT = { esp: MIB, seed: 41 * MIB, root: 45 * MIB };
const ESP_BYTES = 40 * MIB;
const SEED_BYTES = 4 * MIB;
const ROOT_BYTES = 384 * MIB;
const DISK_BYTES = AT.root + ROOT_BYTES + MIB;

const SOURCES = ['rig/vmimages.ts', 'unit/flash/partitions.ts'].map((name) => join(ROOT, 'tests', name));

/** Builds what is missing. `say` is told what takes time. Rejects with the reason where no virtual machine can run. */
export async function vmImages(say: (line: string) => void = () => undefined): Promise<VmImages> {
  const why = whyNoVm();
  const sources = rigSources();
  if (why !== null || sources === null) throw new Error(`no virtual machine can run here: ${why}`);
  const dir = join(RIG, `vm-${key([sources.all], SOURCES)}`);
  const path = (name: string) => join(dir, name);
  const built = {
    ...{ dir, kernel: path('vmlinuz'), initrd: path('initrd'), live: path('live.raw') },
    golden: join(dir, 'golden', 'golden.qcow2'),
  };
  if (existsSync(dir)) return built;
  await withLock('vm', async () => {
    if (existsSync(dir)) return;
    const begun = performance.now();
    const work = `${dir}.new`;
    rmSync(work, { recursive: true, force: true });
    mkdirSync(join(work, 'golden'), { recursive: true });
    // With updates, unlike the box: else an image's build would begin with another kernel, whose initramfs takes minutes in software.
    await make(work, sources.all.split('\n'));
    renameSync(work, dir);
    for (const name of readdirSync(RIG))
      if (name.startsWith('vm-') && join(RIG, name) !== dir) rmSync(join(RIG, name), { recursive: true });
    say(`images of virtual machines built in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  });
  return built;
}

async function make(dir: string, sources: readonly string[]): Promise<void> {
  const tree = join(dir, 'tree');
  const put = (path: string, text: string) => {
    mkdirSync(join(tree, path, '..'), { recursive: true });
    writeFileSync(join(tree, path), text);
  };
  for (const [name, text] of Object.entries(INITRAMFS)) put(`etc/initramfs-tools/${name}`, text);
  const options = LEFT_OUT.map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
  const args = [
    '--variant=apt',
    `--include=${PACKAGES.join(',')}`,
    '--aptopt=Apt::Install-Recommends "false"',
  ];
  // It wants an empty folder, and the initramfs is made while packages are configured.
  const hook = `--setup-hook=cp -a ${join(tree, 'etc')} "$1"/`;
  const fresh = join(dir, 'fresh');
  await must('mmdebstrap', [
    ...args,
    ...options,
    hook,
    '--format=directory',
    '--quiet',
    RELEASE,
    fresh,
    ...sources,
  ]);
  rmSync(tree, { recursive: true });
  renameSync(fresh, tree);

  for (const folder of ['etc/apt/sources.list.d', 'var/lib/apt/lists', 'var/cache/apt'])
    rmSync(join(tree, folder), { recursive: true, force: true });
  for (const name of readdirSync(join(tree, 'etc/ssh')))
    if (name.startsWith('ssh_host_')) rmSync(join(tree, 'etc/ssh', name));
  rmSync(join(tree, 'etc/resolv.conf'), { force: true });
  put('etc/resolv.conf', '');
  put('etc/hostname', 'golden\n');
  put('etc/hosts', '127.0.0.1 localhost\n127.0.1.1 golden\n');
  // Not "uninitialized": units that are enabled already would be set anew, and RSA keys made for minutes.
  put('etc/machine-id', '');
  put('etc/vault-cube/evidence', 'stand-in\n');
  await must('chroot', [tree, 'systemctl', 'mask', '--quiet', ...MASKED]);
  const boot = (start: string): string => {
    const [name = ''] = readdirSync(join(tree, 'boot')).filter((one) => one.startsWith(start));
    return join(tree, 'boot', name);
  };
  copyFileSync(boot('vmlinuz-'), join(dir, 'vmlinuz'));
  copyFileSync(boot('initrd.img-'), join(dir, 'initrd'));
  // Both systems start them from elsewhere.
  for (const start of ['vmlinuz-', 'initrd.img-']) rmSync(boot(start));
  // Else what packages brought is looked through once more at the first boot.
  for (const folder of ['etc', 'var']) put(`${folder}/.updated`, '');
  await golden(dir, tree, put);
  await live(dir, tree, put);
  rmSync(tree, { recursive: true });
}

type Put = (path: string, text: string) => void;

const ext4 = (file: string, tree: string) =>
  must('mke2fs', ['-q', '-t', 'ext4', '-L', 'root', '-d', tree, file, `${ROOT_BYTES / MIB}M`]);

async function golden(dir: string, tree: string, put: Put): Promise<void> {
  put('etc/fstab', 'LABEL=root / ext4 errors=remount-ro 0 1\n');
  const [root, esp, raw] = ['root.raw', 'esp.raw', 'disk.raw'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  await ext4(root, tree);
  await startable(dir, tree, esp);
  writeFileSync(raw, '');
  truncateSync(raw, DISK_BYTES);
  const disk = await open(raw, 'r+');
  const partitions = [
    { type: ESP, first: AT.esp, length: ESP_BYTES, name: 'ESP' },
    { type: LINUX, first: AT.seed, length: SEED_BYTES, name: 'CIDATA' },
    { type: LINUX, first: AT.root, length: ROOT_BYTES, name: 'root' },
  ];
  for (const { at, bytes } of gpt(DISK_BYTES, 512, partitions)) await disk.write(bytes, 0, bytes.length, at);
  await disk.close();
  for (const [file, at] of [
    [esp, AT.esp],
    [root, AT.root],
  ] as const)
    await must('dd', [
      `if=${file}`,
      `of=${raw}`,
      'bs=1M',
      `seek=${at / MIB}`,
      'conv=notrunc,sparse',
      'status=none',
    ]);
  const image = join(dir, 'golden', 'golden.qcow2');
  await must('qemu-img', [
    'convert',
    '-f',
    'raw',
    '-O',
    'qcow2',
    '-c',
    '-o',
    'compression_type=zstd',
    raw,
    image,
  ]);
  const manifest: ImageManifest = {
    ...{
      v: 1,
      name: 'stand-in',
      version: '1',
      file: 'golden.qcow2',
      virtualSize: DISK_BYTES,
      hash: 'sha256',
    },
    fileSha256: createHash('sha256').update(readFileSync(image)).digest('hex'),
    ...{ diskRoot: await rootOf(raw), chunkBytes: CHUNK_BYTES, created: new Date().toISOString() },
    labels: ['stand-in: Debian'],
  };
  writeFileSync(join(dir, 'golden', 'manifest.json'), JSON.stringify(manifest));
  for (const file of [root, esp, raw]) rmSync(file);
}

/** An EFI partition whose loader asks nobody. */
async function startable(dir: string, tree: string, file: string): Promise<void> {
  writeFileSync(file, '');
  truncateSync(file, ESP_BYTES);
  await must('mkfs.vfat', ['-F', '32', '-s', '1', '-n', 'ESP', file]);
  const mtools = (tool: string, ...args: string[]) => must(tool, ['-i', file, ...args]);
  await mtools('mmd', '::/EFI', '::/EFI/BOOT', '::/loader', '::/loader/entries', '::/debian');
  const loader = join(tree, 'usr/lib/systemd/boot/efi/systemd-bootx64.efi');
  await mtools('mcopy', loader, '::/EFI/BOOT/BOOTX64.EFI');
  await mtools('mcopy', join(dir, 'vmlinuz'), join(dir, 'initrd'), '::/debian/');
  const texts = {
    '::/loader/loader.conf': 'timeout 0\ndefault debian.conf\n',
    '::/loader/entries/debian.conf': `title Debian\nlinux /debian/vmlinuz\ninitrd /debian/initrd\noptions root=LABEL=root rw ${CONSOLE}\n`,
  };
  for (const [at, text] of Object.entries(texts)) {
    const from = join(dir, 'text');
    writeFileSync(from, text);
    await mtools('mcopy', from, at);
    rmSync(from);
  }
}

/** As the builder of a golden image writes it: from the disk itself. */
async function rootOf(raw: string): Promise<string> {
  const file = await open(raw, 'r');
  const hashes: Buffer[] = [];
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (let at = 0; at < DISK_BYTES; at += CHUNK_BYTES) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, at);
    const part = chunk.subarray(0, bytesRead);
    hashes.push(isZero(part) ? HOLE_HASH : await chunkHash(part));
  }
  await file.close();
  return diskRoot(DISK_BYTES, hashes);
}

/** First user with a password, sshd with keys of this boot alone, which its console shows. */
async function live(dir: string, tree: string, put: Put): Promise<void> {
  put('etc/hostname', 'live\n');
  put('etc/hosts', '127.0.0.1 localhost\n127.0.1.1 live\n');
  put('etc/fstab', '');
  put('etc/cloud/cloud-init.disabled', '');
  put(
    'etc/systemd/network/10-vm.network',
    '[Match]\nName=e*\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\n',
  );
  const keyFile = '/etc/ssh/ssh_host_ed25519_key';
  put(
    'etc/systemd/system/ssh.service.d/live.conf',
    `[Service]\nExecStartPre=\nExecStartPre=/bin/sh -c 'test -e ${keyFile} || ssh-keygen -q -t ed25519 -N "" -f ${keyFile}'\nExecStartPre=/bin/sh -c 'ssh-keygen -lf ${keyFile}.pub >/dev/console'\n`,
  );
  await must('chroot', [tree, 'systemctl', 'enable', '--quiet', 'systemd-networkd.service']);
  await must('chroot', [tree, 'useradd', '-m', '-s', '/bin/bash', '-G', 'sudo', LIVE.user]);
  await must('chroot', [tree, 'chpasswd', '-c', 'SHA256'], { input: `${LIVE.user}:${LIVE.password}\n` });
  await ext4(join(dir, 'live.raw'), tree);
}

/** The command line of the live system's kernel. */
export const LIVE_APPEND = `root=LABEL=root rw ${CONSOLE}`;
