/** A journal that cannot be written is opened to be looked at; one that cannot even be read keeps the app from beginning. */
import { mkdtempSync, rmSync, writeFileSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { chromiumFolder, drawnInSoftware, noteDrawnInSoftware } from '../../../main/services/chromium.ts';
import { openForWindow } from '../../../main/services/opening.ts';
import { newSession } from '../../../main/services/sessions.ts';

const PERSON = {
  confirmHostKey: async () => false,
  confirmReboot: async () => false,
  note: () => undefined,
  link: () => undefined,
};

describe('opening for the window', () => {
  let home: string;
  const path = () => join(home, 'journal.db');

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'vault-cube-opening-'));
    vi.stubEnv('VAULT_CUBE_HOME', home);
    const { core, problem } = openForWindow(PERSON);
    expect(problem).toBeNull();
    const address = { host: '192.168.10.20', port: 22 };
    core.journal.saveSession(newSession({ name: 'VC-1', profile: 'vault-cube', address, user: 'installer' }));
    core.close();
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(home, { recursive: true, force: true });
  });

  it('a journal of a newer version can be read, and says why it cannot be written', () => {
    const db = new DatabaseSync(path());
    db.exec('pragma user_version = 99');
    db.close();
    const { core, problem } = openForWindow(PERSON);
    expect(problem?.code).toBe('journal_newer');
    expect(core.journal.sessions().map((s) => s.name)).toEqual(['VC-1']);
    expect(() => core.journal.mustWrite()).toThrow(/newer version/);
    core.close();
  });

  it('a damaged journal keeps the app from beginning', () => {
    writeFileSync(path(), 'no database '.repeat(100));
    expect(() => openForWindow(PERSON)).toThrow(expect.objectContaining({ code: 'journal_damaged' }));
  });

  it('Chromium keeps its files with the data, and elsewhere where that is no folder', () => {
    expect(chromiumFolder()).toBe(join(home, 'chromium'));
    vi.stubEnv('VAULT_CUBE_HOME', path());
    const other = chromiumFolder();
    expect(other.startsWith(tmpdir())).toBe(true);
    rmSync(other, { recursive: true });
  });

  it('remembers for a week, and for one version of Chromium, that there is no graphics chip to look for', () => {
    const folder = chromiumFolder();
    expect(drawnInSoftware(folder, '130')).toBe(false);
    noteDrawnInSoftware(folder, '130');
    expect(drawnInSoftware(folder, '130')).toBe(true);
    expect(drawnInSoftware(folder, '131')).toBe(false);
    const old = Date.now() / 1000 - 8 * 24 * 3600;
    utimesSync(join(folder, 'drawn-in-software'), old, old);
    expect(drawnInSoftware(folder, '130')).toBe(false);
    noteDrawnInSoftware(join(home, 'nowhere'), '130');
    expect(drawnInSoftware(join(home, 'nowhere'), '130')).toBe(false);
  });
});
