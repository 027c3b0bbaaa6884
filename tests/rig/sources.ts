/** Where the rig's Debian packages come from: the mirror that apt uses on this machine, for the box's release. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** Release of the stand-in box. */
export const RELEASE = 'trixie';

/** apt sources of the box, one a line in apt's one-line style. */
export interface Sources {
  /** The release alone, as a machine has it that was installed from a point release's medium. */
  release: string;
  /** With all that came after it: point updates and security. */
  all: string;
}

let found: Sources | null | undefined;

/**
 * This machine's Debian sources, turned to the box's release: whatever mirror apt uses here serves the rig, too. null when there
 * is none, as on Ubuntu. Asked of apt once a process.
 */
export function rigSources(): Sources | null {
  if (found === undefined) found = read();
  return found;
}

function read(): Sources | null {
  const host = Object.fromEntries(
    readFileSync('/etc/os-release', 'utf8')
      .split('\n')
      .map((line) => [line.split('=')[0] ?? '', line.split('=')[1]?.replaceAll('"', '') ?? '']),
  );
  const codename = host['VERSION_CODENAME'];
  if (host['ID'] !== 'debian' || !codename) return null;
  const format = '$(REPO_URI) $(RELEASE)';
  const args = ['indextargets', '--format', format, 'Created-By: Packages'];
  const targets = execFileSync('apt-get', args, { encoding: 'utf8' }).split('\n');
  const lines = new Map<string, string>();
  for (const target of targets) {
    const [uri, suite] = target.split(' ');
    if (!uri || !suite || (suite !== codename && !suite.startsWith(`${codename}-`))) continue;
    const ours = suite.replace(codename, RELEASE);
    lines.set(ours, `deb [signed-by=${KEYRING}] ${uri} ${ours} main contrib`);
  }
  const release = lines.get(RELEASE);
  if (!release) return null;
  const wanted = [RELEASE, `${RELEASE}-updates`, `${RELEASE}-security`];
  return { release, all: wanted.flatMap((suite) => lines.get(suite) ?? []).join('\n') };
}
