/**
 * A second connection beside one that fell silent. After a cut, TCP asks again at ever longer intervals, so a cable that is
 * back can stay unnoticed for as long as it was away; a new connection asks at once. The old one is only given up for a new
 * one that works: a slow cable that is merely full keeps what it has.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from './connection.ts';
import { isOfTheLink } from './link.ts';

/** An answer that is due for so long is late on a cable, and early for giving up; on a slow way it may take some round trips. */
const LATE_MS = 700;
const ROUND_TRIPS = 3;
const LOOK_MS = 100;
const PAUSE_MS = 300;

const isLate = (conn: Connection): boolean =>
  conn.owedMs() > Math.max(LATE_MS, ROUND_TRIPS * (conn.rttMs() ?? 0));

export class Overtaker {
  readonly #dial: () => Promise<Connection>;
  #next: Promise<Connection> | null = null;

  constructor(dial: () => Promise<Connection>) {
    this.#dial = dial;
  }

  /** Whether the next connection is there or on its way. */
  get ready(): boolean {
    return this.#next !== null;
  }

  /** The connection that was dialled beside the last one, or a new one. Errors: those of the dialling. */
  connect(): Promise<Connection> {
    const next = this.#next ?? this.#dial();
    this.#next = null;
    return next;
  }

  /** Closes what was dialled and is not wanted any more. */
  drop(): void {
    this.#next?.then(
      (conn) => conn.close(),
      () => undefined,
    );
    this.#next = null;
  }

  /**
   * Resolves when `old` says nothing although the box answers anew: `connect` gives that connection. Never resolves when it
   * does not come to that before `left`; a dialling that is under way then is left for `connect`.
   */
  watch(old: Connection, left: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      void this.#watch(old, left).then((overtaken) => {
        if (overtaken) resolve();
      });
    });
  }

  async #watch(old: Connection, left: AbortSignal): Promise<boolean> {
    const pause = (ms: number) => delay(ms, undefined, { signal: left }).catch(() => undefined);
    let late = false;
    while (!left.aborted) {
      // Seen late twice: what this process itself was too busy to read has been read by then.
      const before = late;
      late = isLate(old);
      if (!before || !late) {
        await pause(LOOK_MS);
        continue;
      }
      const next = (this.#next = this.#dial());
      try {
        const fresh = await next;
        if (left.aborted || this.#next !== next) return false;
        if (isLate(old)) return true;
        // It only took its time.
        fresh.close();
        this.#next = null;
      } catch (error) {
        if (left.aborted || this.#next !== next) return false;
        this.#next = null;
        // What no other try can mend is said when the old connection has ended, if it still is so then.
        if (!isOfTheLink(error)) return false;
        await pause(PAUSE_MS);
      }
    }
    return false;
  }
}
