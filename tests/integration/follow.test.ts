/** A job of the real runner, followed over a link that breaks: every event once, in order, and the right word for its end. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AppError } from '../../preload/contract/errors.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestCancel } from '../../main/remote/control.ts';
import { Cutter } from './cutter.ts';
import { JobBench, type Followed, type Order } from './jobs.ts';
import { refusal, until, whyNotSshd, type TestUser } from './sshd.ts';

const why = whyNotSshd();

describe.runIf(why === null)(`following a job${why ? ` (not run: ${why})` : ''}`, () => {
  let b: JobBench;
  let stranger: TestUser;

  beforeAll(async () => {
    b = await JobBench.open();
    stranger = b.d.bench.addUser('stranger');
    b.d.bench.authorize(stranger.name, b.d.key.publicKey);
  });
  afterAll(async () => {
    await b?.close();
  });

  const selftest = (count: number, rate: number) => b.order('selftest', { count, rate });

  /** The whole log is here: as the box has it, each event told once and in order, and the chain holds. */
  function expectWhole(order: Order, dir: string, ...parts: Pick<Followed, 'seqs'>[]): void {
    const { job, attempt } = order.spec;
    expect(b.stored(order)).toBe(b.boxLog(dir));
    const seqs = parts.flatMap((p) => p.seqs);
    expect(seqs).toEqual(Array.from({ length: b.seq(order) }, (_, i) => i + 1));
    expect(b.journal.verify(job, attempt)).toEqual({ ok: true, events: seqs.length });
  }

  /** Follows until `stop` events are stored, then goes away as a closed lid does. */
  async function followUntil(order: Order, dir: string, stop: number): Promise<number[]> {
    const lid = new AbortController();
    const seqs: number[] = [];
    const off = b.journal.onAppend((job, _attempt, events) => {
      if (job !== order.spec.job) return;
      seqs.push(...events.map((e) => e.env.seq));
      if (b.seq(order) >= stop) lid.abort(new Error('the lid is closed'));
    });
    await expect(b.follow(order, dir, { signal: lid.signal })).rejects.toThrow('the lid is closed');
    off();
    return seqs;
  }

  it('starts, is followed to its end, and is joined by whoever starts it again', async () => {
    const order = selftest(50, 200);
    const first = await b.start(order);
    expect(first).toEqual({
      joined: false,
      dir: join(b.d.bench.dir, 'state/jobs', order.spec.job, '1'),
      unit: `vault-job-${order.spec.job}-1`,
    });
    expect(await b.start(order)).toEqual({ ...first, joined: true });
    const followed = await b.follow(order, first.dir);
    expect(followed).toMatchObject({ end: 'finished', links: ['live'], dials: 1 });
    expectWhole(order, first.dir, followed);
    expect(b.view(order)).toMatchObject({ state: 'passed', counts: { ok: 50 }, evidence: 'real' });
    const numbers = b.stored(order).match(/event \d+ of 50/g);
    expect(numbers).toEqual(Array.from({ length: 50 }, (_, i) => `event ${i + 1} of 50`));
    // From the end on there is nothing, and the end is known at once.
    expect(await b.follow(order, first.dir)).toEqual({
      end: 'finished',
      seqs: [],
      links: ['live'],
      dials: 1,
    });
    expect(await b.start(order)).toMatchObject({ joined: true });
    // What was uploaded is not left behind.
    const uploads = execFileSync('ls', ['-A', join(b.d.user.home, '.cache/vault-cube/upload')], {
      encoding: 'utf8',
    });
    expect(uploads).toBe('');
  });

  it('breaks off at every place of the conversation and loses nothing', async () => {
    const order = selftest(400, 5_000);
    const { dir } = await b.start(order);
    await until('the end of the job', () => existsSync(join(dir, 'result.json')));
    // The first are cut before, in and right after login, the others after a bit more of the log each; the last lives.
    const budgets = [1, 40, 800, 1_700, 2_600, 3_300, 3_700, 4_000];
    for (let n = 4_200; budgets.length < 26; n = Math.round(n * 1.2)) budgets.push(n + (budgets.length % 7));
    const cutter = await Cutter.open(b.d.bench.host, 22, (n) => budgets[n] ?? null);
    try {
      const followed = await b.follow(order, dir, { host: '127.0.0.1', port: cutter.port });
      expect(followed.end).toBe('finished');
      expectWhole(order, dir, followed);
      expect(cutter.cuts).toBeGreaterThan(15);
      expect(followed.dials).toBe(cutter.cuts + 1);
      // It came in pieces: the log was read on from where it broke, not from its start.
      const pieces = followed.links.filter((l) => l === 'live').length;
      expect(pieces).toBeGreaterThan(8);
    } finally {
      cutter.close();
    }
  });

  it('goes on through killed sessions and pulled cables while the job runs', async () => {
    const { bench, usual, user } = b.d;
    const order = selftest(1_100, 100);
    const { dir } = await b.start(order);
    let link = '';
    const following = b.follow(order, dir, { onLink: (state) => (link = state) });
    const reaches = (seq: number) => until(`event ${seq}`, () => b.seq(order) >= seq, 20_000);
    for (const seq of [60, 120, 180, 240, 300]) {
      await reaches(seq);
      expect(bench.dropSessions(user)).toBeGreaterThan(0);
    }
    // Out for a moment, so short that the connection outlives it: events pile up on the box meanwhile.
    await reaches(360);
    bench.cable(false);
    await until('events that could not come', () => b.boxLog(dir).split('\n').length > b.seq(order) + 40);
    await bench.plugIn(usual);
    await reaches(b.seq(order) + 60);
    expect(link).toBe('live');
    // Out until the app noticed.
    bench.cable(false);
    await until('the silence', () => link === 'silent');
    await bench.plugIn(usual);
    const followed = await following;
    expect(followed.end).toBe('finished');
    expectWhole(order, dir, followed);
    expect(followed.links.filter((l) => l === 'live').length).toBeGreaterThanOrEqual(7);
  });

  it('is given up after the time that was asked for, and found again later', async () => {
    const { bench, usual } = b.d;
    const order = selftest(600, 100);
    const { dir } = await b.start(order);
    const given = refusal(b.follow(order, dir, { giveUpAfterMs: 3_000 }));
    await until('fifty events', () => b.seq(order) >= 50);
    bench.cable(false);
    const since = performance.now();
    let error: AppError;
    try {
      error = await given;
    } finally {
      await bench.plugIn(usual);
    }
    const seconds = (performance.now() - since) / 1000;
    expect(error.code).toBe('link_lost');
    expect(error.message).toMatch(new RegExp(`^The connection to ${bench.host} broke .* within \\d+ s\\.$`));
    expect(seconds).toBeGreaterThan(3);
    expect(seconds).toBeLessThan(12);
    const before = b.seq(order);
    const followed = await b.follow(order, dir);
    expect(followed.end).toBe('finished');
    expect(followed.seqs[0]).toBe(before + 1);
    expect(b.stored(order)).toBe(b.boxLog(dir));
  });

  it('is lost when its runner is killed, and goes on as the next attempt', async () => {
    const order = selftest(100_000, 50);
    const { dir } = await b.start(order);
    const following = b.follow(order, dir);
    await until('ten events', () => b.seq(order) > 10);
    process.kill(b.runner(order), 'SIGKILL');
    const followed = await following;
    expect(followed.end).toBe('lost');
    expectWhole(order, dir, followed);
    expect(await b.follow(order, dir)).toMatchObject({ end: 'lost', seqs: [] });
    b.journal.markLost(order.spec.job, 1, 'killed');
    const next = b.order('selftest', { count: 5, rate: 100 }, { job: order.spec.job, attempt: 2 });
    const started = await b.start(next);
    expect(started).toMatchObject({ joined: false, dir: dir.replace(/1$/, '2') });
    expect((await b.follow(next, started.dir)).end).toBe('finished');
    expect([b.view(order).state, b.view(next).state]).toEqual(['lost', 'passed']);
  });

  it('is cancelled, and its end is followed', async () => {
    const order = selftest(100_000, 50);
    const { dir } = await b.start(order);
    const following = b.follow(order, dir);
    await until('ten events', () => b.seq(order) > 10);
    const runner = b.runner(order);
    const conn = await b.connect();
    await requestCancel(conn, dir);
    conn.close();
    const followed = await following;
    expect(followed.end).toBe('finished');
    expectWhole(order, dir, followed);
    expect(b.view(order).state).toBe('cancelled');
    await until('the end of the runner', () => !existsSync(`/proc/${runner}`));
  });

  describe('a log that is not the one recorded', () => {
    /** A finished job whose first 100 events are stored here, and its log on the box changed since. */
    async function spoiled(change: (lines: string[]) => string[]) {
      const order = selftest(200, 5_000);
      const { dir } = await b.start(order);
      await until('the end of the job', () => existsSync(join(dir, 'result.json')));
      const lines = b.boxLog(dir).split('\n');
      const known = lines.slice(0, 100).map((line) => Buffer.from(line));
      b.journal.append(order.spec.job, 1, known);
      const kept = b.stored(order);
      writeFileSync(join(dir, 'events.jsonl'), change(lines).join('\n'));
      return { order, dir, kept };
    }
    /** Changes the line of event `seq`. */
    const at = (seq: number, change: (line: string) => string[]) => (lines: string[]) =>
      lines.flatMap((line, i) => (i === seq - 1 ? change(line) : [line]));
    const edit = (line: string) => [line.replace('event', 'Event')];

    it.each<[string, (lines: string[]) => string[]]>([
      ['it is shorter, as after a power cut', (lines) => [...lines.slice(0, 60), '']],
      ['it is gone', () => []],
      ['the last line that is known here was changed', at(100, edit)],
      ['a line before was cut out', at(50, () => [])],
    ])('because %s: nothing is taken from it', async (_what, change) => {
      const { order, dir, kept } = await spoiled(change);
      expect(await b.follow(order, dir)).toMatchObject({ end: 'diverged', seqs: [] });
      expect(b.stored(order)).toBe(kept);
    });

    it.each<[string, (lines: string[]) => string[], number]>([
      ['a later line was changed', at(120, edit), 120],
      ['a later line is missing', at(150, () => []), 149],
      ['a later line is torn in the middle', at(130, (line) => [line.slice(0, 50)]), 129],
      ['a later line has another under its number', at(140, (line) => [line, ...edit(line)]), 140],
    ])('because %s: what came before it is kept', async (_what, change, last) => {
      const { order, dir } = await spoiled(change);
      expect((await refusal(b.follow(order, dir))).code).toBe('log_diverged');
      expect(b.seq(order)).toBe(last);
      expect(b.journal.verify(order.spec.job, 1)).toEqual({ ok: true, events: last });
    });
  });

  it('is not read by who is not in the group, and says which', async () => {
    const order = selftest(1, 100);
    const { dir } = await b.start(order);
    const dial = () => b.connect({ user: stranger.name });
    const error = await refusal(b.follow(order, dir, { dial }));
    expect(error.code).toBe('box_unreadable');
    expect(error.message).toContain('group vaultcube');
    await b.follow(order, dir);
  });

  it('that the box does not know is said to be unknown', async () => {
    const order = selftest(1, 100);
    expect(await b.follow(order, join(b.d.bench.dir, 'state/jobs/none/1'))).toMatchObject({
      end: 'no_such_job',
    });
  });

  it('stops at once when it is told to, and what stores stops it with its own error', async () => {
    const order = selftest(300, 100);
    const { dir } = await b.start(order);
    const first = await followUntil(order, dir, 50);
    expect(first.length).toBeGreaterThanOrEqual(50);
    const full = new Error('no room');
    const onLines = () => {
      throw full;
    };
    await expect(b.follow(order, dir, { onLines })).rejects.toBe(full);
    const rest = await b.follow(order, dir);
    expect(rest.end).toBe('finished');
    expectWhole(order, dir, { seqs: [...first, ...rest.seqs] });
  });

  it('does not dial again after a refusal that trying again would not mend', async () => {
    const order = selftest(1, 100);
    const { dir } = await b.start(order);
    let dials = 0;
    const dial = () => {
      dials += 1;
      return b.connect({ user: 'root', auth: { kind: 'password', password: 'wrong' } });
    };
    expect((await refusal(b.follow(order, dir, { dial }))).code).toBe('login_root_refused');
    expect(dials).toBe(1);
    await b.follow(order, dir);
    expect(readFileSync(join(dir, 'result.json'), 'utf8')).toContain('"passed"');
  });
});
