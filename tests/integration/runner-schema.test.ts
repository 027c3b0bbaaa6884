/**
 * What the real runner writes, read by the app's own schema: every kind of job that needs no box, every kind of event. The
 * runner works on this machine in a mount namespace whose /etc, /usr and /var take changes that nobody else sees; GPUs are
 * the stand-in's, so the evidence says stand-in.
 */
import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Journal } from '../../main/journal/journal.ts';
import { LocalJob } from '../../main/journal/localjob.ts';
import { packBoxCode, type BoxCode } from '../../main/services/boxcode.ts';
import { BundleManifest } from '../../preload/contract/bundle.ts';
import { EVENT_BODIES, type EventKind } from '../../preload/contract/events.ts';
import { BoxFacts } from '../../preload/contract/facts.ts';
import { JobKind, LOCAL_KINDS, type JobSpec } from '../../preload/contract/job.ts';
import type { JobView } from '../../preload/contract/reduce.ts';
import { SAFE, UNSAFE } from '../unit/contract/paths.ts';
import { makeSession } from '../unit/journal/log.ts';
import { until } from './sshd.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const why =
  process.platform !== 'linux'
    ? 'not Linux'
    : process.getuid?.() !== 0
      ? 'not root: the runner is root on a box'
      : !existsSync('/usr/bin/dpkg')
        ? 'no dpkg: not Debian or Ubuntu'
        : null;

/** Stands for ansible-playbook: prints records as the callback plugin does, beside ordinary output. */
const PLAYBOOK = (status: number) => `#!/bin/sh
echo plain output
echo a warning >&2
r() { printf '\\036%s\\n' "$1"; }
r '{"ev":"total","total":3}'
r '{"ev":"task","state":"begin","index":1,"name":"Install curl","role":"base_system"}'
r '{"ev":"task","state":"changed","index":1,"name":"Install curl","role":"base_system","seconds":0.5}'
r '{"ev":"task","state":"skipped","index":2,"name":"Not here","role":null,"seconds":0}'
r '{"ev":"task","state":"begin","index":3,"name":"größer","role":null}'
r '{"ev":"task","state":"${status ? 'failed' : 'ok'}","index":3,"name":"größer","role":null,"seconds":1,"detail":{"msg":"x"}}'
r '{"ev":"stats","ok":2,"changed":1,"failed":${status ? 1 : 0},"skipped":1,"unreachable":0}'
exit ${status}
`;

