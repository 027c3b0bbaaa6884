/** `profile capture`: a profile of the machine at hand, read over SSH and from what its suites measured (spec T, any NVIDIA machine). */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { AppError } from '../../preload/contract/errors.ts';
import type { Session } from '../../preload/contract/session.ts';
import type { App } from './app.ts';
import { readCards } from './capture/cards.ts';
import { capturedProfile, type Captured } from './capture/profile.ts';
import { login } from './login.ts';
import { loadProfile } from './profiles.ts';
import { standingOf } from './runs.ts';
import type { Secrets } from './secrets.ts';

const slug = (text: string) =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');

export interface CaptureWanted {
  /** Null: made of count and name of the cards. */
  id: string | null;
  /** A profile whose rules are taken; null: the box's own. */
  base: string | null;
  /** Null: `<id>.json` where the command runs. */
  out: string | null;
  signal?: AbortSignal;
}

/** Errors: preflight_missing, box_unreadable, profile_*, file_unwritable, usage, those of login. */
export async function captureProfile(
  app: App,
  session: Session,
  secrets: Secrets,
  wanted: CaptureWanted,
): Promise<Captured & { path: string }> {
  if (session.practice)
    throw new AppError('usage', { what: 'A practice box is no machine: there is nothing to capture.' });
  const base = loadProfile(wanted.base ?? session.profile).profile;
  const standing = standingOf(app.journal, session);
  const { basis } = standing.preflight;
  const facts = basis && app.journal.view(basis.job, basis.attempt).facts;
  if (!facts) throw new AppError('preflight_missing', { box: session.name });
  const conn = await login(app, session, secrets, { signal: wanted.signal });
  let cards;
  try {
    cards = await readCards(conn);
  } finally {
    conn.close();
  }
  const id = wanted.id ?? slug(`${cards.count}x-${cards.name}`);
  const captured = capturedProfile({
    ...{ base, id, box: session.name, cards, facts, suites: standing.suites },
    day: new Date().toISOString().slice(0, 10),
    evidence: standing.evidence ?? facts.evidence,
  });
  const path = resolve(wanted.out ?? `${id}.json`);
  try {
    writeFileSync(path, `${JSON.stringify(captured.profile, null, 2)}\n`, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new AppError(
        'usage',
        { what: `${path} is there already: choose another file with --out.` },
        error,
      );
    throw new AppError('file_unwritable', { path, detail: (error as Error).message }, error);
  }
  return { ...captured, path };
}
