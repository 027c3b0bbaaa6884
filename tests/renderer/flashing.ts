/** A box on the path *flash a disk here*, its flash as recorded or cut short, and disks and images as main tells them. */
import type { BoxState } from '../../preload/contract/calls.ts';
import type { Disk, NotOffered } from '../../preload/contract/disk.ts';
import { AppError, type ErrorCode, type ErrorFacts } from '../../preload/contract/errors.ts';
import type { DiskList, ImageLook } from '../../preload/contract/flash.ts';
import { ENDED, type JobState } from '../../preload/contract/job.ts';
import type { Session } from '../../preload/contract/session.ts';
import { stepsOf } from '../../preload/contract/steps.ts';
import { boxWith } from './boxes.ts';
import { FakeMain } from './main.ts';
import { begun, recorded, type Recording } from './recordings.ts';

export const IMAGE = '/home/kim/images/vault-cube-demo-box-v1.0.raw';
export const SERIAL = 'S6Z1NF0W7F3A';
export const NAME = 'Samsung SSD 990 PRO 2TB';

export const look = (more: Partial<ImageLook> = {}): ImageLook => ({
  ...{ path: IMAGE, kind: 'qcow2', fileBytes: 6_200_000_000, virtualSize: 53_687_091_200 },
  manifest: {
    ...{ name: 'vault-cube-demo-box', version: '1.0', created: '2026-11-24T05:00:00Z' },
    labels: ['GPU layers installed, not proven'],
  },
  ...{ proof: 'disk_hash', proofFrom: '/home/kim/images/manifest.json' },
  ...more,
});

const part = (number: number | null, fileSystem: string | null, label: string | null, size: number) => ({
  ...{ number, size, fileSystem, label, partitionLabel: null, mountpoints: [] },
});

export const disk = (more: Partial<Disk> = {}): Disk => ({
  ...{ path: '/dev/sda', serial: SERIAL, vendor: 'Samsung', model: 'SSD 990 PRO 2TB' },
  ...{ size: 2_000_398_934_016, bus: 'usb', removable: true, readOnly: false, logicalBlock: 512 },
  table: 'gpt',
  contents: [part(1, 'vfat', 'EFI', 536_870_912), part(2, 'ext4', 'customer data', 1_999_862_063_104)],
  verdict: { offered: true },
  ...more,
});

export const refused = (reasons: NotOffered[], more: Partial<Disk> = {}): Disk =>
  disk({ verdict: { offered: false, reasons }, ...more });

export const systemDisk = (): Disk =>
  refused([{ why: 'system', mountpoints: ['/', '/boot/efi'] }], {
    ...{ path: '/dev/nvme0n1', serial: '23131S806592', vendor: null, model: 'WD_BLACK SN770 1TB' },
    ...{ bus: 'nvme', removable: false },
  });

/** The recorded flash; of a disk, as its serial tells. */
export function flashed(state: JobState = 'passed', until?: (line: string) => boolean): Recording {
  const { row, lines } = until ? begun('flash', until, state) : recorded('flash');
  const params = { image: IMAGE, target: { kind: 'disk', serial: SERIAL, size: disk().size } };
  return { row: { ...row, state, spec: { ...row.spec, params } }, lines };
}

/** In the middle of writing. */
export const writing = (): Recording => flashed('running', (line) => line.includes('"kind":"progress"'));

/** What was written so far, and the end that main gives such a flash. */
export function ended(state: 'failed' | 'cancelled', code: ErrorCode, facts: ErrorFacts): Recording {
  const { row, lines } = writing();
  const { message, nextAction } = new AppError(code, facts);
  const last = JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>;
  const end = {
    kind: 'finished',
    outcome: state,
    code,
    detail: message,
    nextAction,
    counts: null,
    seconds: 31,
  };
  return {
    row: { ...row, state },
    lines: [...lines, JSON.stringify({ ...last, seq: Number(last['seq']) + 1, ...end })],
  };
}

/** Before anything of the box is known. */
const NOTHING: Partial<Session> = {
  ...{ path: 'flash', address: null, user: '', firstUser: '', hostKey: null, identity: null, keys: null },
};

export function flashBox(recordings: readonly Recording[], change: Partial<Session> = {}): BoxState {
  const link = { state: null, detail: 'not connected', rttMs: null };
  const box = boxWith(recordings, { ...NOTHING, ...change }, { link });
  const active = box.jobs.find((row) => !ENDED.includes(row.state)) ?? null;
  return { ...box, steps: stepsOf(box.session, box.standing, active, box.jobs) };
}

export const CHOSEN = { image: IMAGE, serial: SERIAL };

/** Main with these attempts, this image and these disks; what is chosen is kept, as main keeps it. */
export function flashMain(
  recordings: readonly Recording[],
  given: { chosen?: Session['flash']; image?: ImageLook; disks?: Disk[]; root?: DiskList['root'] } = {},
): FakeMain {
  const { chosen = null, image = look(), disks = [disk(), systemDisk()], root = 'pkexec' } = given;
  return new FakeMain()
    .serve(flashBox(recordings, { flash: chosen }), recordings)
    .answer('flash.image', ({ path }) => ({ ...image, path }))
    .answer('flash.disks', () => ({ disks, root }))
    .answer('flash.choose', ({ choice }) => flashBox(recordings, { flash: choice }));
}
