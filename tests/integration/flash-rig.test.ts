/** A flash of a disk of a stand-in box, as the app does it with a box in a live system. What cuts it off anywhere is tests/faults/flash-box.test.ts. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BoxOrder } from '../../main/services/flash/boxflash.ts';
import { whyNoRig } from '../rig/box.ts';
import { until } from '../rig/host.ts';
import { writeDisk } from '../unit/flash/partitions.ts';
import { DISK, SEALED, SIZE, endOf, proofOf, startingChunks } from './flash.ts';
import { FlashRig } from './flashrig.ts';

const why = whyNoRig();

describe.runIf(why === null)(`a flash of a box${why ? ` (not run: ${why})` : ''}`, () => {
  let rig: FlashRig;
  let image: string;

  beforeAll(async () => {
    rig = await FlashRig.open();
    image = join(rig.dir, 'image.raw');
    writeDisk(image, DISK);
  });
  afterAll(() => rig?.close());
  beforeEach(() => rig.plugIn(SIZE));
  afterEach(() => rig.unplug());

  const flash = (more: Partial<BoxOrder> = {}) => rig.flash(image, more);
  const mustHold = () => expect(readFileSync(rig.flushed()).equals(readFileSync(image))).toBe(true);

  it('is a job of the box that passes, and is not done again', async () => {
    const proof = proofOf(await flash());
    mustHold();
    const row = rig.newest();
    expect(row).toMatchObject({ state: 'passed', attempt: 1, evidence: 'stand-in' });
    const [check] = row ? rig.app.journal.view(row.job, row.attempt).checks : [];
    expect(check).toMatchObject({ id: 'flash_read_back', verdict: 'pass', value: proof.diskRoot });
    // The run is over; the same order is a new flash of a disk that has all of it.
    expect(proofOf(await flash())).toMatchObject({ writtenBytes: 0, mendedChunks: 0 });
    mustHold();
  });

  it('of a live system that lost its power goes on with what the disk has', async () => {
    const going = flash();
    await until('some of it', () => rig.notes.some((text) => text.startsWith('Read back')), 60_000);
    await rig.box.powerCut();
    rmSync(join(rig.box.root, 'var/lib/vault-cube'), { recursive: true, force: true });
    expect(startingChunks(rig.path, SEALED)).toEqual([]);
    await rig.box.powerOn();
    await rig.node();
    expect(endOf(await going)).toEqual(['interrupted', 'job_lost']);
    const proof = proofOf(await flash());
    mustHold();
    expect(proof).toMatchObject({ mendedChunks: 0 });
    expect(rig.newest()).toMatchObject({ attempt: 2, state: 'passed' });
    expect(rig.notes.join('\n')).toMatch(/no record of the flash that was cut off/);
  });

  it('that was left waits to be fed, and ends when it is told to', async () => {
    const leave = new AbortController();
    const going = flash({ signal: leave.signal });
    await until('the job', () => rig.notes.some((text) => text.startsWith('Make the disk')), 60_000);
    leave.abort(new Error('gone home'));
    await expect(going).rejects.toThrow('gone home');
    const row = rig.newest();
    expect(row?.state).toBe('running');
    const cancelled = await rig.laptop.run('cancel', '--box', rig.name);
    expect(cancelled.last).toMatchObject({ type: 'result', state: 'cancelled' });
    expect(startingChunks(rig.path, SEALED)).toEqual([]);
  });

  it('is not offered what is none of its disks', async () => {
    const given = ['flash', '--image', image, '--box', rig.name, '--target', 'box:NO-SUCH-SERIAL'];
    const refused = await rig.laptop.run(...given);
    expect([refused.code, refused.last['code']]).toEqual([7, 'flash_box_disk_missing']);
    const listed = await rig.laptop.run('disks', '--box', rig.name);
    expect(listed.last).toMatchObject({ type: 'result', box: rig.name });
    expect(JSON.stringify(listed.last)).not.toContain(rig.path);
  });
});
