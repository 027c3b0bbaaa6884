/** Which site bundle is meant as long as nobody has named one. */
import { existsSync } from 'node:fs';
import type { Session } from '../../preload/contract/session.ts';
import type { App } from './app.ts';
import { practiceBundle } from './practice.ts';

/** The one this box was installed from last, else the newest that this laptop used and still has; a practice box has its own. */
export function lastBundle(app: App, session: Session): string | null {
  if (session.practice) return practiceBundle(app);
  if (session.bundle !== null) return session.bundle;
  const started = (s: Session) => s.run?.startedAt ?? '';
  const used = app.journal.sessions().toSorted((a, b) => started(b).localeCompare(started(a)));
  return used.find((s) => !s.practice && s.bundle !== null && existsSync(s.bundle))?.bundle ?? null;
}
