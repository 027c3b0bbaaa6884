/** Practice: a session on a box of the app's own, and the bundle that it takes (spec W10). All else is the real road. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BundleManifest } from '../../preload/contract/bundle.ts';
import { AppError } from '../../preload/contract/errors.ts';
import { BoxFacts } from '../../preload/contract/facts.ts';
import type { Session } from '../../preload/contract/session.ts';
import { PRACTICE_PROFILE, Recordings, type OfferedThen } from '../remote/practice/recordings.ts';
import type { PracticeConsole } from '../remote/practice/server.ts';
import type { App } from './app.ts';
import { practiceImage } from './flash/practice.ts';
import { INDEX } from './offered.ts';
import { newSession } from './sessions.ts';

/** As the box itself would say it; where it answers on this laptop is looked up at each login. */
const ADDRESS = { host: '127.0.0.1', port: 22 };

/** Of the layers that were recorded. */
const SETS = ['l0', 'l1', 'l2', 'l3', 'l4', 'l5', 'models'];

export interface Practice {
  session: Session;
  /** What an engineer would read on the box's console: compare the fingerprint, then log in with the password. */
  console: PracticeConsole;
}

/**
 * A new practice box, its number the next that is free. `fault`: an id of `app.practice.faults()`, null for a box without.
 * Errors: usage for an unknown fault.
 */
export function startPractice(
  app: App,
  { fault, path = 'provision' }: { fault: string | null; path?: Session['path'] },
): Practice {
  const known = app.practice.faults().map((f) => f.id);
  if (fault !== null && !known.includes(fault))
    throw new AppError('usage', { what: `No fault ${fault} was recorded; known are ${known.join(', ')}.` });
  const all = app.journal.sessions();
  const taken = new Set(all.map((s) => s.name));
  let number = 1;
  while (taken.has(`PRACTICE-${number}`) || existsSync(join(app.practice.folder, `PRACTICE-${number}`)))
    number += 1;
  const name = `PRACTICE-${number}`;
  const console = app.practice.make(name, fault);
  const session = newSession({
    name,
    profile: PRACTICE_PROFILE,
    path,
    address: ADDRESS,
    flash: path === 'flash' ? { image: practiceImage(app.practice.folder), serial: null } : null,
    user: console.user,
    practice: true,
  });
  app.journal.saveSession(session);
  return { session, console };
}

/** What the console of a practice box shows; the box itself need not run. Errors: unknown_box for any other. */
export function consoleOf(app: App, session: Session): PracticeConsole {
  if (!session.practice) throw new AppError('unknown_box', { name: session.name });
  return app.practice.make(session.name, null);
}

interface BundleFile {
  path: string;
  text: string;
  sets: string[];
}

/** What stands in a practice bundle: a line for what each set of a real one holds, and the names by which versions are decided. */
function practiceFiles({ apt, wheel }: OfferedThen): BundleFile[] {
  const note = (set: string) =>
    `What the set ${set} of a real bundle holds was recorded with the practice box.\n`;
  const stanzas = Object.entries(apt).flatMap(([name, versions]) =>
    versions.map((version) => `Package: ${name}\nVersion: ${version}\n`),
  );
  const wheels = Object.entries(wheel).flatMap(([name, versions]) =>
    versions.map((version) => `${name.replaceAll('-', '_')}-${version}-py3-none-any.whl`),
  );
  return [
    ...SETS.map((set) => ({ path: `practice/${set}.txt`, text: note(set), sets: [set] })),
    { path: INDEX, text: stanzas.join('\n'), sets: ['l2', 'l3'] },
    ...wheels.map((name) => ({ path: `frameworks/${name}`, text: note('l4'), sets: ['l4'] })),
  ];
}

/** Folder of the bundle that practice boxes take: a few lines for the system they were recorded on, made when it is missing. */
export function practiceBundle(app: App): string {
  const recordings = new Recordings(app.practice.recordings, null);
  const files = practiceFiles(recordings.offered());
  // Named by its content: one that an older version of the app made lacks layers.
  const hash = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 8);
  const dir = join(app.practice.folder, `bundle-${hash}`);
  const path = join(dir, 'manifest.json');
  if (existsSync(path)) return dir;
  const facts = BoxFacts.parse(recordings.facts('fresh', 'root'));
  for (const file of files) {
    mkdirSync(dirname(join(dir, file.path)), { recursive: true, mode: 0o700 });
    writeFileSync(join(dir, file.path), file.text);
  }
  const manifest: BundleManifest = {
    v: 1,
    name: 'practice',
    created: new Date().toISOString(),
    distribution: {
      id: facts.distribution?.id ?? 'unknown',
      version: facts.distribution?.version ?? 'unknown',
      codename: facts.distribution?.codename ?? 'unknown',
      arch: facts.arch ?? 'unknown',
    },
    evidence: 'practice',
    files: files.map((f) => ({
      path: f.path,
      size: Buffer.byteLength(f.text),
      sha256: createHash('sha256').update(f.text).digest('hex'),
    })),
    sets: Object.fromEntries(
      SETS.map((set) => [set, files.filter((f) => f.sets.includes(set)).map((f) => f.path)]),
    ),
  };
  writeFileSync(path, JSON.stringify(manifest));
  return dir;
}
