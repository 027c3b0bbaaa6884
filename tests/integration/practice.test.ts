/** The practice box through the command line: no rig, no root, and still the whole road, with a fault, refusals, and a kill. */
import { spawn } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadProfile } from '../../main/services/profiles.ts';
import { expectationOf } from '../../preload/contract/profile.ts';
import { PRACTISED } from '../../preload/contract/suites.ts';
import { Recordings } from '../../main/remote/practice/recordings.ts';
import { Journal } from '../../main/journal/journal.ts';
import { CLI, eventsOf, Laptop, type Ended, type Record_ } from './cli.ts';

const NOBODY = 65534;
const RECORDINGS = join(import.meta.dirname, '../../resources/practice');
const SUDO = 'practice 1 Sudo';
/** All layers are given in the journey above. */
const BASE = ['--layers', '0,1'];

const exit = ({ code, last }: Ended) => ({ code, last });
const checksOf = (records: readonly Record_[], suite: string) =>
  eventsOf(records)
    .filter((e) => e['kind'] === 'check')
    .map((e) => e['check'] as { id: string; suite: string; verdict: string; nextAction: string | null })
    .filter((c) => c.suite === suite);

/** The command line in a process of a user who is not root, as most engineers are. */
function asNobody(home: string, ...args: string[]): Promise<{ code: number; records: Record_[] }> {
  const root = process.getuid?.() === 0;
  if (root) chownSync(home, NOBODY, NOBODY);
  const child = spawn(process.execPath, [CLI, ...args, '--json'], {
    ...(root ? { uid: NOBODY, gid: NOBODY } : {}),
    cwd: home,
    env: { ...process.env, VAULT_CUBE_HOME: join(home, 'data'), HOME: home },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (data: Buffer) => (text += data.toString('utf8')));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const records = text.trimEnd().split('\n');
      resolve({ code: code ?? 128, records: records.map((line) => JSON.parse(line) as Record_) });
    });
  });
}

describe('the journey as an ordinary user', () => {
  let home: string;
  let walked: { code: number; records: Record_[] };

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'vault-cube-practice-'));
    walked = await asNobody(home, 'practice', '--speed', '100', '--out', home);
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it('is walked from the first login to a report', () => {
    expect(walked.code, JSON.stringify(walked.records.at(-1))).toBe(0);
    const kinds = eventsOf(walked.records)
      .filter((e) => e['kind'] === 'started')
      .map((e) => e['jobKind']);
    const base = ['fetch', 'bootstrap', 'checks', 'fetch', 'layer', 'harden', 'checks'];
    const driver = ['fetch', 'reboot', 'layer', 'reboot', 'checks'];
    const above = [3, 4, 5].flatMap(() => ['fetch', 'layer', 'checks']);
    const suites = PRACTISED.map(() => 'checks');
    expect(kinds).toEqual(['preflight', 'keys', ...base, ...driver, ...above, ...suites]);
    const ends = eventsOf(walked.records).filter((e) => e['kind'] === 'finished');
    expect(ends.map((e) => e['outcome'])).toEqual(kinds.map(() => 'passed'));
    // What a practice box cannot have is told of, and counts for nothing.
    const { profile } = loadProfile('practice');
    const counted = checksOf(walked.records, 'gpu-detection').filter(
      (c) => expectationOf(profile, c.id, 'practice').kind !== 'informative',
    );
    expect(counted.filter((c) => c.verdict !== 'pass')).toEqual([]);
  });

  it('tells what was recorded, and nothing else: every value, every check, every sample', () => {
    const events = eventsOf(walked.records);
    const mine = events.filter((e) => e['kind'] === 'samples').flatMap((e) => e['rows'] as unknown[][]);
    const recorded = PRACTISED.flatMap((suite) => {
      const order = { kind: 'checks' as const, params: { suite } };
      return new Recordings(RECORDINGS, null).log(order, false)?.events ?? [];
    });
    const theirs = recorded.filter((e) => e.kind === 'samples').flatMap((e) => e['rows'] as unknown[][]);
    expect(mine.length).toBeGreaterThan(100);
    expect(mine.map((row) => row.slice(1))).toEqual(theirs.map((row) => row.slice(1)));
    const checks = recorded.filter((e) => e.kind === 'check').map((e) => e['check']);
    expect(PRACTISED.flatMap((suite) => checksOf(walked.records, suite))).toEqual(checks);
  });

  it('is marked as practice in every event, part, and on the report', () => {
    const marks = new Set(eventsOf(walked.records).map((e) => e['evidence']));
    expect(marks).toEqual(new Set(['practice']));
    const html = readFileSync(String(walked.records.at(-1)?.['html']), 'utf8');
    expect(html).toContain('data-evidence="practice"');
    expect(html).toContain('PRACTICE');
    const json = JSON.parse(readFileSync(String(walked.records.at(-1)?.['json']), 'utf8')) as {
      evidence: string;
      jobs: { evidence: string }[];
    };
    expect(json.evidence).toBe('practice');
    expect(new Set(json.jobs.map((j) => j.evidence))).toEqual(new Set(['practice']));
  });

  it('leaves a journal whose every chain holds', async () => {
    const ended = await asNobody(home, 'verify');
    expect(ended.code).toBe(0);
    expect(ended.records.at(-1)).toMatchObject({ type: 'result', jobs: 27 });
  });

  it('stands as the gates say: what this version does not run is missing, and nothing failed', async () => {
    const ended = await asNobody(home, 'status');
    expect(ended.records.at(-1)).toMatchObject({ type: 'result', outcome: 'incomplete' });
  });
});

