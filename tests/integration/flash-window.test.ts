/** What the window's flash stands on, with a real block device: listed, told of when it comes, confirmed, written as root, read back. */
import assert from 'node:assert/strict';
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
import { FIXED } from '../unit/flash/seed/settings.ts';
import { SEEDED, labelled, seedOn } from './firstboot.ts';
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
    desk = new FlashDesk(app, tell, { place: () => place });
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
    const order = { image, serial: disk.serial, typed: '0002', firstBoot: null };
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
    expect(tell.flashed).toHaveBeenCalledWith(session.id, false);
    expect(tell.busy.mock.calls).toEqual([[true], [false], [true], [false]]);
  });

  it('with first-boot settings is known by the host key that it was given, before it ever starts', async () => {
    const seeded = join(dir, 'seeded.raw');
    const [esp, seed] = SEEDED.partitions;
    const [data] = SEEDED.data;
    assert(esp && seed && data);
    writeDisk(seeded, { size: 24 * MIB, partitions: [esp, seed], data: [data] });
    labelled(seeded);
    secrets.set('newSudoPassword', 'the Sudo of a flashed box 1');
    const choice = { hostname: 'vc-1', key: { kind: 'generate' as const }, address: FIXED.address };
    const order = { image: seeded, serial: disk.serial, typed: '0001', firstBoot: choice };
    await desk.start(session, order, secrets);
    await expect.poll(() => newest()?.state, { timeout: 60_000 }).toBe('passed');
    const now = app.journal.session(session.id);
    const key = join(app.home, 'keys', 'VC-1-ed25519');
    expect(now).toMatchObject({
      ...{ user: 'vaultadmin', keys: null, hostKey: null },
      address: { host: '192.168.10.5', port: 22 },
      firstBoot: { ...choice, key: { kind: 'file', path: key } },
    });
    const { user } = seedOn(disk.file);
    const [first] = user.users;
    expect(first?.ssh_authorized_keys).toEqual([readFileSync(`${key}.pub`, 'utf8').trim()]);
    expect(first?.hashed_passwd).toMatch(/^\$6\$rounds=500000\$/);
    const blob = Buffer.from(user.ssh_keys.ed25519_public.split(' ')[1] ?? '', 'base64');
    expect(app.knownHosts.lookup('VC-1').map((pin) => pin.key.equals(blob))).toEqual([true]);
    expect(tell.flashed).toHaveBeenLastCalledWith(session.id, true);
    const told = JSON.stringify(app.journal.view(newest()?.job ?? '', newest()?.attempt ?? 0));
    expect(told + JSON.stringify(now)).not.toMatch(/Sudo of a flashed box|rounds=500000/);
  });

  it('that something holds by then is not written to, whatever the page shows', async () => {
    disk.loop(disk.path);
    const order = { image, serial: disk.serial, typed: '0001', firstBoot: null };
    await expect(desk.start(session, order, secrets)).rejects.toMatchObject({ code: 'disk_not_offered' });
    expect(newest()?.attempt).toBe(1);
  });
});
