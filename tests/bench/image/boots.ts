/** Whether a set of an image starts a machine: flashed by the command with first-boot settings, started by UEFI, met by its pinned key. */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Laptop } from '../../integration/cli.ts';
import { must, run, until } from '../../rig/host.ts';
import { Vm } from '../../rig/vm.ts';

const PASSWORD = 'correct horse battery';

export interface Booted {
  flashSeconds: number;
  bootSeconds: number;
  /** What the machine answered to a login by key alone. */
  said: string;
  sudo: boolean;
  passwordLogin: boolean;
}

/** `image` with its manifest beside it; `diskBytes` of the machine's disk. Rejects with the console's end where it does not start. */
export async function boots(image: string, diskBytes: number): Promise<Booted> {
  const laptop = new Laptop();
  const vm = await Vm.make(diskBytes);
  const seconds = (since: number) => Math.round((performance.now() - since) / 1000);
  try {
    const key = join(laptop.home, 'kim');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    const first = join(laptop.home, 'first.json');
    writeFileSync(first, JSON.stringify({ hostname: 'vc-0042', authorizedKeyFile: 'kim.pub' }));
    laptop.secrets = { sudoPassword: PASSWORD };
    let begun = performance.now();
    // A file that is not there needs nobody's word.
    rmSync(vm.disk);
    const flashed = await laptop.run(
      'flash',
      '--image',
      image,
      '--target',
      `file:${vm.disk}`,
      '--first-boot',
      first,
    );
    if (flashed.code !== 0) throw new Error(`the flash failed: ${JSON.stringify(flashed.last)}`);
    // The file is then as long as the image's disk; the machine's is longer, as a box's is.
    execFileSync('truncate', ['-s', `>${diskBytes}`, vm.disk]);
    const flashSeconds = seconds(begun);
    begun = performance.now();
    vm.startDisk();
    await vm.waitForSsh(1_200_000);
    const bootSeconds = seconds(begun);
    const known = join(laptop.home, 'known');
    const ssh = (how: string[], ...command: string[]) =>
      run(
        'ssh',
        [
          ...['-o', `UserKnownHostsFile=${known}`, '-o', 'StrictHostKeyChecking=yes', '-o', 'BatchMode=yes'],
          ...['-o', 'ConnectTimeout=120', '-p', String(vm.port), ...how, `vaultadmin@${vm.host}`, ...command],
        ],
        { input: `${PASSWORD}\n` },
      );
    const keyed = ['-i', key, '-o', 'PreferredAuthentications=publickey'];
    // sshd answers before cloud-init has set it up, and is started anew then: a connection of that moment is closed.
    const settled = async (): Promise<boolean> => {
      const scan = await run('ssh-keyscan', ['-t', 'ed25519', '-p', String(vm.port), vm.host]);
      writeFileSync(known, scan.stdout);
      return scan.code === 0 && (await ssh(keyed, 'cloud-init status --wait')).code !== 255;
    };
    await until('the end of the first start', settled, 600_000);
    const print = await must('ssh-keygen', ['-lf', known]);
    if (!print.includes(String(flashed.last['hostKey'])))
      throw new Error(`another host key than was pinned: ${print}`);
    const told = await ssh(
      keyed,
      'hostname; systemctl is-active docker fail2ban ssh; ls /usr/local/bin; df -h --output=size / | tail -1',
    );
    if (told.code !== 0) throw new Error(`no login by key: ${told.stderr}\n${vm.console().slice(-3000)}`);
    const sudo = await ssh(keyed, "sudo -S -p '' -k id -u");
    const word = await ssh(
      ['-o', 'PreferredAuthentications=password', '-o', 'PubkeyAuthentication=no'],
      'id',
    );
    return {
      flashSeconds,
      bootSeconds,
      said: told.stdout,
      sudo: sudo.stdout.trim() === '0',
      passwordLogin: word.code === 0,
    };
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${vm.console().slice(-2000)}`, { cause: error });
  } finally {
    await vm.remove();
    laptop.remove();
  }
}
