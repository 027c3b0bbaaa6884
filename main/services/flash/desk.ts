/** Flashes as the window begins and ends them: which image, which disk, who asked for it, and what is on its way. */
import { diskName } from '../../../preload/contract/disk-words.ts';
import { AppError } from '../../../preload/contract/errors.ts';
import type { FirstBootChoice } from '../../../preload/contract/firstboot.ts';
import type { DiskList } from '../../../preload/contract/flash.ts';
import { ENDED, type JobRow } from '../../../preload/contract/job.ts';
import type { Notice } from '../../../preload/contract/notices.ts';
import type { Session } from '../../../preload/contract/session.ts';
import type { App } from '../app.ts';
import type { Secrets } from '../secrets.ts';
import { changeSession } from '../sessions.ts';
import { confirmDisk } from './disks/confirm.ts';
import { chooseDisk, listDisks } from './disks/list.ts';
import { DiskWatch } from './disks/watch.ts';
import { flash, type FlashOrder, type FlashResult } from './flash.ts';
import { forImage } from './look.ts';
import { placeOf, type FlashPlace } from './place.ts';
import { firstBootOrder, hashHere, type HashPassword } from './seed/order.ts';

export interface FlashStart {
  image: string;
  serial: string;
  typed: string;
  /** Its password and, of a new key, its passphrase are among the secrets. */
  firstBoot: FirstBootChoice | null;
}

interface Running {
  abort: AbortController;
  secrets: Secrets;
}

interface At {
  job: string;
  attempt: number;
}

export interface TellFlash {
  flash: (notice: Notice<'flash'>) => void;
  disks: () => void;
  /** The box stands otherwise. */
  changed: (session: string) => void;
  /** Another system is on the box's disk, verified; `expected`: it is known by the host key that it was given. */
  flashed: (session: string, expected: boolean) => void;
  /** Whether any flash is on its way: a laptop that sleeps starves it. */
  busy: (any: boolean) => void;
}

export class FlashDesk {
  readonly #app: App;
  readonly #tell: TellFlash;
  readonly #watch: DiskWatch;
  readonly #placeOf: (session: Session) => FlashPlace;
  readonly #running = new Map<string, Running>();

  readonly #hash: HashPassword;

  /** `place`: for tests alone; no option or setting reaches it. */
  constructor(
    app: App,
    tell: TellFlash,
    {
      hash = hashHere,
      place = (s) => placeOf(app, s),
    }: { hash?: HashPassword | undefined; place?: (session: Session) => FlashPlace } = {},
  ) {
    this.#app = app;
    this.#hash = hash;
    this.#tell = tell;
    this.#placeOf = place;
    this.#watch = new DiskWatch(() => tell.disks());
  }

  /** The writers end in order; what they had written is known the next time. */
  close(): void {
    this.#watch.stop();
    for (const { abort } of this.#running.values()) abort.abort(new Error('the app ends'));
  }

  #set(session: string, running: Running | null): void {
    const before = this.#running.size;
    if (running === null) this.#running.delete(session);
    else this.#running.set(session, running);
    if (before === 0 || this.#running.size === 0) this.#tell.busy(this.#running.size > 0);
  }

  /** Whether this process is at it. */
  has(session: string): boolean {
    return this.#running.has(session);
  }

  /** The flash of the box that has not ended, here or in another process; null for none. */
  active(session: string): JobRow | null {
    const rows = this.#app.journal.jobs(session);
    return rows.findLast((row) => row.kind === 'flash' && !ENDED.includes(row.state)) ?? null;
  }

  /** Errors: disks_unreadable, disks_never_run, those of the image. */
  async disks(session: Session, image: string | null): Promise<DiskList> {
    this.#watch.arm();
    const place = this.#placeOf(session);
    const port = place.port();
    return { disks: await listDisks(port, image === null ? null : await forImage(image)), root: place.way() };
  }

  /**
   * Looks at image and disks anew and begins. Resolves once the job is recorded; how it goes on is in its log. Errors: flash_busy,
   * disk_missing, disk_not_offered, disk_confirm_wrong, disks_*, flash_root_missing, those of the image.
   */
  async start(
    session: Session,
    { image, serial, typed, firstBoot }: FlashStart,
    secrets: Secrets,
  ): Promise<void> {
    if (this.#running.has(session.id)) throw new AppError('flash_busy', { target: session.name });
    const abort = new AbortController();
    // Before anything is waited for: a second press finds it.
    this.#set(session.id, { abort, secrets });
    try {
      const place = this.#placeOf(session);
      const disk = chooseDisk(await listDisks(place.port(), await forImage(image)), serial);
      confirmDisk({ name: diskName(disk), serial: disk.serial }, typed);
      const first = firstBoot && (await this.#firstBoot(session, firstBoot, secrets));
      const order = {
        image,
        target: place.target(disk),
        launch: place.launch(secrets),
        signal: abort.signal,
        ...(first ? { firstBoot: first } : {}),
      };
      await this.#begin(session, order);
    } catch (error) {
      this.#set(session.id, null);
      throw error;
    }
  }

  /** What is chosen is kept, with the key that was made. */
  async #firstBoot(session: Session, given: FirstBootChoice, secrets: Secrets) {
    const { order, choice } = await firstBootOrder(this.#app, session, {
      ...{ secrets, choice: given, hash: this.#hash },
    });
    changeSession(this.#app, session.id, (s) => ({ ...s, firstBoot: choice }));
    return order;
  }

  #begin(session: Session, order: FlashOrder): Promise<void> {
    const { id } = session;
    const expected = order.firstBoot !== undefined;
    return new Promise((resolve, reject) => {
      let at: At | null = null;
      const ended = flash(this.#app, {
        ...{ ...order, box: session },
        onBegun: (begun) => {
          at = begun;
          this.#tell.changed(id);
          resolve();
        },
        onProgress: (progress) => at && this.#tell.flash({ session: id, ...at, progress }),
      });
      // Once it has begun its end is in the journal, whatever it is.
      void ended.then(
        (result) => this.#onEnd(id, result, expected),
        (error: Error) => {
          this.#onEnd(id, null, expected);
          reject(error);
        },
      );
    });
  }

  #onEnd(id: string, result: FlashResult | null, expected: boolean): void {
    // One that was refused is not tried again: it is asked for the next time.
    const refused =
      result !== null && result.state !== 'verified' && result.error.code === 'flash_root_refused';
    if (refused) this.#running.get(id)?.secrets.forget('laptopPassword');
    this.#set(id, null);
    if (result?.state === 'verified') this.#tell.flashed(id, expected);
    this.#tell.changed(id);
  }

  /** Errors: nothing_to_attach. */
  cancel(session: Session): void {
    const abort = this.#running.get(session.id)?.abort;
    if (!abort) throw new AppError('nothing_to_attach', { box: session.name });
    abort.abort(new Error('the engineer stopped it'));
  }
}
