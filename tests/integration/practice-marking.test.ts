/** What a practice box tells without the mark of practice never gets into the app: this box has its marking stripped. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openApp, type App } from '../../main/services/app.ts';
import { inspect } from '../../main/services/inspect.ts';
import { setUpKeys } from '../../main/services/keys.ts';
import { startPractice, type Practice } from '../../main/services/practice.ts';
import { loadProfile } from '../../main/services/profiles.ts';
import { executeRun, linkTestRun, planRun, standingOf } from '../../main/services/runs.ts';
import { Secrets } from '../../main/services/secrets.ts';
import { AppError } from '../../preload/contract/errors.ts';

const marking = vi.hoisted(() => ({ EVIDENCE: 'practice' }));
vi.mock('../../main/remote/practice/marking.ts', () => marking);

describe('a practice box whose marking is stripped', () => {
  let home: string;
  let app: App;
  let practice: Practice;
  let secrets: Secrets;
  const now = () => app.journal.session(practice.session.id) ?? practice.session;
  const look = () => {
    const { profile } = loadProfile('practice');
    return inspect(app, now(), secrets, { profile, key: undefined });
  };
  const refused = async (work: Promise<unknown>) => {
    const error: unknown = await work.then(
      () => null,
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).message).toMatch(/not marked as practice/);
  };

  beforeEach(() => {
    marking.EVIDENCE = 'practice';
    home = mkdtempSync(join(tmpdir(), 'vault-cube-marking-'));
    const person = {
      confirmReboot: async () => false,
      confirmHostKey: async (q: { fingerprint: string }) => q.fingerprint === practice.console.fingerprint,
      note: () => undefined,
      link: () => undefined,
    };
    app = openApp(person, { home });
    practice = startPractice(app, { fault: null });
    const { password } = practice.console;
    secrets = new Secrets(async () => null, { loginPassword: password, newSudoPassword: 'marking 1 Sudo' });
  });
  afterEach(() => {
    app.close();
    rmSync(home, { recursive: true, force: true });
  });

  it.each(['real', 'stand-in'] as const)('is not inspected: facts told as %s', async (evidence) => {
    marking.EVIDENCE = evidence;
    await refused(look());
    const stands = standingOf(app.journal, now());
    expect(stands.preflight.checks).toEqual([]);
    expect(stands.evidence).toBe('practice');
  });

  it.each(['real', 'stand-in'] as const)(
    'gives no event to the journal: lines told as %s',
    async (evidence) => {
      app.practice.speed = 100;
      await look();
      const choice = { kind: 'generate' as const, path: null, withPassphrase: false };
      await setUpKeys(app, now(), secrets, { choice, customerKeys: [], uid: 'keep' });
      marking.EVIDENCE = evidence;
      planRun(app, now(), linkTestRun(200, 50));
      const limits = { signal: new AbortController().signal, giveUpAfterMs: 10_000 };
      await refused(executeRun(app, now().id, secrets, limits));
      const job = app.journal.jobs(now().id).at(-1);
      expect(job).toMatchObject({ kind: 'selftest', evidence: null });
      expect(app.journal.view(job?.job ?? '', 1).lastSeq).toBe(0);
      expect(standingOf(app.journal, now()).evidence).toBe('practice');
    },
  );
});
