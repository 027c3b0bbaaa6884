/** Where faults happen: one stand-in box, and one laptop that knows it, with every command that was given on it. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Run, Session } from '../../preload/contract/session.ts';
import { Journal } from '../../main/journal/journal.ts';
import { openApp } from '../../main/services/app.ts';
import { loadProfile } from '../../main/services/profiles.ts';
import { planProvision } from '../../main/services/provision.ts';
import { planRun } from '../../main/services/runs.ts';
import { CliRun, Laptop, type Ended, type Record_ } from '../integration/cli.ts';
import { NAME, provisioned, type Above } from '../integration/provisioned.ts';
import { RigBox, type RigOptions } from '../rig/box.ts';

/** The stand-in lacks what only the real machine has, so its layers pass with deviations. */
export const PASSED = 10;

const ADMIN_PASSWORD = 'sudo of the faults 1';

/** What happened, for the table in docs/reliability.md. */
export interface Told {
  /** How often the fault was done, and what else can be counted. */
  counts: Record<string, number>;
  /**
   * In ms: the longest time from a link that is back to a journal that is up to date, or to a flash that moves again, or from a cancel to its
   * end; null where nothing was measured.
   */
  slowestMs: number | null;
}

/** Where a fault happens: what it begins with, and what is left of it. */
export interface Place {
  /** Copies what tells how it came to a failure into a folder. */
  keep(folder: string): void;
  /** Ends and removes all of it. */
  close(): Promise<void>;
}

export class Stage implements Place {
  readonly box: RigBox;
  readonly laptop: Laptop;
  readonly name: string;
  /** Every command given so far, in order. */
  readonly commands: CliRun[] = [];
  /** "JOB ATTEMPT" of what was done before any of them. */
  readonly before = new Set<string>();
  /** Whether one was ended while it printed, so that what was stored last may not have been printed. */
  killed = false;
  #journal: Journal | null = null;

  private constructor(box: RigBox, laptop: Laptop, name: string) {
    this.box = box;
    this.laptop = laptop;
    this.name = name;
  }

  /** A fresh box, looked at and with keys: what each fault begins with. */
  static async open(opts: RigOptions = {}, name = 'VC-FAULT'): Promise<Stage> {
    const box = await RigBox.start(opts);
    const stage = new Stage(box, new Laptop(), name);
    try {
      await stage.meet();
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  /** A box that has its layers 0 and 1, and the laptop that gave them to it. */
  static async provisioned(below?: Above): Promise<Stage> {
    const { box, laptop } = await provisioned(below);
    const stage = new Stage(box, laptop, NAME);
    for (const row of stage.journal.jobs(stage.session.id)) stage.before.add(`${row.job} ${row.attempt}`);
    return stage;
  }

  /** Inspect and keys, from the box's first user on. */
  async meet(): Promise<void> {
    const { box, laptop, name } = this;
    laptop.secrets = { loginPassword: box.password, newSudoPassword: ADMIN_PASSWORD };
    const first = ['--box', name, '--host', box.host, '--port', String(box.port), '--user', box.user];
    const looked = await laptop.run(
      ...['inspect', ...first, '--profile', 'two-h100', '--accept-host-key', box.fingerprint()],
    );
    assert.equal(looked.last.type, 'result', told(looked));
    const keys = await laptop.run('keys', '--generate', '--uid', 'keep');
    assert.equal(keys.code, PASSED, told(keys));
    laptop.secrets = { sudoPassword: ADMIN_PASSWORD };
  }

  start(...args: string[]): CliRun {
    const command = this.laptop.start(...args);
    this.commands.push(command);
    return command;
  }

  run(...args: string[]): Promise<Ended> {
    return this.start(...args).ended;
  }

  /** Gives a command and sees how it ends. */
  async must(code: number, ...args: string[]): Promise<Ended> {
    const ended = await this.run(...args);
    assert.equal(ended.code, code, `${args.join(' ')}: ${told(ended)}`);
    return ended;
  }

  provision(layers: string): CliRun {
    return this.start('provision', '--layers', layers, '--bundle', this.box.bundle);
  }

  /** The journal as it is on the disk, read beside whatever writes it. */
  get journal(): Journal {
    this.#journal ??= Journal.open(join(this.laptop.home, 'journal.db'), { readOnly: true });
    return this.#journal;
  }

  get session(): Session {
    const session = this.journal.sessionByName(this.name);
    assert(session, 'the journal knows no such box');
    return session;
  }

  /** A file of an attempt as the box holds it, by its path on this machine. */
  onBox(job: string, attempt: number, file: string): string {
    return join(this.box.root, 'var/lib/vault-cube/jobs', job, String(attempt), file);
  }

  /** Whether a job has told its end on the box. */
  endedOnBox(job: string, attempt: number): boolean {
    return existsSync(this.onBox(job, attempt, 'result.json'));
  }

  /** Stores a run of a layer for `resume` to go on with, its phases changed by `change`. Not while a command runs. */
  plan(change: (phases: Run['phases']) => Run['phases'], layer = 1): void {
    const person = {
      confirmHostKey: async () => false,
      confirmReboot: async () => false,
      note: () => undefined,
      link: () => undefined,
    };
    const app = openApp(person, { home: this.laptop.home });
    try {
      const { session, box } = this;
      const { profile } = loadProfile(session.profile);
      const run = planProvision(app, session, profile, [layer], box.bundle);
      planRun(app, session, { ...run, phases: change(run.phases) });
    } finally {
      app.close();
    }
  }

  keep(folder: string): void {
    keepBox(folder, this.laptop, this.box);
  }

  /** Ends what is left of the commands, the box and the laptop. */
  async close(): Promise<void> {
    this.#journal?.close();
    const running = this.commands.filter((c) => c.child.exitCode === null && c.child.signalCode === null);
    await Promise.all(running.map((c) => c.kill('SIGKILL')));
    await this.box.stop();
    this.laptop.remove();
  }
}

/** The journal, and the box's own logs. */
export function keepBox(folder: string, { home }: Pick<Laptop, 'home'>, { root }: RigBox): void {
  mkdirSync(folder, { recursive: true });
  cpSync(join(home, 'journal.db'), join(folder, 'journal.db'));
  cpSync(join(home, 'journal.db-wal'), join(folder, 'journal.db-wal'), { force: true });
  cpSync(join(root, 'var/lib/vault-cube/jobs'), join(folder, 'jobs'), { recursive: true });
}

/** How a command ended, for a message. */
export const told = ({ code, last, stderr }: Ended): string => JSON.stringify({ code, last, stderr });

/** The event in a record, or null. */
export const eventIn = (record: Record_): Record<string, unknown> | null =>
  record.type === 'event' ? (record['event'] as Record<string, unknown>) : null;

/** Whether a record is an event with these fields. */
export const isEvent =
  (want: Record<string, unknown>) =>
  (record: Record_): boolean => {
    const event = eventIn(record);
    return event !== null && Object.entries(want).every(([key, value]) => event[key] === value);
  };
