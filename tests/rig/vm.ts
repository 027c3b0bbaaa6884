/**
 * A virtual machine with a disk to be flashed: booted from a live system, or by its firmware from that disk (docs/adr/0004-rig.md). QEMU
 * in software; its network is this process's, and no packet leaves the machine.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { sshAnswers } from './box.ts';
import { OVMF, until } from './host.ts';
import { LIVE_APPEND, vmImages, type VmImages } from './vmimages.ts';
import { cleanUpVms, vmFolder } from './vmplace.ts';

export { whyNoVm } from './host.ts';
export { LIVE } from './vmimages.ts';

const MEMORY_MIB = 1024;
const END_MS = 10_000;
/** To sshd's banner, in software on a busy machine. */
const BANNER_MS = 15_000;
/** Of a command that fails: Linux's nvme_core.max_retries is 5. */
const NVME_TRIES = 6;
/** Software emulation on a busy machine. */
export const BOOT_MS = 480_000;

/** A port of this machine that nobody has. */
function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

export class Vm {
  readonly host = '127.0.0.1';
  /** Forwarded to its sshd. */
  readonly port: number;
  /** Of its NVMe disk. */
  readonly serial: string;
  readonly images: VmImages;
  readonly #dir: string;
  #qemu: ChildProcess | null = null;
  #boots = 0;

  private constructor(images: VmImages, dir: string, port: number) {
    this.images = images;
    this.#dir = dir;
    this.port = port;
    this.serial = `VCVM${String(port).padStart(6, '0')}`;
  }

  /** One that is off, with an empty disk of this size in bytes. Builds the images where that was not done. */
  static async make(diskBytes: number): Promise<Vm> {
    cleanUpVms();
    const images = await vmImages();
    const vm = new Vm(images, vmFolder(), await freePort());
    writeFileSync(vm.disk, '');
    truncateSync(vm.disk, diskBytes);
    copyFileSync(join(OVMF, 'OVMF_VARS_4M.fd'), vm.#path('vars.fd'));
    return vm;
  }

  #path(name: string): string {
    return join(this.#dir, name);
  }

  /** The file of its disk. */
  get disk(): string {
    return this.#path('disk.raw');
  }

  get on(): boolean {
    return this.#qemu !== null;
  }

  /** What it wrote to its console since it was started last. */
  console(): string {
    const log = this.#path(`console-${this.#boots}.log`);
    return existsSync(log) ? readFileSync(log, 'latin1').replaceAll('\r', '') : '';
  }

  /**
   * From the stick: the live system, which forgets all at its end. `sickAt`: a byte of the disk that takes no data for a while, by QEMU's
   * blkdebug: EIO for a request that touches it, as often as Linux tries one.
   */
  startLive(sickAt?: number): void {
    const { kernel, initrd, live } = this.images;
    this.#start(sickAt === undefined ? this.#sound() : this.#sick(sickAt), [
      ...['-kernel', kernel, '-initrd', initrd, '-append', LIVE_APPEND],
      ...[
        '-drive',
        `if=none,id=stick,file=${live},format=raw,snapshot=on`,
        '-device',
        'virtio-blk-pci,drive=stick',
      ],
    ]);
  }

  /** The stick is out: the firmware has the disk alone. */
  startDisk(): void {
    this.#start(this.#sound(), [
      ...['-drive', `if=pflash,format=raw,readonly=on,file=${join(OVMF, 'OVMF_CODE_4M.fd')}`],
      ...['-drive', `if=pflash,format=raw,file=${this.#path('vars.fd')}`],
    ]);
  }

  #sound(): string[] {
    return ['-drive', `if=none,id=disk,file=${this.disk},format=raw,discard=unmap,detect-zeroes=unmap`];
  }

  #sick(at: number): string[] {
    const rule = { event: 'none', iotype: 'write', sector: Math.floor(at / 512), errno: 5, once: true };
    const nodes: object[] = [
      { 'node-name': 'file', driver: 'file', filename: this.disk, discard: 'unmap' },
      {
        ...{ 'node-name': 'sick', driver: 'blkdebug', image: 'file' },
        'inject-error': Array.from({ length: NVME_TRIES }, () => rule),
      },
      {
        ...{ 'node-name': 'disk', driver: 'raw', file: 'sick', discard: 'unmap' },
        'detect-zeroes': 'unmap',
      },
    ];
    return nodes.flatMap((node) => ['-blockdev', JSON.stringify(node)]);
  }

  #start(disk: readonly string[], medium: readonly string[]): void {
    if (this.#qemu) throw new Error('the virtual machine is on already');
    this.#boots += 1;
    const args = [
      ...[
        '-machine',
        'q35,smm=off',
        '-accel',
        'tcg,thread=multi,tb-size=512',
        '-smp',
        '2',
        '-m',
        String(MEMORY_MIB),
      ],
      ...[
        '-display',
        'none',
        '-nodefaults',
        '-no-reboot',
        '-serial',
        `file:${this.#path(`console-${this.#boots}.log`)}`,
      ],
      ...disk,
      ...['-device', `nvme,drive=disk,serial=${this.serial}`],
      // Nothing but this one port leads in, and nothing out.
      ...['-netdev', `user,id=net,restrict=on,hostfwd=tcp:${this.host}:${this.port}-:22`],
      ...['-device', 'virtio-net-pci,netdev=net,romfile=', '-device', 'virtio-rng-pci'],
      ...medium,
    ];
    const log = openSync(this.#path('qemu.log'), 'a');
    // However this process ends, the kernel then ends QEMU.
    const qemu = spawn('setpriv', ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...args], {
      stdio: ['ignore', log, log],
      // For what the live system writes over its stick.
      env: { ...process.env, TMPDIR: this.#dir },
    });
    closeSync(log);
    this.#qemu = qemu;
    const gone = () => {
      if (this.#qemu === qemu) this.#qemu = null;
    };
    qemu.once('error', gone);
    qemu.once('exit', gone);
  }

  #mustBeOn(): void {
    if (!this.on)
      throw new Error(
        `the virtual machine ended: ${readFileSync(this.#path('qemu.log'), 'utf8')}\n${this.console().slice(-2000)}`,
      );
  }

  /** Resolves when its sshd shows its banner. */
  async waitForSsh(ms = BOOT_MS): Promise<void> {
    await until(
      'SSH of the virtual machine',
      () => {
        this.#mustBeOn();
        return sshAnswers(this.host, this.port, BANNER_MS);
      },
      ms,
    );
  }

  /** Resolves with the fingerprint of the live system's host key, as its console shows it. */
  async fingerprint(ms = BOOT_MS): Promise<string> {
    let found: string | undefined;
    await until(
      'the host key on the console',
      () => {
        this.#mustBeOn();
        found = /256 (SHA256:[A-Za-z0-9+/]{43}) .*\(ED25519\)/.exec(this.console())?.[1];
        return found !== undefined;
      },
      ms,
    );
    return found ?? '';
  }

  /** Resolves when the system has ended by itself: it was told to reboot, and is not started again. */
  async ended(ms = BOOT_MS): Promise<void> {
    await until('the end of the virtual machine', () => !this.on, ms);
  }

  /** Ends it at once and removes all of it. */
  async remove(): Promise<void> {
    this.#qemu?.kill('SIGKILL');
    await until('the end of QEMU', () => !this.on, END_MS);
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
