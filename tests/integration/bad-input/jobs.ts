/** Rows: what comes in the way of a job. The box has its layers; its state lies on a disk of its own, which can be made small. */
import { expect } from 'vitest';
import { until } from '../../rig/host.ts';
import { eventsOf, type CliRun, type Ended } from '../cli.ts';
import { fillDisk, type Bench } from './bench.ts';
import { knock, strangersKey } from './connection.ts';
import type { Row, Undo } from './row.ts';

const STATE = '/var/lib/vault-cube';
const EVENTS = 1500;
const RATE = 300;

/** Gives the box's state a disk of its own, with what lies there now. */
export async function ownDisk(b: Bench): Promise<void> {
  await b.sh(
    `cp -a ${STATE} /root/state && mount -t tmpfs -o size=4g,mode=0750 state ${STATE} && chgrp vaultcube ${STATE} && cp -a /root/state/. ${STATE}`,
  );
}

const resize = (b: Bench, size: string) => b.sh(`mount -o remount,size=${size} ${STATE}`);

/** No room but this many bytes on the box's disk, on which nobody writes meanwhile. */
async function shrink(b: Bench, room: number): Promise<Undo> {
  const used = Number(await b.sh(`df -B1 --output=used ${STATE} | tail -1`));
  await resize(b, String(used + room));
  return async () => void (await resize(b, '4g'));
}

const linkTest = () => ['link-test', '--count', String(EVENTS), '--rate', String(RATE)];
const layer0 = (b: Bench) => ['provision', '--layers', '0', '--bundle', b.box.bundle];
const nothing: Row['cause'] = async () => async () => undefined;

const firstEvents = (run: CliRun) =>
  run.until('events', (r) => r.type === 'event' && (r['event'] as { kind: string }).kind === 'log');

/** Numbers that the link test counted up, of both commands together: each came, and came once. */
function everyNumberOnce(...commands: Ended[]): void {
  const seen = commands.flatMap(({ records }) =>
    eventsOf(records)
      .filter((e) => e['kind'] === 'log')
      .map((e) => Number(e['seq'])),
  );
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen).toHaveLength(EVENTS);
}

/** A package whose script fails as long as /run/broken is there. */
const BROKEN = `mkdir -p /root/broken/DEBIAN && cd /root && printf '%s\\n' 'Package: vc-broken' 'Version: 1' 'Architecture: all' \\
  'Maintainer: nobody <nobody@example.org>' 'Description: fails' >broken/DEBIAN/control
printf '%s\\n' '#!/bin/sh' '[ ! -e /run/broken ] || { echo "no such device" >&2; exit 1; }' >broken/DEBIAN/postinst
chmod 755 broken/DEBIAN/postinst && dpkg-deb -b broken broken.deb && touch /run/broken && ! dpkg -i broken.deb`;

const half = async (b: Bench): Promise<void> => {
  await b.sh(BROKEN);
  expect(await b.sh('dpkg --audit')).toContain('vc-broken');
};

const whole = async (b: Bench): Promise<void> => {
  expect(await b.sh('dpkg --audit')).toBe('');
  await b.sh(
    "dpkg-query -W -f '${db:Status-Status}' vc-broken | grep -qx installed && dpkg --purge vc-broken",
  );
};

/** Holds the locks of apt and dpkg as apt does, until it is stopped. */
const HOLD = `import fcntl, signal
held = [open(f"/var/lib/{name}", "r+") for name in ("dpkg/lock-frontend", "dpkg/lock", "apt/lists/lock")]
for file in held: fcntl.lockf(file, fcntl.LOCK_EX)
open("/run/held", "w").close()
signal.pause()
`;

