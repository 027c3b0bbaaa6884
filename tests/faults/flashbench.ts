/** Where flashes of this laptop are disturbed: an image, a disk or file that can be broken, and a data folder. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync } from 'node:fs';
import type { FlashOrder, FlashResult } from '../../main/services/flash/flash.ts';
import { LAPTOP } from '../../main/journal/journal.ts';
import { Desk, endOf, proofOf } from '../integration/flash.ts';
import type { FaultDisk } from './flashdisks.ts';
import { CHUNKS, SEALED, makeImage, standingOf, type Kind, type Standing } from './flashimage.ts';
import type { Moment } from './moments.ts';
import type { Place, Told } from './stage.ts';

export class FlashBench<D extends FaultDisk> implements Place {
  readonly desk: Desk;
  readonly disk: D;
  readonly image: string;
  readonly wanted: string;

  /** `make` gives the disk; the folder is the bench's own. */
  constructor(make: (folder: string) => D, kind: Kind, sector: 512 | 4096 = 512) {
    this.desk = new Desk();
    try {
      const { image, wanted } = makeImage(this.desk.dir, kind, sector);
      [this.image, this.wanted] = [image, wanted];
      this.disk = make(this.desk.dir);
    } catch (error) {
      this.desk.close();
      throw error;
    }
  }

  flash(order: Partial<FlashOrder> = {}): Promise<FlashResult> {
    return this.desk.flash(this.image, this.disk.target, order);
  }

  /** What the disk holds now, once nobody writes to it any more. */
  async standing(): Promise<Standing> {
    await this.disk.settle();
    return standingOf(this.disk.path, this.wanted, this.disk.old);
  }

  /**
   * Judges how a flash ended that was disturbed: a success is the whole image, and nothing else but one of these ends is right. What failed
   * starts nothing. Returns what is there.
   */
  async judge(result: FlashResult, ...ends: readonly (readonly [string, string])[]): Promise<Standing> {
    const standing = await this.standing();
    const end = endOf(result);
    const row = this.desk.journal.jobs(LAPTOP).at(-1);
    if (result.state === 'verified') {
      assert.deepEqual([standing, row?.state], ['whole', 'passed']);
      return standing;
    }
    assert.equal(row?.state, 'failed');
    assert(
      ends.some((one) => one.join() === end.join()),
      `it ended as ${end.join(', ')} (${result.error.message}), not as ${ends.join(' or ')}`,
    );
    if (result.state === 'failed') assert.notEqual(standing, 'whole', 'it failed, and yet it can start');
    return standing;
  }

  /**
   * The same once more, undisturbed; its end is the whole image. `cut`: where a flash was cut off, of which nothing was lost and whose job
   * ended as `state`; its next attempt writes nothing that was flushed.
   */
  async goOn(counts: Record<string, number>, cut?: Moment, state = 'failed'): Promise<Told> {
    const { journal } = this.desk;
    const before = journal.jobs(LAPTOP);
    const proof = proofOf(await this.flash());
    assert.equal(await this.standing(), 'whole');
    const { keptChunks, mendedChunks } = proof;
    if (cut && before[0]?.state !== 'passed') {
      const rows = journal.jobs(LAPTOP);
      assert.equal(rows[0]?.state, state);
      assert.equal(new Set(rows.map((row) => row.job)).size, 1, 'another job than that which was cut off');
      const all = cut.phase === 'verify' || cut.phase === 'seal';
      if (all) assert.deepEqual([keptChunks, mendedChunks], [CHUNKS - SEALED.length, 0]);
    }
    return { counts: { ...counts, kept: keptChunks, mended: mendedChunks }, slowestMs: null };
  }

  keep(folder: string): void {
    mkdirSync(folder, { recursive: true });
    cpSync(this.desk.home, folder, { recursive: true });
  }

  async close(): Promise<void> {
    try {
      await this.disk.settle();
    } finally {
      try {
        this.disk.close();
      } finally {
        this.desk.close();
      }
    }
  }
}
