/** Flashes over the network as the window begins and ends them: a disk of the box, which runs from a live system, fed from here. */
import { diskName } from '../../../preload/contract/disk-words.ts';
import { AppError, asAppError, type ErrorReply } from '../../../preload/contract/errors.ts';
import type { DiskList } from '../../../preload/contract/flash.ts';
import { ENDED, type JobRow } from '../../../preload/contract/job.ts';
import type { Session } from '../../../preload/contract/session.ts';
import type { Connection } from '../../remote/connection.ts';
import type { App } from '../app.ts';
import { JobDriver } from '../jobs.ts';
import type { Secrets } from '../secrets.ts';
import { changeSession } from '../sessions.ts';
import { disksOfBox } from './boxdisks.ts';
import { boxFlashError, flashBox, type BoxOrder, type BoxTarget } from './boxflash.ts';
import type { FlashStart, TellFlash } from './desk.ts';
import { confirmDisk } from './disks/confirm.ts';
import { chooseDisk } from './disks/list.ts';
import type { FlashResult } from './flash.ts';
import { forImage } from './look.ts';
import { firstBootOrder, hashHere, type HashPassword } from './seed/order.ts';

/** A laptop at a site is patient: a cable may be out for an hour. */
const GIVE_UP_MS = 3_600_000;
const LOOK_FIRST_MS = 1_000;
const LOOK_MS = 5_000;

/** The box as the window has it open. */
export interface OpenBox {
  app: App;
  secrets: Secrets;
  /** Errors: not_connected. */
  readonly connection: Connection;
}

type Tell = Pick<TellFlash, 'flash' | 'changed' | 'busy'> & { note: (session: string, text: string) => void };

/** A large image is looked at for minutes before there is a job that could tell of it: a sentence after the first second, then every five. */
function lookTold(note: (text: string) => void): BoxOrder['onLook'] {
  let due = performance.now() + LOOK_FIRST_MS;
  return (what, done, total) => {
    if (performance.now() < due) return;
    due = performance.now() + LOOK_MS;
    const far = total === null ? `${(done / 1e9).toFixed(1)} GB` : `${Math.floor((100 * done) / total)} %`;
    note(`${what}: ${far}`);
  };
}

interface Running {
  abort: AbortController;
  /** Null before the job is recorded. */
  row: JobRow | null;
}

export class NetFlashes {
  readonly #app: App;
  readonly #tell: Tell;
  readonly #hash: HashPassword;
  readonly #running = new Map<string, Running>();
  /** Why the last flash of a box did not pass, where its job does not tell all of it. */
  readonly #errors = new Map<string, AppError>();

  constructor(app: App, tell: Tell, hash: HashPassword = hashHere) {
    this.#app = app;
    this.#tell = tell;
    this.#hash = hash;
  }

