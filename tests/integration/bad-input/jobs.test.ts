/** Bad input while jobs run on a box that has its layers: full disks, apt held, packages broken, a ban. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { whyNoRig } from '../../rig/box.ts';
import { NAME, provisioned, type Provisioned } from '../provisioned.ts';
import { Bench, smallDisk } from './bench.ts';
import { ownDisk } from './jobs.ts';
import { testRows } from './run.ts';
import { AT_WORK } from './table.ts';

const why = whyNoRig();

describe.runIf(why === null)(`bad input while jobs run${why ? ` (not run: ${why})` : ''}`, () => {
  let given: Provisioned;
  let bench: Bench;
  let unmount: (() => void) | undefined;

  beforeAll(async () => {
    given = await provisioned();
    bench = new Bench(given.box, given.laptop, NAME);
    unmount = smallDisk(given.laptop.home, '24m');
    // The penalties of sshd itself, where it has them, would come before the ban of fail2ban.
    writeFileSync(join(given.box.root, 'etc/ssh/sshd_config.d/05-rows.conf'), 'PerSourcePenalties no\n');
    await bench.sh('systemctl restart ssh');
    await ownDisk(bench);
  });

  afterAll(async () => {
    bench?.end();
    unmount?.();
    await given?.end();
  });

  testRows(AT_WORK, () => bench);
});
