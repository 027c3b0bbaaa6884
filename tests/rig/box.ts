/**
 * A stand-in box: a whole Debian system in a container of its own behind a cable of its own (docs/adr/0004-rig.md). This
 * machine is the laptop at the other end; a stranger is on the same link.
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { build, type Built } from './build.ts';
import { must, run, until, type Ran } from './host.ts';
import { Machine } from './machine.ts';
import { claim, cleanUp, dispose, leftovers, makeNetwork, type Names } from './resources.ts';
import { copyDocker, layersOf, readSaved, saveBox, type Saved } from './saved.ts';

export { whyNoRig } from './host.ts';

const SSH_MS = 60_000;
const LINK_MS = 10_000;
/** Nothing of this machine's environment reaches a command in the box. */
const ENV = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C.UTF-8',
};

export interface RigOptions {
  /**
   * `installer`: a first user of that name, UID 1000, who may use sudo with a password, and root without one (the default).
   * `root-only`: no other user; root logs in with a password.
   */
  variant?: 'installer' | 'root-only';
  /** Port of the box's sshd at first; 22 unless given. */
  port?: number;
  /** Changes the box's tree, given by its path here, before the box is started for the first time. */
  setup?: (root: string) => void | Promise<void>;
  /** Folder that `save` made: the box starts as that one was left, at an address of its own; variant and port are that one's. */
  from?: string;
}

/** How a link is lost: `down`, the box sees it; `drop`, nobody sees it, as every packet just vanishes. */
export type Cut = 'down' | 'drop';

/** Whether sshd answers there with its banner within so many milliseconds. Who goes too early too often is penalized by sshd. */
export const sshAnswers = (host: string, port: number, ms = 500): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    let banner = false;
    socket.setTimeout(ms, () => socket.destroy());
    socket.once('data', (data) => {
      banner = data.toString('latin1').startsWith('SSH-');
      socket.destroy();
    });
    socket.once('error', () => socket.destroy());
    socket.once('close', () => resolve(banner));
  });

export class RigBox {
  readonly name: string;
  /** The box's address, and this machine's and the stranger's on the same link. */
  readonly host: string;
  readonly laptop: string;
  readonly stranger: string;
  /** Other addresses of the stranger, for what is banned by address. */
  readonly strangers: readonly string[];
  /** Where sshd is expected; a test that moves it says so here. */
  port: number;
  readonly user: string;
  readonly password: string;
  /** The box's tree on this machine, without what it mounts itself (/run, /tmp). Readable and writable while it runs, too. */
  readonly root: string;
  /** Folder of the site bundle that fits this box. */
  readonly bundle: string;
  readonly #names: Names;
  readonly #saved: Saved;
  readonly #machine: Machine;
  readonly #boots: (() => void)[] = [];
  #cut: Cut | null = null;
  #stopped: Promise<void> | null = null;

  private constructor(names: Names, saved: Saved) {
    this.#names = names;
    this.#saved = saved;
    this.name = names.id;
    this.host = names.boxAddress;
    this.laptop = names.laptopAddress;
    const [stranger = '', ...strangers] = names.strangerAddresses;
    this.stranger = stranger;
    this.strangers = strangers;
    this.port = saved.port;
    this.user = saved.user;
    this.password = saved.password;
    this.root = names.root;
    this.bundle = saved.bundle;
    this.#machine = new Machine(names, () => {
      if (this.#cut === 'down') void this.#keepDown();
      for (const told of this.#boots) told();
    });
  }

  /** Builds the rig where that has not been done, and starts a fresh box; resolves when its sshd lets users in. */
  static async start(opts: RigOptions = {}): Promise<RigBox> {
    await cleanUp();
    const built = await build();
    const { from } = opts;
    const saved = from === undefined ? fresh(built, opts) : readSaved(from);
    const names = await claim();
    try {
      await makeNetwork(names);
      await mountRoot(names, layersOf(saved));
      const box = new RigBox(names, saved);
      if (from === undefined) await box.#furnish(opts);
      else await copyDocker(from, names);
      box.#place();
      await opts.setup?.(names.root);
      await box.powerOn();
      return box;
    } catch (error) {
      await dispose(names);
      throw error;
    }
  }

