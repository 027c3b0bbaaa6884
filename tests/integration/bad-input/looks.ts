/** Looks of the tests' own, before and after: what is on the box, what the laptop has recorded, and where a secret lies. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Journal } from '../../../main/journal/journal.ts';
import type { Session } from '../../../preload/contract/session.ts';
import type { RigBox } from '../../rig/box.ts';
import { must, run } from '../../rig/host.ts';

/** Every file in which a step of the road could have changed something, with its hash, and what packages there are. */
const LOOK = `cd /
stat -c '%n %a %U %G' home home/* root opt/vault-cube var/lib/vault-cube 2>/dev/null
find etc/passwd etc/group etc/shadow etc/gshadow etc/subuid etc/sudoers etc/sudoers.d etc/ssh etc/vault-cube \\
  home root opt/vault-cube var/lib/vault-cube/jobs var/lib/dpkg/status -type f -exec sha256sum {} + 2>/dev/null | sort -k 2
find var/lib/vault-cube/bundle -type f -printf '%p %s %T@\\n' 2>/dev/null | sort`;

/** The box's state as text, a file a line, so that a difference names the file. */
export async function lookAtBox(box: RigBox): Promise<string[]> {
  const { stdout } = await box.sh(LOOK);
  const lines = stdout.split('\n').filter(Boolean);
  if (!lines.some((line) => line.endsWith(' etc/shadow'))) throw new Error(`the look saw nothing: ${stdout}`);
  return lines;
}

export interface LaptopLook {
  sessions: Session[];
  /** A line an attempt: which, its state, how many events, and the hash of the last one. */
  attempts: string[];
  knownHosts: string;
}

/**
 * What is recorded, read from the files themselves and not through the command line. From a copy: a file that this process
 * has open as a database stays so until its garbage is collected, and its disk cannot be taken away.
 */
export async function lookAtLaptop(home: string): Promise<LaptopLook> {
  const known = join(home, 'known_hosts');
  const knownHosts = existsSync(known) ? readFileSync(known, 'utf8') : '';
  const copy = mkdtempSync(join(tmpdir(), 'vault-cube-look-'));
  const names = ['journal.db', 'journal.db-wal'].filter((name) => existsSync(join(home, name)));
  await must('cp', ['-t', copy, ...names.map((name) => join(home, name))]);
  const journal = Journal.open(join(copy, 'journal.db'), { readOnly: true });
  try {
    const sessions = journal.sessions();
    const attempts = sessions
      .flatMap((s) => journal.jobs(s.id))
      .map((row) => {
        const { seq, lastSha256 } = journal.position(row.job, row.attempt);
        return `${row.title} ${row.job} ${row.attempt} ${row.state} ${seq} ${lastSha256}`;
      });
    return { sessions, attempts, knownHosts };
  } finally {
    journal.close();
    rmSync(copy, { recursive: true });
  }
}

/**
 * Files of the data folder in which one of these texts lies. By another program: a process that reads a database file
 * by itself loses SQLite's locks on it.
 */
export async function filesWith(home: string, texts: readonly string[]): Promise<string[]> {
  const found = await run('grep', ['-rlF', '-f', '-', home], { input: texts.join('\n') });
  if (found.code > 1) throw new Error(`grep in ${home}: ${found.stderr}`);
  return found.stdout.split('\n').filter(Boolean);
}
