/** First-boot settings with the real writer: written after the proof and before the disk can start, new each time, and kept nowhere. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LAPTOP } from '../../main/journal/journal.ts';
import { KnownHosts } from '../../main/remote/hostkeys.ts';
import { CHUNK_BYTES } from '../../main/services/flash/source/types.ts';
import type { ReadAttempt } from '../../main/services/report/attempt.ts';
import { put } from '../../main/services/report/put.ts';
import { AppError } from '../../preload/contract/errors.ts';
import { FIXED, KEY } from '../unit/flash/seed/settings.ts';
import { MIB } from '../unit/flash/partitions.ts';
import { Laptop, type Ended } from './cli.ts';
import { HASH, SEED, SEEDED, TABLES, aroundOf, firstBoot, seedOn, seededImage } from './firstboot.ts';
import { Desk, SMALL, chunkOf, endOf, proofOf, sameBytes, startingChunks, watched } from './flash.ts';
import { ProcessWatch, filesWith } from './secrets.ts';

const root = process.getuid?.() === 0;
const hasLoop = root && existsSync('/dev/loop-control');
const hasVfat = /\bvfat$/m.test(readFileSync('/proc/filesystems', 'latin1'));
const hasMtools = spawnSync('mdir', ['--version']).error === undefined;

let desk: Desk;
let raw: string;
let image: string;
/** The disk hash of the image. */
let wanted: string;

beforeAll(async () => {
  desk = new Desk();
  raw = seededImage(desk, 'seeded.raw');
  image = desk.qcow2('seeded.qcow2', raw);
  wanted = proofOf(await desk.flash(image, desk.file('first.out'))).diskRoot;
});
afterAll(() => desk.close());

const stepsOf = (title: string): string[] => {
  const row = desk.journal.jobs(LAPTOP).findLast((r) => r.title === title);
  const { steps } = desk.journal.view(row?.job ?? '', row?.attempt ?? 0);
  return steps.map((s) => `${s.id} ${s.state}`);
};

