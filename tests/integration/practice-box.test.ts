/** The practice box inside one process: exactly what the app asks of it on the road, what it refuses, and who else may come. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi, type MockInstance } from 'vitest';
import { connect, type Auth, type Connection } from '../../main/remote/connection.ts';
import { KnownHosts } from '../../main/remote/hostkeys.ts';
import { generateKey, loadKey } from '../../main/remote/keyfiles.ts';
import { PracticeBox } from '../../main/remote/practice/server.ts';
import { runAsRoot } from '../../main/remote/sudo.ts';
import { upload } from '../../main/remote/upload.ts';
import { openApp, type App } from '../../main/services/app.ts';
import { inspect } from '../../main/services/inspect.ts';
import { setUpKeys } from '../../main/services/keys.ts';
import { consoleOf, practiceBundle, startPractice, type Practice } from '../../main/services/practice.ts';
import { loadProfile } from '../../main/services/profiles.ts';
import { planProvision } from '../../main/services/provision.ts';
import { executeRun, planRun } from '../../main/services/runs.ts';
import { Secrets } from '../../main/services/secrets.ts';
import { planValidate } from '../../main/services/validate.ts';
import type { Run } from '../../preload/contract/session.ts';

const SUDO = 'box 1 Sudo';

describe('what the app asks of a practice box', () => {
  let home: string;
  let app: App;
  let practice: Practice;
  let box: PracticeBox;
  let started: MockInstance<typeof PracticeBox.start>;
  const now = () => app.journal.session(practice.session.id) ?? practice.session;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'vault-cube-box-'));
    const person = {
      confirmReboot: async () => true,
      confirmHostKey: async (q: { fingerprint: string }) => q.fingerprint === practice.console.fingerprint,
      note: () => undefined,
      link: () => undefined,
    };
    app = openApp(person, { home });
    app.practice.speed = 200;
    started = vi.spyOn(PracticeBox, 'start');
    practice = startPractice(app, { fault: null });
    await generateKey(join(home, 'stranger'), { passphrase: undefined, comment: 'stranger' });
  });
  afterAll(() => {
    started.mockRestore();
    app.close();
    rmSync(home, { recursive: true, force: true });
  });

  const dial = async (user: string, auth: Auth): Promise<Connection> => {
    const { host, port } = await app.practice.address(now().name);
    const knownHosts = new KnownHosts(join(home, 'known_hosts'));
    return connect({ host, port, user, auth, knownHosts, hostKeyName: now().name });
  };
  const byKeyIn = (path: string, user: string) => {
    const { privateKey } = loadKey(join(home, path));
    return dial(user, { kind: 'key', privateKey });
  };
  const byKey = (user: string) => byKeyIn(`keys/${now().name}-ed25519`, user);
  /** With a key that is on no box. */
  const byStranger = (user: string) => byKeyIn('stranger', user);
  const refused = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'it succeeded',
      (e: { code?: string }) => e.code ?? 'an error without a code',
    );

  it('on the whole road is this, and every answer is there', async () => {
    const { password, user } = practice.console;
    const secrets = new Secrets(async () => null, { loginPassword: password, newSudoPassword: SUDO });
    const { profile } = loadProfile(practice.session.profile);
    await inspect(app, now(), secrets, { profile, key: undefined });
    expect(await refused(byStranger(user))).toBe('login_key_refused');
    const choice = { kind: 'generate' as const, path: null, withPassphrase: false };
    await setUpKeys(app, now(), secrets, { choice, customerKeys: [], uid: 'keep' });
    const execute = async (run: Run) => {
      planRun(app, now(), run);
      const limits = { signal: new AbortController().signal, giveUpAfterMs: 10_000 };
      return executeRun(app, now().id, secrets, limits);
    };
    const provision = (layers: number[]) =>
      execute(planProvision(app, now(), profile, layers, practiceBundle(app)));
    await provision([0, 1]);
    const reboots = async () => {
      await provision([2]);
      const jobs = app.journal.jobs(now().id).filter(({ kind }) => kind === 'reboot');
      const views = jobs.map(({ job, attempt }) => app.journal.view(job, attempt));
      return views.slice(-2).map((view) => view.counts?.changed);
    };
    // For the new driver, and not once more when nothing is new.
    expect(await reboots()).toEqual([0, 1]);
    expect(await reboots()).toEqual([0, 0]);
    const end = await execute(
      planValidate(app, now(), profile, ['gpu-detection'], { hz: 1, watchSeconds: 20 }),
    );
    expect(end.outcome).toBe('passed');
    box = (await started.mock.results[0]?.value) as PracticeBox;
    expect([...box.asked].toSorted()).toEqual([
      'admin',
      'boot',
      'facts as root',
      'facts as user',
      'follow',
      'probe',
      'put',
      'reboot',
      'rm',
      'stage0',
      'sudo -v',
      'sudo probe',
      'test',
      'time',
      'touch',
      'upload',
    ]);
  });

  it('an unknown command ends with 127 and says so', async () => {
    const conn = await byKey('vaultadmin');
    try {
      for (const command of [
        'uname -a',
        'id -u',
        'rm -rf /; echo',
        "sh -c 'echo hello'",
        'cat /etc/passwd',
      ]) {
        const run = await conn.exec(command);
        expect([run.code, run.stdout.toString('utf8')], command).toEqual([127, '']);
        expect(run.stderr).toMatch(/practice box: it has no answer recorded/);
      }
      const root = await runAsRoot(conn, ['id'], { sudoPassword: SUDO });
      expect(root.code).toBe(127);
      expect(box.asked).toContain('unknown');
    } finally {
      conn.close();
    }
  });

  it('a hardened box lets nobody in but vaultadmin, by key', async () => {
    const { user, password } = practice.console;
    expect(await refused(dial(user, { kind: 'password', password }))).toBe('login_password_off');
    expect(await refused(dial('vaultadmin', { kind: 'password', password: SUDO }))).toBe(
      'login_password_off',
    );
    expect(await refused(byKey(user))).toBe('login_key_refused');
    expect(await refused(byStranger('vaultadmin'))).toBe('login_key_refused');
    (await byKey('vaultadmin')).close();
  });

  it('an upload that arrives otherwise than it was sent is refused, one that is there is skipped', async () => {
    const conn = await byKey('vaultadmin');
    try {
      const bytes = Buffer.alloc(300_000, 'x');
      expect(await upload(conn, bytes, '~/a', 0o600)).toEqual({ path: '/home/vaultadmin/a', skipped: false });
      expect(await upload(conn, bytes, '~/a', 0o600)).toEqual({ path: '/home/vaultadmin/a', skipped: true });
    } finally {
      conn.close();
    }
  });

  it('a terminal says what it is', async () => {
    const conn = await byKey('vaultadmin');
    try {
      let text = '';
      const ended = new Promise<string>((resolve) => {
        const on = { onData: (data: string) => (text += data), onEnd: resolve };
        void conn.shell({ columns: 80, rows: 24 }, on).then((shell) => shell.write('ls\r\x04'));
      });
      expect(await ended).toMatch(/ended with 0/);
      expect(text).toMatch(/practice box/);
    } finally {
      conn.close();
    }
  });

  it('after a restart of the app it is the same box: console, host key, and who may log in', async () => {
    await app.practice.stop();
    expect(consoleOf(app, now())).toEqual(practice.console);
    (await byKey('vaultadmin')).close();
    expect(started).toHaveBeenCalledTimes(2);
    expect(await refused(byStranger('vaultadmin'))).toBe('login_key_refused');
  });
});
