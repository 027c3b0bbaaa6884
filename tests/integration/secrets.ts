/** Looks for planted secrets where none may be: command lines and environments of all processes meanwhile, files afterwards. */
import { readdirSync, readFileSync } from 'node:fs';
import type { RigBox } from '../rig/box.ts';
import { run } from '../rig/host.ts';

const EVERY_MS = 50;

/** Watches every process of this machine, the box's among them, from `start` to `stop`. */
export class ProcessWatch {
  readonly #secrets: readonly Buffer[];
  readonly #found = new Set<string>();
  #timer: NodeJS.Timeout | null = null;
  /** How many command lines were looked at: a watch that saw nothing proves nothing. */
  looks = 0;

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets.map((s) => Buffer.from(s));
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
  }

  stop(): string[] {
    if (this.#timer) clearInterval(this.#timer);
    return [...this.#found];
  }

  #look(): void {
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      for (const file of ['cmdline', 'environ']) {
        let bytes: Buffer;
        try {
          bytes = readFileSync(`/proc/${pid}/${file}`);
        } catch {
          continue; // it ended meanwhile
        }
        this.looks += 1;
        for (const secret of this.#secrets) {
          if (bytes.includes(secret)) this.#found.add(`${file} of ${bytes.toString('latin1').slice(0, 80)}`);
        }
      }
    }
  }
}

/** Files below the folder that hold one of the secrets. They are given on stdin: an argument would be found itself. */
export async function filesWith(folder: string, secrets: readonly string[]): Promise<string[]> {
  const found = await run('grep', ['-rlaF', '-f', '-', folder], { input: secrets.join('\n') });
  if (found.code > 1) throw new Error(`grep: ${found.stderr}`);
  return found.stdout.split('\n').filter(Boolean);
}

/** The same in what a job, a log or a user of the box could have kept; and in its journal, which is binary. */
export async function boxFilesWith(box: RigBox, secrets: readonly string[]): Promise<string[]> {
  const folders = [
    '/var/lib/vault-cube',
    '/opt/vault-cube',
    '/var/log',
    '/home',
    '/root',
    '/tmp',
    '/run',
    '/etc',
  ];
  const input = secrets.join('\n');
  const files = await box.run(['grep', '-rlaFs', '-D', 'skip', '-f', '-', ...folders], { input });
  const journal = await box.run(
    ['sh', '-c', 'cat > /dev/shm/p; journalctl --no-pager -o json | grep -aFc -f /dev/shm/p; rm /dev/shm/p'],
    { input },
  );
  const lines = Number(journal.stdout.trim());
  return [...files.stdout.split('\n').filter(Boolean), ...(lines ? [`${lines} lines of the journal`] : [])];
}
