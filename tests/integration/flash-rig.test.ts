/**
 * A flash of a disk of a stand-in box, as the app does it with a box in a live system: first user, login by password, no step Keys
 * before. The disk is a loop device that the box is given; no such disk is ever offered, so it is named here and not chosen.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openApp, type App } from '../../main/services/app.ts';
import { flashBox, type BoxOrder } from '../../main/services/flash/boxflash.ts';
import type { FlashResult } from '../../main/services/flash/flash.ts';
import { Secrets } from '../../main/services/secrets.ts';
import { RigBox, whyNoRig } from '../rig/box.ts';
import { until } from '../rig/host.ts';
import { writeDisk } from '../unit/flash/partitions.ts';
import { Laptop } from './cli.ts';
import { DISK, SEALED, SIZE, endOf, proofOf, startingChunks } from './flash.ts';

const why = whyNoRig();
const NAME = 'VC-FLASH';
const BLOCK = 8 * 1024 * 1024;
const tool = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { stdio: 'pipe', encoding: 'utf8' }).trim();

describe.runIf(why === null)(`a flash of a box${why ? ` (not run: ${why})` : ''}`, () => {
  let box: RigBox;
  let laptop: Laptop;
  let app: App;
  let dir: string;
  let image: string;
  let loop: string;
  const notes: string[] = [];
  const links: string[] = [];

  beforeAll(async () => {
    box = await RigBox.start();
    laptop = new Laptop();
    laptop.secrets = { loginPassword: box.password };
    dir = mkdtempSync(join(tmpdir(), 'vc-flashrig-'));
    image = join(dir, 'image.raw');
    writeDisk(image, DISK);
    const at = ['--box', NAME, '--host', box.host, '--port', String(box.port), '--user', box.user];
    const looked = await laptop.run(
      ...['inspect', ...at, '--profile', 'two-h100', '--accept-host-key', box.fingerprint()],
    );
    expect(looked.last.type).toBe('result');
    const person = {
      confirmHostKey: async () => false,
      confirmReboot: async () => false,
      note: (text: string) => notes.push(text),
      link: (state: string) => links.push(state),
    };
    app = openApp(person, { home: laptop.home });
  });
  afterAll(async () => {
    app?.close();
    await box?.stop();
    laptop?.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  beforeEach(async () => {
    notes.length = links.length = 0;
    const file = join(dir, 'disk');
    const fd = openSync(file, 'w');
    for (let at = 0; at < SIZE; at += BLOCK) writeSync(fd, Buffer.alloc(BLOCK, 0xa5));
    closeSync(fd);
    loop = tool('losetup', '--find', '--show', '--direct-io=on', file);
    await node();
  });
  afterEach(async () => {
    const { run } = session();
    if (run && run.endedAt === null) await laptop.run('cancel', '--box', NAME);
    tool('losetup', '--detach', loop);
    rmSync(join(laptop.home, 'flash'), { recursive: true, force: true });
  });

  /** The box's own node of the device; gone after each boot. */
  const node = async () => {
    const minor = statSync(loop).rdev & 0xff;
    await box.sh(`rm -f ${loop}; mknod ${loop} b 7 ${minor}`);
  };
  const session = () => {
    const found = app.journal.sessionByName(NAME);
    if (!found) throw new Error('the journal knows no such box');
    return found;
  };
  const flash = (more: Partial<BoxOrder> = {}): Promise<FlashResult> =>
    flashBox(app, session(), new Secrets(async () => null, { loginPassword: box.password }), {
      image,
      target: { kind: 'disk', path: loop, serial: null, size: SIZE, name: 'the disk' },
      signal: new AbortController().signal,
      giveUpAfterMs: 60_000,
      onNote: (text) => notes.push(text),
      ...more,
    });
  const mustHold = () => {
    tool('blockdev', '--flushbufs', loop);
    expect(readFileSync(loop).equals(readFileSync(image))).toBe(true);
  };
  const newest = () => app.journal.jobs(session().id).findLast((row) => row.kind === 'flash_box');
  it('is a job of the box that passes, and is not done again', async () => {
    const proof = proofOf(await flash());
    mustHold();
    const row = newest();
    expect(row).toMatchObject({ state: 'passed', attempt: 1, evidence: 'stand-in' });
    const [check] = row ? app.journal.view(row.job, row.attempt).checks : [];
    expect(check).toMatchObject({ id: 'flash_read_back', verdict: 'pass', value: proof.diskRoot });
    // The run is over; the same order is a new flash of a disk that has all of it.
    expect(proofOf(await flash())).toMatchObject({ writtenBytes: 0, mendedChunks: 0 });
    mustHold();
  });

  it('goes on over a link that is cut', async () => {
    const going = flash();
    await until('the writing', () => notes.some((text) => text.startsWith('Write: ')), 60_000);
    await box.cutLink('drop');
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    await box.restoreLink();
    proofOf(await going);
    mustHold();
    expect(newest()).toMatchObject({ attempt: 1 });
    expect(links.length).toBeGreaterThan(1);
    expect(notes.filter((text) => text.startsWith('Make the disk')).length).toBeGreaterThan(1);
  });

  it('of a live system that lost its power goes on with what the disk has', async () => {
    const going = flash();
    await until('some of it', () => notes.some((text) => text.startsWith('Read back')), 60_000);
    await box.powerCut();
    rmSync(join(box.root, 'var/lib/vault-cube'), { recursive: true, force: true });
    expect(startingChunks(loop, SEALED)).toEqual([]);
    await box.powerOn();
    await node();
    expect(endOf(await going)).toEqual(['interrupted', 'job_lost']);
    const proof = proofOf(await flash());
    mustHold();
    expect(proof).toMatchObject({ mendedChunks: 0 });
    expect(newest()).toMatchObject({ attempt: 2, state: 'passed' });
    expect(notes.join('\n')).toMatch(/no record of the flash that was cut off/);
  });

  it('that was left waits to be fed, and ends when it is told to', async () => {
    const leave = new AbortController();
    const going = flash({ signal: leave.signal });
    await until('the job', () => notes.some((text) => text.startsWith('Make the disk')), 60_000);
    leave.abort(new Error('gone home'));
    await expect(going).rejects.toThrow('gone home');
    const row = newest();
    expect(row?.state).toBe('running');
    const cancelled = await laptop.run('cancel', '--box', NAME);
    expect(cancelled.last).toMatchObject({ type: 'result', state: 'cancelled' });
    expect(startingChunks(loop, SEALED)).toEqual([]);
  });

  it('is not offered what is none of its disks', async () => {
    const given = ['flash', '--image', image, '--box', NAME, '--target', 'box:NO-SUCH-SERIAL'];
    const refused = await laptop.run(...given);
    expect([refused.code, refused.last['code']]).toEqual([7, 'flash_box_disk_missing']);
    const listed = await laptop.run('disks', '--box', NAME);
    expect(listed.last).toMatchObject({ type: 'result', box: NAME });
    expect(JSON.stringify(listed.last)).not.toContain(loop);
  });
});
