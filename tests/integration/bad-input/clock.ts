/**
 * Rows: a box whose clock is wrong. The real clock is this machine's and is never touched: nothing in a box may set it
 * (tests/rig/machine.ts), and libfaketime tells every program of the box another time.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../../rig/build.ts';
import { must, RIG } from '../../rig/host.ts';
import type { Bench } from './bench.ts';
import { INSPECTED } from './connection.ts';
import type { Row, Undo } from './row.ts';

const CAP_SYS_TIME = 1n << 25n;
const LIBRARY = '/usr/local/lib/libfaketime.so.1';

/** Debian's libfaketime, fetched once by this machine's apt; it needs nothing but the C library. */
async function libfaketime(): Promise<string> {
  const kept = join(RIG, 'libfaketime.so.1');
  await withLock('libfaketime', async () => {
    if (existsSync(kept)) return;
    mkdirSync(RIG, { recursive: true });
    const work = mkdtempSync(join(RIG, '.faketime-'));
    try {
      await must('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', 'libfaketime'], {
        cwd: work,
      });
      const deb = readdirSync(work).find((name) => name.endsWith('.deb')) ?? '';
      await must('dpkg-deb', ['-x', deb, '.'], { cwd: work });
      const found = readdirSync(work, { recursive: true, encoding: 'utf8' });
      const inside = found.find((name) => name.endsWith('/libfaketime.so.1')) ?? '';
      renameSync(join(work, inside), kept);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
  return kept;
}

/** Programs started in the box from here on are told a time so far from the real one. */
const clock =
  (offset: string) =>
  async (b: Bench): Promise<Undo> => {
    const bounding = BigInt(`0x${(await b.sh("awk '/^CapBnd/ {print $2}' /proc/1/status")).trim()}`);
    if (bounding & CAP_SYS_TIME) throw new Error('the box could set the clock of this machine');
    copyFileSync(await libfaketime(), join(b.box.root, LIBRARY));
    const told = Date.now() - performance.now();
    const undo = await b.done(
      `echo '${offset}' >/etc/faketimerc && echo ${LIBRARY} >/etc/ld.so.preload`,
      'rm -f /etc/ld.so.preload',
    );
    return async () => {
      await undo();
      if (Math.abs(Date.now() - performance.now() - told) > 5_000)
        throw new Error("this machine's clock was set");
    };
  };

const row = { exit: 7, unchanged: ['box', 'session'], then: INSPECTED } as const;
const command = (b: Bench) => b.inspect();
/** As after an empty battery: some days into 1970. */
const to1970 = (b: Bench) => clock(`-${Math.floor(Date.now() / 1000) - 9 * 86_400}s`)(b);

export const CLOCK: readonly Row[] = [
  {
    item: 'clock at 1970',
    cause: to1970,
    command,
    code: 'clock_wrong',
    says: /5\d years behind/,
    ...row,
    person: true,
  },
  {
    item: 'clock at 1970',
    which: 'where not even root may set it',
    cause: to1970,
    command: (b) => b.inspect('--set-clock'),
    code: 'clock_not_set',
    says: /Operation not permitted/,
    again: command,
    ...row,
  },
  {
    item: 'clock +10 years',
    cause: clock('+10y'),
    command,
    code: 'clock_wrong',
    says: /10 years ahead/,
    ...row,
  },
];