export const JOBS: readonly Row[] = [
  {
    item: 'wrong sudo password',
    which: 'of vaultadmin, for a job',
    cause: nothing,
    command: linkTest,
    secrets: { sudoPassword: 'not the Sudo-passw0rd' },
    code: 'sudo_password_wrong',
    exit: 5,
    says: /vaultadmin/,
    unchanged: [],
    then: [0],
    after: async (_b, _ended, again) => everyNumberOnce(again),
  },
  {
    item: 'laptop disk full',
    which: 'in the middle of a job',
    cause: nothing,
    command: linkTest,
    during: async (b, run) => {
      await firstEvents(run);
      return fillDisk(b.laptop.home);
    },
    code: 'laptop_disk_full',
    exit: 6,
    unchanged: [],
    then: [0],
    after: async (_b, ended, again) => everyNumberOnce(ended, again),
  },
  {
    item: 'box disk full',
    which: 'before a fetch',
    cause: (b) => shrink(b, 300 * 1024 * 1024),
    command: layer0,
    code: 'box_disk_full',
    exit: 7,
    says: /has 0\.3 GB free; the bundle needs/,
    unchanged: [],
    then: [0],
    person: true,
  },
  {
    item: 'box disk full',
    which: 'in the middle of a job',
    cause: (b) => shrink(b, 20 * 1024 * 1024),
    command: linkTest,
    during: async (b, run) => {
      await firstEvents(run);
      return b.done(`! cat /dev/zero >${STATE}/filler`, `rm ${STATE}/filler`);
    },
    code: 'box_disk_full',
    exit: 7,
    says: /too little room: Not even the events/,
    unchanged: [],
    then: [0],
    after: async (_b, _ended, again) => everyNumberOnce(again),
  },
  {
    item: 'dpkg half-configured',
    which: 'and beyond repair',
    cause: async (b) => {
      await half(b);
      return async () => void (await b.sh('rm /run/broken'));
    },
    command: layer0,
    code: 'dpkg_broken',
    exit: 7,
    says: /vc-broken stays half configured; dpkg: error .*exit status 1\.$/,
    unchanged: [],
    again: () => ['resume'],
    then: [0],
    after: whole,
  },
  {
    item: 'dpkg half-configured',
    which: 'which layer 0 repairs',
    cause: async (b) => {
      await half(b);
      await b.sh('rm /run/broken');
      return async () => undefined;
    },
    command: layer0,
    code: null,
    exit: 0,
    unchanged: [],
    then: [0],
    after: async (b, ended) => {
      const notes = eventsOf(ended.records).filter((e) => e['kind'] === 'log' && e['stream'] === 'note');
      expect(notes.map((e) => e['text'])).toContain('packages are half configured: dpkg --configure -a');
      await whole(b);
    },
  },
  {
    item: 'apt lock held',
    cause: async (b) => {
      const undo = await b.done(
        `printf '%s' '${HOLD}' >/root/unattended-upgrade && systemd-run -q --unit=held python3 /root/unattended-upgrade`,
        'systemctl stop held; rm -f /run/held',
      );
      await until('the lock', async () => (await b.box.sh('test -e /run/held')).code === 0, 10_000);
      return undo;
    },
    command: layer0,
    during: async (b, run) => {
      const waiting = await run.until(
        'a wait for the lock',
        (r) => r.type === 'event' && (r['event'] as { for?: string }).for === 'apt lock',
      );
      expect(waiting['event']).toMatchObject({ kind: 'waiting', state: 'begin' });
      expect((waiting['event'] as { detail: string }).detail).toMatch(
        /^held by \S+python3 \/root\/unattended-upgrade \(process \d+\)$/,
      );
      await b.sh('systemctl stop held');
    },
    code: null,
    exit: 0,
    unchanged: [],
    then: [0],
  },
  {
    item: 'banned',
    which: 'by fail2ban, since layer 1',
    cause: async (b) => {
      const key = await strangersKey(b);
      await until(
        'a ban',
        async () => {
          await knock(b, key);
          return /Banned IP list:\s+\S/.test(await b.sh('fail2ban-client status sshd'));
        },
        60_000,
      );
      return async () => void (await b.sh('fail2ban-client unban --all'));
    },
    command: linkTest,
    code: 'ssh_banned',
    exit: 3,
    unchanged: ['box'],
    then: [0],
  },
];
