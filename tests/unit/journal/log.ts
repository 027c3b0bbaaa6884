/** A log as the box would write it, for tests: lines with a right chain, and ways to spoil them. */
import { createHash, randomUUID } from 'node:crypto';
import type { EventKind } from '../../../preload/contract/events.ts';
import type { JobKind, JobSpec } from '../../../preload/contract/job.ts';
import type { Session } from '../../../preload/contract/session.ts';

export const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export function makeSession(more: Partial<Session> = {}): Session {
  return {
    v: 1,
    id: randomUUID(),
    name: `box-${randomUUID().slice(0, 8)}`,
    profile: 'vault-cube',
    path: 'provision',
    practice: false,
    live: false,
    next: null,
    createdAt: '2026-11-24T05:00:00.000Z',
    address: { host: '192.0.2.10', port: 22 },
    user: 'installer',
    firstUser: 'installer',
    hostKey: null,
    identity: null,
    keys: null,
    boxCode: null,
    run: null,
    bundle: null,
    flash: null,
    claims: null,
    firstBoot: null,
    supply: null,
    handover: null,
    waivers: [],
    deviations: [],
    ...more,
  };
}

export function makeSpec(more: Partial<JobSpec> = {}): { spec: JobSpec; bytes: Buffer } {
  const spec: JobSpec = {
    v: 1,
    job: randomUUID(),
    attempt: 1,
    kind: 'selftest' satisfies JobKind,
    title: 'Link test',
    laptop: { name: 'lap-7', user: 'kim' },
    params: { count: 10, rate: 50 },
    ...more,
  };
  return { spec, bytes: Buffer.from(JSON.stringify(spec)) };
}

/** Writes lines one after another with a clock that it is given. */
export class LogWriter {
  seq = 0;
  mono = 100;
  wall = Date.parse('2026-11-24T05:10:00.000Z');
  prev: string;
  evidence = 'stand-in';
  boot = 'b5a4f1d2-0000-4000-8000-000000000001';
  readonly spec: JobSpec;

  constructor(spec: JobSpec, specBytes: Buffer) {
    this.spec = spec;
    this.prev = sha(specBytes);
  }

  line(kind: string, body: Record<string, unknown> = {}, seconds = 0.02): Buffer {
    this.mono = Math.round((this.mono + seconds) * 1e6) / 1e6;
    this.wall += seconds * 1000;
    const line = Buffer.from(
      JSON.stringify({
        v: 1,
        job: this.spec.job,
        attempt: this.spec.attempt,
        seq: ++this.seq,
        boot: this.boot,
        mono: this.mono,
        t: new Date(this.wall).toISOString(),
        kind,
        prev: this.prev,
        evidence: this.evidence,
        ...body,
      }),
    );
    this.prev = sha(line);
    return line;
  }

  started(): Buffer {
    return this.line('started' satisfies EventKind, {
      jobKind: this.spec.kind,
      title: this.spec.title,
      specSha256: this.prev,
      runner: '0.1.0',
      pid: 4711,
      laptop: this.spec.laptop,
    });
  }

  log(text: string): Buffer {
    return this.line('log', { step: null, stream: 'stdout', text });
  }

  finished(
    outcome: 'passed' | 'failed' | 'cancelled' = 'passed',
    more: Record<string, unknown> = {},
  ): Buffer {
    return this.line('finished', { outcome, code: null, detail: null, counts: null, seconds: 1.5, ...more });
  }
}
