/** Real block devices, listed by the real lsblk: loop devices that stand for disks. */
import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LinuxDisks } from '../../main/services/flash/disks/linux.ts';
import { type ForImage, chooseDisk, listDisks } from '../../main/services/flash/disks/list.ts';
import { Disk } from '../../preload/contract/disk.ts';
import { CLI } from './cli.ts';
import { LOOP_SIZE, LoopDisk, whyNoLoop } from './loopdisk.ts';

const why = whyNoLoop();

describe.runIf(why === null)(`disks of this machine${why ? ` (not run: ${why})` : ''}`, () => {
  let loop: LoopDisk;
  let serial: string;
  beforeEach(() => {
    // Of this test alone: other tests on this machine may have loop devices, too.
    serial = `L${randomUUID().slice(0, 8).toUpperCase()}`;
    loop = new LoopDisk(serial);
  });
  afterEach(() => loop.close());

  const list = async (image: ForImage | null = null, alsoLoop = true): Promise<Disk[]> =>
    (await listDisks(new LinuxDisks({ alsoLoop }), image)).map((disk) => Disk.parse(disk));
  const verdict = async (image: ForImage | null = null) =>
    (await list(image)).find((disk) => disk.path === loop.path)?.verdict;
  const not = (...reasons: unknown[]) => ({ offered: false, reasons });

  it('one that nothing uses is offered, with its partitions and labels', async () => {
    const disk = chooseDisk(await list(), serial);
    expect(disk).toMatchObject({
      ...{
        path: loop.path,
        serial,
        size: LOOP_SIZE,
        bus: 'loop',
        logicalBlock: 512,
        readOnly: false,
      },
      ...{ table: 'gpt', verdict: { offered: true } },
    });
    const found = disk.contents.map((c) => [c.number, c.size, c.fileSystem, c.label, c.partitionLabel]);
    expect(found).toEqual([
      [1, 32_768 * 512, 'ext4', 'data disk', 'vault boot'],
      [2, 28_672 * 512, null, null, 'vault root'],
    ]);
    expect(await verdict({ path: loop.file, virtualSize: LOOP_SIZE })).toEqual({ offered: true });
    expect(await verdict({ path: loop.file, virtualSize: LOOP_SIZE + 512 })).toEqual(
      not({ why: 'smaller', size: LOOP_SIZE, needed: LOOP_SIZE + 512 }),
    );
  });

  it('without the option for tests it is not even listed, by the command line neither', async () => {
    expect((await list(null, false)).map((disk) => disk.bus)).not.toContain('loop');
    const { stdout } = await promisify(execFile)(process.execPath, [CLI, 'disks', '--json']);
    const { disks, ...rest } = JSON.parse(stdout) as { disks: unknown[] };
    expect(rest).toEqual({ type: 'result', ok: true, image: null, exit: 0 });
    expect(disks.map((disk) => Disk.parse(disk).bus)).not.toContain('loop');
  });

  it('with a mounted partition it is not offered and says where, an overlay over it, too', async () => {
    const at = loop.mount('a place', `${loop.path}p1`);
    expect(await verdict()).toEqual(not({ why: 'mounted', mountpoints: [at] }));
    const [boot, root] = (await list()).find((disk) => disk.path === loop.path)?.contents ?? [];
    expect([boot?.mountpoints, root?.mountpoints]).toEqual([[at], []]);
    const image = join(at, 'image.raw');
    writeFileSync(image, '');
    truncateSync(image, 4096);
    expect(await verdict({ path: image, virtualSize: null })).toEqual(
      not({ why: 'mounted', mountpoints: [at] }, { why: 'holds_image', image }),
    );
    const layers = `lowerdir=${loop.folder('low')},upperdir=${loop.folder('a place/up')},workdir=${loop.folder('a place/work')}`;
    const merged = loop.mount('merged', '-t', 'overlay', '-o', layers, 'overlay');
    expect(await verdict()).toEqual(not({ why: 'mounted', mountpoints: [at, merged] }));
    // A file on it that is a disk of its own, mounted itself.
    const inner = loop.loop(image);
    const over = await verdict();
    expect(over).toEqual(not({ why: 'mounted', mountpoints: [at, merged] }));
    expect((await list()).find((disk) => disk.path === inner)?.size).toBe(4096);
  });

  it('mounted in another mount namespace it is not offered either', async () => {
    const script = 'mount "$1" "$2" && echo mounted && cat';
    const args = [
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-c',
      script,
      'sh',
      `${loop.path}p1`,
      loop.folder('hidden'),
    ];
    const holder = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(holder, 'close');
    try {
      await Promise.race([once(holder.stdout, 'data'), ended]);
      expect(holder.exitCode).toBeNull();
      const name = `${loop.path.slice('/dev/'.length)}p1`;
      expect(await verdict()).toEqual(not({ why: 'in_use', by: 'file_system', names: [name] }));
    } finally {
      holder.stdin.end();
      await ended;
    }
    expect(await verdict()).toEqual({ offered: true });
  });

  it('shown by a loop device it is not offered', async () => {
    const over = loop.loop(`${loop.path}p2`);
    expect(await verdict()).toEqual(not({ why: 'in_use', by: 'loop', names: [over.slice('/dev/'.length)] }));
  });

  it('two of one serial are both not offered', async () => {
    const twin = new LoopDisk(serial.toLowerCase());
    try {
      expect(await verdict()).toEqual(not({ why: 'same_serial', paths: [twin.path] }));
    } finally {
      twin.close();
    }
  });
});