  /** Nothing is fed any more; the jobs on the boxes keep what they have, and wait. */
  close(): void {
    for (const { abort } of this.#running.values()) abort.abort(new Error('the app ends'));
  }

  /** Whether this process feeds it. */
  has(session: string): boolean {
    return this.#running.has(session);
  }

  get any(): boolean {
    return this.#running.size > 0;
  }

  /** Why the box's newest flash did not pass, or is not fed any more; null where there is none such. */
  error(session: Session): ErrorReply | null {
    if (this.has(session.id)) return null;
    const known = this.#errors.get(session.id);
    if (known) return known.toReply();
    const row = this.#app.journal.jobs(session.id).findLast(({ kind }) => kind === 'flash_box');
    if (!row || row.state === 'passed' || !ENDED.includes(row.state)) return null;
    const names = {
      target: row.title.replace(/^Flash /, ''),
      image: session.flash?.image ?? 'the image',
      box: session.name,
    };
    return boxFlashError({ row, view: this.#app.journal.view(row.job, row.attempt) }, names).toReply();
  }

  /** Errors: not_connected, those of disksOfBox and of the image. */
  async disks(session: Session, box: OpenBox, image: string | null): Promise<DiskList> {
    const needed = image === null ? null : (await forImage(image)).virtualSize;
    const { app, secrets, connection } = box;
    return { disks: await disksOfBox(app, session, secrets, connection, needed), root: 'plain' };
  }

  /**
   * Looks at image and disks anew and begins, or goes on with the job that waits on the box. Resolves once the job is recorded. Errors:
   * flash_busy, not_connected, flash_box_disk_missing, disk_not_offered, disk_confirm_wrong, those of firstBootOrder and of flashBox.
   */
  async start(
    session: Session,
    box: OpenBox,
    { image, serial, typed, firstBoot }: FlashStart,
  ): Promise<void> {
    const { id, name } = session;
    if (this.#running.has(id)) throw new AppError('flash_busy', { target: name });
    const abort = new AbortController();
    this.#set(id, { abort, row: null });
    this.#errors.delete(id);
    try {
      const disk = chooseDisk((await this.disks(session, box, image)).disks, serial, name);
      confirmDisk({ name: diskName(disk), serial: disk.serial }, typed);
      const { app, secrets } = box;
      const choice = firstBoot;
      const first = choice && (await firstBootOrder(app, session, { secrets, choice, hash: this.#hash }));
      if (first) changeSession(app, id, (s) => ({ ...s, firstBoot: first.choice }));
      const target: BoxTarget = {
        ...{ kind: 'disk', path: disk.path, serial: disk.serial, size: disk.size },
        name: `${diskName(disk)} (${disk.serial}) in ${name}`,
      };
      const order = {
        ...{ image, target, signal: abort.signal, giveUpAfterMs: GIVE_UP_MS },
        ...(first ? { firstBoot: first.order } : {}),
        onNote: (text: string) => this.#tell.note(id, text),
        onLook: lookTold((text) => this.#tell.note(id, text)),
      };
      await this.#begin(session, box, order);
    } catch (error) {
      this.#set(id, null);
      throw error;
    }
  }

  #begin(session: Session, { app, secrets }: OpenBox, order: BoxOrder): Promise<void> {
    const { id } = session;
    return new Promise((resolve, reject) => {
      const ended = flashBox(app, session, secrets, {
        ...order,
        onBegun: (row) => {
          this.#set(id, { abort: this.#running.get(id)?.abort ?? new AbortController(), row });
          this.#tell.changed(id);
          resolve();
        },
        onProgress: (progress) => {
          const row = this.#running.get(id)?.row;
          if (row) this.#tell.flash({ session: id, job: row.job, attempt: row.attempt, progress });
        },
      });
      void ended.then(
        (result) => {
          this.#onEnd(id, result);
          // Where it had passed before, and nothing was to be begun.
          resolve();
        },
        (error: unknown) => {
          this.#onEnd(id, { state: 'interrupted', error: asAppError(error) });
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  #onEnd(id: string, result: FlashResult): void {
    const cancelled = this.#running.get(id)?.row;
    const newest = cancelled && this.#app.journal.attempt(cancelled.job, cancelled.attempt);
    // One that a person stopped is told by its job.
    if (result.state !== 'verified' && newest?.state !== 'cancelled') this.#errors.set(id, result.error);
    this.#set(id, null);
    this.#tell.changed(id);
  }

  #set(session: string, running: Running | null): void {
    const before = this.any;
    if (running === null) this.#running.delete(session);
    else this.#running.set(session, running);
    if (before !== this.any) this.#tell.busy(this.any);
  }

  /** Asks the box to end the job that is fed from here; false where none is. Errors: those of the link. */
  async cancel(session: Session, { app, secrets }: OpenBox): Promise<boolean> {
    const running = this.#running.get(session.id);
    if (!running) return false;
    if (running.row === null) running.abort.abort(new AppError('left'));
    else {
      const signal = new AbortController().signal;
      const driver = new JobDriver(app, session.id, secrets, {
        ...{ signal, giveUpAfterMs: GIVE_UP_MS, bundle: null },
      });
      await driver.requestCancel(running.row);
    }
    return true;
  }
}
