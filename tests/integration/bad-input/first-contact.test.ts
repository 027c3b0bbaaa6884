/** Bad input before a box is ready: every way in which the first commands can fail, on one fresh box that is changed and put back. */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { RigBox, whyNoRig } from '../../rig/box.ts';
import { Laptop } from '../cli.ts';
import { Bench, penaltiesOff, smallDisk } from './bench.ts';
import { PASSPHRASE } from './keyfiles.ts';
import { testRows } from './run.ts';
import { FIRST_CONTACT } from './table.ts';

const why = whyNoRig();

describe.runIf(why === null)(`bad input at the first contact${why ? ` (not run: ${why})` : ''}`, () => {
  let bench: Bench;
  let unmount: (() => void) | undefined;

  beforeAll(async () => {
    const box = await RigBox.start({ setup: penaltiesOff });
    bench = new Bench(box, new Laptop(), 'VC-BAD');
    unmount = smallDisk(bench.laptop.home, '16m');
    bench.laptop.secrets = {
      loginPassword: box.password,
      newSudoPassword: 'new Sudo-passw0rd ünïcode',
      passphrase: PASSPHRASE,
    };
    const address = ['--host', box.host, '--user', box.user, '--profile', 'two-h100'];
    const known = await bench.laptop.run(
      ...bench.inspect(...address, '--accept-host-key', box.fingerprint()),
    );
    expect(known.code, JSON.stringify(known.last)).toBe(10);
  });

  afterAll(async () => {
    bench?.end();
    unmount?.();
    bench?.laptop.remove();
    await bench?.box.stop();
  });

  testRows(FIRST_CONTACT, () => bench);
});
