/** The app's end of the wire: answers in any order, failures told by name, silence and death noticed, nothing left waiting. */
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ReadBack } from '../../../main/services/flash/tags.ts';
import { FAILURES, Decoder, encodeHeader, type Frame } from '../../../main/services/flash/wire.ts';
import { Writer, type Feeding } from '../../../main/services/flash/writer.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const TAG = 'c'.repeat(32);

/** The writer's end, by hand. */
class Hand {
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly got: Frame[] = [];
  readonly killed: string[] = [];
  end: (code: number | null, stderr?: string) => void = () => undefined;
  readonly writer: Writer;

  constructor(tickMs = 1e6, feeder: Feeding | null = null) {
    const decoder = new Decoder(100);
    this.stdin.on('data', (piece: Buffer) => this.got.push(...decoder.push(piece)));
    const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => {
      this.end = (code, stderr = '') => resolve({ code, stderr });
    });
    const { stdin, stdout } = this;
    const kill = () => this.killed.push('killed');
    const subject = { target: 'the disk', image: '/i.img' };
    this.writer = new Writer({ stdin, stdout, ended, kill }, subject, tickMs, feeder);
  }

  say(...headers: object[]): void {
    this.stdout.write(Buffer.concat(headers.map((h) => encodeHeader(h))));
  }
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: unknown) => String((error as { code?: string }).code),
  );

afterEach(() => vi.useRealTimers());

describe('the writer', () => {
  it('gets commands and payloads, and its answers go to who asked, in any order', async () => {
    const hand = new Hand();
    const one = hand.writer.copy(1, [[0, 512, 65536]]);
    const two = hand.writer.data(2, Buffer.from('payload'));
    const zero = hand.writer.zero(3, 5);
    hand.say({ is: 'beat' }, { is: 'zeroed', chunk: 3, count: 5 }, { is: 'written', chunk: 2, sha256: null });
    hand.say({ is: 'written', chunk: 1, sha256: A });
    expect(await Promise.all([one, two, zero])).toEqual([A, null, undefined]);
    expect(hand.got.map((f) => [f.header['do'], f.header['chunk'], f.payload.toString()])).toEqual([
      ['copy', 1, ''],
      ['data', 2, 'payload'],
      ['zero', 3, ''],
    ]);
  });

  it('reads many chunks by one command, told one by one', async () => {
    const hand = new Hand();
    const told: [number, ReadBack][] = [];
    const read = hand.writer.read(7, 3, (chunk, found) => told.push([chunk, found]));
    hand.say({ is: 'read', chunk: 9, sha256: B, mac: TAG }, { is: 'read', chunk: 7, sha256: B });
    hand.say({ is: 'read', chunk: 8, sha256: null });
    await read;
    expect(told).toEqual([
      [9, { sha256: B, mac: TAG }],
      [7, { sha256: B, mac: null }],
      [8, { sha256: null, mac: null }],
    ]);
    expect(hand.got).toHaveLength(1);
  });

  it.each(FAILURES)('that failed with %s ends all that waits, with a sentence', async (code) => {
    const hand = new Hand();
    const waiting = [hand.writer.copy(1, []), hand.writer.flush(), hand.writer.read(4, 2, () => undefined)];
    hand.say({ is: 'failed', code, detail: 'it said so', chunk: 1, command: 'copy' });
    const codes = await Promise.all(waiting.map(codeOf));
    expect(new Set(codes).size).toBe(1);
    expect(codes[0]).toMatch(/^(flash_|image_)/);
    expect(await codeOf(hand.writer.wipe())).toBe(codes[0]);
    // Nothing more is sent: the writer takes no more commands.
    expect(hand.got.map((f) => f.header['do'])).toEqual(['copy', 'flush', 'read']);
  });

  it('that failed with a code of a newer version is told with its words', async () => {
    const hand = new Hand();
    const flush = hand.writer.flush();
    hand.say({ is: 'failed', code: 'target_haunted', detail: 'a ghost', chunk: null, command: null });
    await expect(flush).rejects.toMatchObject({ code: 'flash_writer_failed' });
    await expect(flush).rejects.toThrow(/target_haunted: a ghost/);
  });

  it('that ends, is killed or says what nobody asked for leaves nobody waiting', async () => {
    const dead = new Hand();
    const flush = dead.writer.flush();
    dead.end(null, 'Traceback\nMemoryError');
    await expect(flush).rejects.toThrow(/MemoryError/);
    expect(await codeOf(dead.writer.wipe())).toBe('flash_writer_gone');

    const odd = new Hand();
    const copy = odd.writer.copy(1, []);
    odd.say({ is: 'written', chunk: 2, sha256: A });
    expect(await codeOf(copy)).toBe('flash_writer_failed');

    const noise = new Hand();
    const wipe = noise.writer.wipe();
    noise.stdout.write('Usage: vcflash');
    expect(await codeOf(wipe)).toBe('flash_writer_failed');
  });

  it('is not asked for one chunk twice at the same time', async () => {
    const hand = new Hand();
    const first = hand.writer.copy(1, []);
    expect(await codeOf(hand.writer.data(1, Buffer.from('x')))).toBe('internal');
    hand.say({ is: 'written', chunk: 1, sha256: A });
    expect(await first).toBe(A);
  });

  it('may work for long as long as it beats, and is given up when it is silent', async () => {
    vi.useFakeTimers();
    const hand = new Hand(2_000);
    const flush = codeOf(hand.writer.flush());
    let settled = false;
    void flush.then(() => (settled = true));
    for (let n = 0; n < 50; n += 1) {
      await vi.advanceTimersByTimeAsync(28_000);
      hand.say({ is: 'beat' });
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(settled).toBe(false);
    await vi.advanceTimersByTimeAsync(32_000);
    expect(await flush).toBe('flash_writer_silent');
  });

  it('that is a job on a box gets nothing more at all once nobody waits: what is on its way is filled anew by then', async () => {
    const feeder = { key: 'k', name: 'kim on lap-7', imageId: 'i' };
    const ways: [string, (hand: Hand) => void][] = [
      ['abandoned', (hand) => void hand.writer.abandon()],
      ['failed', (hand) => hand.say({ is: 'failed', code: 'target_io', detail: 'x', chunk: 1 })],
      ['nonsense', (hand) => hand.say({ is: 'flushed' })],
    ];
    for (const [name, bring] of ways) {
      const hand = new Hand(1e6, feeder);
      const data = codeOf(hand.writer.data(1, Buffer.from('payload')));
      bring(hand);
      expect(await data, name).toMatch(/^flash_/);
      // Before whoever waited has its buffer back.
      expect(hand.killed, name).toEqual(['killed']);
      hand.end(null);
    }
  });

  it('that is abandoned gets the end of its input, and is killed only when it does not end', async () => {
    const good = new Hand();
    const copy = codeOf(good.writer.copy(1, []));
    const left = good.writer.abandon();
    expect(await copy).toBe('flash_writer_gone');
    expect(good.stdin.writableEnded).toBe(true);
    good.end(1);
    await left;
    expect(good.killed).toEqual([]);

    vi.useFakeTimers();
    const hung = new Hand();
    const over = hung.writer.abandon();
    await vi.advanceTimersByTimeAsync(20_000);
    await over;
    expect(hung.killed).toEqual(['killed']);
  });
});
