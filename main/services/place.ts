/** Where the window was, so that after a crash or a kill it opens there again. A convenience: losing it loses nothing. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Place } from '../../preload/contract/calls.ts';
import type { App } from './app.ts';

const file = ({ home }: Pick<App, 'home'>) => join(home, 'window.json');

/** Null where nothing is known, or the box is not known any more. */
export function lastPlace(app: Pick<App, 'home' | 'journal'>): Place | null {
  let text: string;
  try {
    text = readFileSync(file(app), 'utf8');
  } catch {
    return null;
  }
  try {
    const place = Place.parse(JSON.parse(text));
    return place.session === null || app.journal.session(place.session) ? place : null;
  } catch {
    return null;
  }
}

/** Whole or not at all: a kill in between leaves the place before. A disk that is full is told of by what matters more. */
export function keepPlace(app: Pick<App, 'home'>, place: Place): void {
  const path = file(app);
  try {
    writeFileSync(`${path}.new`, JSON.stringify(place), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch {
    // The next step that is shown tries again.
  }
}