describe.runIf(why === null)(`the runner's events${why ? ` (not run: ${why})` : ''}`, () => {
  let dir: string;
  let code: BoxCode;
  let journal: Journal;
  const session = makeSession();
  const seen = new Set<string>();
  const begun: string[] = [];

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'vc-schema-'));
    code = await packBoxCode();
    writeFileSync(join(dir, 'box.tar'), code.tar);
    journal = Journal.open(join(dir, 'journal.db'));
    journal.saveSession(session);
    const layers = ['etc', 'usr', 'var'];
    writeFileSync(
      join(dir, 'inside'),
      [
        'set -e',
        'D=$1; shift',
        'mount -t tmpfs tmpfs "$D/upper"',
        ...layers.flatMap((l) => [
          `mkdir "$D/upper/${l}" "$D/upper/${l}.work"`,
          `mount -t overlay -o "lowerdir=/${l},upperdir=$D/upper/${l},workdir=$D/upper/${l}.work" overlay /${l}`,
        ]),
        'mkdir -p /etc/vault-cube /usr/local/share/vault-cube-stand-in',
        'echo stand-in >/etc/vault-cube/evidence',
        `cp "${ROOT}tests/fixtures/nvidia-smi-2xh100/"* /usr/local/share/vault-cube-stand-in/`,
        `install -m 0755 "${ROOT}tests/rig/standin/nvidia_smi.py" /usr/local/sbin/nvidia-smi`,
        'exec python3 -I -c "$@"',
        '',
      ].join('\n'),
    );
    mkdirSync(join(dir, 'upper'));
    chmodSync(dir, 0o755);
  });
  afterAll(async () => {
    // What a failed test left running.
    for (const folder of begun.filter((f) => !existsSync(join(f, 'result.json')))) {
      writeFileSync(join(folder, 'control/cancel'), '');
      await until('the end of a job', () => existsSync(join(folder, 'result.json')), 30_000);
    }
    journal.close();
    rmSync(dir, { recursive: true, force: true });
  });

  interface Run {
    view: JobView;
    /** Each event's kind, in order. */
    kinds: string[];
    folder: string;
  }

  /** Runs a job to its end, stores its log as the app does, and sees that the schema knows every line of it. */
  async function run(
    kind: JobKind,
    params: Record<string, unknown>,
    during: (folder: string) => Promise<void> | void = () => undefined,
  ): Promise<Run> {
    const job = randomUUID();
    const laptop = { name: 'lap-7', user: 'kim' };
    const spec: JobSpec = { v: 1, job, attempt: 1, kind, title: `Test of ${kind}`, laptop, params };
    const bytes = Buffer.from(JSON.stringify(spec));
    const path = join(dir, `${job}.json`);
    writeFileSync(path, bytes);
    journal.createAttempt(session.id, spec, bytes);
    const options = ['--state', join(dir, 'state'), '--opt', join(dir, 'opt'), '--group', 'root'];
    const sha = createHash('sha256').update(bytes).digest('hex');
    const stage0 = [code.stage0, join(dir, 'box.tar'), code.sha256, path, sha];
    const inside = [
      '-m',
      'sh',
      join(dir, 'inside'),
      dir,
      ...stage0,
      ...options,
      '--mode',
      'setsid',
      '--no-cgroup',
    ];
    const answer: unknown = JSON.parse(execFileSync('unshare', inside, { encoding: 'utf8', input: '' }));
    expect(answer).toMatchObject({ ok: true, joined: false });
    const folder = join(dir, 'state/jobs', job, '1');
    begun.push(folder);
    await during(folder);
    await until('the end of the job', () => existsSync(join(folder, 'result.json')), 60_000);
    const lines = readFileSync(join(folder, 'events.jsonl'), 'utf8').split('\n');
    expect(lines.pop()).toBe('');
    const events = journal.append(
      job,
      1,
      lines.map((line) => Buffer.from(line)),
    );
    for (const event of events) {
      expect(event.known, event.known ? '' : `${event.kind}: ${event.why}`).toBe(true);
      seen.add(event.kind);
    }
    expect(journal.verify(job, 1)).toEqual({ ok: true, events: lines.length });
    const view = journal.view(job, 1);
    expect(view).toMatchObject({ jobKind: kind, title: spec.title, evidence: 'stand-in', unknown: [] });
    const result = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'));
    expect(result).toMatchObject({
      outcome: view.state,
      code: view.code,
      counts: view.counts,
      events: lines.length,
    });
    return { view, kinds: events.map((e) => e.kind), folder };
  }

  /** The program of this name in the place of Ansible's. */
  const putPlaybook = (status: number) => {
    const bin = join(dir, 'opt/ansible/bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'ansible-playbook'), PLAYBOOK(status), { mode: 0o755 });
  };

  it('selftest: numbered lines, and a beat in silence', async () => {
    const { view, kinds } = await run('selftest', { count: 1, rate: 0.4 });
    expect(view).toMatchObject({ state: 'passed', counts: { ok: 1 }, steps: [{ id: 'emit', state: 'ok' }] });
    expect(kinds).toContain('beat');
  });

  it('checks with telemetry: a result for each check, and samples of every GPU', async () => {
    const gpu = { count: 2, name: 'NVIDIA H100 80GB HBM3', idleTemperatureC: { max: 60, source: 'test' } };
    const { view } = await run('checks', {
      suite: 'gpu-detection',
      checks: [],
      profile: { gpu },
      telemetry: { hz: 10, seconds: 1.5 },
    });
    expect(view.state).toBe('passed');
    const verdict = Object.fromEntries(view.checks.map((c) => [c.id, c.verdict]));
    expect(verdict).toMatchObject({ gpu_count: 'pass', gpu_name: 'pass', gpu_idle_temperature: 'pass' });
    expect(view.checks.length).toBeGreaterThan(8);
    expect(view.sampleRows).toBeGreaterThan(10);
    const job = journal.jobs(session.id).at(-1)?.job ?? '';
    expect(journal.sampleSeries(job).map((s) => s.series)).toEqual(['0', '1']);
    expect(journal.samples(job, 1, { field: 'temperature.gpu', series: 1 })[0]?.value).toBeGreaterThan(20);
  });

  it('checks of layers on a machine that has none of it: verdicts with reasons, never a crash', async () => {
    for (const suite of ['l0', 'l1']) {
      const expect_ = { adminUser: 'vaultadmin', adminUid: null, sshPort: 22 };
      const { view } = await run('checks', {
        suite,
        checks: [],
        profile: {},
        telemetry: null,
        expect: expect_,
      });
      expect(view.state).toBe('passed');
      for (const c of view.checks) {
        if (c.verdict === 'not_run' || c.verdict === 'not_supported') expect(c.reason, c.id).toBeTruthy();
        if (c.verdict === 'fail' || c.verdict === 'error') expect(c.nextAction, c.id).toBeTruthy();
      }
    }
  });

  it('layer: tasks of a playbook that ends well, and of one that fails', async () => {
    putPlaybook(0);
    const params = { layer: 1, playbook: 'site.yml', tags: ['l1'], vars: { a: 1 } };
    const good = await run('layer', params);
    expect(good.view).toMatchObject({
      state: 'passed',
      counts: { ok: 2, changed: 1, failed: 0, skipped: 1 },
    });
    expect(good.view.tasks.map((t) => [t.index, t.state, t.total])).toEqual([
      [1, 'changed', 3],
      [2, 'skipped', 3],
      [3, 'ok', 3],
    ]);
    putPlaybook(2);
    const bad = await run('layer', params);
    expect(bad.view).toMatchObject({ state: 'failed', code: 'ansible_failed', counts: { failed: 1 } });
    expect(bad.view.detail).toContain('größer');
    expect(bad.view.steps.at(-1)).toMatchObject({ id: 'l1', state: 'failed' });
  });

  it('fetch: waits for its source, and is cancelled', async () => {
    const params = { manifestSha256: 'a'.repeat(64), sets: ['l0'], title: 'site' };
    const { view, kinds } = await run('fetch', params, async (folder) => {
      const log = () => readFileSync(join(folder, 'events.jsonl'), 'utf8');
      await until('the wait', () => log().includes('"waiting"'));
      writeFileSync(join(folder, 'control/cancel'), '');
    });
    expect(view).toMatchObject({ state: 'cancelled', waiting: null });
    expect(kinds).toContain('waiting');
  });

  it('fetch: brings a bundle, and tells how far it is', async () => {
    const data = Buffer.from('Package: x\n');
    const sha256 = createHash('sha256').update(data).digest('hex');
    const path = 'apt/Packages';
    const manifest = Buffer.from(
      JSON.stringify({ files: [{ path, size: data.length, sha256 }], sets: { l0: [path] } }),
    );
    const bundle = join(dir, 'state/bundle');
    mkdirSync(join(bundle, 'tree'), { recursive: true });
    mkdirSync(join(bundle, 'store'), { recursive: true });
    writeFileSync(join(bundle, 'tree/manifest.json'), manifest);
    writeFileSync(join(bundle, 'store', sha256), data);
    const manifestSha256 = createHash('sha256').update(manifest).digest('hex');
    const { view, kinds } = await run('fetch', { manifestSha256, sets: ['l0'], title: 'site' });
    expect(view).toMatchObject({ state: 'passed', counts: { ok: 1, changed: 0 } });
    expect(kinds).toContain('progress');
    expect(readFileSync(join(bundle, 'tree', path)).equals(data)).toBe(true);
  });

  it.each<[JobKind, string, Record<string, unknown>, string]>([
    ['bootstrap', 'without a bundle', { ansible: { series: '2.19' } }, 'bundle_incomplete|apt_failed'],
    [
      'harden',
      'with a time that is none',
      { playbook: 'site.yml', tags: ['x'], vars: {}, confirmSeconds: 1 },
      'spec_invalid',
    ],
    [
      'uid_swap',
      'of users that are not there',
      { holder: 'vc-nobody-1', user: 'vc-nobody-2' },
      'uid_swap_impossible',
    ],
    ['uid_swap', 'of one user with itself', { holder: 'a', user: 'a' }, 'spec_invalid'],
    [
      'layer',
      'with a playbook outside',
      { layer: 1, playbook: '../x', tags: ['l1'], vars: {} },
      'spec_invalid',
    ],
    [
      'checks',
      'of an unknown suite',
      { suite: 'none', checks: [], profile: {}, telemetry: null },
      'spec_invalid',
    ],
    [
      'checks',
      'with an unknown check',
      { suite: 'x', checks: ['../x'], profile: {}, telemetry: null },
      'unknown_check',
    ],
    ['selftest', 'with a count that is none', { count: 'many', rate: 1 }, 'spec_invalid'],
  ])('%s %s fails with its code', async (kind, _what, params, code) => {
    const { view } = await run(kind, params);
    expect(view.state).toBe('failed');
    expect(view.code).toMatch(new RegExp(`^(${code})$`));
    expect(view.detail).toBeTruthy();
  });

  it('facts: what the gatherer prints, as root and as another user, is what preflight stores', () => {
    for (const user of [[], ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']]) {
      // The system's own Python: another may lie where only root can reach it.
      const [file = '', ...args] = [...user, '/usr/bin/python3', '-I', '-c', code.facts];
      const facts = BoxFacts.parse(JSON.parse(execFileSync(file, args, { encoding: 'utf8', cwd: '/' })));
      expect(facts.root).toBe(user.length === 0);
      expect(facts.kernel).toMatch(/^\d+\.\d+/);
      const local = LocalJob.start(journal, {
        sessionId: session.id,
        kind: 'preflight',
        title: 'Preflight',
        laptop: { name: 'lap-7', user: 'kim' },
        app: '0.1.0',
        evidence: facts.evidence,
      });
      local.facts(facts);
      local.finish('passed');
      expect(journal.view(local.job, 1)).toMatchObject({ facts, unknown: [], state: 'passed' });
      for (const { event } of journal.events(local.job, 1)) seen.add(event.kind);
    }
  });

  it('the box knows every kind of job that the app may order, and the same paths', () => {
    const script = [
      'import json, sys',
      `sys.path.insert(0, ${JSON.stringify(`${ROOT}resources/box`)})`,
      'from vcbox import kinds',
      'from vcbox.kinds.fetch import safe_path',
      'names, paths = json.load(sys.stdin)',
      'print(json.dumps([[n for n in names if kinds.module_of(n)], [p for p in paths if safe_path(p)]]))',
    ].join('\n');
    const paths = [...SAFE, ...UNSAFE];
    const input = JSON.stringify([JobKind.options, paths]);
    const told: unknown = JSON.parse(
      execFileSync('python3', ['-B', '-I', '-c', script], { encoding: 'utf8', input }),
    );
    const accepted = paths.filter(
      (path) => BundleManifest.shape.files.element.shape.path.safeParse(path).success,
    );
    expect(told).toEqual([JobKind.options.filter((k) => !LOCAL_KINDS.includes(k)), accepted]);
    expect(accepted).toEqual(SAFE);
  });

  it('every kind of event was among them', () => {
    expect([...seen].sort()).toEqual((Object.keys(EVENT_BODIES) as EventKind[]).sort());
  });
});
