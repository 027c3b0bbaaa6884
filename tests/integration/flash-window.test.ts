/** What the window's flash stands on, with a real block device: listed, told of when it comes, confirmed, written as root, read back. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openApp, type App } from '../../main/services/app.ts';
import { LinuxDisks } from '../../main/services/flash/disks/linux.ts';
import { FlashDesk } from '../../main/services/flash/desk.ts';
import { launchPlain } from '../../main/services/flash/launch.ts';
import type { FlashPlace } from '../../main/services/flash/place.ts';
import { Secrets } from '../../main/services/secrets.ts';
import { newSession } from '../../main/services/sessions.ts';
import type { FlashProgress } from '../../preload/contract/flash.ts';
import type { Session } from '../../preload/contract/session.ts';
import { LINUX, MIB, writeDisk } from '../unit/flash/partitions.ts';
import { LOOP_SIZE, LoopDisk, whyNoLoop } from './loopdisk.ts';

const why = whyNoLoop();
const PERSON = {
  confirmHostKey: async () => false,
  confirmReboot: async () => false,
  note: () => undefined,
  link: () => undefined,
};

describe.runIf(why === null)(`a flash of a block device${why ? ` (not run: ${why})` : ''}`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'vc-flash-window-'));
  const image = join(dir, 'image.raw');
  const progress: FlashProgress[] = [];
  const tell = {
    flash: ({ progress: now }: { progress: FlashProgress }) => void progress.push(now),
    disks: vi.fn(),
    changed: vi.fn(),
    flashed: vi.fn(),
    busy: vi.fn(),
  };
  let app: App;
  let desk: FlashDesk;
  let session: Session;
  let disk: LoopDisk;
  const secrets = new Secrets(async () => null);

  /** This laptop's own, but that a loop device counts as a disk; the writer takes none by a serial. */
  const place: FlashPlace = {
    port: () => new LinuxDisks({ alsoLoop: true }),
    way: () => 'plain',
    target: ({ path, size, serial }) => ({ kind: 'disk', path, serial: null, size, name: serial }),
    launch: () => launchPlain(),
  };
  const listed = async () => (await desk.disks(session, image)).disks.map((d) => d.serial);
  const newest = () => app.journal.jobs(session.id).at(-1);

  beforeAll(() => {
    writeDisk(image, {
      size: 24 * MIB,
      partitions: [{ type: LINUX, first: MIB, length: 22 * MIB }],
      data: [{ at: 4 * MIB, length: 12 * MIB, seed: 1 }],
    });
    app = openApp(PERSON, { home: join(dir, 'home') });
    desk = new FlashDesk(app, tell, () => place);
    session = newSession({ name: 'VC-1', profile: 'vault-cube', path: 'flash', address: null, user: '' });
    app.journal.saveSession(session);
  });
  afterAll(() => {
    desk.close();
    disk?.close();
    app.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('is told of when it is attached, and is offered then', async () => {
    expect(await listed()).not.toContain('VCWINDOW0001');
    expect(tell.disks).not.toHaveBeenCalled();
    disk = new LoopDisk('VCWINDOW0001');
    await expect.poll(() => tell.disks.mock.calls.length, { timeout: 10_000 }).toBe(1);
    const found = (await desk.disks(session, image)).disks.find((d) => d.serial === disk.serial);
    expect(found).toMatchObject({ size: LOOP_SIZE, bus: 'loop', verdict: { offered: true } });
    expect(found?.contents.map((part) => part.partitionLabel)).toEqual(['vault boot', 'vault root']);
  });

  it('is erased by the end of its serial alone, written, and read back', async () => {
    const order = { image, serial: disk.serial, typed: '0002' };
    await expect(desk.start(session, order, secrets)).rejects.toMatchObject({ code: 'disk_confirm_wrong' });
    await desk.start(session, { ...order, typed: '0001' }, secrets);
    expect(desk.active(session.id)).toMatchObject({ kind: 'flash', state: 'running' });
    await expect.poll(() => newest()?.state, { timeout: 60_000 }).toBe('passed');
    const row = newest();
    const view = app.journal.view(row?.job ?? '', 1);
    expect(view.steps.map((s) => s.id)).toEqual([
      'look',
      'permit',
      'wipe',
      'write',
      'flush',
      'verify',
      'seal',
    ]);
    expect(row?.evidence).toBe('stand-in');
    expect(
      readFileSync(disk.file)
        .subarray(0, 24 * MIB)
        .equals(readFileSync(image)),
    ).toBe(true);
    expect(progress.at(-1)).toMatchObject({ fraction: 1, remainingSeconds: 0 });
    expect(tell.flashed).toHaveBeenCalledWith(session.id);
    expect(tell.busy.mock.calls).toEqual([[true], [false], [true], [false]]);
  });

  it('that something holds by then is not written to, whatever the page shows', async () => {
    disk.loop(disk.path);
    const order = { image, serial: disk.serial, typed: '0001' };
    await expect(desk.start(session, order, secrets)).rejects.toMatchObject({ code: 'disk_not_offered' });
    expect(newest()?.attempt).toBe(1);
  });
});
