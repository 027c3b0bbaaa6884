/** Whether a finished system has anything left of its build: found by looking into it, mounted read-only. */
import { existsSync, lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface Finding {
  id: string;
  title: string;
  /** Empty where nothing is left. */
  left: string[];
}

const MOST = 5;

function below(root: string, folder: string, match: (name: string) => boolean = () => true): string[] {
  const at = join(root, folder);
  if (!existsSync(at)) return [];
  return readdirSync(at)
    .filter(match)
    .map((name) => `${folder}/${name}`);
}

function filesBelow(root: string, folder: string): string[] {
  return below(root, folder).flatMap((path) => {
    const stat = lstatSync(join(root, path));
    return stat.isDirectory() ? filesBelow(root, path) : [path];
  });
}

const text = (root: string, path: string): string =>
  existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : '';

/** Users whose password could be known to somebody. */
function passwords(root: string): string[] {
  return text(root, 'etc/shadow')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'))
    .filter(([, hash = '']) => !/^[!*]/.test(hash))
    .map(([name = '']) => `${name} has a password in etc/shadow`);
}

const homes = (root: string): string[] => [...below(root, 'home'), 'root'];

/** `key`: of the build; no file of a home or of /etc may have it. */
export function lookCleaned(root: string, key: string): Finding[] {
  const find = (id: string, title: string, left: string[]): Finding => ({
    id,
    title,
    left: left.length > MOST ? [...left.slice(0, MOST), `and ${left.length - MOST} more`] : left,
  });
  const ssh = homes(root).flatMap((home) => below(root, `${home}/.ssh`));
  const blob = key.split(' ')[1] ?? key;
  const withKey = [...filesBelow(root, 'etc'), ...ssh].filter((path) => {
    const stat = lstatSync(join(root, path));
    return stat.isFile() && stat.size < 1_000_000 && text(root, path).includes(blob);
  });
  return [
    find('p5_apt', "apt's lists and archives are empty", [
      ...below(root, 'var/lib/apt/lists', (name) => name !== 'partial' && name !== 'lock'),
      ...below(root, 'var/cache/apt/archives', (name) => name.endsWith('.deb')),
      ...below(root, 'var/lib/vault-cube', (name) => name === 'bundle' || name === 'apt'),
      ...below(root, 'etc/dpkg/dpkg.cfg.d', (name) => name === 'image-build'),
    ]),
    find('p5_services', 'Packages start their services', [
      ...below(root, 'usr/sbin', (name) => name === 'policy-rc.d'),
      ...below(root, 'usr/local/sbin', (name) => name === 'image-build-dpkg'),
      ...below(root, 'etc/apt/apt.conf.d', (name) => name === 'zz-image-build'),
    ]),
    // A link there is systemd's own README.
    find(
      'p5_logs',
      'No logs',
      filesBelow(root, 'var/log').filter((path) => lstatSync(join(root, path)).isFile()),
    ),
    find('p5_machine_id', 'No machine id', [
      ...(text(root, 'etc/machine-id') === '' ? [] : ['etc/machine-id']),
      ...below(root, 'var/lib/dbus', (name) => name === 'machine-id'),
    ]),
    find(
      'p5_host_keys',
      'No SSH host keys: the first boot makes them',
      below(root, 'etc/ssh', (name) => /^ssh_host_.*_key/.test(name)),
    ),
    find('p5_cloud_init', 'cloud-init takes the next boot for a first one', below(root, 'var/lib/cloud')),
    find('p5_passwords', 'No passwords', passwords(root)),
    find('p5_keys', 'No keys that log in', [...ssh, ...withKey]),
    find(
      'p5_sudo',
      'Nobody uses sudo without a password',
      filesBelow(root, 'etc/sudoers.d').filter((path) => /^[^#\n]*NOPASSWD/m.test(text(root, path))),
    ),
    find('p5_history', 'No histories, nothing in temporary folders', [
      ...homes(root).flatMap((home) =>
        below(root, home, (name) => /^\.(bash_history|ansible|viminfo|cache)$/.test(name)),
      ),
      ...filesBelow(root, 'tmp'),
      ...filesBelow(root, 'var/tmp'),
    ]),
    find(
      'p5_random',
      'No seed of random numbers',
      below(root, 'var/lib/systemd', (n) => /^(random-seed|credential\.secret)$/.test(n)),
    ),
  ];
}
