/**
 * What the app asks over SSH, recognised word by word: each command line is compared with what the app's own code sends, each
 * program with its text. Whatever is not one of them ends with 127 and says so; nothing is ever handed to a shell.
 */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { PROBE_COMMAND } from '../connection.ts';
import { PUT, TOUCH } from '../control.ts';
import { ANNOUNCE, SUDO_PROBE } from '../sudo.ts';
import { RECEIVE } from '../upload.ts';
import { administer } from './admin.ts';
import type { Disk } from './disk.ts';
import type { Jobs } from './jobs.ts';
import { EVIDENCE } from './marking.ts';
import type { Process } from './process.ts';
import type { Recordings } from './recordings.ts';
import { shellWords } from './words.ts';

/** Texts of the programs that the app sends: the box's code, the two that preflight has, and what a reboot looks at. */
export interface Programs {
  facts: string;
  admin: string;
  follow: string;
  stage0: string;
  tellTime: string;
  setClock: string;
  bootLook: string;
}

const CODE = '/opt/vault-cube/box';
const NOT_FOUND = 127;
const NO_ROOT = 1;
const C_LOCALE = ['env', 'LC_ALL=C'];

export interface Inside {
  disk: Disk;
  jobs: Jobs;
  recordings: Recordings;
  programs: Programs;
  /** Hangs up on everybody, and answers again after a while in another boot. */
  reboot(): void;
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Whether `words` begin with these; the rest then is what varies. */
function after(words: readonly string[], head: readonly string[]): string[] | null {
  return head.every((w, i) => words[i] === w) ? words.slice(head.length) : null;
}

export class Commands {
  readonly #in: Inside;
  /** Uploaded files by their path on the box. */
  readonly #files = new Map<string, Buffer>();
  /** What was run, by a name each: for the test that lists what the app sends on the road. */
  readonly seen = new Set<string>();

  constructor(inside: Inside) {
    this.#in = inside;
  }

  /** Runs a command line to its end and gives its exit status. */
  async run(command: string, p: Process): Promise<number> {
    if (command === PROBE_COMMAND) {
      this.seen.add('probe');
      await p.out(`vault-cube-shell-ok\n${this.#in.disk.account(p.user)?.uid ?? ''}\n`);
      return 0;
    }
    if (command === SUDO_PROBE) {
      this.seen.add('sudo probe');
      p.err('sudo: a password is required\n');
      return NO_ROOT;
    }
    const words = shellWords(command);
    if (!words) return this.#unknown(command, p);
    const localised = after(words, C_LOCALE) ?? words;
    const sudo = after(localised, ['sudo', '-S', '-k', '-p']);
    if (sudo) return this.#sudo(sudo, p);
    return (await this.#asUser(localised, p)) ?? this.#unknown(command, p);
  }

  #unknown(command: string, p: Process): number {
    this.seen.add('unknown');
    p.err(`practice box: it has no answer recorded for this command: ${command.slice(0, 200)}\n`);
    return NOT_FOUND;
  }

  /** Asks for the password once with this prompt, as sudo does, and again after a wrong one. */
  async #sudo(words: string[], p: Process): Promise<number> {
    const [prompt = '', ...rest] = words;
    p.err(prompt);
    const password = await p.line();
    if (password === null || !this.#in.disk.isPassword(p.user, password)) {
      if (password !== null) {
        p.err(`Sorry, try again.\n${prompt}`);
        await p.line();
      }
      p.err(
        `sudo: no password was provided\nsudo: ${password === null ? 0 : 1} incorrect password attempts\n`,
      );
      return NO_ROOT;
    }
    if (rest.length === 1 && rest[0] === '-v') {
      this.seen.add('sudo -v');
      return 0;
    }
    const argv = after(rest, ['--', '/bin/sh', '-c', ANNOUNCE]);
    const [word, ...asked] = argv ?? [];
    if (word === undefined) return this.#unknown(`sudo ${rest.join(' ')}`, p);
    await p.out(`${word}\n`);
    return (await this.#asRoot(asked, p)) ?? this.#unknown(`sudo ${asked.join(' ')}`, p);
  }

  /** Null for what is not known. */
  async #asRoot(argv: readonly string[], p: Process): Promise<number | null> {
    const { admin, stage0, setClock } = this.#in.programs;
    const program = after(argv, ['python3', '-I', '-c']);
    if (program?.[0] === admin) {
      this.seen.add('admin');
      await p.out(`${JSON.stringify(administer(this.#in.disk, (await p.rest()).toString('utf8')))}\n`);
      return 0;
    }
    if (program?.[0] === stage0) {
      this.seen.add('stage0');
      const answer = this.#stage0(program.slice(1));
      await p.out(`${JSON.stringify(answer)}\n`);
      return answer.ok ? 0 : 1;
    }
    if (argv.join(' ') === 'systemctl reboot') {
      this.seen.add('reboot');
      this.#in.reboot();
      return 0;
    }
    const piped = after(argv, ['python3', '-I', '-']);
    if (!piped) return null;
    const text = (await p.rest()).toString('utf8');
    if (text === setClock && piped.length === 1) {
      this.seen.add('set clock');
      // Its clock is the laptop's own, so there is nothing to move.
      await p.out(`${JSON.stringify({ why: 'a practice box has none' })}\n`);
      return 0;
    }
    return this.#facts(text, 'root', p);
  }