describe('a flash with first-boot settings', () => {
  it('has them in the partition, the image everywhere else, and the image proven', async () => {
    const target = desk.file('plain.out');
    const { order, keys } = firstBoot();
    const result = await desk.flash(image, target, { firstBoot: order });
    const proof = proofOf(result);
    expect([proof.diskRoot, proof.seed]).toEqual([wanted, 'written']);
    expect(aroundOf(target.path).equals(aroundOf(raw))).toBe(true);
    const { user, meta, network } = seedOn(target.path);
    expect(user.hostname).toBe('vc-0042');
    expect(user.users).toEqual([
      expect.objectContaining({ name: 'vaultadmin', hashed_passwd: HASH, ssh_authorized_keys: [KEY] }),
    ]);
    expect(meta['local-hostname']).toBe('vc-0042');
    expect(network).toMatchObject({ ethernets: { enp5s0: { addresses: ['192.168.10.5/24'] } } });
    const [key] = keys;
    expect(keys).toHaveLength(1);
    expect(user.ssh_keys.ed25519_public).toContain(key?.key.toString('base64'));
    expect(result).toMatchObject({ hostKey: key?.fingerprint });
    expect(stepsOf('Flash plain.out')).toEqual(
      ['look', 'wipe', 'write', 'flush', 'verify', 'seed', 'seal'].map((id) => `${id} ok`),
    );
    const row = desk.journal.jobs(LAPTOP).at(-1);
    const { checks } = desk.journal.view(row?.job ?? '', 1);
    expect(checks.find((c) => c.id === 'flash_seed')).toMatchObject({ verdict: 'pass', value: 'written' });
  });

  it('is another one each time, writes nothing else again, and without them is the image', async () => {
    const target = desk.file('again.out');
    const first = firstBoot();
    proofOf(await desk.flash(image, target, { firstBoot: first.order }));
    const before = seedOn(target.path);
    const second = firstBoot();
    const notes: string[] = [];
    const onNote = (text: string) => notes.push(text);
    const proof = proofOf(await desk.flash(image, target, { firstBoot: second.order, onNote }));
    expect([proof.writtenBytes, proof.mendedChunks, proof.diskRoot]).toEqual([0, 0, wanted]);
    const after = seedOn(target.path);
    expect(after.meta['instance-id']).not.toBe(before.meta['instance-id']);
    expect(after.user.ssh_keys.ed25519_public).not.toBe(before.user.ssh_keys.ed25519_public);
    expect(second.keys[0]?.fingerprint).not.toBe(first.keys[0]?.fingerprint);
    // Its two chunks are the image's again, and are not taken for damage.
    const plain = proofOf(await desk.flash(image, target, { onNote }));
    expect([plain.seed, plain.mendedChunks, plain.writtenBytes]).toEqual([null, 0, 2 * CHUNK_BYTES]);
    expect(sameBytes(target.path, raw)).toBe(true);
    expect(notes.join()).not.toMatch(/not as the record/);
    // And the other way round.
    const third = proofOf(await desk.flash(image, target, { firstBoot: firstBoot().order }));
    expect([third.writtenBytes, third.mendedChunks]).toEqual([0, 0]);
    expect(seedOn(target.path).user.hostname).toBe('vc-0042');
  });

  it('of a newer image writes only what differs', async () => {
    const target = desk.file('delta.out');
    proofOf(await desk.flash(image, target, { firstBoot: firstBoot().order }));
    const newer = desk.path('newer.raw');
    writeFileSync(newer, readFileSync(raw));
    const bytes = readFileSync(newer);
    bytes.write('newer', 24 * MIB);
    writeFileSync(newer, bytes);
    const proof = proofOf(await desk.flash(newer, target, { firstBoot: firstBoot().order }));
    expect([proof.writtenBytes, proof.mendedChunks]).toEqual([CHUNK_BYTES, 0]);
    expect(aroundOf(target.path).equals(aroundOf(newer))).toBe(true);
    expect(seedOn(target.path).user.hostname).toBe('vc-0042');
  });

  it('of a stream, and of an image with a manifest', async () => {
    const stream = desk.path('seeded.raw.gz');
    writeFileSync(stream, execFileSync('gzip', ['-1', '-c', raw], { maxBuffer: SEEDED.size }));
    const target = desk.file('stream.out');
    expect(proofOf(await desk.flash(stream, target, { firstBoot: firstBoot().order })).diskRoot).toBe(wanted);
    expect(aroundOf(target.path).equals(aroundOf(raw))).toBe(true);
    expect(seedOn(target.path).user.hostname).toBe('vc-0042');

    const own = desk.copyOf('manifest', image);
    const manifest = (diskRoot: string) =>
      writeFileSync(
        join(dirname(own), 'manifest.json'),
        JSON.stringify({
          ...{ v: 1, name: 'test', version: '1', file: basename(own), virtualSize: SEEDED.size, diskRoot },
          ...{ fileSha256: createHash('sha256').update(readFileSync(own)).digest('hex'), hash: 'sha256' },
          ...{ chunkBytes: CHUNK_BYTES, created: '2026-11-24T05:00:00Z', labels: [] },
        }),
      );
    manifest(wanted);
    proofOf(await desk.flash(own, desk.file('m1.out'), { firstBoot: firstBoot().order }));
    const [row] = desk.journal.jobs(LAPTOP).slice(-1);
    if (!row) throw new Error('no job');
    const [told] = put({ row, view: desk.journal.view(row.job, row.attempt) } as ReadAttempt);
    expect(told).toMatchObject({ kind: 'flash', state: 'passed', diskHash: wanted });
    expect(told?.values).toEqual(
      expect.arrayContaining([
        { name: 'manifest.name', value: 'test' },
        { name: 'manifest.version', value: '1' },
        { name: 'manifest.fileSha256', value: expect.stringMatching(/^[0-9a-f]{64}$/) },
      ]),
    );
    manifest('f'.repeat(64));
    const wrong = desk.file('m2.out');
    const { order, keys } = firstBoot();
    expect(endOf(await desk.flash(own, wrong, { firstBoot: order }))).toEqual([
      'failed',
      'flash_root_differs',
    ]);
    expect([startingChunks(wrong.path, [...TABLES, 3, 4]), keys]).toEqual([[], []]);
  });

  it('leaves nothing secret in the data folder', async () => {
    const target = desk.file('secret.out');
    proofOf(await desk.flash(image, target, { firstBoot: firstBoot().order }));
    const { ed25519_private } = seedOn(target.path).user.ssh_keys;
    const lines = ed25519_private.split('\n').filter((line) => line.length > 60);
    expect(lines.length).toBeGreaterThan(3);
    // The first lines are those of any such key, and of its public half.
    const seeded = createHash('sha256').update(chunkOf(target.path, 3)).digest('hex');
    expect(await filesWith(desk.home, [HASH, lines.at(-2) ?? '', seeded])).toEqual([]);
    // What it looks for would be found.
    expect(await filesWith(target.path, [HASH])).toEqual([target.path]);
    expect(await filesWith(target.path, [JSON.stringify(lines.at(-2)).slice(1, -1)])).toEqual([target.path]);
  });
});

