/** Jobs that the app runs itself: the same envelope, the same chain, and the truth about one whose process is gone. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  LocalJob,
  processAlive,
  reconcileLocal,
  type LocalJobStart,
  type LocalProcess,
} from '../../../main/journal/localjob.ts';
import { LAPTOP } from '../../../preload/contract/job.ts';
import type { CheckResult } from '../../../preload/contract/events.ts';
import type { BoxFacts } from '../../../preload/contract/facts.ts';
import { benchForEach, codeOf } from './bench.ts';
import { LogWriter, makeSession, makeSpec } from './log.ts';

const bench = benchForEach();

function start(more: Partial<LocalJobStart> = {}): LocalJob {
  const session = makeSession();
  bench().journal.saveSession(session);
  return LocalJob.start(bench().journal, {
    sessionId: session.id,
    kind: 'preflight',
    title: 'Preflight of box-1',
    laptop: { name: 'lap-7', user: 'kim' },
    app: '0.1.0+abc',
    evidence: 'real',
    params: { profile: 'vault-cube' },
    ...more,
  });
}

const check = (more: Partial<CheckResult> = {}): CheckResult => ({
  id: 'cpu_cores',
  title: 'Processor cores',
  layer: null,
  suite: 'preflight',
  verdict: 'pass',
  value: 32,
  unit: 'cores',
  threshold: '>= 32',
  source: 'the profile',
  reason: null,
  nextAction: null,
  evidence: null,
  seconds: 0,
  ...more,
});

const FACTS: BoxFacts = {
  v: 1,
  root: false,
  clock: { epoch: 1_795_000_000 },
  evidence: 'stand-in',
  unreadable: { bios: 'root only' },
};

const events = (local: LocalJob) =>
  [...bench().journal.events(local.job, local.attempt)].map(({ event }) => event);
const view = (local: LocalJob) => bench().journal.view(local.job, local.attempt);

describe('a local job', () => {
  it('is a whole log: started, steps, checks, facts, output, finished', async () => {
    const local = start();
    expect(view(local)).toMatchObject({ state: 'running', jobKind: 'preflight', runner: '0.1.0+abc' });
    const result = await local.step('look', 'Look at the box', async () => {
      local.log('reading');
      expect(view(local).steps).toMatchObject([{ id: 'look', state: 'running' }]);
      return 7;
    });
    expect(result).toBe(7);
    local.facts(FACTS);
    local.check(check());
    local.log('x'.repeat(9_000), 'stdout');
    local.finish('passed', { counts: { ok: 1, changed: 0, failed: 0, skipped: 0 } });
    expect(events(local).map((e) => e.kind)).toEqual([
      'started',
      'step',
      'log',
      'step',
      'facts',
      'check',
      'log',
      'finished',
    ]);
    expect(events(local).every((e) => e.known)).toBe(true);
    expect(bench().journal.verify(local.job, 1)).toEqual({ ok: true, events: 8 });
    expect(view(local)).toMatchObject({
      state: 'passed',
      facts: FACTS,
      checks: [check()],
      counts: { ok: 1 },
      steps: [{ id: 'look', title: 'Look at the box', state: 'ok' }],
    });
    const [, , inside, , , , outside] = events(local);
    expect(inside).toMatchObject({ body: { step: 'look', stream: 'note', text: 'reading' } });
    expect(outside).toMatchObject({ body: { step: null, stream: 'stdout', text: 'x'.repeat(4_000) } });
  });

  it('has events whose clock goes forward and which name this boot and this process', () => {
    const local = start();
    local.log('a');
    local.log('b');
    const all = events(local);
    const monos = all.map((e) => e.env.mono);
    expect(monos).toEqual([...monos].sort((a, b) => a - b));
    expect(new Set(all.map((e) => e.env.boot)).size).toBe(1);
    if (existsSync('/proc/sys/kernel/random/boot_id'))
      expect(all[0]?.env.boot).toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
    expect(all[0]).toMatchObject({ body: { pid: process.pid } });
  });

  it('records a step that throws as failed, and throws on', async () => {
    const local = start({ kind: 'keys' });
    const inner = () =>
      local.step('inner', 'Inner', () => {
        throw new Error(`no such key ${'y'.repeat(2_000)}`);
      });
    await expect(local.step('outer', 'Outer', inner)).rejects.toThrow('no such key');
    expect(view(local).steps).toMatchObject([
      { id: 'outer', state: 'failed' },
      { id: 'inner', state: 'failed', detail: expect.stringMatching(/^no such key y{900}/) },
    ]);
    local.log('after');
    expect(events(local).at(-1)).toMatchObject({ body: { step: null } });
    local.finish('failed', { code: 'key_missing', detail: 'There is no key file.' });
    expect(view(local)).toMatchObject({ state: 'failed', code: 'key_missing' });
  });

  it('keeps evidence as it was known at each event, and the whole takes the weakest', () => {
    const local = start();
    local.evidence = 'stand-in';
    local.check(check({ evidence: 'z'.repeat(20_000) }));
    local.finish('passed');
    expect(events(local).map((e) => e.env.evidence)).toEqual(['real', 'stand-in', 'stand-in']);
    expect(view(local).evidence).toBe('stand-in');
    expect(view(local).checks[0]?.evidence).toHaveLength(8_000);
    expect(bench().journal.attempt(local.job, 1)?.evidence).toBe('stand-in');
  });

  it('ends once', () => {
    const local = start();
    local.finish('passed');
    local.finish('failed');
    expect(view(local).state).toBe('passed');
    expect(events(local)).toHaveLength(2);
  });

  it('planned under an id gets the next attempt of it', () => {
    const first = start();
    first.finish('cancelled');
    const row = bench().journal.latest(first.job);
    const again = LocalJob.start(bench().journal, {
      sessionId: row?.session ?? '',
      kind: 'preflight',
      title: 'Preflight of box-1',
      laptop: { name: 'lap-7', user: 'kim' },
      app: '0.1.0',
      evidence: 'real',
      job: first.job,
    });
    expect([again.job, again.attempt]).toEqual([first.job, 2]);
    expect(
      bench()
        .journal.jobs(row?.session ?? '')
        .map((r) => r.state),
    ).toEqual(['cancelled', 'running']);
  });

  it('of a session that is not there leaves nothing', () => {
    expect(codeOf(() => start({ sessionId: 'nobody' }))).toBe('internal');
    expect(bench().ask('select * from jobs')).toEqual([]);
  });

  it('goes on in the chain after lines that were taken back', () => {
    const local = start();
    expect(() =>
      bench().journal.together(() => {
        local.log('never stored');
        local.finish('failed');
        throw new Error('taken back');
      }),
    ).toThrow('taken back');
    local.log('stored');
    local.finish('passed');
    expect(events(local).map((e) => e.kind)).toEqual(['started', 'log', 'finished']);
    expect(bench().journal.verify(local.job, 1)).toEqual({ ok: true, events: 3 });
  });

  it('that was called lost too early takes that back with its result', () => {
    const local = start();
    bench().journal.markLost(local.job, 1, 'too early');
    local.finish('passed');
    expect(view(local).state).toBe('passed');
  });
});

describe('reconciling', () => {
  const gone = (): LocalProcess['pid'] => {
    // A process that was there and has ended.
    const out = execFileSync(process.execPath, ['-e', 'console.log(process.pid)'], { encoding: 'utf8' });
    return Number(out);
  };

  it('calls lost what a process began that is gone, and leaves the rest', () => {
    const running = start();
    const done = start();
    done.finish('passed');
    const session = bench().journal.sessions()[0]?.id ?? '';
    const { spec, bytes } = makeSpec({ kind: 'keys' });
    bench().journal.createAttempt(session, spec, bytes);
    const log = new LogWriter(spec, bytes);
    log.boot = events(running)[0]?.env.boot ?? '';
    const line = Buffer.from(String(log.started()).replace('"pid":4711', `"pid":${gone()}`));
    bench().journal.append(spec.job, 1, [line]);
    const box = bench().begin();
    bench().journal.append(box.job, 1, [box.log.started()]);
    expect(reconcileLocal(bench().journal).map((r) => [r.job, r.state])).toEqual([[spec.job, 'lost']]);
    const state = (job: string) => bench().journal.attempt(job, 1)?.state;
    expect([state(running.job), state(done.job), state(spec.job), state(box.job)]).toEqual([
      'running',
      'passed',
      'lost',
      'running',
    ]);
    expect(bench().journal.view(spec.job, 1).detail).toMatch(/app ended before/);
    expect(reconcileLocal(bench().journal)).toEqual([]);
  });

  it('calls lost what was recorded and never began, and what another boot began', () => {
    const { journal } = bench();
    const session = makeSession();
    journal.saveSession(session);
    const never = makeSpec({ kind: 'preflight' });
    journal.createAttempt(session.id, never.spec, never.bytes);
    const before = makeSpec({ kind: 'preflight' });
    journal.createAttempt(session.id, before.spec, before.bytes);
    const log = new LogWriter(before.spec, before.bytes);
    const line = String(log.started()).replace('"pid":4711', `"pid":${process.pid}`);
    journal.append(before.spec.job, 1, [Buffer.from(line)]);
    expect(reconcileLocal(journal).map((r) => r.job)).toEqual([never.spec.job, before.spec.job]);
  });

  it('asks the system whether a process is there', () => {
    const local = start();
    const row = bench().journal.attempt(local.job, 1);
    if (!row) throw new Error('no row');
    const boot = events(local)[0]?.env.boot ?? '';
    expect(processAlive({ row, pid: process.pid, boot })).toBe(true);
    // PID 1 is another user's on a laptop and is there all the same.
    expect(processAlive({ row, pid: 1, boot })).toBe(true);
    expect(processAlive({ row, pid: gone(), boot })).toBe(false);
    expect(processAlive({ row, pid: process.pid, boot: 'another boot' })).toBe(false);
  });
});

describe('a job that belongs to no box', () => {
  const flash = (more: Partial<LocalJobStart> = {}) =>
    LocalJob.start(bench().journal, {
      ...{ sessionId: LAPTOP, kind: 'flash', title: 'Flash a disk', app: '0.1.0', evidence: 'real' },
      ...{ laptop: { name: 'lap-7', user: 'kim' }, ...more },
    });

  it('is recorded like any other, and is no box', () => {
    const { journal } = bench();
    const local = flash();
    local.progress({ phase: 'Write', done: 1, total: 2, perSecond: null, remainingSeconds: 3.5 });
    local.finish('passed');
    const again = flash();
    expect(journal.verify(local.job, 1)).toEqual({ ok: true, events: 3 });
    expect(journal.jobs(LAPTOP).map((row) => row.job)).toEqual([local.job, again.job]);
    expect([journal.sessions(), journal.session(LAPTOP), journal.sessionByName('(laptop)')]).toEqual([
      [],
      null,
      null,
    ]);
  });

  it('is lost when its process is gone', () => {
    const local = flash();
    expect(reconcileLocal(bench().journal, () => true)).toEqual([]);
    expect(reconcileLocal(bench().journal, () => false).map((row) => row.job)).toEqual([local.job]);
    expect(bench().journal.attempt(local.job, 1)?.state).toBe('lost');
  });
});