describe.each(readdirSync(join(RECORDINGS, 'faults')))('the fault %s', (fault) => {
  it('shows as a failed check with its next action, on a box that failed', async () => {
    const laptop = new Laptop();
    try {
      const ended = await laptop.run(
        ...['practice', '--fault', fault, '--layers', '0', '--speed', '100', '--out', laptop.home],
      );
      expect(exit(ended)).toMatchObject({ code: 0, last: { type: 'result', outcome: 'failed' } });
      const count = checksOf(ended.records, 'gpu-detection').find((c) => c.id === 'gpu_count');
      expect(count?.verdict).toBe('fail');
      const html = readFileSync(String(ended.last['html']), 'utf8');
      const action = count?.nextAction ?? '';
      expect(action).not.toBe('');
      expect(html).toContain(action.replaceAll('&', '&amp;').replaceAll("'", '&#39;'));
      expect(html).toContain('data-evidence="practice"');
    } finally {
      laptop.remove();
    }
  });
});

describe('the road typed by hand', () => {
  const laptop = new Laptop();
  let console: { box: string; fingerprint: string; password: string; bundle: string };
  const box = () => ['--box', console.box];

  beforeAll(async () => {
    const made = await laptop.run('practice', '--no-walk');
    console = made.last as unknown as typeof console;
    expect(console.box).toBe('PRACTICE-1');
  });
  afterAll(() => laptop.remove());

  it('a fault that was not recorded is refused', async () => {
    expect((await laptop.run('practice', '--fault', 'fire')).last).toMatchObject({ code: 'usage' });
  });

  it('a fingerprint that is not the console’s is refused', async () => {
    laptop.secrets = { loginPassword: console.password };
    const other = `SHA256:${'A'.repeat(43)}`;
    const ended = await laptop.run('inspect', ...box(), '--accept-host-key', other);
    expect(exit(ended)).toMatchObject({ code: 3, last: { code: 'host_key_unconfirmed' } });
  });

  it('a wrong password is refused, the right one is taken', async () => {
    laptop.secrets = { loginPassword: 'wrong' };
    const accept = ['--accept-host-key', console.fingerprint];
    const refused = await laptop.run('inspect', ...box(), ...accept);
    expect(exit(refused)).toMatchObject({ code: 4, last: { code: 'login_password_wrong' } });
    laptop.secrets = { loginPassword: console.password, sudoPassword: 'wrong' };
    const sudo = await laptop.run('inspect', ...box(), ...accept);
    expect(exit(sudo)).toMatchObject({ code: 5, last: { code: 'sudo_password_wrong' } });
    laptop.secrets = { loginPassword: console.password };
    const ended = await laptop.run('inspect', ...box(), '--set-clock');
    expect(exit(ended)).toMatchObject({ code: 10, last: { type: 'result' } });
  });

  it('after Keys with a swap the key logs in, and the password of vaultadmin is sudo’s', async () => {
    laptop.secrets = { loginPassword: console.password, newSudoPassword: SUDO };
    const asked = await laptop.run('keys', ...box(), '--generate');
    expect(exit(asked)).toMatchObject({ code: 5, last: { code: 'uid_taken' } });
    const ended = await laptop.run('keys', ...box(), '--generate', '--uid', 'swap');
    expect(exit(ended)).toMatchObject({ code: 0, last: { type: 'result', outcome: 'passed' } });
    laptop.secrets = { sudoPassword: 'wrong' };
    const wrong = await laptop.run('link-test', ...box());
    expect(exit(wrong)).toMatchObject({ code: 5, last: { code: 'sudo_password_wrong' } });
    laptop.secrets = { sudoPassword: SUDO };
    expect((await laptop.run('link-test', ...box())).code).toBe(0);
  });

  it('a job is cancelled', async () => {
    const started = laptop.start('validate', ...box());
    await started.until('the watch', ({ event }) => (event as { id?: string } | undefined)?.id === 'observe');
    expect(exit(await laptop.run('cancel', ...box()))).toMatchObject({
      code: 0,
      last: { state: 'cancelled' },
    });
    expect((await started.ended).last).toMatchObject({ type: 'error', code: 'job_cancelled' });
  });

  it('kill -9 in the middle of a layer: resume goes on with the same job, and no event is lost or doubled', async () => {
    const provision = laptop.start('provision', ...box(), ...BASE, '--bundle', console.bundle);
    const isTask = ({ job, event }: Record_) =>
      event !== undefined && job !== undefined && (event as { kind: string; index?: number }).index === 20;
    const { job } = await provision.until('the 20th task', isTask);
    await provision.kill('SIGKILL');
    const ended = await laptop.run('resume', ...box());
    expect(exit(ended)).toMatchObject({ code: 0, last: { type: 'result', outcome: 'passed' } });
    expect(ended.records.find((r) => r.type === 'event')?.['job']).toBe(job);
    const journal = Journal.open(join(laptop.home, 'journal.db'), { readOnly: true });
    try {
      const row = journal.latest(String(job));
      expect(row).toMatchObject({ attempt: 1, kind: 'layer', state: 'passed' });
      const lines = journal.linesAfter(String(job), 1, 0, 100_000).map((l) => JSON.parse(l) as Record_);
      const told = lines.filter((l) => l['kind'] !== 'waiting');
      const recorded = new Recordings(RECORDINGS, null).log({ kind: 'layer', params: { layer: 1 } }, false);
      expect(told.map((l) => l['kind'])).toEqual(
        (recorded?.events ?? []).filter((e) => e.kind !== 'waiting').map((e) => e.kind),
      );
      expect(lines.map((l) => l['seq'])).toEqual(lines.map((_, i) => i + 1));
    } finally {
      journal.close();
    }
    expect((await laptop.run('verify', ...box())).code).toBe(0);
  });

  it('the hardened box takes no password any more', async () => {
    const known = Journal.open(join(laptop.home, 'journal.db'));
    try {
      const session = known.sessionByName(console.box);
      if (!session) throw new Error('no session');
      known.saveSession({ ...session, keys: null, user: 'installer' });
      laptop.secrets = { loginPassword: console.password };
      const ended = await laptop.run('inspect', ...box());
      expect(exit(ended)).toMatchObject({ code: 4, last: { code: 'login_password_off' } });
      known.saveSession(session);
      laptop.secrets = { sudoPassword: SUDO };
    } finally {
      known.close();
    }
  });

  it('layers a second time change nothing', async () => {
    const ended = await laptop.run('provision', ...box(), ...BASE, '--bundle', console.bundle);
    expect(exit(ended)).toMatchObject({ code: 0, last: { type: 'result', outcome: 'passed' } });
    const ends = eventsOf(ended.records).filter((e) => e['kind'] === 'finished');
    expect(ends.map((e) => (e['counts'] as { changed: number }).changed)).toEqual(ends.map(() => 0));
  });

  it('what was not recorded is refused by name', async () => {
    const ended = await laptop.run('link-test', ...box(), '--count', '7');
    expect(exit(ended)).toMatchObject({ code: 7, last: { code: 'box_unreadable' } });
    expect(JSON.stringify(ended.last)).toContain('not_recorded');
  });
});
