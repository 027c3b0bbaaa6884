/**
 * A stand-in box in a live system, and the app that flashes a disk of it: first user, login by password, no step Keys before. The disk is a
 * loop device that the box is given; no such disk is ever offered, so it is named here and not chosen.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobRow } from '../../preload/contract/job.ts';
import type { Session } from '../../preload/contract/session.ts';
import { openApp, type App } from '../../main/services/app.ts';
import { flashBox, type BoxOrder, type BoxTarget } from '../../main/services/flash/boxflash.ts';
import type { FlashResult } from '../../main/services/flash/flash.ts';
import { Secrets } from '../../main/services/secrets.ts';
import { RigBox } from '../rig/box.ts';
import { Laptop } from './cli.ts';
import { fillStale, tool } from './stale.ts';

export class FlashRig {
  readonly box: RigBox;
  readonly laptop: Laptop;
  readonly app: App;
  /** For images; the disk's file lies there, too. */
  readonly dir = mkdtempSync(join(tmpdir(), 'vc-flashrig-'));
  readonly name = 'VC-FLASH';
  readonly notes: string[] = [];
  readonly links: string[] = [];
  /** Of the disk that is there now; '' without one. */
  path = '';
  #size = 0;

  private constructor(box: RigBox, laptop: Laptop) {
    this.box = box;
    this.laptop = laptop;
    const person = {
      confirmHostKey: async () => false,
      confirmReboot: async () => false,
      note: (text: string) => this.notes.push(text),
      link: (state: string) => this.links.push(state),
    };
    this.app = openApp(person, { home: laptop.home });
  }

  /** A box that was looked at. */
  static async open(): Promise<FlashRig> {
    const rig = new FlashRig(await RigBox.start(), new Laptop());
    const { box, laptop } = rig;
    try {
      laptop.secrets = { loginPassword: box.password };
      const at = ['--box', rig.name, '--host', box.host, '--port', String(box.port), '--user', box.user];
      const looked = await laptop.run(
        ...['inspect', ...at, '--profile', 'two-h100', '--accept-host-key', box.fingerprint()],
      );
      assert.equal(looked.last.type, 'result');
      return rig;
    } catch (error) {
      await rig.close();
      throw error;
    }
  }

  /** A disk of this size, every byte of it stale. */
  async plugIn(size: number): Promise<void> {
    this.notes.length = this.links.length = 0;
    const file = join(this.dir, 'disk');
    fillStale(file, size, 'w');
    this.#size = size;
    this.path = tool('losetup', '--find', '--show', '--direct-io=on', file);
    await this.node();
  }

  /** Takes the disk away, and with it what is known of it; a job that still has it is ended first. */
  async unplug(): Promise<void> {
    if (this.path === '') return;
    const { run } = this.session();
    if (run && run.endedAt === null) await this.laptop.run('cancel', '--box', this.name);
    tool('losetup', '--detach', this.path);
    this.path = '';
    rmSync(join(this.laptop.home, 'flash'), { recursive: true, force: true });
  }

  /** The box's own node of the device; gone after each boot. */
  async node(): Promise<void> {
    const minor = statSync(this.path).rdev & 0xff;
    await this.box.sh(`rm -f ${this.path}; mknod ${this.path} b 7 ${minor}`);
  }

  session(): Session {
    const found = this.app.journal.sessionByName(this.name);
    if (!found) throw new Error('the journal knows no such box');
    return found;
  }

  get target(): BoxTarget {
    return { kind: 'disk', path: this.path, serial: null, size: this.#size, name: 'the disk' };
  }

  flash(image: string, more: Partial<BoxOrder> = {}): Promise<FlashResult> {
    const secrets = new Secrets(async () => null, { loginPassword: this.box.password });
    return flashBox(this.app, this.session(), secrets, {
      ...{ image, target: this.target, signal: new AbortController().signal, giveUpAfterMs: 60_000 },
      onNote: (text) => this.notes.push(text),
      onLook: () => undefined,
      ...more,
    });
  }

  /** What is asked of the disk next, it answers itself. */
  flushed(): string {
    tool('blockdev', '--flushbufs', this.path);
    return this.path;
  }

  newest(): JobRow | undefined {
    return this.app.journal.jobs(this.session().id).findLast((row) => row.kind === 'flash_box');
  }

  async close(): Promise<void> {
    try {
      await this.unplug();
    } finally {
      this.app.close();
      await this.box.stop();
      this.laptop.remove();
      rmSync(this.dir, { recursive: true, force: true });
    }
  }
}
