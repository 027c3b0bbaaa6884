/** Where the window was, kept beside the journal: whole or not at all, and never about a box that is not known. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../../main/journal/journal.ts';
import { keepPlace, lastPlace } from '../../../main/services/place.ts';
import { newSession } from '../../../main/services/sessions.ts';

let home: string;
let journal: Journal;
const app = () => ({ home, journal });

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'vault-cube-place-'));
  journal = Journal.open(join(home, 'journal.db'), { readOnly: false });
});
afterEach(() => {
  journal.close();
  rmSync(home, { recursive: true, force: true });
});

function known(): string {
  const address = { host: '192.168.10.20', port: 22 };
  const session = newSession({ name: 'VC-0042', profile: 'vault-cube', address, user: 'installer' });
  journal.saveSession(session);
  return session.id;
}

describe('the place of the window', () => {
  it('is what was kept last, for this user alone', () => {
    expect(lastPlace(app())).toBeNull();
    const session = known();
    keepPlace(app(), { session, step: 'connect' });
    keepPlace(app(), { session, step: 'keys' });
    expect(lastPlace(app())).toEqual({ session, step: 'keys' });
    expect(statSync(join(home, 'window.json')).mode & 0o777).toBe(0o600);
    keepPlace(app(), { session: null, step: 'keys' });
    expect(lastPlace(app())).toEqual({ session: null, step: 'keys' });
  });

  it('is none for a box that this journal does not know, or a file that is torn', () => {
    keepPlace(app(), { session: '0b0f2f0e-9c43-4d2e-8d5a-111111111111', step: 'keys' });
    expect(lastPlace(app())).toBeNull();
    const session = known();
    keepPlace(app(), { session, step: 'keys' });
    const text = readFileSync(join(home, 'window.json'), 'utf8');
    for (const torn of [text.slice(0, 20), '', '{}', 'null', text.replace('keys', 'hand-over')]) {
      writeFileSync(join(home, 'window.json'), torn);
      expect(lastPlace(app())).toBeNull();
    }
  });

  it('that cannot be written is no error', () => {
    const session = known();
    keepPlace({ home: join(home, 'gone') }, { session, step: 'keys' });
    expect(lastPlace({ home: join(home, 'gone'), journal })).toBeNull();
  });
});