  async #asUser(argv: readonly string[], p: Process): Promise<number | null> {
    const { tellTime, follow } = this.#in.programs;
    const program = after(argv, ['python3', '-I', '-c']);
    if (program?.[0] === tellTime && program.length === 1) {
      this.seen.add('time');
      await p.out(`${Date.now() / 1000}\n`);
      return 0;
    }
    if (program?.[0] === follow) {
      this.seen.add('follow');
      return this.#in.jobs.follow(program.slice(1), p);
    }
    if (argv.length === 3 && after(argv, ['python3', '-I', '-']))
      return this.#facts((await p.rest()).toString('utf8'), 'user', p);
    if (argv.length === 3 && after(argv, ['sh', '-c'])?.[0] === this.#in.programs.bootLook) {
      this.seen.add('boot');
      const { bootId, rebootDue } = this.#in.disk.content;
      await p.out(`${bootId}\n${rebootDue ? 'due\n' : ''}`);
      return 0;
    }
    const test = after(argv, ['test', '-f']);
    if (test) {
      this.seen.add('test');
      const known = this.#in.disk.content.code.map((hash) => `${CODE}/${hash}/vcbox/__main__.py`);
      return test[0] !== undefined && known.includes(test[0]) ? 0 : 1;
    }
    const gone = after(argv, ['rm', '-f']);
    if (gone) {
      this.seen.add('rm');
      for (const path of gone) this.#files.delete(path);
      return 0;
    }
    return this.#script(argv, p);
  }

  async #script(argv: readonly string[], p: Process): Promise<number | null> {
    const [script, name, ...args] = after(argv, ['sh', '-c']) ?? [];
    if (name !== 'sh') return null;
    if (script === RECEIVE) return this.#receive(args, p);
    if (script !== PUT && script !== TOUCH) return null;
    this.seen.add(script === PUT ? 'put' : 'touch');
    const text = await p.rest();
    const [path = ''] = args;
    if (this.#in.jobs.control(path, text)) return 0;
    p.err(`sh: cannot create ${path}: Directory nonexistent\n`);
    return 2;
  }

  async #facts(program: string, as: 'user' | 'root', p: Process): Promise<number | null> {
    if (program !== this.#in.programs.facts) return null;
    this.seen.add(`facts as ${as}`);
    const { disk, recordings } = this.#in;
    const facts = recordings.facts(disk.content.hardened ? 'provisioned' : 'fresh', as);
    const clock = facts['clock'] as { epoch: number; rtcEpoch: number | null };
    // When they are told is now; what they tell is as it was recorded.
    const later = Date.now() / 1000 - clock.epoch;
    const rtcEpoch = clock.rtcEpoch === null ? null : clock.rtcEpoch + later;
    const now = { ...clock, epoch: clock.epoch + later, rtcEpoch };
    await p.out(`${JSON.stringify({ ...facts, clock: now, evidence: EVIDENCE })}\n`);
    return 0;
  }

  async #receive([given = '', hash = '']: string[], p: Process): Promise<number> {
    this.seen.add('upload');
    const home = p.user === 'root' ? '/root' : `/home/${p.user}`;
    const path = given.startsWith('~/') ? posix.join(home, given.slice(2)) : given;
    const known = this.#files.get(path);
    if (known && sha256(known) === hash) {
      await p.out(`same ${path}\n`);
      return 0;
    }
    await p.out(`send ${path}\n`);
    const bytes = await p.rest();
    if (sha256(bytes) !== hash) return 9;
    this.#files.set(path, bytes);
    await p.out('done\n');
    return 0;
  }

  #stage0([tarPath = '', tarSha256 = '', specPath = '', specSha256 = '']: string[]) {
    const refused = (code: string, detail: string) => ({ ok: false as const, code, detail });
    const { disk, jobs } = this.#in;
    const spec = this.#files.get(specPath);
    if (!spec) return refused('upload_missing', `the job's specification ${specPath} cannot be read`);
    if (sha256(spec) !== specSha256)
      return refused('upload_corrupt', "the job's specification has another hash");
    if (!disk.content.code.includes(tarSha256)) {
      const tar = this.#files.get(tarPath);
      if (!tar) return refused('upload_missing', `the box archive ${tarPath} cannot be read`);
      if (sha256(tar) !== tarSha256) return refused('upload_corrupt', 'the box archive has another hash');
      disk.content.code.push(tarSha256);
      disk.save();
    }
    return jobs.start(spec);
  }
}