describe('a flash with first-boot settings that is cut', () => {
  it.each([
    ['wiped', 1, 0],
    // Between the proof and the settings.
    ['sealed', 1, 0],
    // They are written, and not read back.
    ['flushed', 2, 0],
    // 12 chunks of the image were read back, and one of the two that they lie in.
    ['read', 13, 0],
    // 4 chunks of the image, those two, and the first of the tables are written.
    ['written', 7, 1],
    // The tables but the first chunk are there.
    ['flushed', 3, 1],
  ] as const)('at "%s" number %i starts nothing, and the next has keys of its own', async (at, n, told) => {
    const target = desk.file(`cut-${at}-${n}.out`);
    const first = firstBoot();
    const cut = watched((is, nth, kill) => is === at && nth === n && kill());
    expect(endOf(await desk.flash(image, target, { launch: cut, firstBoot: first.order }))).toEqual([
      'interrupted',
      'flash_writer_gone',
    ]);
    expect(first.keys).toHaveLength(told);
    expect(chunkOf(target.path, 0).every((byte) => byte === 0)).toBe(true);
    const second = firstBoot();
    proofOf(await desk.flash(image, target, { firstBoot: second.order }));
    expect(aroundOf(target.path).equals(aroundOf(raw))).toBe(true);
    const { ed25519_public } = seedOn(target.path).user.ssh_keys;
    expect(ed25519_public).toContain(second.keys[0]?.key.toString('base64'));
    expect(second.keys[0]?.fingerprint).not.toBe(first.keys[0]?.fingerprint);
  });

  it('by its host key not being kept starts nothing', async () => {
    const target = desk.file('unpinned.out');
    const { order } = firstBoot(() => {
      throw new AppError('laptop_disk_full', { path: '/home' });
    });
    expect(endOf(await desk.flash(image, target, { firstBoot: order }))).toEqual([
      'interrupted',
      'laptop_disk_full',
    ]);
    expect(startingChunks(target.path, TABLES)).toEqual([]);
  });

  it('goes on without settings, as the image', async () => {
    const target = desk.file('unseeded.out');
    const cut = watched((is, nth, kill) => is === 'sealed' && nth === 1 && kill());
    await desk.flash(image, target, { launch: cut, firstBoot: firstBoot().order });
    const proof = proofOf(await desk.flash(image, target));
    expect([proof.mendedChunks, proof.writtenBytes]).toEqual([0, 2 * CHUNK_BYTES]);
    expect(sameBytes(target.path, raw)).toBe(true);
  });
});

