/**
 * Jobs of the real runner on this machine, started and followed over a real sshd as the app does it, with its state and
 * code in a folder of the bench. Not a box: no systemd, no cgroup, and only kinds that leave the machine as it is.
 */
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Journal } from '../../main/journal/journal.ts';
import { connect, type Connection, type ConnectOptions } from '../../main/remote/connection.ts';
import { followJob, type FollowEnd, type FollowOptions } from '../../main/remote/follower.ts';
import type { KnownHosts } from '../../main/remote/hostkeys.ts';
import { startJob, type StartOptions, type StartedJob } from '../../main/remote/stage.ts';
import { packBoxCode, type BoxCode } from '../../main/services/boxcode.ts';
import type { JobKind, JobSpec } from '../../preload/contract/job.ts';
import type { Session } from '../../preload/contract/session.ts';
import { makeSession } from '../unit/journal/log.ts';
import { Dialling } from './dialling.ts';
import type { SshBench } from './sshd.ts';

export interface Order {
  spec: JobSpec;
  bytes: Buffer;
  sha256: string;
}

export interface Followed {
  end: FollowEnd;
  /** Every `seq` that the journal told of, in the order in which it did. */
  seqs: number[];
  /** What was said of the link, in order. */
  links: string[];
  dials: number;
}

export class JobBench {
  readonly d: Dialling;
  readonly journal: Journal;
  readonly code: BoxCode;
  readonly session: Session;
  readonly known: KnownHosts;
  /** stage0's options: this bench's folders, the user's group, no systemd. */
  readonly options: string[];

  private constructor(d: Dialling, code: BoxCode) {
    this.d = d;
    this.code = code;
    this.journal = Journal.open(join(d.bench.dir, 'journal.db'));
    this.session = makeSession();
    this.journal.saveSession(this.session);
    this.known = d.knownHosts();
    this.options = this.at(d.bench.dir);
    const { name } = d.user;
    d.bench.sudoers('jobs', `${name} ALL=(ALL:ALL) ALL\n`);
  }

  static async open(prepare?: (bench: SshBench) => void): Promise<JobBench> {
    const code = await packBoxCode();
    return new JobBench(await Dialling.open(prepare), code);
  }

  at(base: string): string[] {
    const folders = ['--state', join(base, 'state'), '--opt', join(base, 'opt')];
    return [...folders, '--group', this.d.user.name, '--mode', 'setsid', '--no-cgroup'];
  }

  /** Connects with the user's key, which stands for nothing else than the follower's own way in. */
  connect(more: Partial<ConnectOptions> = {}): Promise<Connection> {
    return connect(this.d.options({ auth: this.d.keyAuth, knownHosts: this.known, ...more }));
  }

  /** Orders, recorded in the journal as the app does before it starts them. */
  order(kind: JobKind, params: Record<string, unknown>, more: Partial<JobSpec> = {}): Order {
    const spec: JobSpec = {
      v: 1,
      job: randomUUID(),
      attempt: 1,
      kind,
      title: `Test of ${kind}`,
      laptop: { name: 'lap-7', user: 'kim' },
      params,
      ...more,
    };
    const bytes = Buffer.from(JSON.stringify(spec));
    this.journal.createAttempt(this.session.id, spec, bytes);
    return { spec, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
  }

  startOptions(order: Order): StartOptions {
    return {
      tar: this.code.tar,
      tarSha256: this.code.sha256,
      stage0: this.code.stage0,
      spec: order.bytes,
      specSha256: order.sha256,
      sudoPassword: this.d.user.password,
      options: this.options,
    };
  }

  async start(order: Order, options: readonly string[] = this.options): Promise<StartedJob> {
    const conn = await this.connect();
    try {
      return await startJob(conn, { ...this.startOptions(order), options });
    } finally {
      conn.close();
    }
  }

  /** The folder that it will have on the box. */
  folder({ spec }: Order): string {
    return join(this.d.bench.dir, 'state', 'jobs', spec.job, String(spec.attempt));
  }

  /** Follows into the journal until the log's end, or until `signal`; over `first` as long as that lives. */
  async follow(
    order: Order,
    dir: string,
    more: Partial<FollowOptions> & { port?: number; host?: string; first?: Connection } = {},
  ) {
    const { port, host, first, ...rest } = more;
    const { job, attempt } = order.spec;
    const found: Omit<Followed, 'end'> = { seqs: [], links: [], dials: 0 };
    const off = this.journal.onAppend((j, a, events) => {
      if (j === job && a === attempt) found.seqs.push(...events.map((e) => e.env.seq));
    });
    try {
      const end = await followJob({
        dial: (limits) => {
          found.dials += 1;
          if (found.dials === 1 && first?.alive) return Promise.resolve(first);
          const via = { ...(port ? { port } : {}), ...(host ? { host } : {}) };
          return this.connect({ ...limits, ...via, hostKeyName: 'box', confirmHostKey: async () => true });
        },
        followSource: this.code.follow,
        dir,
        position: () => this.journal.position(job, attempt),
        onLines: (lines) => void this.journal.append(job, attempt, lines),
        signal: new AbortController().signal,
        ...rest,
        onLink: (state, detail) => {
          found.links.push(state);
          rest.onLink?.(state, detail);
        },
      });
      return { ...found, end } satisfies Followed;
    } finally {
      off();
    }
  }

  /** The log as the box has it. */
  boxLog(dir: string): string {
    return readFileSync(join(dir, 'events.jsonl'), 'utf8');
  }

  /** The log as it was stored here, in the same form. */
  stored({ spec }: Order): string {
    return [...this.journal.events(spec.job, spec.attempt)].map((e) => `${e.line}\n`).join('');
  }

  view({ spec }: Order) {
    return this.journal.view(spec.job, spec.attempt);
  }

  seq({ spec }: Order): number {
    return this.journal.position(spec.job, spec.attempt).seq;
  }

  /** The runner's pid on this machine, from the log's first event. */
  runner({ spec }: Order): number {
    for (const { event } of this.journal.events(spec.job, spec.attempt)) {
      if (event.known && event.kind === 'started') return event.body.pid;
    }
    throw new Error('the job has not begun');
  }

  async close(): Promise<void> {
    this.journal.close();
    await this.d.close();
  }
}
