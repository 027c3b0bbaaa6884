/** The stand-in box's root file system, as a server looks that was just installed with OpenSSH and nothing else. */
import { chmodSync, copyFileSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, must } from './host.ts';
import { RELEASE, type Sources } from './sources.ts';

/** What the Debian installer's "important" set lacks of a server with OpenSSH; nothing that layer 1 is there to bring. */
const PACKAGES = [
  ...['systemd-sysv', 'dbus', 'udev', 'kmod', 'iproute2'],
  ...['openssh-server', 'sudo', 'python3', 'ca-certificates'],
];
/** Groups of the first user that Debian's installer makes, sudo among them as root gets no password. */
const GROUPS = 'sudo,cdrom,floppy,audio,dip,video,plugdev,users';
/** A box has no way to the mirror; a short name that resolves keeps sudo from waiting for one. */
const HOSTNAME = 'vault-cube';

/** Recordings that the stand-in nvidia-smi replays. */
export const RECORDINGS = [
  'list.txt',
  'query-static.csv',
  'telemetry.csv',
  'q-idle.xml',
  'smi.txt',
  'host-and-fields.txt',
];
export const FIXTURES = join(ROOT, 'tests', 'fixtures', 'nvidia-smi-2xh100');
export const STAND_IN = join(ROOT, 'tests', 'rig', 'standin', 'nvidia_smi.py');

function put(root: string, path: string, text: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
}

function putStandIn(root: string): void {
  const data = join(root, 'usr/local/share/vault-cube-stand-in');
  mkdirSync(data, { recursive: true });
  for (const name of RECORDINGS) copyFileSync(join(FIXTURES, name), join(data, name));
  copyFileSync(STAND_IN, join(root, 'usr/local/bin/nvidia-smi'));
  chmodSync(join(root, 'usr/local/bin/nvidia-smi'), 0o755);
  put(root, 'etc/vault-cube/evidence', 'stand-in\n');
}

/**
 * Makes the tree at `root` from Debian packages. Only the release itself goes in, so that updates since then are pending, as on
 * a machine installed from a medium; the sources name everything. What differs from box to box (host keys, machine id, address,
 * passwords) is not in it.
 */
export async function makeRoot(root: string, sources: Sources): Promise<void> {
  const work = `${root}.new`;
  rmSync(work, { recursive: true, force: true });
  const args = ['--variant=important', `--include=${PACKAGES.join(',')}`, '--components=main,contrib'];
  await must('mmdebstrap', [...args, '--format=directory', '--quiet', RELEASE, work, sources.release]);
  const lists = join(work, 'etc/apt/sources.list.d');
  for (const name of readdirSync(lists)) rmSync(join(lists, name));
  put(work, 'etc/apt/sources.list', `${sources.all}\n`);
  put(work, 'etc/hostname', `${HOSTNAME}\n`);
  put(work, 'etc/hosts', `127.0.0.1 localhost\n127.0.1.1 ${HOSTNAME}\n::1 localhost ip6-localhost\n`);
  rmSync(join(work, 'etc/resolv.conf'), { force: true });
  put(work, 'etc/resolv.conf', '');
  const ssh = join(work, 'etc/ssh');
  for (const name of readdirSync(ssh)) if (name.startsWith('ssh_host_')) rmSync(join(ssh, name));
  put(work, 'etc/machine-id', '');
  const user = ['useradd', '-m', '-s', '/bin/bash', '-u', '1000', '-U', '-G', GROUPS, 'installer'];
  await must('chroot', [work, ...user]);
  await must('chroot', [work, 'systemctl', 'enable', '--quiet', 'systemd-networkd.service']);
  putStandIn(work);
  renameSync(work, root);
}
