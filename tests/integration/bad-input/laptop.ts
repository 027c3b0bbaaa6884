/** Rows: what is wrong on the laptop itself, profiles and the journal. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { expect } from 'vitest';
import { FORMAT } from '../../../main/journal/schema.ts';
import { fillDisk, readOnlyFolder, type Bench } from './bench.ts';
import { INSPECTED } from './connection.ts';
import type { Row, Undo } from './row.ts';

const PROFILE = fileURLToPath(new URL('../../../resources/profiles/two-h100.json', import.meta.url));
const EVERYTHING = ['box', 'session', 'jobs'] as const;

/** A profile of the engineer's own in place of the app's, spoilt; the undo puts it right. */
const profile =
  (spoil: (text: string) => string) =>
  async (b: Bench): Promise<Undo> => {
    const text = readFileSync(PROFILE, 'utf8');
    writeFileSync(b.file('profile.json'), spoil(text));
    return async () => writeFileSync(b.file('profile.json'), text);
  };

function setFormat(home: string, format: number): void {
  const db = new DatabaseSync(join(home, 'journal.db'));
  db.exec(`pragma user_version = ${format}`);
  db.close();
}

/** What is recorded can be read all the same. */
async function stillTells(b: Bench): Promise<void> {
  expect((await b.laptop.run('status', '--box', b.name)).last).toMatchObject({ type: 'result' });
  expect((await b.laptop.run('boxes')).last).toMatchObject({ boxes: [{ name: b.name }] });
  expect((await b.laptop.run('report', '--box', b.name, '--out', b.files)).code).toBe(0);
}

const withProfile = (b: Bench) => b.inspect('--profile', b.file('profile.json'));

export const LAPTOP: readonly Row[] = [
  {
    item: 'profile truncated',
    cause: profile((text) => text.slice(0, text.length / 2)),
    command: withProfile,
    code: 'profile_truncated',
    exit: 2,
    says: /profile\.json/,
    unchanged: EVERYTHING,
    then: INSPECTED,
    person: true,
  },
  {
    item: 'profile of a newer version',
    cause: profile((text) => JSON.stringify({ ...(JSON.parse(text) as object), v: 99 })),
    command: withProfile,
    code: 'profile_newer',
    exit: 2,
    says: /format 99/,
    unchanged: EVERYTHING,
    then: INSPECTED,
  },
  {
    item: 'journal read-only',
    cause: (b) => readOnlyFolder(b.laptop.home),
    command: (b) => b.inspect(),
    during: stillTells,
    code: 'journal_readonly',
    exit: 6,
    says: /journal\.db/,
    unchanged: EVERYTHING,
    then: INSPECTED,
    person: true,
  },
  {
    item: 'journal of a newer version',
    cause: async (b) => {
      setFormat(b.laptop.home, 99);
      return async () => setFormat(b.laptop.home, FORMAT);
    },
    command: (b) => b.inspect(),
    during: stillTells,
    code: 'journal_newer',
    exit: 6,
    says: /format 99, this one knows/,
    unchanged: EVERYTHING,
    then: INSPECTED,
  },
  {
    item: 'laptop disk full',
    which: 'before anything is begun',
    cause: (b) => fillDisk(b.laptop.home),
    command: (b) => b.inspect(),
    code: 'laptop_disk_full',
    exit: 6,
    unchanged: EVERYTHING,
    then: INSPECTED,
  },
];
