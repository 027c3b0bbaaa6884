/** Disks that come and go are told of once, without a disk being touched. */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { disksNow, DiskWatch } from '../../../../main/services/flash/disks/watch.ts';

describe('the watch', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('tells of the first change, then rests until it is armed again', () => {
    let now = 'a';
    const told = vi.fn();
    const watch = new DiskWatch(told, () => now);
    watch.arm();
    vi.advanceTimersByTime(5_000);
    expect(told).not.toHaveBeenCalled();
    now = 'b';
    vi.advanceTimersByTime(5_000);
    expect(told).toHaveBeenCalledTimes(1);
    now = 'c';
    vi.advanceTimersByTime(5_000);
    expect(told).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
    watch.arm();
    now = 'd';
    vi.advanceTimersByTime(1_000);
    expect(told).toHaveBeenCalledTimes(2);
  });

  it('armed twice is one watch, and what is seen counts from the last time', () => {
    let now = 'a';
    const told = vi.fn();
    const watch = new DiskWatch(told, () => now);
    watch.arm();
    now = 'b';
    watch.arm();
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(2_000);
    expect(told).not.toHaveBeenCalled();
    watch.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('what it looks at', () => {
  let root: string;
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'vault-cube-watch-'));
    put('sys/block/sda/size', '1000\n');
    put('run/udev/data/b8:0', 'E:ID_SERIAL_SHORT=A\n');
    put('proc/self/mountinfo', '1 1 8:1 / / rw - ext4 /dev/sda1 rw\n');
    put('proc/swaps', 'Filename\n');
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it.each([
    ['a disk is plugged in', () => put('sys/block/sdb/size', '2000\n')],
    ['a card is taken out', () => put('sys/block/sda/size', '0\n')],
    ['udev has read it', () => utimesSync(join(root, 'run/udev/data/b8:0'), 1, 1)],
    ['udev knows another one', () => put('run/udev/data/b8:16', '')],
    ['something is mounted', () => put('proc/self/mountinfo', '')],
    ['swap is switched on', () => put('proc/swaps', '/dev/sdb1\n')],
    ['a disk is pulled out', () => rmSync(join(root, 'sys/block/sda'), { recursive: true })],
  ])('is another when %s', (_, change) => {
    const before = disksNow(root);
    expect(disksNow(root)).toBe(before);
    change();
    expect(disksNow(root)).not.toBe(before);
  });

  it('is the same for ever where the system tells nothing: there a person asks', () => {
    expect(disksNow(join(root, 'none'))).toBe(disksNow(join(root, 'none')));
  });
});
