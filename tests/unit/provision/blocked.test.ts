/** What preflight found stops Keys as well as the layers: nothing is logged in to, made or recorded. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openApp, type App } from '../../../main/services/app.ts';
import { setUpKeys } from '../../../main/services/keys.ts';
import { Secrets } from '../../../main/services/secrets.ts';
import type { CheckResult } from '../../../preload/contract/events.ts';
import type { Session } from '../../../preload/contract/session.ts';
import { checkResult } from '../contract/attempts.ts';
import { makeSession } from '../journal/log.ts';
import { PROFILE, play } from '../report/box.ts';

let home: string;
let app: App;
let session: Session;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'vault-cube-blocked-'));
  app = openApp(
    {
      confirmReboot: async () => true,
      confirmHostKey: async () => true,
      note: () => undefined,
      link: () => undefined,
    },
    { home },
  );
  session = makeSession({ address: { host: '127.0.0.1', port: 1 } });
  app.journal.saveSession(session);
});
afterEach(() => {
  app.close();
  rmSync(home, { recursive: true, force: true });
});

/** A look at the box that found this. */
function looked(...found: Pick<CheckResult, 'id' | 'verdict' | 'value'>[]): void {
  const checks = found.map(({ id, verdict, value }) => checkResult(id, verdict, { value }));
  play(app.journal, session, { kind: 'preflight', title: 'Preflight', params: { profile: PROFILE }, checks });
}

const keys = () =>
  setUpKeys(app, session, new Secrets(async () => null, {}), {
    ...{ choice: { kind: 'generate', path: null, withPassphrase: false }, customerKeys: [], uid: 'keep' },
  });

describe('keys', () => {
  it.each([
    ['pf_clock', '57 years behind', 'clock_wrong'],
    ['pf_free_space', '2 GiB', 'box_disk_full'],
    ['pf_systemd', 'no', 'systemd_missing'],
    ['pf_arch', 'aarch64', 'preflight_blocked'],
  ])('are not begun while %s is a blocker', async (id, value, code) => {
    looked({ id, value, verdict: 'fail' });
    await expect(keys()).rejects.toMatchObject({ code });
    expect(app.journal.jobs(session.id).map(({ kind }) => kind)).toEqual(['preflight']);
    expect(existsSync(join(home, 'keys'))).toBe(false);
  });

  it('name all blockers where there are several', async () => {
    looked(
      { id: 'pf_clock', value: '57 years behind', verdict: 'fail' },
      { id: 'pf_arch', value: 'aarch64', verdict: 'fail' },
    );
    await expect(keys()).rejects.toMatchObject({
      code: 'preflight_blocked',
      message: expect.stringMatching(/57 years behind.*aarch64|aarch64.*57 years behind/) as string,
    });
  });

  it('are begun where none is, up to the password of the login', async () => {
    looked({ id: 'pf_bios', value: 'old', verdict: 'fail' });
    await expect(keys()).rejects.toMatchObject({ code: 'secret_missing' });
    expect(app.journal.jobs(session.id).map(({ kind }) => kind)).toContain('keys');
  });
});
