/** Images with a partition for first-boot settings, and what a flash has put into it. */
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { parse } from 'yaml';
import { fatVolume } from '../../main/services/flash/seed/fat.ts';
import type { HostKey } from '../../main/services/flash/seed/make.ts';
import type { FirstBootOrder } from '../../main/services/flash/flash.ts';
import { ESP, LINUX, MIB, type Made } from '../unit/flash/partitions.ts';
import type { RigBox } from '../rig/box.ts';
import { readFat } from '../unit/flash/seed/readfat.ts';
import { FIXED } from '../unit/flash/seed/settings.ts';
import type { Desk } from './flash.ts';

/** In chunks 3 and 4, each of which it has with another partition. */
export const SEED = { offset: 13.5 * MIB, length: 4 * MIB };
export const SEEDED: Made = {
  size: 48 * MIB,
  partitions: [
    { type: ESP, first: 9 * MIB, length: 4 * MIB },
    { type: LINUX, first: SEED.offset, length: SEED.length },
    { type: LINUX, first: 18 * MIB, length: 24 * MIB },
  ],
  data: [
    { at: 9 * MIB, length: 4 * MIB, seed: 1 },
    { at: 18 * MIB, length: 13 * MIB, seed: 2 },
    { at: 37 * MIB + 512, length: 2 * MIB, seed: 3 },
  ],
};
/** Both tables and the ESP's first block. */
export const TABLES = [0, 2, 11];
/** crypt(3) of "x", of as few rounds as there may be. */
export const HASH = '$6$rounds=1000$abcdefghijklmnop$planted-in-place-of-a-hash';

/** With a volume that the builder of the image left there, labelled and with a file. */
export const seededImage = (desk: Desk, name: string): string => labelled(desk.raw(name, SEEDED));

/** The same, of a disk that is a file. Returns its path. */
export function labelled(raw: string): string {
  const volume = fatVolume({
    ...{ bytes: SEED.length, sectorBytes: 512, label: 'CIDATA', volumeId: 7, at: new Date('2026-01-01') },
    files: [{ name: 'user-data', bytes: Buffer.from('#cloud-config\n{}\n') }],
  });
  const fd = openSync(raw, 'r+');
  writeSync(fd, volume, 0, volume.length, SEED.offset);
  closeSync(fd);
  return raw;
}

/** An order, and what it was told. */
export function firstBoot(
  onHostKey: FirstBootOrder['onHostKey'] = () => undefined,
  { settings = FIXED, passwordHash = HASH }: Partial<Omit<FirstBootOrder, 'onHostKey'>> = {},
) {
  const keys: HostKey[] = [];
  const order: FirstBootOrder = {
    ...{ settings, passwordHash },
    onHostKey: (key, layers) => {
      keys.push(key);
      onHostKey(key, layers);
    },
  };
  return { order, keys };
}

export function partitionOf(path: string): Buffer {
  const bytes = Buffer.alloc(SEED.length);
  const fd = openSync(path, 'r');
  readSync(fd, bytes, 0, bytes.length, SEED.offset);
  closeSync(fd);
  return bytes;
}

/** All of a disk but the partition. */
export function aroundOf(path: string): Buffer {
  const bytes = readFileSync(path).subarray(0, SEEDED.size);
  return Buffer.concat([bytes.subarray(0, SEED.offset), bytes.subarray(SEED.offset + SEED.length)]);
}

export interface UserData {
  hostname: string;
  users: { name: string; hashed_passwd: string; ssh_authorized_keys: string[] }[];
  ssh_keys: { ed25519_private: string; ed25519_public: string };
}

/** The seed as cloud-init would read it. */
export function seedOn(path: string): { user: UserData; meta: Record<string, string>; network: unknown } {
  const { files, labels } = readFat(partitionOf(path));
  if (labels.some((label) => label.trim() !== 'CIDATA')) throw new Error(`labelled ${labels.join()}`);
  const of = (name: string): unknown => parse(files.get(name)?.toString('utf8') ?? '');
  return {
    user: of('user-data') as UserData,
    meta: of('meta-data') as Record<string, string>,
    network: of('network-config'),
  };
}

/** The box as its seed says, from its next boot on. */
export async function asSeeded(box: RigBox, { hostname, users, ssh_keys: hostKey }: UserData): Promise<void> {
  const [admin] = users;
  if (!admin) throw new Error('the seed has no user');
  const { name, hashed_passwd: hash, ssh_authorized_keys: keys } = admin;
  const script = `set -e
    getent group vaultcube || groupadd --system vaultcube
    useradd -m -s /bin/bash -G sudo,vaultcube -p '${hash}' ${name}
    install -d -m 700 -o ${name} -g ${name} /home/${name}/.ssh
    echo '${keys.join('\n')}' >/home/${name}/.ssh/authorized_keys
    chown ${name}: /home/${name}/.ssh/authorized_keys
    echo ${hostname} >/etc/hostname
    echo '127.0.1.1 ${hostname}' >>/etc/hosts
    rm /etc/ssh/ssh_host_*
    echo '${hostKey.ed25519_public}' >/etc/ssh/ssh_host_ed25519_key.pub
    umask 077
    cat >/etc/ssh/ssh_host_ed25519_key`;
  const done = await box.sh(script, { input: hostKey.ed25519_private });
  if (done.code !== 0) throw new Error(done.stderr);
}