it('an image without a place for settings is refused before anything is touched', async () => {
  const small = desk.qcow2('small.qcow2', desk.raw('small.raw', SMALL));
  const target = desk.file('none.out');
  const { order, keys } = firstBoot();
  const result = await desk.flash(small, target, { firstBoot: order });
  expect(endOf(result)).toEqual(['failed', 'flash_seed_missing']);
  expect([existsSync(target.path), keys]).toEqual([false, []]);
});

describe.skipIf(!hasLoop)('on a loop device (skipped without root or loop devices)', () => {
  let loop: string;
  beforeAll(async () => {
    const backing = desk.path('loop.img');
    writeFileSync(backing, Buffer.alloc(0));
    truncateSync(backing, SEEDED.size + 8 * MIB);
    loop = execFileSync('losetup', ['-f', '--show', backing]).toString().trim();
    const size = SEEDED.size + 8 * MIB;
    const target = { kind: 'disk', path: loop, serial: null, size, name: loop } as const;
    proofOf(await desk.flash(image, target, { firstBoot: firstBoot().order }));
  });
  afterAll(() => execFileSync('losetup', ['-d', loop]));

  it.skipIf(!hasMtools)('mtools reads them from the disk (skipped where mtools is not installed)', () => {
    const at = `${loop}@@${SEED.offset}`;
    const text = execFileSync('mcopy', ['-i', at, '::user-data', '-']).toString();
    expect(text).toMatch(/^#cloud-config\n/);
    expect(JSON.parse(text.slice(text.indexOf('\n')))).toMatchObject({ hostname: 'vc-0042' });
  });

  it.skipIf(!hasVfat)('the kernel mounts them by their label (skipped where it has no vfat)', () => {
    const mount = desk.path('mount');
    mkdirSync(mount);
    const options = `ro,offset=${SEED.offset},sizelimit=${SEED.length}`;
    execFileSync('mount', ['-t', 'vfat', '-o', `loop,${options}`, loop, mount]);
    try {
      expect(readdirSync(mount).sort()).toEqual(['meta-data', 'network-config', 'user-data']);
      expect(readFileSync(join(mount, 'user-data'), 'utf8')).toMatch(/^#cloud-config\n/);
    } finally {
      execFileSync('umount', [mount]);
      rmSync(mount, { recursive: true });
    }
  });

  it('blkid sees the label that cloud-init looks for', () => {
    const options = ['-p', '-O', String(SEED.offset), '-S', String(SEED.length), '-o', 'export', loop];
    const said = execFileSync('blkid', options).toString();
    expect(said).toMatch(/^LABEL=CIDATA$/m);
    expect(said).toMatch(/^TYPE=vfat$/m);
  });
});

describe('on the command line', () => {
  let laptop: Laptop;
  const PASSWORD = 'Planted-Sudo-Secret';
  beforeAll(() => {
    laptop = new Laptop();
    laptop.secrets = { sudoPassword: PASSWORD };
  });
  afterAll(() => laptop.remove());
  const told = ({ code, last }: Ended) => [code, last.type, last['code'] ?? last['state']];
  const settings = (name: string, value: unknown): string => {
    writeFileSync(desk.path(name), JSON.stringify(value));
    return desk.path(name);
  };
  const flashTo = (target: string, ...more: string[]) =>
    laptop.run('flash', '--image', image, '--target', target, ...more);

  it('flashes for a box whose host key is known before it ever started', async () => {
    const file = settings('vc.json', { hostname: 'vc-0042', authorizedKey: KEY, address: FIXED.address });
    const out = desk.path('cli.out');
    const watch = new ProcessWatch([PASSWORD, '$6$rounds=500000$']);
    watch.start();
    const ended = await flashTo(`file:${out}`, '--first-boot', file, '--box', 'VC-0042');
    expect(watch.stop()).toEqual([]);
    expect(told(ended)).toEqual([0, 'result', 'verified']);
    const { user } = seedOn(out);
    expect(user.users[0]?.hashed_passwd).toMatch(/^\$6\$rounds=500000\$/);
    const [pinned, ...others] = new KnownHosts(join(laptop.home, 'known_hosts')).lookup('VC-0042');
    expect(others).toEqual([]);
    expect(user.ssh_keys.ed25519_public).toContain(pinned?.key.toString('base64'));
    expect(ended.last).toMatchObject({ seed: 'written', hostKey: pinned?.fingerprint, diskRoot: wanted });
    // Neither the password nor what became of it is said or kept.
    const secret = [PASSWORD, user.users[0]?.hashed_passwd ?? ''];
    expect(JSON.stringify(ended.records) + ended.stderr).not.toMatch(PASSWORD);
    expect(await filesWith(laptop.home, secret)).toEqual([]);
    const boxes = await laptop.run('boxes');
    expect(JSON.stringify(boxes.last)).toContain('VC-0042');
    // Another flash of it is another system, and only that one is known.
    const second = await flashTo(`file:${out}`, '--first-boot', file, '--box', 'VC-0042');
    expect(told(second)).toEqual([0, 'result', 'verified']);
    const now = new KnownHosts(join(laptop.home, 'known_hosts')).lookup('VC-0042');
    expect(now.map((k) => k.fingerprint)).toEqual([second.last['hostKey']]);
    expect(second.last['hostKey']).not.toBe(pinned?.fingerprint);
  });

  it('says the host key where no box is named', async () => {
    const file = settings('bare.json', { hostname: 'vc-0043', authorizedKey: KEY });
    const ended = await flashTo(`file:${desk.path('bare.out')}`, '--first-boot', file);
    expect(told(ended)).toEqual([0, 'result', 'verified']);
    const notes = JSON.stringify(ended.records) + ended.stderr;
    expect(notes).toContain(`--accept-host-key ${String(ended.last['hostKey'])}`);
  });

  it('refuses what it cannot do, by name, before anything is touched', async () => {
    const out = desk.path('refused.out');
    const file = settings('good.json', { hostname: 'vc', authorizedKey: KEY });
    const bad = settings('bad.json', { hostname: 'VC 1', authorizedKey: KEY });
    const to = (first: string, ...more: string[]) => flashTo(`file:${out}`, '--first-boot', first, ...more);
    expect(told(await to(bad))).toEqual([2, 'error', 'first_boot_invalid']);
    expect(told(await to(desk.path('nowhere.json')))).toEqual([2, 'error', 'first_boot_invalid']);
    expect(told(await to(file, '--box', 'a box'))).toEqual([2, 'error', 'usage']);
    const box = await flashTo('box:SERIAL', '--first-boot', file, '--box', 'VC-0042');
    // In a box the password is a new one beside that of its live system.
    expect(told(box)).toEqual([2, 'error', 'secret_missing']);
    laptop.secrets = {};
    expect(told(await to(file))).toEqual([2, 'error', 'secret_missing']);
    laptop.secrets = { sudoPassword: 'x'.repeat(64) };
    expect(told(await to(file))).toEqual([2, 'error', 'first_boot_password']);
    laptop.secrets = { sudoPassword: PASSWORD };
    const confirmed = await flashTo('disk:NO-SUCH-SERIAL', '--first-boot', file, '--box', 'VC-NEVER');
    expect(told(confirmed)).toEqual([6, 'error', 'disk_missing']);
    expect(JSON.stringify((await laptop.run('boxes')).records)).not.toContain('VC-NEVER');
    const small = desk.qcow2('small-cli.qcow2', desk.raw('small-cli.raw', SMALL));
    const none = await laptop.run('flash', '--image', small, '--target', `file:${out}`, '--first-boot', file);
    expect(told(none)).toEqual([2, 'error', 'flash_seed_missing']);
    expect(existsSync(out)).toBe(false);
  });
});
