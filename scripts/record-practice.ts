/**
 * Records what the practice box replays, into resources/practice: boots stand-in boxes, walks the road on them with the built
 * command line, and keeps the raw bytes of what the boxes wrote. Needs Linux, root, and `node scripts/build-cli.mjs` before.
 * Usage: npx tsx scripts/record-practice.ts
 */
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { connect, type Connection } from '../main/remote/connection.ts';
import { KnownHosts } from '../main/remote/hostkeys.ts';
import {
  keyOf,
  LOG_SUFFIX,
  OFFERED_FILE,
  PRACTICE_PROFILE,
  type OfferedThen,
} from '../main/remote/practice/recordings.ts';
import { loadKey } from '../main/remote/keyfiles.ts';
import { runAsRoot } from '../main/remote/sudo.ts';
import { packBoxCode } from '../main/services/boxcode.ts';
import { Bundle } from '../main/services/bundle.ts';
import { offeredBy } from '../main/services/offered.ts';
import { loadProfile } from '../main/services/profiles.ts';
import type { JobSpec } from '../preload/contract/job.ts';
import { Laptop } from '../tests/integration/cli.ts';
import { RigBox } from '../tests/rig/box.ts';
import { must, ROOT } from '../tests/rig/host.ts';
import { RECORDINGS } from '../tests/rig/rootfs.ts';

const OUT = join(ROOT, 'resources/practice');
const FAULTS = join(OUT, 'faults');
const NAME = 'RECORDED';
const SUDO = 'recording 1 Sudo';
/** The whole of the recorded telemetry, at the rate at which it was recorded. */
const TELEMETRY = ['--hz', '1', '--watch', '65'];
/** What the boxes' nvidia-smi replays: the machine whose T2, T6 and T7 are in resources/practice/h200. */
const CARDS = join(ROOT, 'tests/fixtures/nvidia-smi-4xh200');
/** Words of the stand-in nvidia-smi's switch, by the fault that each shows. */
const SWITCH = '/etc/vault-cube/stand-in-gpus';
const FAULT_WORDS: Record<string, string> = { 'gpu-lost': 'lost', 'gpu-missing': 'missing' };

/** A box of the rig with the four cards in place of the rig's own two. */
const boxOfFour = () =>
  RigBox.start({
    setup: (root) => {
      const data = join(root, 'usr/local/share/vault-cube-stand-in');
      for (const name of RECORDINGS) copyFileSync(join(CARDS, name), join(data, name));
    },
  });

class Recorder {
  readonly box: RigBox;
  readonly laptop = new Laptop();
  /** Attempts that are kept already, as job/attempt. */
  readonly #seen = new Set<string>();

  constructor(box: RigBox) {
    this.box = box;
  }

  /** One command of the road. What is no result at all ends the recording. */
  async type(...args: string[]): Promise<void> {
    console.log(`vault-cube ${args.join(' ')}`);
    const { last, stderr } = await this.laptop.run(...args);
    if (last.type !== 'result') throw new Error(`${JSON.stringify(last)}\n${stderr}`);
  }

  async keys(uid: 'keep' | 'swap'): Promise<void> {
    const { box, laptop } = this;
    laptop.secrets = { loginPassword: box.password, newSudoPassword: SUDO };
    const first = ['--host', box.host, '--user', box.user, '--profile', PRACTICE_PROFILE];
    await this.type('inspect', '--box', NAME, ...first, '--accept-host-key', box.fingerprint());
    await this.type('keys', '--generate', '--uid', uid);
    laptop.secrets = { sudoPassword: SUDO };
  }

