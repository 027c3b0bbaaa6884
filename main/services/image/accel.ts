/** Whether KVM runs a guest here is found by running one: a boot sector that ends its machine with a number. A device file says little. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printed } from '../programs.ts';

export type Accel = 'kvm' | 'tcg';

/** For QEMU's -accel and -cpu. */
export const ACCEL_ARGS: Record<Accel, { accel: string; cpu: string }> = {
  kvm: { accel: 'kvm', cpu: 'host' },
  tcg: { accel: 'tcg,thread=multi,tb-size=512', cpu: 'qemu64' },
};

const TRY_MS = 20_000;
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
      ...['-machine', 'pc', '-accel', accel, '-m', '32', '-display', 'none', '-nodefaults', '-no-reboot'],
      ...['-drive', `file=${disk},format=raw,if=ide`, '-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'],
    ];
    const { stderr, error } = await printed('qemu-system-x86_64', args, { timeout: TRY_MS });
    if (error?.code === ENDS_WITH) return null;
    if (error?.killed) return `a guest did not run to its end within ${TRY_MS / 1000} s`;
    return (
      stderr
        .trim()
        .split('\n')
        .at(-1)
        ?.replace(/^qemu-system-x86_64: /, '') || `QEMU ended with ${error?.code ?? 0}`
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** KVM where it works, else software. */
export const chooseAccel = async (): Promise<Accel> => ((await whyNotAccel('kvm')) === null ? 'kvm' : 'tcg');
