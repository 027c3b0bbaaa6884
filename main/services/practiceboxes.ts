/**
 * The practice boxes of this laptop: each a folder below the app's data folder, served by whichever process of the app dialled it
 * first, for as long as that lives. After that another one takes it up where it was.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AppError } from '../../preload/contract/errors.ts';
import type { Address } from '../../preload/contract/session.ts';
import { recordedFaults, type Fault } from '../remote/practice/recordings.ts';
import { PracticeBox, practiceConsole, type PracticeConsole } from '../remote/practice/server.ts';
import type { BoxCode } from './boxcode.ts';
import { productRoot } from './paths.ts';
import { SET_CLOCK, TELL_TIME } from './preflight/clock.ts';
import { BOOT_LOOK } from './reboot.ts';

/** How many times faster than it was recorded a job is replayed, unless told otherwise. */
const SPEED = 10;
/** The user that an installer of the system would have made. */
const FIRST_USER = 'installer';
const START_MS = 10_000;
const POLL_MS = 50;

const Serving = z.object({ pid: z.number().int(), port: z.number().int().nullable() });

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const end = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export class PracticeBoxes {
  /** Of boxes that are started from now on. */
  speed = SPEED;
  readonly #folder: string;
  readonly #boxCode: () => Promise<BoxCode>;
  readonly #own = new Map<string, Promise<PracticeBox>>();

  constructor(home: string, boxCode: () => Promise<BoxCode>) {
    this.#folder = join(home, 'practice');
    this.#boxCode = boxCode;
  }

  /** Where practice boxes keep what is theirs. */
  get folder(): string {
    return this.#folder;
  }

  get recordings(): string {
    return join(productRoot(), 'resources/practice');
  }

  faults(): Fault[] {
    return recordedFaults(this.recordings);
  }

  #fresh(name: string, fault: string | null) {
    const password = randomBytes(9).toString('base64url');
    return { folder: join(this.#folder, name), user: FIRST_USER, password, fault };
  }

  /** Makes the box where there is none; what its console shows. */
  make(name: string, fault: string | null): PracticeConsole {
    return practiceConsole(this.#fresh(name, fault));
  }

  /** Where the box answers now; started by this process when no other one serves it. */
  async address(name: string): Promise<Address> {
    const own = this.#own.get(name);
    if (own) return addressOf(await own);
    const end = performance.now() + START_MS;
    while (!this.#claim(name)) {
      const port = await this.#served(name);
      if (port !== null) return { host: '127.0.0.1', port };
      if (performance.now() > end)
        throw new AppError('internal', { detail: `the practice box ${name} does not start` });
      await delay(POLL_MS);
      const meanwhile = this.#own.get(name);
      if (meanwhile) return addressOf(await meanwhile);
    }
    const box = this.#start(name);
    this.#own.set(name, box);
    try {
      return addressOf(await box);
    } catch (error) {
      this.#own.delete(name);
      rmSync(this.#servingFile(name), { force: true });
      throw error;
    }
  }

  #servingFile(name: string): string {
    return join(this.#folder, name, 'serving.json');
  }

  /** True when this process is the one to serve the box. */
  #claim(name: string): boolean {
    const path = this.#servingFile(name);
    mkdirSync(join(this.#folder, name), { recursive: true, mode: 0o700 });
    try {
      writeFileSync(path, JSON.stringify({ pid: process.pid, port: null }), { flag: 'wx', mode: 0o600 });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      return false;
    }
  }

  /** The port at which another process serves the box; null while it does not yet, or after it died. */
  async #served(name: string): Promise<number | null> {
    const path = this.#servingFile(name);
    let found: z.infer<typeof Serving>;
    try {
      found = Serving.parse(JSON.parse(readFileSync(path, 'utf8')));
    } catch {
      return null;
    }
    const { pid, port } = found;
    if (port !== null && lives(pid) && (await answers(port))) return port;
    // A process id may be another's by now; what does not answer serves nothing.
    if (pid === process.pid || port !== null || !lives(pid)) rmSync(path, { force: true });
    return null;
  }

  async #start(name: string): Promise<PracticeBox> {
    const { facts, admin, follow, stage0 } = await this.#boxCode();
    const programs = {
      facts,
      admin,
      follow,
      stage0,
      tellTime: TELL_TIME,
      setClock: SET_CLOCK,
      bootLook: BOOT_LOOK,
    };
    const { recordings, speed } = this;
    const box = await PracticeBox.start({ ...this.#fresh(name, null), recordings, programs, speed });
    writeFileSync(this.#servingFile(name), JSON.stringify({ pid: process.pid, port: box.port }));
    return box;
  }

  /** Closes what this process serves. Jobs stay where they are. */
  async stop(): Promise<void> {
    const own = [...this.#own];
    this.#own.clear();
    for (const [name, starting] of own) {
      const box = await starting.catch(() => null);
      // Nothing is written any more once this is called; only then may another process take the box up.
      const stopped = box?.stop();
      rmSync(this.#servingFile(name), { force: true });
      await stopped;
    }
  }
}

const addressOf = ({ host, port }: PracticeBox): Address => ({ host, port });
