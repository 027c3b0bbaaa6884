/** The mirror of a job's log: read once however many ask, and whole however its lines come. */
import { act } from '@testing-library/react';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Link } from '../../preload/contract/calls.ts';
import { jobKey, listen, loadJob, onSamples, openBox, useDesk } from '../../renderer/stores/desk.ts';
import { resumeRun } from '../../renderer/told.ts';
import { FakeMain, linesOf } from './main.ts';
import { begun, boxOf, recorded, runOf, session } from './recordings.ts';

const SESSION = session().id;
const { row, lines } = recorded('l1-install');
const { job, attempt } = row;
const seqs = () => useDesk.getState().jobs[jobKey(job, attempt)]?.events.map((e) => e.env.seq) ?? [];
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

/** Main with so many lines stored; each answer brings at most 50, and waits until it is let go. */
function slowMain(stored: { count: number }) {
  const waiting: (() => void)[] = [];
  const now = begun('l1-install', 1);
  const fake = new FakeMain()
    .serve(boxOf([now], { run: runOf('provision', [now], null) }), [now])
    .answer('job.lines', async (order) => {
      const answer = linesOf(lines.slice(0, stored.count), { ...order, limit: 50 });
      await new Promise<void>((go) => waiting.push(go));
      return answer;
    });
  const go = () => act(async () => waiting.shift()?.());
  const finish = async () => {
    while (waiting.length) await go();
  };
  return { fake, go, finish };
}

beforeEach(() => useDesk.setState({ box: null, jobs: {} }));

describe('the lines of a job', () => {
  it('are read once, whoever else asks meanwhile', async () => {
    const { fake, finish } = slowMain({ count: 120 });
    fake.install();
    const opened = openBox(SESSION);
    await act(async () => undefined);
    const others = [loadJob(SESSION, job, attempt), loadJob(SESSION, job, attempt)];
    await finish();
    await Promise.all([opened, ...others]);
    expect(seqs()).toEqual(upTo(120));
    // Three pages, an empty one, and once more for those who asked meanwhile.
    expect(fake.of('job.lines').map((i) => (i as { after: number }).after)).toEqual([0, 50, 100, 120, 120]);
  });

  it('that main tells of while the last page is on its way are read as well', async () => {
    const stored = { count: 40 };
    const { fake, go, finish } = slowMain(stored);
    fake.install();
    const end = listen();
    const opened = openBox(SESSION);
    await act(async () => undefined);
    await go();
    // The empty page was answered from what was stored then; two lines come before the window has it.
    stored.count = 60;
    act(() => fake.tell('lines', { session: SESSION, job, attempt, lines: lines.slice(58, 60) }));
    await finish();
    await opened;
    expect(seqs()).toEqual(upTo(60));
    end();
  });

  it('count once, whether a notice or an answer brings them', async () => {
    const now = begun('l1-install', 30);
    const fake = new FakeMain().serve(boxOf([now]), [now]);
    fake.install();
    const end = listen();
    await openBox(SESSION);
    act(() => fake.tell('lines', { session: SESSION, job, attempt, lines: lines.slice(20, 35) }));
    expect(seqs()).toEqual(upTo(35));
    end();
  });
});

describe('samples', () => {
  const whole = recorded('gpu-detection');
  const { job: id, attempt: nth } = whole.row;
  const mirror = () => useDesk.getState().jobs[jobKey(id, nth)];
  const tell = (fake: FakeMain, from: number, to: number) =>
    act(() =>
      fake.tell('lines', { session: SESSION, job: id, attempt: nth, lines: whole.lines.slice(from - 1, to) }),
    );

  it('are counted and told to who watches them; of the log only the others are kept', async () => {
    // Lines 43, 44, 45 and 47 are samples of two GPUs each.
    const now = begun('gpu-detection', 44);
    const fake = new FakeMain().serve(boxOf([now]), [now]);
    fake.install();
    const end = listen();
    const told: number[] = [];
    const unwatch = onSamples(id, nth, (events) => told.push(...events.map((e) => e.env.seq)));
    await openBox(SESSION);
    expect(mirror()?.view).toMatchObject({ lastSeq: 44, sampleRows: 4 });
    expect(mirror()?.samples?.env.seq).toBe(44);
    tell(fake, 44, 46);
    expect(mirror()?.view).toMatchObject({ lastSeq: 46, sampleRows: 6 });
    expect(mirror()?.events.map((e) => e.env.seq)).toEqual([...upTo(42), 46]);
    unwatch();
    tell(fake, 47, 48);
    expect(mirror()?.samples?.env.seq).toBe(47);
    expect(told).toEqual([44, 45]);
    end();
  });

  it('are told of also while the log before them is not here yet', () => {
    const fake = new FakeMain().serve(boxOf([whole]), [whole]);
    fake.install();
    useDesk.setState({ box: boxOf([whole]) });
    const ends = [listen()];
    const told: number[] = [];
    ends.push(onSamples(id, nth, (events) => told.push(...events.map((e) => e.env.seq))));
    tell(fake, 45, 47);
    expect(told).toEqual([45, 47]);
    ends.forEach((e) => e());
  });
});

describe('the link', () => {
  it('changes the box only when it changes itself, not with each round trip', async () => {
    const fake = new FakeMain().serve(boxOf([]), []);
    fake.install();
    const end = listen();
    await openBox(SESSION);
    const { box, rttMs } = useDesk.getState();
    expect(rttMs).toBe(0.4);
    const tellLink = (link: Partial<Link>) =>
      act(() => fake.tell('link', { session: SESSION, link: { ...boxOf([]).link, ...link } }));
    tellLink({ rttMs: 0.7 });
    expect(useDesk.getState()).toMatchObject({ rttMs: 0.7 });
    expect(useDesk.getState().box).toBe(box);
    tellLink({ state: 'reconnecting', rttMs: null });
    expect(useDesk.getState().rttMs).toBeNull();
    expect(useDesk.getState().box?.link).toMatchObject({ state: 'reconnecting', rttMs: null });
    end();
  });
});

describe('resuming from no step', () => {
  const main = (code: 'job_cancelled' | 'host_unreachable') => {
    const facts = { title: 'Install L1 Base system', host: '198.18.204.2', seconds: 10 };
    new FakeMain().refuse('box.resume', code, facts).install();
  };

  it('leaves what a job ended with to where the job stands', async () => {
    main('job_cancelled');
    await expect(resumeRun(SESSION)).resolves.toBeUndefined();
  });
  it('tells of everything else', async () => {
    main('host_unreachable');
    await expect(resumeRun(SESSION)).rejects.toThrow('Nothing answers at 198.18.204.2');
  });
});
