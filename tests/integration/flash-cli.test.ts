/** `vault-cube flash` with the real writer: its exit codes and words, and what it leaves when it is ended on the way. */
import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CliRun, Laptop, type Ended } from './cli.ts';
import { Desk, SEALED, SIZE, SMALL, sameBytes, startingChunks } from './flash.ts';

let desk: Desk;
let image: string;
let wanted: string;
let small: string;

beforeAll(() => {
  desk = new Desk();
  image = desk.qcow2('disk.qcow2', desk.raw('disk.raw'));
  wanted = desk.path('wanted.raw');
  execFileSync('qemu-img', ['convert', '-O', 'raw', image, wanted]);
  small = desk.qcow2('small.qcow2', desk.raw('small.raw', SMALL));
});
afterAll(() => desk.close());

describe('on the command line', () => {
  let laptop: Laptop;
  beforeAll(() => {
    laptop = new Laptop();
  });
  afterAll(() => laptop.remove());
  const told = ({ code, last }: Ended) => [code, last.type, last['code'] ?? last['state']];
  const run = (...args: string[]) => laptop.run('flash', ...args);

  it('ends with 0 when all was read back, and goes on after a kill -9', async () => {
    const out = desk.path('cli.out');
    const args = ['flash', '--image', image, '--target', `file:${out}`];
    const first = laptop.start(...args);
    const event = (r: Record<string, unknown>) => r['event'] as Record<string, unknown> | undefined;
    await first.until('bytes', (r) => event(r)?.['kind'] === 'progress' && event(r)?.['step'] === 'write');
    const { code, records } = await first.kill('SIGKILL');
    expect([code, records.some((r) => r.type === 'result')]).toEqual([137, false]);
    const ended = await laptop.run(...args);
    expect(told(ended)).toEqual([0, 'result', 'verified']);
    expect(ended.last).toMatchObject({ manifestCompared: false, virtualSize: SIZE });
    expect(sameBytes(out, wanted)).toBe(true);
    expect(startingChunks(out)).toEqual(SEALED);
  });

  it('is stopped by Ctrl+C in order, and says how to go on', async () => {
    const out = desk.path('ctrl-c.out');
    const going: CliRun = laptop.start('flash', '--image', image, '--target', `file:${out}`);
    await going.until('the writing', (r) => JSON.stringify(r).includes('"id":"write","title"'));
    const ended = await going.kill('SIGINT');
    expect(told(ended)).toEqual([30, 'error', 'flash_cancelled']);
    expect(ended.last['nextAction']).toMatch(/goes on where it stood/);
    expect(startingChunks(out)).toEqual([]);
  });

  it('loses no file that it did not make, unless its name is confirmed', async () => {
    const out = desk.path('thesis.doc');
    writeFileSync(out, 'the only copy');
    const args = ['--image', small, '--target', `file:${out}`];
    expect(told(await run(...args))).toEqual([2, 'error', 'flash_confirm_missing']);
    expect(told(await run(...args, '--confirm', 'doc'))).toEqual([2, 'error', 'flash_confirm_wrong']);
    expect(readFileSync(out, 'utf8')).toBe('the only copy');
    expect(told(await run(...args, '--confirm', '.doc'))).toEqual([0, 'result', 'verified']);
  });

  it('refuses what it cannot do, by name', async () => {
    const to = (target: string, from = small) => run('--image', from, '--target', target);
    expect(told(await to('box:VC-1'))).toEqual([2, 'error', 'usage']);
    expect(told(await to('/dev/sda'))).toEqual([2, 'error', 'usage']);
    expect(told(await to('disk:NO-SUCH-SERIAL'))).toEqual([6, 'error', 'disk_missing']);
    expect(told(await to(`file:${desk.dir}`))).toEqual([2, 'error', 'flash_target_unfit']);
    expect(told(await to(`file:${desk.path('x.out')}`, desk.path('none.qcow2')))).toEqual([
      2,
      'error',
      'image_missing',
    ]);
    expect(existsSync(desk.path('x.out'))).toBe(false);
    // Also by another name of the same file.
    const own = desk.copyOf('own', small);
    linkSync(own, desk.path('own.out'));
    const itself = await run('--image', own, '--target', `file:${desk.path('own.out')}`, '--confirm', '.out');
    expect(told(itself)).toEqual([2, 'error', 'flash_target_unfit']);
    expect(sameBytes(own, small)).toBe(true);
  });
});
