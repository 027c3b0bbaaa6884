/** When a silent connection is given up for a new one, and when not. */
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../preload/contract/errors.ts';
import type { Connection } from '../../../main/remote/connection.ts';
import { Overtaker } from '../../../main/remote/overtaker.ts';

/** A connection as far as the overtaker sees it: how long an answer is due, and whether it was closed. */
class Line {
  owed: number;
  closed = false;
  constructor(owed = 0) {
    this.owed = owed;
  }
  owedMs = (): number => this.owed;
  rttMs = (): number => 1;
  close = (): void => void (this.closed = true);
  get conn(): Connection {
    return this as unknown as Connection;
  }
}

/** An overtaker whose diallings are answered by hand, in order. */
function setUp() {
  const dials: { found: (line: Line) => void; failed: (error: Error) => void }[] = [];
  const waiting: (() => void)[] = [];
  const overtaker = new Overtaker(
    () =>
      new Promise<Connection>((resolve, reject) => {
        dials.push({ found: (line) => resolve(line.conn), failed: reject });
        waiting.shift()?.();
      }),
  );
  const dialled = () => new Promise<void>((resolve) => waiting.push(resolve));
  return { overtaker, dials, dialled };
}

const settled = async (promise: Promise<unknown>): Promise<boolean> => {
  let done = false;
  void promise.then(() => (done = true));
  await new Promise((resolve) => setTimeout(resolve, 350));
  return done;
};

const unreachable = () => new AppError('host_unreachable', { host: 'box', seconds: 1 });

describe('a connection that fell silent', () => {
  it('is given up for a new one that works', async () => {
    const { overtaker, dials, dialled } = setUp();
    const old = new Line(900);
    const fresh = new Line();
    const began = dialled();
    const watch = overtaker.watch(old.conn, new AbortController().signal);
    await began;
    dials[0]?.found(fresh);
    await watch;
    expect(overtaker.ready).toBe(true);
    expect(await overtaker.connect()).toBe(fresh.conn);
    expect(overtaker.ready).toBe(false);
    expect(dials).toHaveLength(1);
  });

  it('is kept when it spoke again meanwhile; the new one is closed', async () => {
    const { overtaker, dials, dialled } = setUp();
    const old = new Line(900);
    const fresh = new Line();
    const left = new AbortController();
    const began = dialled();
    const watch = overtaker.watch(old.conn, left.signal);
    await began;
    old.owed = 0;
    dials[0]?.found(fresh);
    expect(await settled(watch)).toBe(false);
    expect(fresh.closed).toBe(true);
    expect(old.closed).toBe(false);
    expect(overtaker.ready).toBe(false);
    left.abort();
  });

  it('is kept while nothing else reaches the box either, which is tried again', async () => {
    const { overtaker, dials, dialled } = setUp();
    const old = new Line(900);
    let began = dialled();
    const watch = overtaker.watch(old.conn, new AbortController().signal);
    await began;
    began = dialled();
    dials[0]?.failed(unreachable());
    await began;
    dials[1]?.found(new Line());
    await watch;
    expect(dials).toHaveLength(2);
  });

  it('is not helped by repeating what is refused', async () => {
    const { overtaker, dials, dialled } = setUp();
    const old = new Line(900);
    const left = new AbortController();
    const began = dialled();
    const watch = overtaker.watch(old.conn, left.signal);
    await began;
    dials[0]?.failed(new AppError('login_key_refused', { fingerprint: 'SHA256:x', user: 'vaultadmin' }));
    expect(await settled(watch)).toBe(false);
    expect(dials).toHaveLength(1);
    left.abort();
  });

  it('that ends while another is dialled leaves that one to whoever connects next', async () => {
    const { overtaker, dials, dialled } = setUp();
    const left = new AbortController();
    const began = dialled();
    const watch = overtaker.watch(new Line(900).conn, left.signal);
    await began;
    left.abort();
    const next = overtaker.connect();
    const fresh = new Line();
    dials[0]?.found(fresh);
    expect(await next).toBe(fresh.conn);
    expect(fresh.closed).toBe(false);
    expect(dials).toHaveLength(1);
    expect(await settled(watch)).toBe(false);
  });
});

describe('a connection that is not silent', () => {
  it.each([
    ['owes nothing', 0, 1],
    ['is only slow: its answers take longer than that anyway', 900, 400],
  ])('is left alone when it %s', async (_what, owed, rtt) => {
    const { overtaker, dials } = setUp();
    const old = new Line(owed);
    old.rttMs = () => rtt;
    const left = new AbortController();
    expect(await settled(overtaker.watch(old.conn, left.signal))).toBe(false);
    expect(dials).toHaveLength(0);
    left.abort();
  });
});

it('what was dialled and is not wanted any more is closed', async () => {
  const { overtaker, dials, dialled } = setUp();
  const began = dialled();
  const left = new AbortController();
  void overtaker.watch(new Line(900).conn, left.signal);
  await began;
  left.abort();
  overtaker.drop();
  const fresh = new Line();
  dials[0]?.found(fresh);
  await new Promise((resolve) => setImmediate(resolve));
  expect(fresh.closed).toBe(true);
});
