/** Bad input on a box that has no other user than root. */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { RigBox, whyNoRig } from '../../rig/box.ts';
import { Laptop } from '../cli.ts';
import { Bench, penaltiesOff } from './bench.ts';
import { testRows } from './run.ts';
import { ONLY_ROOT } from './table.ts';

const why = whyNoRig();

describe.runIf(why === null)(`bad input where only root is${why ? ` (not run: ${why})` : ''}`, () => {
  let bench: Bench;

  beforeAll(async () => {
    const box = await RigBox.start({ variant: 'root-only', setup: penaltiesOff });
    bench = new Bench(box, new Laptop(), 'VC-ROOT');
    bench.laptop.secrets = { loginPassword: box.password, newSudoPassword: 'new Sudo-passw0rd ünïcode' };
    const address = ['--host', box.host, '--user', 'root', '--profile', 'two-h100'];
    const known = await bench.laptop.run(
      ...bench.inspect(...address, '--accept-host-key', box.fingerprint()),
    );
    expect(known.code, JSON.stringify(known.last)).toBe(10);
  });

  afterAll(async () => {
    bench?.end();
    bench?.laptop.remove();
    await bench?.box.stop();
  });

  testRows(ONLY_ROOT, () => bench);
});
