/** Starting a job of the real runner: what refuses it says so by its code, and starting it again after anything is safe. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestCancel } from '../../main/remote/control.ts';
import { startJob, type StartOptions } from '../../main/remote/stage.ts';
import { Cutter } from './cutter.ts';
import { JobBench, type Order } from './jobs.ts';
import { refusal, until, whyNotSshd } from './sshd.ts';

const why = whyNotSshd();

describe.runIf(why === null)(`starting a job${why ? ` (not run: ${why})` : ''}`, () => {
  let b: JobBench;
  let small: string;

  beforeAll(async () => {
    b = await JobBench.open((bench) => {
      small = bench.tmpfs('small', '300k');
    });
  });
  afterAll(async () => {
    await b?.close();
  });

  const startWith = async (order: Order, more: Partial<StartOptions>) => {
    const conn = await b.connect();
    try {
      return await startJob(conn, { ...b.startOptions(order), ...more });
    } finally {
      conn.close();
    }
  };
  const cancel = async (dir: string) => {
    const conn = await b.connect();
    await requestCancel(conn, dir);
    conn.close();
    await until('the end', () => existsSync(join(dir, 'result.json')), 20_000);
  };
  const selftest = () => b.order('selftest', { count: 3, rate: 100 });
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

  it('brings its code once, where only root can write', async () => {
    const order = selftest();
    const { dir } = await b.start(order);
    const code = join(b.d.bench.dir, 'opt/box', b.code.sha256);
    const before = statSync(code).mtimeMs;
    const listing = execFileSync('find', [code, '-not', '-user', '0', '-o', '-perm', '/022'], {
      encoding: 'utf8',
    });
    expect(listing).toBe('');
    expect(readFileSync(join(code, 'vcbox/follow.py'), 'utf8')).toBe(b.code.follow);
    await b.follow(order, dir);
    const next = selftest();
    await b.follow(next, (await b.start(next)).dir);
    expect(statSync(code).mtimeMs).toBe(before);
    expect(readdirSync(join(b.d.bench.dir, 'opt/box'))).toEqual([b.code.sha256]);
  });

  it('is refused while another job runs, naming it, and runs when that has ended', async () => {
    const title = `Kim's "long" C:\\test (job 4)`;
    const long = b.order('selftest', { count: 100_000, rate: 20 }, { title });
    const { dir } = await b.start(long);
    const order = selftest();
    const error = await refusal(b.start(order));
    expect(error.code).toBe('box_busy');
    expect(error.facts).toEqual({
      title,
      user: 'kim',
      laptop: 'lap-7',
    });
    await cancel(dir);
    expect(await b.start(order)).toMatchObject({ joined: false });
  });

  it('under the id of another job is a conflict, and changes nothing of that', async () => {
    const order = selftest();
    const { dir } = await b.start(order);
    await b.follow(order, dir);
    const before = b.boxLog(dir);
    const bytes = Buffer.from(JSON.stringify({ ...order.spec, params: { count: 4, rate: 100 } }));
    const error = await refusal(startWith(order, { spec: bytes, specSha256: sha256(bytes) }));
    expect(error).toMatchObject({ code: 'job_conflict', facts: { job: order.spec.job } });
    const kind = Buffer.from(JSON.stringify({ ...order.spec, attempt: 2, kind: 'checks' }));
    expect((await refusal(startWith(order, { spec: kind, specSha256: sha256(kind) }))).code).toBe(
      'job_conflict',
    );
    expect(b.boxLog(dir)).toBe(before);
  });

  it.each<[string, string, RegExp, (order: Order) => Partial<StartOptions>]>([
    ['a wrong sudo password', 'sudo_password_wrong', /sudo refused/, () => ({ sudoPassword: 'wrong' })],
    ['no sudo password', 'secret_missing', /sudo password/, () => ({ sudoPassword: undefined })],
    [
      'orders that are not those of the hash',
      'box_unreadable',
      /upload_corrupt/,
      () => ({ specSha256: 'a'.repeat(64) }),
    ],
    [
      'code that is not that of the hash',
      'box_unreadable',
      /upload_corrupt: the box archive has SHA-256/,
      () => ({ tarSha256: 'b'.repeat(64) }),
    ],
    [
      'code that is no archive',
      'box_unreadable',
      /upload_corrupt/,
      () => ({ tar: Buffer.from('no tar'), tarSha256: sha256(Buffer.from('no tar')) }),
    ],
    [
      'an unknown kind',
      'box_unreadable',
      /unknown_kind/,
      ({ spec }) => {
        const bytes = Buffer.from(JSON.stringify({ ...spec, kind: 'dance' }));
        return { spec: bytes, specSha256: sha256(bytes) };
      },
    ],
    ['a stage0 that fails', 'box_unreadable', /status 1: .*ZeroDivisionError/, () => ({ stage0: '1/0' })],
    ['a stage0 that says nothing', 'box_unreadable', /status 0/, () => ({ stage0: 'pass' })],
    [
      'a box without room for the state',
      'box_disk_full',
      /too little room/,
      () => ({ options: b.at(small) }),
    ],
  ])('with %s is %s', async (_what, code, message, more) => {
    const order = selftest();
    const error = await refusal(startWith(order, more(order)));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.message).not.toMatch(/unknown\)/);
    expect(existsSync(join(b.d.bench.dir, 'state/jobs', order.spec.job))).toBe(false);
  });

  it('may be tried again over a link that breaks at any place, and starts once', async () => {
    const order = b.order('selftest', { count: 100_000, rate: 20 });
    // After login: in the question for the code, in the uploads, in sudo, in the answer.
    const budgets = [3_300, 3_700, 4_100, 4_500, 4_900, 5_300];
    const cutter = await Cutter.open(b.d.bench.host, 22, (n) => budgets[n] ?? null);
    let broken = 0;
    try {
      for (;;) {
        try {
          const via = { host: '127.0.0.1', port: cutter.port, hostKeyName: 'box' };
          const conn = await b.connect(via);
          const started = await startJob(conn, b.startOptions(order)).finally(() => conn.close());
          await cancel(started.dir);
          break;
        } catch (error) {
          expect(['link_lost', 'ssh_banned']).toContain((error as { code: string }).code);
          broken += 1;
        }
      }
    } finally {
      cutter.close();
    }
    expect(broken).toBeGreaterThan(2);
    const dir = join(b.d.bench.dir, 'state/jobs', order.spec.job);
    expect(readdirSync(dir)).toEqual(['1']);
    expect(b.boxLog(join(dir, '1')).match(/"kind":"started"/g)).toHaveLength(1);
  });
});
