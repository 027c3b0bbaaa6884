/** In the process that builds: takes one order, and tells the app what its jobs record. Ends in order when it is told to, or when the app is gone. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { asAppError } from '../../../preload/contract/errors.ts';
import { JobSpec } from '../../../preload/contract/job.ts';
import { Journal, LAPTOP } from '../../journal/journal.ts';
import { signBytes } from '../archive/minisign.ts';
import { keyId } from '../archive/signature.ts';
import { buildImage } from './build.ts';
import { ToBuild, keyOfWire, type FromBuild } from './wire.ts';

/** Packer prints many lines at once: they cross, and are stored, together. */
const TELL_MS = 50;

/** Tells of new lines of every attempt, in order. */
class Mirror {
  readonly #journal: Journal;
  readonly #send: (message: FromBuild) => void;
  /** How far each attempt was told. */
  readonly #told = new Map<string, number>();
  #due = new Map<string, { job: string; attempt: number }>();
  #timer: NodeJS.Timeout | null = null;

  constructor(journal: Journal, send: (message: FromBuild) => void) {
    this.#journal = journal;
    this.#send = send;
    journal.onAppend((job, attempt) => {
      this.#due.set(`${job}/${attempt}`, { job, attempt });
      this.#timer ??= setTimeout(() => this.flush(), TELL_MS);
    });
  }

  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    for (const [key, { job, attempt }] of this.#due) {
      const told = this.#told.get(key) ?? 0;
      const lines = this.#journal.linesAfter(job, attempt, told, Number.MAX_SAFE_INTEGER);
      const spec = told > 0 ? null : this.#journal.specBytes(job, attempt).toString('base64');
      this.#send({ is: 'lines', job, attempt, spec, lines });
      this.#told.set(key, told + lines.length);
    }
    this.#due = new Map();
  }
}

async function build(
  given: Extract<ToBuild, { is: 'build' }>,
  send: (message: FromBuild) => void,
  signal: AbortSignal,
) {
  const dir = mkdtempSync(join(tmpdir(), 'vault-cube-build-'));
  const journal = Journal.open(join(dir, 'journal.db'));
  const mirror = new Mirror(journal, send);
  try {
    for (const attempt of given.attempts) {
      const bytes = Buffer.from(attempt, 'base64');
      journal.createAttempt(LAPTOP, JobSpec.parse(JSON.parse(bytes.toString('utf8'))), bytes);
    }
    const key = given.key && keyOfWire(given.key);
    const order = {
      ...given.order,
      signer: key && ((bytes: Uint8Array, trusted: string) => signBytes(bytes, key, trusted)),
      signerId: key && keyId(key.id),
    };
    await buildImage({ journal, laptop: given.laptop, version: given.app }, order, signal);
    mirror.flush();
    send({ is: 'built' });
  } catch (error) {
    mirror.flush();
    if (signal.aborted) return send({ is: 'stopped' });
    const { code, facts, cause } = asAppError(error);
    send({ is: 'failed', code, facts, detail: cause instanceof Error ? cause.message : null });
  } finally {
    journal.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Resolves when the one order is done. */
export async function answerBuild(input: Readable, output: Writable): Promise<void> {
  const stop = new AbortController();
  const send = (message: FromBuild) => void output.write(`${JSON.stringify(message)}\n`);
  // Nobody reads any more: its input has ended, too, which is what counts.
  output.on('error', () => undefined);
  const lines = createInterface({ input });
  lines.once('close', () => stop.abort(new Error('the app ended')));
  let begun: Promise<void> | null = null;
  const done = new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      const message = ToBuild.parse(JSON.parse(line));
      if (message.is === 'stop') return stop.abort(new Error('it was stopped'));
      begun ??= build(message, send, stop.signal).then(resolve, reject);
    });
    // One that has begun ends in order first.
    lines.once('close', () => {
      if (!begun) resolve();
    });
  });
  try {
    await done;
  } finally {
    lines.close();
    input.destroy();
  }
}
