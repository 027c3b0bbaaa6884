/**
 * One job of a practice box: the log of a real run, written anew for this job. What was measured stays as it was recorded. What
 * says which job, when and of what evidence is of now: job, attempt, seq, boot, mono, t, prev and evidence of each line, the
 * orders named in `started`, and the times of samples. Waits are not replayed: the job waits for its own link, source, login.
 */
import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Envelope } from '../../../preload/contract/events.ts';
import { JobSpec } from '../../../preload/contract/job.ts';
import { EVIDENCE } from './marking.ts';
import type { Recording } from './recordings.ts';

const ENVELOPE = ['v', 'job', 'attempt', 'seq', 'mono', 't', 'kind', 'prev', 'boot', 'evidence'];
/** What is due so soon is written at once; timers are no finer. */
const SOON_MS = 2;
/** A wait is told again so often, as the runner does. */
const REPEAT_MS = 5_000;

/** Name of the roles' task. */
const REBOOT_NOTED = 'Note that a reboot is due';

const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');

/** The box around a job. */
export interface Surroundings {
  bootId(): string;
  mono(): number;
  speed: number;
  /** What a fetch does: resolves when the bundle was read, rejects with FetchFailed when it is not what was ordered. */
  fetch(job: Replay, signal: AbortSignal): Promise<void>;
  /** The rules of hardening hold from now on, or no longer. */
  harden(on: boolean): void;
  finished(job: Replay, passed: boolean): void;
}

/** Ends the job as failed, with a code of the app's error table. */
export class FetchFailed extends Error {
  readonly code: string;
  constructor(code: string, detail: string) {
    super(detail);
    this.code = code;
  }
}

/** Told `grow` when lines were written, `control` when the app wrote a control file, `follower` when one came. */
export class Replay extends EventEmitter {
  readonly dir: string;
  readonly spec: JobSpec;
  readonly specSha256: string;
  readonly #recording: Recording;
  readonly #around: Surroundings;
  readonly #stop = new AbortController();
  readonly #cancel = new AbortController();
  #seq = 0;
  #size = 0;
  #prev: string;
  /** Lines of the recording that are written. */
  #at = 0;
  #step: { id: string; title: string; begun: number } | null = null;
  #started: number | null = null;
  #ended = false;
  #followers = 0;
  #running: Promise<void> = Promise.resolve();

  /** The job in this folder, taken up where its log ends. */
  constructor(dir: string, recording: Recording, around: Surroundings) {
    super();
    this.setMaxListeners(0);
    this.dir = dir;
    const spec = readFileSync(join(dir, 'spec.json'));
    this.spec = JobSpec.parse(JSON.parse(spec.toString('utf8')));
    this.specSha256 = this.#prev = sha256(spec);
    this.#recording = recording;
    this.#around = around;
    this.#read();
  }

  /** Makes the folder of a new attempt. */
  static place(dir: string, spec: Buffer): void {
    mkdirSync(join(dir, 'control'), { recursive: true, mode: 0o700 });
    writeFileSync(join(dir, 'spec.json'), spec, { mode: 0o600 });
  }

  get log(): string {
    return join(this.dir, 'events.jsonl');
  }

  get size(): number {
    return this.#size;
  }

