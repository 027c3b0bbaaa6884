/**
 * A disk of a box over SSH: the real job, started and fed over a real sshd in a network namespace of this machine, beside what people pipe
 * into ssh. Times in s.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { BoxFeed } from '../../../main/services/flash/boxfeed.ts';
import { startJob } from '../../../main/remote/stage.ts';
import { logInAhead, openSocket } from '../../../main/services/flash/boxsocket.ts';
import { prepareImage, type FlashImage } from '../../../main/services/flash/image.ts';
import { ChunkRecord } from '../../../main/services/flash/record.ts';
import { JobBench } from '../../integration/jobs.ts';
import { Clock, type Took } from './clock.ts';
import { said, timed } from './shell.ts';
import type { Target } from './target.ts';

const PROBES = 3;
const PROBE_PORT = 9_022;
const PROBE_BYTES = 64 * 1024 * 1024;
const SINK = `
import socket
server = socket.create_server(('', ${PROBE_PORT}))
print('ready', flush=True)
peer = server.accept()[0]
while peer.recv(1 << 20):
    pass
peer.sendall(b'!')
`;
/** As fast as dd goes: past the cache, and then an fsync. */
const DD = 'bs=4M iflag=fullblock oflag=direct conv=fsync status=none';

export interface BoxTook extends Took {
  /** That went over the cable to the box, with all that TCP and SSH add. */
  sentBytes: number;
}

export class Box {
  readonly #b: JobBench;
  readonly #target: Target;
  readonly #records: string;

  private constructor(b: JobBench, target: Target, records: string) {
    this.#b = b;
    this.#target = target;
    this.#records = records;
  }

  static async open(dir: string, target: Target): Promise<Box> {
    return new Box(await JobBench.open(), target, join(dir, 'records'));
  }

  async close(): Promise<void> {
    this.forget();
    await this.#b.close();
  }

  /** The laptop knows nothing of the disk any more. */
  forget(): void {
    rmSync(this.#records, { recursive: true, force: true });
  }

  /** Slows what goes to the box; null for as fast as it goes. Errors: an Error where this kernel cannot. */
  link(megabits: number | null): void {
    this.#b.d.bench.slow(megabits);
  }

  /** Mbit/s to the box, of bytes that TCP brings there: the best of a few, since the machine may be busy. */
  async rate(): Promise<number> {
    let best = 0;
    for (let n = 0; n < PROBES; n += 1) best = Math.max(best, await this.#probe());
    return best;
  }

  async #probe(): Promise<number> {
    const { host, tag } = this.#b.d.bench;
    const sink = spawn('ip', ['netns', 'exec', tag, 'python3', '-c', SINK], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(sink.stdout, 'data');
    const socket = connect({ host, port: PROBE_PORT });
    await once(socket, 'connect');
    const seconds = await timed(async () => {
      socket.end(Buffer.alloc(PROBE_BYTES));
      await once(socket, 'data');
    });
    await once(sink, 'exit');
    return (PROBE_BYTES * 8) / 1e6 / seconds;
  }

  /** From the order to the end of the job: looking at the image, logging in, starting the job, and the proof. */
  async ours(path: string): Promise<BoxTook> {
    const before = this.#sent();
    const clock = new Clock();
    const signal = new AbortController().signal;
    const image = await prepareImage(path, { signal, onRead: () => undefined });
    const feed = await this.#feed(image, clock, signal);
    try {
      const order = this.#order(image, feed.imageId);
      const first = await this.#b.connect();
      logInAhead(first, this.#b.folder(order));
      const { dir } = await startJob(first, this.#b.startOptions(order));
      clock.phase('feed');
      // The connection that started it is the first on which it is followed, as in the app.
      const { end } = await this.#b.follow(order, dir, {
        first,
        onConnected: (conn) => {
          feed.box.attach(conn, dir);
          void feed.box.proof.then(
            () => clock.phase('end'),
            () => undefined, // told below
          );
          return Promise.resolve();
        },
      });
      const { state, detail } = this.#b.view(order);
      if (end !== 'finished' || state !== 'passed') throw new Error(`the job ended with ${state}: ${detail}`);
      await feed.box.proof;
      return { ...clock.end(), sentBytes: this.#sent() - before };
    } finally {
      await feed.box.close();
      await image.close();
    }
  }

  /** `zstd -dc IMAGE | ssh box dd`. */
  unpackedHere(zst: string): Promise<number> {
    return timed(() =>
      said('bash', [
        '-euo',
        'pipefail',
        '-c',
        `zstd -q -dc -- "$1" | ${this.#ssh()} "$2"`,
        'bash',
        zst,
        this.#dd(),
      ]),
    );
  }

  /** `ssh box 'zstd -dc | dd' < IMAGE`. */
  unpackedThere(zst: string): Promise<number> {
    const there = `set -o pipefail; zstd -q -dc | ${this.#dd()}`;
    return timed(() =>
      said('bash', ['-euo', 'pipefail', '-c', `${this.#ssh()} "$2" < "$1"`, 'bash', zst, there]),
    );
  }

  #dd(): string {
    return `dd of=${this.#target.path} ${DD}`;
  }

  #ssh(): string {
    const { bench, usual } = this.#b.d;
    const options = [
      'StrictHostKeyChecking=no',
      'UserKnownHostsFile=/dev/null',
      'LogLevel=ERROR',
      'BatchMode=yes',
    ];
    const args = [
      ...options.map((option) => `-o ${option}`),
      `-i ${join(bench.dir, 'id')}`,
      `-p ${usual.port}`,
    ];
    return `ssh -F none ${args.join(' ')} root@${bench.host}`;
  }

  #sent(): number {
    return Number(readFileSync(`/sys/class/net/${this.#b.d.bench.tag}a/statistics/tx_bytes`, 'utf8'));
  }

  #order(image: FlashImage, imageId: string) {
    const { path, bytes: size } = this.#target;
    return this.#b.order('flash_box', {
      target: { serial: null, size, name: 'a loop device', path },
      ...{ imageId, virtualSize: image.virtualSize, sealed: [...image.layout.sealed], dataBytes: null },
      ...{ diskRoot: image.diskRoot, identity: null },
    });
  }

  async #feed(
    image: FlashImage,
    clock: Clock,
    signal: AbortSignal,
  ): Promise<{ box: BoxFeed; imageId: string }> {
    const { path, bytes: size } = this.#target;
    const imageId = randomUUID();
    const record = ChunkRecord.open(this.#records, {
      ...{ target: { kind: 'disk', serial: path, size }, image: image.key, virtualSize: image.virtualSize },
    });
    const box = new BoxFeed({
      ...{ image, imageId, record, name: 'the disk', feeder: 'the benchmark', signal },
      target: { kind: 'disk', path, serial: null, size },
      open: (conn, at) => openSocket(conn, at, this.#b.code.relay),
      note: () => undefined,
      onProgress: ({ phase }) => clock.phase(phase),
    });
    return { box, imageId };
  }
}

/** Why there can be no such link; null where there can. */
export function whyNoGigabit(): string | null {
  try {
    execFileSync('tc', ['-V'], { stdio: 'pipe' });
    return null;
  } catch {
    return 'no tc: apt install iproute2';
  }
}
