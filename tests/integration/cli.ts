/** The command line as a person has it: the built bundle in a process of its own, with a data folder of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const CLI = fileURLToPath(new URL('../../out/cli.mjs', import.meta.url));

export interface SecretsGiven {
  loginPassword?: string;
  sudoPassword?: string;
  newSudoPassword?: string;
  passphrase?: string;
}

/** One record of --json. */
export type Record_ = { type: string } & Record<string, unknown>;

export interface Ended {
  code: number;
  records: Record_[];
  stderr: string;
  /** The last record: type result or error. */
  last: Record_;
}

export class CliRun {
  readonly child: ChildProcess;
  readonly records: Record_[] = [];
  readonly ended: Promise<Ended>;
  readonly #watchers = new Set<(record: Record_) => void>();
  #stderr = '';

  /** `within`: a command that runs the one that is put behind it. */
  constructor(
    args: readonly string[],
    secrets: SecretsGiven,
    env: NodeJS.ProcessEnv,
    within: readonly string[] = [],
  ) {
    const [program = '', ...rest] = [...within, process.execPath, CLI, ...args, '--json', '--secrets', '-'];
    this.child = spawn(program, rest, {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child.stdin?.on('error', () => undefined);
    this.child.stdin?.end(JSON.stringify(secrets));
    this.child.stderr?.on('data', (data: Buffer) => (this.#stderr += data.toString('utf8')));
    const { stdout } = this.child;
    if (!stdout) throw new Error('no stdout');
    const lines = createInterface({ input: stdout });
    lines.on('line', (line) => {
      let record: Record_;
      try {
        record = JSON.parse(line) as Record_;
      } catch (error) {
        // A command that is killed in the middle of a record leaves it torn.
        if (this.child.killed) return;
        throw error;
      }
      this.records.push(record);
      for (const watch of this.#watchers) watch(record);
    });
    const read = new Promise<void>((resolve) => lines.once('close', resolve));
    this.ended = new Promise<Ended>((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => {
        void read.then(() => {
          const last = this.records.at(-1) ?? { type: `nothing; stderr: ${this.#stderr}` };
          resolve({
            code: code ?? (signal === 'SIGKILL' ? 137 : 128),
            records: this.records,
            stderr: this.#stderr,
            last,
          });
        });
      });
    });
  }

  /** `told` of each record that comes from now on. */
  watch(told: (record: Record_) => void): void {
    this.#watchers.add(told);
  }

  /** Resolves with the first record, past or coming, that fits; rejects when the command ends without one. */
  until(what: string, fits: (record: Record_) => boolean): Promise<Record_> {
    const found = this.records.find(fits);
    if (found) return Promise.resolve(found);
    return new Promise((resolve, reject) => {
      const watch = (record: Record_) => {
        if (!fits(record)) return;
        this.#watchers.delete(watch);
        resolve(record);
      };
      this.#watchers.add(watch);
      void this.ended.then(({ code, last }) =>
        reject(new Error(`the command ended with ${code} before ${what}: ${JSON.stringify(last)}`)),
      );
    });
  }

  kill(signal: NodeJS.Signals): Promise<Ended> {
    this.child.kill(signal);
    return this.ended;
  }
}

/** An engineer's laptop: a data folder, and secrets that are given to each command. */
export class Laptop {
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  secrets: SecretsGiven = {};
  /** What each command runs within: a namespace of its own, say. */
  within: readonly string[] = [];
  /** Told of every command's end. */
  onEnded: (ended: Ended) => void = () => undefined;

  constructor(home = mkdtempSync(join(tmpdir(), 'vault-cube-laptop-')), env: NodeJS.ProcessEnv = {}) {
    this.home = home;
    this.env = { VAULT_CUBE_HOME: home, ...env };
  }

  start(...args: string[]): CliRun {
    return new CliRun(args, this.secrets, this.env, this.within);
  }

  async run(...args: string[]): Promise<Ended> {
    const ended = await this.start(...args).ended;
    this.onEnded(ended);
    return ended;
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** The events among records, in the order they were printed. */
export function eventsOf(records: readonly Record_[]): Record<string, unknown>[] {
  return records.filter((r) => r.type === 'event').map((r) => r['event'] as Record<string, unknown>);
}

/** Those of one kind. */
export const kindIn = (records: readonly Record_[], kind: string): Record<string, unknown>[] =>
  eventsOf(records).filter((event) => event['kind'] === kind);

/** Names of the tasks that changed something, in order. */
export const changedIn = (records: readonly Record_[]): string[] =>
  kindIn(records, 'task')
    .filter((event) => event['state'] === 'changed')
    .map((event) => String(event['name']));

/** Exit codes of an outcome that lets a box go on: passed, passed with deviations. */
export const PASSED: readonly number[] = [0, 10];
