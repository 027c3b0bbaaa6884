/**
 * The whole path on a virtual machine: a live system, its disk flashed over SSH with first-boot settings, the firmware starting what was
 * flashed, and the box met by the host key that was pinned before it ever ran. Real firmware, kernel and cloud-init; the system is Debian.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApp } from '../../main/services/app.ts';
import { KnownHosts } from '../../main/remote/hostkeys.ts';
import { LIVE, Vm, whyNoVm } from '../rig/vm.ts';
import { Laptop, kindIn, type Ended } from './cli.ts';

// In software the whole way takes minutes, so it is run with MEND=all only (vitest.config.ts); CI has the same flash and the same first login, without firmware and cloud-init, in flash-rig.test.ts.
const why = whyNoVm();
const BOX = 'VC-VM';
const HOSTNAME = 'vc-0042';
const PASSWORD = 'correct horse battery';
const DISK_BYTES = 2 * 1024 ** 3;
const HOUR_MS = 3_600_000;

/** A byte with data in the middle of what the image has. */
function middleOf(image: string): number {
  const text = execFileSync('qemu-img', ['map', '--output', 'json', image], { encoding: 'utf8' });
  const extents = (JSON.parse(text) as { start: number; length: number; data: boolean }[]).filter(
    (e) => e.data,
  );
  const middle = extents[extents.length >> 1];
  if (!middle) throw new Error(`${image} holds nothing`);
  return middle.start + (middle.length >> 1);
}

/** Neither a protective MBR nor a GPT. */
function startsNothing(disk: string): boolean {
  const fd = openSync(disk, 'r');
  const tables = Buffer.alloc(34 * 512);
  readSync(fd, tables, 0, tables.length, 0);
  closeSync(fd);
  return tables.every((byte) => byte === 0);
}

describe.runIf(why === null)(`a virtual machine${why ? ` (not run: ${why})` : ''}`, () => {
  let vm: Vm;
  let laptop: Laptop;
  const seconds: Record<string, number> = {};

  beforeAll(async () => {
    laptop = new Laptop();
    vm = await timed('images', () => Vm.make(DISK_BYTES));
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(laptop.home, 'kim')]);
  }, HOUR_MS);
  afterAll(async () => {
    await vm?.remove();
    laptop.remove();
    console.log(JSON.stringify(seconds));
  });

  async function timed<T>(what: string, fn: () => Promise<T>): Promise<T> {
    const begun = performance.now();
    try {
      return await fn();
    } finally {
      seconds[what] = Math.round((performance.now() - begun) / 1000);
    }
  }

  const told = ({ code, last, stderr }: Ended): unknown[] => [code, last.type, last['code'] ?? null, stderr];
  const ended = (run: Promise<Ended>) => run.then((e) => ({ ...e, told: told(e) }));
  const pins = (name: string) =>
    new KnownHosts(join(laptop.home, 'known_hosts')).lookup(name).map((key) => key.fingerprint);
  const session = () => {
    const person = {
      ...{ confirmHostKey: async () => false, confirmReboot: async () => false },
      ...{ note: () => undefined, link: () => undefined },
    };
    const app = openApp(person, { home: laptop.home, readOnly: true });
    try {
      return app.journal.sessionByName(BOX);
    } finally {
      app.close();
    }
  };

  it(
    'is flashed in its live system whatever its disk refuses at first, starts from its disk, and lets the engineer in',
    async () => {
      vm.startLive(middleOf(vm.images.golden));
      const liveKey = await timed('live system to its host key', () => vm.fingerprint());
      await vm.waitForSsh();
      laptop.secrets = { loginPassword: LIVE.password };
      const at = ['--host', vm.host, '--port', String(vm.port), '--user', LIVE.user];
      const looked = await timed('inspect', () =>
        ended(
          laptop.run(
            'inspect',
            '--box',
            BOX,
            ...at,
            '--live',
            '--profile',
            'two-h100',
            '--accept-host-key',
            liveKey,
          ),
        ),
      );
      // It has less room than a box wants. It was looked at all the same, and its key pinned as that of a live system.
      expect(looked.last).toMatchObject({ code: 'box_disk_full' });
      expect([pins(`${BOX}+live`), pins(BOX)]).toEqual([[liveKey], []]);

      const first = join(laptop.home, 'first.json');
      writeFileSync(first, JSON.stringify({ hostname: HOSTNAME, authorizedKeyFile: 'kim.pub' }));
      laptop.secrets = { loginPassword: LIVE.password, newSudoPassword: PASSWORD };
      const flash = ['flash', '--image', vm.images.golden, '--target', `box:${vm.serial}`, '--box', BOX];
      flash.push('--confirm', vm.serial.slice(-4), '--first-boot', first);
      const refused = await timed('flash of a disk that gives an I/O error', () =>
        ended(laptop.run(...flash)),
      );
      expect(refused.last).toMatchObject({ type: 'error', code: 'flash_target_io' });
      expect(startsNothing(vm.disk)).toBe(true);
      const flashed = await timed('flash', () => ended(laptop.run(...flash)));
      expect(flashed.told).toEqual([0, 'result', null, '']);
      const manifest = JSON.parse(readFileSync(join(vm.images.golden, '../manifest.json'), 'utf8')) as {
        diskRoot: string;
      };
      expect(flashed.last).toMatchObject({ state: 'verified', diskRoot: manifest.diskRoot, seed: 'written' });
      const newKey = String(flashed.last['hostKey']);
      expect([pins(`${BOX}+live`), pins(BOX)]).toEqual([[liveKey], [newKey]]);
      expect(session()).toMatchObject({ live: true, next: { hostname: HOSTNAME } });

      laptop.secrets = { loginPassword: LIVE.password, sudoPassword: PASSWORD };
      const meeting = laptop.start(
        'first-boot',
        '--box',
        BOX,
        '--key',
        join(laptop.home, 'kim'),
        '--give-up',
        '1800',
      );
      await timed('live system to its end', () => vm.ended());
      vm.startDisk();
      const met = await timed('firmware to a proven login', () => ended(meeting.ended));
      expect(met.told, vm.console().slice(-3000)).toEqual([0, 'result', null, '']);
      expect(met.last).toMatchObject({ hostKey: newKey, faults: [] });
      // Among what was found when the box was looked at.
      const checks = kindIn(met.records, 'check')
        .map((event) => event['check'] as Record<string, unknown>)
        .filter(({ id }) => String(id).startsWith('first_boot_'));
      expect(checks.map(({ id, verdict }) => [id, verdict])).toEqual([
        ['first_boot_hostname', 'pass'],
        ['first_boot_root_grown', 'pass'],
      ]);
      expect(Number(checks[1]?.['value'])).toBeGreaterThan(DISK_BYTES * 0.8);
      const known = session();
      expect(known).toMatchObject({
        live: false,
        next: null,
        user: 'vaultadmin',
        hostKey: { fingerprint: newKey },
      });
      expect(known?.keys).toMatchObject({
        keyLoginProvenAt: expect.any(String),
        sudoProvenAt: expect.any(String),
      });

      // Nothing of the live system answers for the box any more, and its key stays known apart.
      const again = await timed('inspect of the flashed system', () =>
        ended(laptop.run('inspect', '--box', BOX)),
      );
      expect(again.last).toMatchObject({ code: 'box_disk_full' });
      expect([pins(`${BOX}+live`), pins(BOX)]).toEqual([[liveKey], [newKey]]);
    },
    HOUR_MS,
  );
});