  #put(path: string, text: string): void {
    writeFileSync(join(this.root, path), text);
  }

  #place(): void {
    const text = `[Match]\nName=host0\n[Network]\nAddress=${this.host}/29\n`;
    this.#put('etc/systemd/network/10-rig.network', text);
  }

  /** What is different on every machine: keys, ids, passwords. */
  async #furnish(opts: RigOptions): Promise<void> {
    const { root } = this.#names;
    this.#put('etc/machine-id', `${randomBytes(16).toString('hex')}\n`);
    await must('ssh-keygen', ['-A', '-f', root]);
    if (this.port !== 22) this.#put('etc/ssh/sshd_config.d/20-port.conf', `Port ${this.port}\n`);
    if (opts.variant === 'root-only') {
      await must('chroot', [root, 'userdel', '-r', 'installer']);
      this.#put('etc/ssh/sshd_config.d/20-root.conf', 'PermitRootLogin yes\n');
    }
    await must('chroot', [root, 'chpasswd'], { input: `${this.user}:${this.password}\n` });
  }

  /** SHA256 fingerprint of the box's Ed25519 host key, as its console shows it. */
  fingerprint(): string {
    const line = readFileSync(join(this.#names.root, 'etc/ssh/ssh_host_ed25519_key.pub'), 'utf8');
    const blob = Buffer.from(line.split(' ')[1] ?? '', 'base64');
    return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
  }

  /** What the box wrote to its console so far. */
  console(): string {
    return this.#machine.console();
  }

  /** `told` is called at each later start, reboots included, before anything runs in the box. */
  onBoot(told: () => void): void {
    this.#boots.push(told);
  }

  /** The box's process 1, by this machine's number; null while it is off or starts. */
  leader(): number | null {
    return this.#machine.leader();
  }

  /** Runs a command as root inside, beside SSH and whatever the code under test holds open. Rejects while the box is off. */
  async run(argv: readonly string[], opts: { input?: string } = {}): Promise<Ran> {
    const leader = this.#machine.leader();
    if (leader === null) throw new Error(`${this.name} is off`);
    return run('nsenter', ['-t', String(leader), '-m', '-u', '-i', '-n', '-p', '-C', '--', ...argv], {
      ...opts,
      env: ENV,
    });
  }

  /** Runs a script with sh as root inside. */
  sh(script: string, opts: { input?: string } = {}): Promise<Ran> {
    return this.run(['sh', '-c', script], opts);
  }

  /** Runs a command on this machine in the stranger's network: another address on the link, nothing else. */
  inStranger(argv: readonly string[], opts: { input?: string } = {}): Promise<Ran> {
    return run('ip', ['netns', 'exec', this.#names.stranger, ...argv], opts);
  }

  /** Runs a command on this machine, which is the laptop. */
  inLaptop(argv: readonly string[], opts: { input?: string } = {}): Promise<Ran> {
    return run(argv[0] ?? '', argv.slice(1), opts);
  }

  /** The running system's boot id; another one after each start. */
  async bootId(): Promise<string> {
    const read = await this.run(['cat', '/proc/sys/kernel/random/boot_id']);
    if (read.code !== 0) throw new Error(`${this.name} tells no boot id: ${read.stderr}`);
    return read.stdout.trim();
  }

  /** Resolves when sshd answers and users may log in. */
  async waitForSsh(ms = SSH_MS): Promise<void> {
    const ready = async (): Promise<boolean> => {
      if (!(await sshAnswers(this.host, this.port))) return false;
      return (await this.run(['test', '!', '-e', '/run/nologin'])).code === 0;
    };
    await until(`SSH of ${this.name}`, ready, ms);
  }

  /** Has systemd reboot the box; resolves when SSH of the next boot answers, at once while the link is cut. */
  async reboot(): Promise<void> {
    const boots = this.#machine.boots;
    await this.run(['systemctl', 'reboot']);
    await this.#rebooted(boots);
  }

  /** Runs `action`, which makes the box reboot by itself; resolves when SSH of the next boot answers. */
  async rebootedBy(action: () => Promise<unknown>): Promise<void> {
    const boots = this.#machine.boots;
    await action();
    await this.#rebooted(boots);
  }

  async #rebooted(boots: number): Promise<void> {
    const again = (): boolean => this.#machine.boots > boots && this.#machine.leader() !== null;
    await until(`a reboot of ${this.name}`, again, SSH_MS);
    if (this.#cut === null) await this.waitForSsh();
  }

  /** Ends every process of the box at once. Its disk stays as it is, what was not synced included: see the ADR. */
  async powerCut(): Promise<void> {
    await this.#machine.cutPower();
  }

  /** Has systemd end the system; resolves when the box is off. */
  async powerOff(): Promise<void> {
    await this.run(['systemctl', 'poweroff']);
    await until(`the end of ${this.name}`, () => !this.#machine.on, SSH_MS);
  }

  /** Keeps the box, which must be off, in `dir` for `from` of others. */
  async save(dir: string): Promise<void> {
    if (this.#machine.on) throw new Error(`${this.name} is on: what it has not written yet would be missing`);
    await saveBox(dir, this.#names, this.#saved);
  }

  /** Boots a box that is off, from the disk as it was left; resolves when SSH answers, at once while the link is cut. */
  async powerOn(): Promise<void> {
    await this.#machine.start();
    if (this.#cut === null) await this.waitForSsh();
  }

  /** Takes the link away, for the laptop and the stranger alike; it stays away over reboots. */
  async cutLink(how: Cut = 'down'): Promise<void> {
    if (this.#cut !== null) throw new Error(`the link of ${this.name} is cut already`);
    this.#cut = how;
    const { id, port } = this.#names;
    if (how === 'down') {
      await must('ip', ['link', 'set', port, 'down']);
      return;
    }
    const chain = (hook: string, match: string): string =>
      `chain on_${hook} { type filter hook ${hook} priority 0; ${match} }\n`;
    const from = `iifname "${port}" drop;`;
    const to = `oifname "${port}" drop;`;
    const rules = chain('input', from) + chain('forward', `${from} ${to}`) + chain('output', to);
    await must('nft', ['-f', '-'], { input: `table bridge ${id} {\n${rules}}\n` });
  }

  /** Gives the link back; resolves when it is, which is not yet when SSH answers. */
  async restoreLink(): Promise<void> {
    const { id, port } = this.#names;
    const how = this.#cut;
    this.#cut = null;
    if (how === 'drop') await must('nft', ['delete', 'table', 'bridge', id]);
    if (how === 'down' && this.#machine.on) await must('ip', ['link', 'set', port, 'up']);
  }

  /**
   * A box that boots gets a new cable end, which must be down, too, while the link is: as soon as it is there, and once more when
   * the container runs, as its start puts the end up somewhere between.
   */
  async #keepDown(): Promise<void> {
    const { port } = this.#names;
    const over = (): boolean => this.#cut !== 'down' || !this.#machine.on;
    for (const ready of [() => existsSync(`/sys/class/net/${port}`), () => this.#machine.leader() !== null]) {
      await until(`a boot of ${this.name} without link`, () => over() || ready(), LINK_MS);
      if (!over()) await must('ip', ['link', 'set', port, 'down']);
    }
  }

  /** Ends the box and removes all of it, once however often it is called. Nothing is left, or it rejects. */
  stop(): Promise<void> {
    this.#stopped ??= this.#machine.cutPower().then(() => dispose(this.#names));
    return this.#stopped;
  }

  /** What this machine still holds of the box, in words; empty after `stop`. */
  leftovers(): Promise<string[]> {
    return leftovers(this.#names);
  }
}

/** A box that nobody has used yet. */
function fresh(built: Built, opts: RigOptions): Saved {
  const user = opts.variant === 'root-only' ? 'root' : 'installer';
  return { ...built, port: opts.port ?? 22, user, password: randomBytes(12).toString('base64url') };
}

/** The box's tree: what was there before below (the first on top), what the box writes above it, on this machine's disk. */
async function mountRoot(names: Names, lower: readonly string[]): Promise<void> {
  const part = (name: string): string => join(names.dir, name);
  // Docker keeps layers of its own, which cannot lie on such a tree, so it gets a plain folder.
  for (const name of ['upper', 'work', 'root', 'docker']) mkdirSync(part(name), { mode: 0o755 });
  const layers = `lowerdir=${lower.join(':')},upperdir=${part('upper')},workdir=${part('work')}`;
  await must('mount', ['-t', 'overlay', 'overlay', '-o', layers, names.root]);
}