  /** Whether the recorded run noted that a reboot is due (ansible/roles/driver_stack). */
  get asksForReboot(): boolean {
    return this.#recording.events.some((e) => e['name'] === REBOOT_NOTED && e['state'] === 'changed');
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Takes what an earlier process wrote; a torn last line goes. */
  #read(): void {
    if (!existsSync(this.log)) return;
    const bytes = readFileSync(this.log);
    this.#size = bytes.lastIndexOf(10) + 1;
    if (this.#size < bytes.length) truncateSync(this.log, this.#size);
    for (const line of bytes.subarray(0, this.#size).toString('utf8').split('\n').slice(0, -1)) {
      const event = JSON.parse(line) as Envelope;
      this.#seq = event.seq;
      this.#prev = sha256(line);
      if (event.kind !== 'waiting') this.#at += 1;
      this.#note(event);
    }
  }

  #note(event: Record<string, unknown>): void {
    this.#started ??= Number(event['mono']);
    if (event['kind'] === 'finished') this.#ended = true;
    if (event['kind'] !== 'step') return;
    const { id, title } = event as { id: string; title: string };
    this.#step = event['state'] === 'begin' ? { id, title, begun: this.#around.mono() } : null;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Leaves the job where it is; it goes on when the box is opened again. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** The app wrote a control file of this name. */
  controlled(name: string): void {
    if (name === 'cancel') this.#cancel.abort();
    this.emit('control');
  }

  followed(): () => void {
    this.#followers += 1;
    this.emit('follower');
    return () => {
      this.#followers -= 1;
    };
  }

  has(control: string): boolean {
    return existsSync(join(this.dir, 'control', control));
  }

  async #run(): Promise<void> {
    if (this.#ended) return;
    if (this.has('cancel')) this.#cancel.abort();
    const signal = AbortSignal.any([this.#stop.signal, this.#cancel.signal]);
    try {
      await this.#play(signal);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      if (this.#cancel.signal.aborted) return this.#finish('cancelled', null, null);
      if (error instanceof FetchFailed) return this.#finish('failed', error.code, error.message);
      this.#finish('failed', 'runner_error', String(error));
    }
  }

  async #play(signal: AbortSignal): Promise<void> {
    const events = this.#recording.events.filter((e) => e.kind !== 'waiting');
    let due = performance.now();
    for (let before = events[this.#at - 1]; this.#at < events.length; before = events[this.#at - 1]) {
      const event = events[this.#at] as Envelope;
      signal.throwIfAborted();
      if (before) {
        if (await this.#gate(before, signal)) due = performance.now();
        due += ((event.mono - before.mono) * 1000) / this.#around.speed;
        if (due - performance.now() > SOON_MS) await delay(due - performance.now(), undefined, { signal });
      }
      this.#at += 1;
      this.#write(event.kind, this.#body(event));
      if (this.#ended) this.#around.finished(this, event['outcome'] === 'passed');
    }
  }

  /** What must happen after this line before the next one comes; true when it took time. */
  async #gate(line: Envelope, signal: AbortSignal): Promise<boolean> {
    const { kind } = this.spec;
    const begins = (id: string) => line.kind === 'step' && line['id'] === id && line['state'] === 'begin';
    if (kind === 'fetch' && line.kind === 'started') {
      await this.#around.fetch(this, signal);
      return true;
    }
    if (kind !== 'harden') return false;
    if (begins('link')) {
      const why = 'hardening starts only while the app is there to prove a new login';
      return this.waitFor('link', why, 'follower', () => this.#followers > 0, signal);
    }
    if (!begins('confirm')) return false;
    this.#around.harden(true);
    return this.waitFor('confirm', 'a new login with a key', 'control', () => this.has('confirm'), signal);
  }

  /** Waits in the log, too, until `ready`; asked anew at each `event`. Resolves to whether it had to wait. */
  async waitFor(
    what: string,
    detail: string,
    event: string,
    ready: () => boolean,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (ready()) return false;
    const tell = (state: 'begin' | 'end') => this.#write('waiting', { for: what, detail, state });
    tell('begin');
    const repeat = setInterval(() => tell('begin'), REPEAT_MS);
    try {
      while (!ready()) await once(this, event, { signal });
    } finally {
      clearInterval(repeat);
    }
    tell('end');
    return true;
  }

  /** What the line holds beside the envelope. */
  #body(event: Envelope): Record<string, unknown> {
    const body = Object.fromEntries(Object.entries(event).filter(([name]) => !ENVELOPE.includes(name)));
    if (event.kind === 'started') {
      const { title, laptop } = this.spec;
      return { ...body, title, specSha256: this.specSha256, laptop };
    }
    if (event.kind !== 'samples' || !Array.isArray(body['rows'])) return body;
    const now = this.#around.mono();
    const at = (mono: number) => Number((now + (mono - event.mono) / this.#around.speed).toFixed(3));
    const rows = (body['rows'] as [number, ...unknown[]][]).map(([mono, ...values]) => [at(mono), ...values]);
    return { ...body, rows };
  }

  #write(kind: string, body: Record<string, unknown>): void {
    this.#seq += 1;
    const { job, attempt } = this.spec;
    const event = {
      v: 1,
      job,
      attempt,
      seq: this.#seq,
      mono: Number(this.#around.mono().toFixed(6)),
      t: new Date().toISOString(),
      kind,
      prev: this.#prev,
      boot: this.#around.bootId(),
      evidence: EVIDENCE,
      ...body,
    };
    const line = Buffer.from(JSON.stringify(event));
    appendFileSync(this.log, Buffer.concat([line, Buffer.from('\n')]), { mode: 0o600 });
    this.#size += line.length + 1;
    this.#prev = sha256(line);
    this.#note(event);
    this.emit('grow');
  }

  /** An end that was not recorded. What is open is closed, as the runner does. */
  #finish(outcome: 'failed' | 'cancelled', code: string | null, detail: string | null): void {
    const since = (mono: number) => Number((this.#around.mono() - mono).toFixed(3));
    if (this.#step) {
      const { id, title, begun } = this.#step;
      const why = detail ?? outcome;
      this.#write('step', { id, title, state: 'end', outcome: 'failed', seconds: since(begun), detail: why });
    }
    if (this.spec.kind === 'harden') this.#around.harden(false);
    this.#write('finished', {
      outcome,
      code,
      detail,
      counts: null,
      seconds: since(this.#started ?? this.#around.mono()),
    });
    this.#around.finished(this, false);
  }
}
