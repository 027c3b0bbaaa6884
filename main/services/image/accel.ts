/** Whether KVM runs a guest here is found by running one: a boot sector that ends its machine with a number. A device file says little. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printed } from '../programs.ts';

export type Accel = 'kvm' | 'tcg';

/** For QEMU's -accel and -cpu. */
export const ACCEL_ARGS: Record<Accel, { accel: string; cpu: string }> = {
  kvm: { accel: 'kvm', cpu: 'host' },
  // What a richer processor can do costs more in software than it brings, and one that runs guests has the kernel load KVM.
  tcg: { accel: 'tcg,thread=multi,tb-size=512', cpu: 'qemu64,-svm' },
};

/** Half a second is usual; a machine may be busy. */
const TRY_MS = 60_000;
/** mov al, 0x10; out 0xf4, al; hlt. The exit device makes 0x10 * 2 + 1 of it. */
const PROGRAM = [0xb0, 0x10, 0xe6, 0xf4, 0xf4];
const ENDS_WITH = 0x21;

/** Null where a guest ran; else why not. */
export async function whyNotAccel(accel: Accel): Promise<string | null> {
  const dir = mkdtempSync(join(tmpdir(), 'vault-cube-accel-'));
  try {
    const disk = join(dir, 'boot.raw');
    const sector = Buffer.alloc(512);
    Buffer.from(PROGRAM).copy(sector);
    sector.writeUInt16LE(0xaa55, 510);
    writeFileSync(disk, sector);
    const args = [
      // The processor of the builds: a processor that can be named is not always one that runs.
      ...[
        '-machine',
        'pc',
        '-accel',
        accel,
        '-cpu',
        ACCEL_ARGS[accel].cpu,
        '-m',
        '32',
        '-display',
        'none',
        '-nodefaults',
        '-no-reboot',
      ],
      ...['-drive', `file=${disk},format=raw,if=ide`, '-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'],
    ];
    const { stderr, error } = await printed('qemu-system-x86_64', args, { timeout: TRY_MS });
    if (error?.code === ENDS_WITH) return null;
    // QEMU ends in order when its time is over.
    if (!error || error.killed) return `a guest did not run to its end within ${TRY_MS / 1000} s`;
    const lines = stderr.trim().split('\n');
    const told = lines.find((line) => line.includes('error')) ?? lines.at(-1);
    return told?.replace(/^qemu-system-x86_64: /, '') || `QEMU ended with ${error.code}`;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** KVM where it works, else software. */
export const chooseAccel = async (): Promise<Accel> => ((await whyNotAccel('kvm')) === null ? 'kvm' : 'tcg');