  /** Keeps the log of each attempt that is new on the box: its spec, then its lines, each line chained to the one before. */
  keep(dir: string, wanted: (key: string) => string | null): void {
    const jobs = join(this.box.root, 'var/lib/vault-cube/jobs');
    for (const job of readdirSync(jobs)) {
      for (const attempt of readdirSync(join(jobs, job))) {
        const id = `${job}/${attempt}`;
        if (this.#seen.has(id)) continue;
        this.#seen.add(id);
        const spec = readFileSync(join(jobs, id, 'spec.json'));
        const name = wanted(keyOf(JSON.parse(spec.toString('utf8')) as JobSpec));
        if (name === null) continue;
        const log = Buffer.concat([spec, Buffer.from('\n'), readFileSync(join(jobs, id, 'events.jsonl'))]);
        mkdirSync(dir, { recursive: true });
        writeFileSync(join(dir, name + LOG_SUFFIX), gzipSync(log, { level: 9 }));
        console.log(`  kept ${name}: ${log.length} bytes`);
      }
    }
  }

  /** What the gatherer printed, byte by byte, as the login user and as root. */
  async facts(dir: string, name: string, conn: Connection, sudoPassword: string): Promise<void> {
    const { facts } = await packBoxCode();
    const user = await conn.exec('env LC_ALL=C python3 -I -', { stdin: facts });
    const root = await runAsRoot(conn, ['python3', '-I', '-'], { sudoPassword, input: facts });
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, `facts-${name}-user.json`), user.stdout);
    writeFileSync(join(dir, `facts-${name}-root.json`), root.stdout);
  }

  /** What admin.py answers about vaultadmin. */
  async admin(conn: Connection, sudoPassword: string): Promise<unknown> {
    const { admin } = await packBoxCode();
    const input = JSON.stringify({ do: 'look', user: 'vaultadmin' });
    const run = await runAsRoot(conn, ['python3', '-I', '-c', admin], { sudoPassword, input });
    return JSON.parse(run.stdout.toString('utf8'));
  }

  #knownHosts(): KnownHosts {
    return new KnownHosts(join(this.laptop.home, 'recorder_known_hosts'));
  }

  byPassword(): Promise<Connection> {
    const { host, port, user, password } = this.box;
    const confirmHostKey = (q: { fingerprint: string }) =>
      Promise.resolve(q.fingerprint === this.box.fingerprint());
    const auth = { kind: 'password' as const, password };
    return connect({ host, port, user, auth, knownHosts: this.#knownHosts(), confirmHostKey });
  }

  byKey(): Promise<Connection> {
    const { host, port } = this.box;
    const { privateKey } = loadKey(join(this.laptop.home, 'keys', `${NAME}-ed25519`));
    const auth = { kind: 'key' as const, privateKey };
    return connect({ host, port, user: 'vaultadmin', auth, knownHosts: this.#knownHosts() });
  }

  async end(): Promise<void> {
    this.laptop.remove();
    await this.box.stop();
  }
}

/** Of what the bundle has, the names that the profile's software may be offered under. */
function offered(bundle: string): OfferedThen {
  const all = offeredBy(new Bundle(bundle));
  const found: OfferedThen = { apt: {}, wheel: {} };
  for (const { from, packages, also } of loadProfile(PRACTICE_PROFILE).profile.software ?? [])
    for (const name of [...packages, ...also]) {
      const versions = all[from].get(name);
      if (versions) found[from][name] = [...versions];
    }
  return found;
}

async function using(conn: Connection, work: (conn: Connection) => Promise<void>): Promise<void> {
  try {
    await work(conn);
  } finally {
    conn.close();
  }
}

/** The road where the first user keeps UID 1000, twice, the suite, and the suite with each fault. */
async function theRoad(): Promise<void> {
  const r = new Recorder(await boxOfFour());
  try {
    const answers: { before?: unknown; after?: unknown } = {};
    await using(await r.byPassword(), async (conn) => {
      await r.facts(OUT, 'fresh', conn, r.box.password);
      answers.before = await r.admin(conn, r.box.password);
    });
    await r.keys('keep');
    await using(await r.byKey(), async (conn) => {
      answers.after = await r.admin(conn, SUDO);
    });
    writeFileSync(join(OUT, 'admin.json'), `${JSON.stringify(answers, null, 2)}\n`);
    const layers = ['provision', '--layers', '0,1', '--bundle', r.box.bundle];
    await r.type(...layers);
    r.keep(OUT, (key) => key);
    await r.type(...layers);
    r.keep(OUT, (key) => `${key}-again`);
    await using(await r.byKey(), (conn) => r.facts(OUT, 'provisioned', conn, SUDO));
    await r.type('link-test');
    await r.type('validate', '--suites', 'gpu-detection', ...TELEMETRY);
    r.keep(OUT, (key) => key);
    writeFileSync(join(OUT, OFFERED_FILE), `${JSON.stringify(offered(r.box.bundle), null, 2)}\n`);
    for (const [fault, word] of Object.entries(FAULT_WORDS)) {
      await r.box.sh(`printf ${word} >${SWITCH}`);
      await r.type('validate', '--suites', 'gpu-detection', ...TELEMETRY);
      r.keep(join(FAULTS, fault), (key) => key);
    }
    await r.box.sh(`rm ${SWITCH}`);
    const above = ['provision', '--layers', '2,3,4,5', '--bundle', r.box.bundle];
    await r.type(...above);
    r.keep(OUT, (key) => key);
    await r.type(...above);
    r.keep(OUT, (key) => `${key}-again`);
  } finally {
    await r.end();
  }
}

/** The same where vaultadmin takes UID 1000: only what differs is kept. */
async function theSwap(): Promise<void> {
  const r = new Recorder(await boxOfFour());
  const differs = (key: string) => (key === 'uid_swap' || key.endsWith('uid1000') ? key : null);
  try {
    await r.keys('swap');
    await r.type('provision', '--layers', '0,1', '--bundle', r.box.bundle);
    r.keep(OUT, differs);
  } finally {
    await r.end();
  }
}

const commit = (await must('git', ['rev-parse', '--short=12', 'HEAD'])).trim();
mkdirSync(OUT, { recursive: true });
/** What the rig does not make: recorded on real cards. */
const KEPT = ['README.md', 'h200'];
for (const name of readdirSync(OUT)) if (!KEPT.includes(name)) rmSync(join(OUT, name), { recursive: true });
await theRoad();
await theSwap();
const origin = { v: 1, recorded: new Date().toISOString(), commit, profile: PRACTICE_PROFILE };
writeFileSync(join(OUT, 'origin.json'), `${JSON.stringify(origin, null, 2)}\n`);
console.log(`recorded into ${OUT}`);
