/**
 * An ordinary control node: the project's Ansible, an inventory of one's own made from the example's, SSH with pinned host keys,
 * and nothing of the app.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { RigBox } from '../rig/box.ts';
import { PYTHON, ROOT, run, type Ran } from '../rig/host.ts';

const PROJECT = join(ROOT, 'ansible');

/** A line of the recap, by its words: ok, changed, unreachable, failed … */
export type Recap = Record<string, number>;

export interface Played extends Ran {
  /** By host, of the hosts that were touched and no others. */
  recap: Record<string, Recap>;
}

/** What a host is in the inventory: its box, its groups besides `all`, its own variables. */
export interface Member {
  box: RigBox;
  groups: readonly string[];
  vars?: object;
}

function recapOf(stdout: string): Record<string, Recap> {
  const lines = (stdout.split('PLAY RECAP').at(-1) ?? '').split('\n').filter((line) => line.includes('ok='));
  return Object.fromEntries(
    lines.map((line) => [
      line.split(':')[0]?.trim() ?? '',
      Object.fromEntries([...line.matchAll(/(\w+)=(\d+)/g)].map((m) => [m[1] ?? '', Number(m[2])])),
    ]),
  );
}

export class ControlNode {
  readonly #home = mkdtempSync(join(tmpdir(), 'vc-fleet-'));
  readonly #key: string;

  /** `members` by the names that the inventory gives them; `key` and `password` are vaultadmin's on all of them. */
  constructor(members: Record<string, Member>, key: string, password: string, vars: object) {
    this.#key = key;
    const at = (name: string) => join(this.#home, name);
    cpSync(join(PROJECT, 'examples/inventory'), at('inventory'), { recursive: true });
    const groups = [...new Set(Object.values(members).flatMap((member) => member.groups))];
    const hostsOf = (group: string) =>
      Object.fromEntries(
        Object.keys(members).flatMap((name) => (members[name]?.groups.includes(group) ? [[name, null]] : [])),
      );
    const hosts = Object.entries(members).map(([name, { box, vars: own }]) => [
      name,
      { ansible_host: box.host, ansible_port: box.port, ...own },
    ]);
    const all = {
      hosts: Object.fromEntries(hosts),
      children: Object.fromEntries(groups.map((group) => [group, { hosts: hostsOf(group) }])),
      vars: {
        ...{ ansible_user: 'vaultadmin', ansible_ssh_private_key_file: key },
        ...{ ansible_ssh_common_args: `-o UserKnownHostsFile=${at('known_hosts')}`, ...vars },
      },
    };
    // YAML reads JSON.
    writeFileSync(at('inventory/hosts.yml'), JSON.stringify({ all }));
    writeFileSync(at('become'), password, { mode: 0o600 });
    const known = Object.values(members).map(({ box }) => {
      const keys = readFileSync(join(box.root, 'etc/ssh/ssh_host_ed25519_key.pub'), 'utf8');
      return `${box.host} ${keys}`;
    });
    writeFileSync(at('known_hosts'), known.join(''));
  }

  /** Adds variables of a group, as a person writes them. */
  group(name: string, vars: object): void {
    const dir = join(this.#home, 'inventory/group_vars');
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, `${name}.yml`), JSON.stringify(vars));
  }

  /** `ansible-playbook -i inventory …` in the project's folder; in a process group of its own. */
  start(...args: string[]): ChildProcess {
    const env = {
      PATH: `${dirname(PYTHON)}:/usr/sbin:/usr/bin:/sbin:/bin`,
      ...{ HOME: this.#home, LC_ALL: 'C.UTF-8', ANSIBLE_NOCOLOR: '1' },
    };
    const inventory = ['-i', join(this.#home, 'inventory')];
    const password = ['--become-password-file', join(this.#home, 'become')];
    return spawn(join(dirname(PYTHON), 'ansible-playbook'), [...inventory, ...password, ...args], {
      cwd: PROJECT,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  async play(...args: string[]): Promise<Played> {
    const child = this.start(...args);
    let [stdout, stderr] = ['', ''];
    child.stdout?.on('data', (data: Buffer) => (stdout += data.toString('utf8')));
    child.stderr?.on('data', (data: Buffer) => (stderr += data.toString('utf8')));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code: code ?? 128, stdout, stderr, recap: recapOf(stdout) };
  }

  /** A command over a connection of its own, by key alone or by password alone. */
  ssh(box: RigBox, by: 'publickey' | 'password', ...command: string[]): Promise<Ran> {
    const options = [
      'BatchMode=yes',
      `PreferredAuthentications=${by}`,
      `UserKnownHostsFile=${this.#home}/known_hosts`,
    ];
    const argv = [
      '-F',
      'none',
      '-i',
      this.#key,
      '-p',
      String(box.port),
      ...options.flatMap((o) => ['-o', o]),
    ];
    return run('ssh', [...argv, `vaultadmin@${box.host}`, ...command]);
  }

  /** Ends the connections that Ansible kept open, and removes everything. */
  async end(): Promise<void> {
    const sockets = join(this.#home, '.ansible/cp');
    for (const name of existsSync(sockets) ? readdirSync(sockets) : [])
      await run('ssh', ['-F', 'none', '-o', `ControlPath=${join(sockets, name)}`, '-O', 'exit', 'box']);
    rmSync(this.#home, { recursive: true, force: true });
  }
}
