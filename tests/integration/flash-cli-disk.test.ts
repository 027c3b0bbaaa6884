/**
 * `vault-cube flash --target disk:SERIAL`, all of it: listed, named, confirmed, written, read back. A loop device has neither a disk's
 * name nor a serial: in a namespace of the command's own udev's record gives it a serial, and lsblk tells of it under another name.
 * Numbers, size, mounts and bytes are the kernel's.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MIB } from '../unit/flash/partitions.ts';
import { Laptop, type Ended } from './cli.ts';
import { Desk, SMALL, SMALL_SEALED, startingChunks } from './flash.ts';
import { whyNoLoop } from './loopdisk.ts';

const DISK_SIZE = SMALL.size + 8 * MIB;
const SERIAL = 'VCFLASH0007F3A';
const tool = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { stdio: 'pipe', encoding: 'utf8' }).trim();

const NAMESPACE = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c'];
/** `$0`: what stands for udev's records; behind it the command. */
const UDEV = 'mount -t tmpfs none /run && mkdir /run/udev && mount --bind "$0" /run/udev && exec "$@"';

function whyNot(): string | null {
  const loop = whyNoLoop();
  if (loop !== null) return loop;
  try {
    tool('unshare', '--mount', 'mount', '-t', 'tmpfs', 'none', '/run');
    return null;
  } catch (error) {
    return `no mount namespace: ${(error as Error).message.split('\n')[0]}`;
  }
}

/** The real lsblk, to which this one device has a disk's name. */
const lsblkOf = (loop: string) => `#!/bin/sh
set -e
found=$(${tool('sh', '-c', 'command -v lsblk')} "$@")
printf '%s\\n' "$found" | sed -E 's/("k?name": *)"${basename(loop)}"/\\1"sdvc"/'
`;

const why = whyNot();

describe.runIf(why === null)(`a disk by its serial${why ? ` (not run: ${why})` : ''}`, () => {
  let desk: Desk;
  let laptop: Laptop;
  let raw: string;
  let image: string;
  let file: string;
  let disk = '';

  beforeAll(() => {
    desk = new Desk();
    raw = desk.raw('small.raw', SMALL);
    image = desk.qcow2('small.qcow2', raw);
    file = desk.path('disk.img');
    writeFileSync(file, Buffer.alloc(DISK_SIZE, 0xa5));
    disk = tool('losetup', '--find', '--show', '--direct-io=on', file);
    const [bin, udev] = [desk.path('bin'), desk.path('udev')];
    for (const dir of [bin, udev, `${udev}/data`]) mkdirSync(dir);
    writeFileSync(`${bin}/lsblk`, lsblkOf(disk), { mode: 0o755 });
    const number = tool('lsblk', '--nodeps', '--noheadings', '--output', 'MAJ:MIN', disk);
    writeFileSync(`${udev}/data/b${number}`, `I:1\nE:ID_SERIAL_SHORT=${SERIAL}\n`);
    laptop = new Laptop(undefined, { PATH: `${bin}:${process.env['PATH']}` });
    laptop.within = [...NAMESPACE, UDEV, udev];
  });
  afterAll(() => {
    if (disk) tool('losetup', '--detach', disk);
    laptop?.remove();
    desk.close();
  });

  const told = ({ code, last }: Ended) => [code, last.type, last['code'] ?? last['state']];
  const to = (serial: string, ...more: string[]) =>
    laptop.run('flash', '--image', image, '--target', `disk:${serial}`, ...more);
  const listed = async () => {
    const disks = (await laptop.run('disks')).last['disks'] as { serial: string | null }[];
    return disks.filter(({ serial }) => serial === SERIAL);
  };

  it('is listed and offered', async () => {
    expect(await listed()).toMatchObject([
      { path: disk, serial: SERIAL, size: DISK_SIZE, verdict: { offered: true } },
    ]);
  });

  it('is left as it is until the end of its serial is given, and where that is another', async () => {
    const before = readFileSync(file);
    const missing = await to(SERIAL);
    expect(told(missing)).toEqual([2, 'error', 'flash_confirm_missing']);
    expect(missing.last['nextAction']).toContain('the last 4 characters of its serial');
    for (const typed of ['7F3B', SERIAL, '', 'F3A']) {
      const wrong = await to(SERIAL, '--confirm', typed);
      expect([typed, ...told(wrong)]).toEqual([typed, 2, 'error', 'disk_confirm_wrong']);
      expect(wrong.last['message']).toContain(SERIAL);
    }
    // Nobody has this one, and its end is right.
    expect(told(await to('OTHER0007F3A', '--confirm', '7F3A'))).toEqual([6, 'error', 'disk_missing']);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it('that is too small for the image is not offered, whatever is confirmed', async () => {
    const before = readFileSync(file);
    const large = desk.raw('large.raw', { size: DISK_SIZE + MIB, partitions: [], data: [] });
    const target = ['--target', `disk:${SERIAL}`, '--confirm', '7F3A'];
    const ended = await laptop.run('flash', '--image', large, ...target);
    expect(told(ended)).toEqual([6, 'error', 'disk_not_offered']);
    expect(ended.last['message']).toContain('and the image needs');
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it('that is too small for a stream, which tells its size at its end only, is offered and not written to', async () => {
    const before = readFileSync(file);
    const large = desk.raw('stream.raw', { size: DISK_SIZE + 512, partitions: [], data: [] });
    const stream = desk.path('stream.raw.gz');
    writeFileSync(stream, gzipSync(readFileSync(large), { level: 1 }));
    const target = ['--target', `disk:${SERIAL}`, '--confirm', '7F3A'];
    const ended = await laptop.run('flash', '--image', stream, ...target);
    expect(told(ended)).toEqual([2, 'error', 'flash_target_size']);
    expect(ended.last['message']).toContain(`the disk in the image ${DISK_SIZE + 512}`);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it('is written, read back, and has the bytes of the image', async () => {
    const ended = await to(SERIAL, '--confirm', '7F3A');
    expect(told(ended)).toEqual([0, 'result', 'verified']);
    expect(ended.last['target']).toContain(SERIAL);
    expect(statSync(file).size).toBe(DISK_SIZE);
    expect(readFileSync(file).subarray(0, SMALL.size).equals(readFileSync(raw))).toBe(true);
    expect(startingChunks(file, SMALL_SEALED)).toEqual(SMALL_SEALED);
  });

  it('that is mounted is not offered, whatever is confirmed', async () => {
    tool('mke2fs', '-q', '-F', disk);
    const at = desk.path('mounted');
    mkdirSync(at);
    tool('mount', '-o', 'ro', disk, at);
    try {
      const before = readFileSync(file);
      const ended = await to(SERIAL, '--confirm', '7F3A');
      expect(told(ended)).toEqual([6, 'error', 'disk_not_offered']);
      expect(ended.last['message']).toContain(at);
      expect(readFileSync(file).equals(before)).toBe(true);
    } finally {
      tool('umount', at);
    }
  });
});
