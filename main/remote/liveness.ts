/** Watches whether a connection's other end still speaks, and how long an answer takes. */
import type { Socket } from 'node:net';
import type { Client } from 'ssh2';

/**
 * What ssh2's own keepalive uses. Its timer is not used: it counts unanswered pings only, so it ends a connection whose
 * answer waits behind an upload on a slow cable.
 */
interface Pingable {
  _callbacks: (() => void)[];
  _protocol: { ping(): void };
}

const MISSED = 3;

export class Liveness {
  readonly #client: Client & Pingable;
  readonly #socket: Socket;
  readonly #everyMs: number;
  readonly #onDead: (silentMs: number) => void;
  readonly #timer: NodeJS.Timeout;
  #heardAt = performance.now();
  #tickAt = performance.now();
  #pingedAt = -Infinity;
  #pending = false;
  #rttMs: number | null = null;

  /** Pings every `everyMs`; calls `onDead` once when no byte at all came for three times that while a ping was out. */
  constructor(client: Client, socket: Socket, everyMs: number, onDead: (silentMs: number) => void) {
    this.#client = client as Client & Pingable;
    this.#socket = socket;
    this.#everyMs = everyMs;
    this.#onDead = onDead;
    socket.on('data', this.#heard);
    this.#ping();
    this.#timer = setInterval(() => this.#tick(), everyMs / 2);
  }

  /** The last measured time from ping to answer in ms; null before the first. */
  get rttMs(): number | null {
    return this.#rttMs;
  }

  /** For how long the other end has said nothing at all while it owes an answer, in ms; 0 when it owes none. */
  get owedMs(): number {
    return this.#pending ? performance.now() - Math.max(this.#heardAt, this.#pingedAt) : 0;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#socket.off('data', this.#heard);
  }

  readonly #heard = () => {
    this.#heardAt = performance.now();
  };

  #ping(): void {
    if (!this.#socket.writable) return;
    const sent = performance.now();
    this.#pending = true;
    this.#pingedAt = sent;
    this.#client._callbacks.push(() => {
      this.#pending = false;
      this.#rttMs = performance.now() - sent;
    });
    this.#client._protocol.ping();
  }

  #tick(): void {
    const now = performance.now();
    // After a suspend or a long block of this process, bytes may wait unread: that is not the box's silence.
    if (now - this.#tickAt > this.#everyMs)
      this.#heardAt = Math.max(this.#heardAt, now - this.#everyMs * (MISSED - 1));
    this.#tickAt = now;
    const silent = now - this.#heardAt;
    if (this.#pending && silent >= MISSED * this.#everyMs) {
      this.stop();
      this.#onDead(silent);
    } else if (!this.#pending && now - this.#pingedAt >= this.#everyMs) {
      this.#ping();
    }
  }
}
