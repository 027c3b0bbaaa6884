/** What preflight found stops Keys as well as the layers: nothing is logged in to, made or recorded. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openApp, type App } from '../../../main/services/app.ts';
import { setUpKeys } from '../../../main/services/keys.ts';
import { Secrets } from '../../../main/services/secrets.ts';
import type { CheckResult } from '../../../preload/contract/events.ts';
import { JobSpec } from '../../../preload/contract/job.ts';
import { Session } from '../../../preload/contract/session.ts';
import { LogWriter, makeSpec } from '../journal/log.ts';

const FOLDER = join(import.meta.dirname, '../../fixtures/window');
const ENVELOPE = new Set(['v', 'job', 'attempt', 'seq', 'boot', 'mono', 't', 'prev', 'kind', 'evidence']);

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
  const recorded = JSON.parse(readFileSync(join(FOLDER, 'session.json'), 'utf8')) as object;
  session = Session.parse({ ...recorded, keys: null, user: 'installer' });
  app.journal.saveSession(session);
});
afterEach(() => {
  app.close();
  rmSync(home, { recursive: true, force: true });
});

/** A recorded look at a box, with some of its checks as if they had gone otherwise. */
function looked(...changes: Pick<CheckResult, 'id' | 'verdict' | 'value'>[]): void {
  const text = readFileSync(join(FOLDER, 'preflight.jsonl'), 'utf8');
  const [head = '', , ...lines] = text.trimEnd().split('\n');
  const { spec, bytes } = makeSpec(JobSpec.parse((JSON.parse(head) as { spec: unknown }).spec));
  app.journal.createAttempt(session.id, spec, bytes);
  const log = new LogWriter(spec, bytes);
  const started = log.started();
  const told = lines.map((line) => {
    const event = JSON.parse(line) as { kind: string; check?: CheckResult };
    const body = Object.fromEntries(Object.entries(event).filter(([key]) => !ENVELOPE.has(key)));
    const change = changes.find(({ id }) => id === event.check?.id);
    return log.line(event.kind, change ? { ...body, check: { ...event.check, ...change } } : body);
  });
  app.journal.append(spec.job, spec.attempt, [started, ...told]);
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

  it('are begun where none is: then the box does not answer', async () => {
    looked({ id: 'pf_bios', value: 'old', verdict: 'fail' });
    await expect(keys()).rejects.not.toMatchObject({ code: 'preflight_blocked' });
    expect(app.journal.jobs(session.id).map(({ kind }) => kind)).toContain('keys');
  });
});
