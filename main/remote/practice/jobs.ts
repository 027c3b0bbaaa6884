/** The jobs of a practice box: started once, one at a time, followed, steered by control files; taken up after a restart. */
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { JobSpec } from '../../../preload/contract/job.ts';
import type { Disk } from './disk.ts';
import { fetchBundle, type OpenForward } from './fetch.ts';
import type { Process } from './process.ts';
import { keyOf, type Recordings } from './recordings.ts';
import { Replay, type Surroundings } from './replay.ts';

const JOBS = '/var/lib/vault-cube/jobs';
const IN_JOB =
  /^\/var\/lib\/vault-cube\/jobs\/([0-9a-f-]{36})\/(\d+)(?:\/control\/(cancel|confirm|source\.json))?$/;
const CHUNK = 256 * 1024;
/** Exit statuses of follow.py. */
const FINISHED = 0;
const REFUSED = 2;
const LEFT = 4;

export type Started =
  { ok: true; joined: boolean; dir: string; unit: string } | { ok: false; code: string; detail: string };

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

export class Jobs {
  readonly #disk: Disk;
  readonly #recordings: Recordings;
  readonly #around: Surroundings;
  readonly #jobs = new Map<string, Replay>();

  constructor(disk: Disk, recordings: Recordings, speed: number, open: OpenForward) {
    this.#disk = disk;
    this.#recordings = recordings;
    this.#around = {
      bootId: () => disk.content.bootId,
      mono: () => disk.mono(),
      speed,
      fetch: (job, signal) => fetchBundle(job, open, signal),
      harden: (on) => {
        disk.content.hardened = on;
        disk.save();
      },
      finished: (job, passed) => {
        if (passed) this.#passed(job);
      },
    };
    for (const job of readdirSync(this.#folder()))
      for (const attempt of readdirSync(this.#folder(job))) this.#take(job, Number(attempt));
  }

  #folder(...parts: string[]): string {
    return join(this.#disk.folder, 'jobs', ...parts);
  }

  /** Takes up what an earlier process of the app left. */
  #take(job: string, attempt: number): void {
    const dir = this.#folder(job, String(attempt));
    const path = join(dir, 'again');
    if (!existsSync(join(dir, 'spec.json'))) return;
    const spec = JobSpec.parse(JSON.parse(readFileSync(join(dir, 'spec.json'), 'utf8')));
    const recording = this.#recordings.log(spec, existsSync(path));
    if (!recording) return;
    const replay = new Replay(dir, recording, this.#around);
    this.#jobs.set(`${job}/${attempt}`, replay);
    replay.start();
  }

  /** What a passed job changes on the box. */
  #passed({ spec, asksForReboot }: Replay): void {
    const { content } = this.#disk;
    if (asksForReboot) content.rebootDue = true;
    const key = keyOf(spec);
    if (!content.done.includes(key)) content.done.push(key);
    if (spec.kind === 'uid_swap') {
      const holder = this.#disk.account(String(spec.params['holder']));
      const user = this.#disk.account(String(spec.params['user']));
      if (holder && user) [holder.uid, user.uid] = [user.uid, holder.uid];
    }
    this.#disk.save();
  }

  /** Starts a job or joins it, as stage0 and vcbox.launch do. */
  start(bytes: Buffer): Started {
    const refused = (code: string, detail: string): Started => ({ ok: false, code, detail });
    const parsed = JobSpec.safeParse(JSON.parse(bytes.toString('utf8')));
    if (!parsed.success) return refused('spec_invalid', 'the specification is not one');
    const spec = parsed.data;
    const id = `${spec.job}/${spec.attempt}`;
    const answer = {
      ok: true as const,
      dir: `${JOBS}/${id}`,
      unit: `vault-job-${id.replace('/', '-')}.service`,
    };
    const known = this.#jobs.get(id);
    if (known && known.specSha256 !== sha256(bytes))
      return refused('job_conflict', `job ${spec.job} is on the box with another specification`);
    if (known) return { ...answer, joined: true };
    const busy = [...this.#jobs.values()].find((j) => !j.ended);
    if (busy) {
      const { title, laptop, job } = busy.spec;
      const who = `${laptop.user} on ${laptop.name}`;
      const quoted = `'${title.replaceAll("'", "\\'")}'`;
      return refused('box_busy', `The box works on ${quoted}, started by ${who} (job ${job}).`);
    }
    const again = this.#disk.content.done.includes(keyOf(spec));
    if (!this.#recordings.log(spec, again))
      return refused('not_recorded', `the practice box has no recording of "${spec.title}" (${keyOf(spec)})`);
    const dir = this.#folder(spec.job, String(spec.attempt));
    Replay.place(dir, bytes);
    if (again) writeFileSync(join(dir, 'again'), '', { mode: 0o600 });
    this.#take(spec.job, spec.attempt);
    return { ...answer, joined: false };
  }

  #named(path: string): { job: Replay; control: string | undefined } | null {
    const [, id = '', attempt = '', control] = IN_JOB.exec(path) ?? [];
    const job = this.#jobs.get(`${id}/${attempt}`);
    return job ? { job, control } : null;
  }

  /** Writes a control file; false when there is no such job, or it is no control file. */
  control(path: string, content: Buffer): boolean {
    const found = this.#named(path);
    if (!found?.control) return false;
    const { job, control } = found;
    const file = join(job.dir, 'control', control);
    writeFileSync(`${file}.new`, content, { mode: 0o600 });
    renameSync(`${file}.new`, file);
    job.controlled(control);
    return true;
  }

  /** What follow.py does: a header, then the log from an offset on, as it grows. */
  async follow([dir = '', at = '0', length = '0', digest = '-']: string[], p: Process): Promise<number> {
    const header = (fields: Record<string, unknown>) => p.out(`${JSON.stringify(fields)}\n`);
    const job = this.#named(dir)?.job;
    if (!job || job.size === 0) {
      await header({ ok: false, code: 'no_such_job' });
      return REFUSED;
    }
    let offset = Number(at);
    const file = openSync(job.log, 'r');
    const leave = job.followed();
    try {
      if (!stands(file, job.size, offset, Number(length), digest)) {
        await header({ ok: false, code: 'log_diverged' });
        return REFUSED;
      }
      await header({ ok: true, size: job.size, finished: job.ended });
      for (;;) {
        // Asked before the bytes are read: what was written before the end is then still sent.
        const ended = job.ended;
        while (offset < job.size) {
          const data = Buffer.alloc(Math.min(CHUNK, job.size - offset));
          offset += readSync(file, data, 0, data.length, offset);
          await p.out(data);
        }
        if (ended) return FINISHED;
        if (p.inputEnded) return LEFT;
        await new Promise<void>((resolve) => {
          job.once('grow', resolve);
          p.onInput(() => {
            job.off('grow', resolve);
            resolve();
          });
          if (p.inputEnded || offset < job.size || job.ended) resolve();
        });
      }
    } finally {
      leave();
      closeSync(file);
    }
  }

  /** Leaves every job where it is. */
  async stop(): Promise<void> {
    await Promise.all([...this.#jobs.values()].map((job) => job.stop()));
  }
}

/** Whether the caller's last line is a line of this log. */
function stands(file: number, size: number, offset: number, length: number, digest: string): boolean {
  if (offset === 0) return true;
  if (offset > size || length < 1 || length >= offset + 1) return false;
  const line = Buffer.alloc(length + 1);
  readSync(file, line, 0, line.length, offset - length - 1);
  return line.at(-1) === 10 && sha256(line.subarray(0, -1)) === digest;
}
