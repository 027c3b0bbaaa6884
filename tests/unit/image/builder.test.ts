/** The process that builds, spoken to over its wire: what it refuses, what it tells, and that it ends when nobody speaks to it any more. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newSecretKey } from '../../../main/services/archive/minisign.ts';
import { answerBuild } from '../../../main/services/image/builder.ts';
import { FromBuild, keyOfWire, wireKey, type ToBuild } from '../../../main/services/image/wire.ts';
import { orderFaults } from '../../../preload/contract/image-order.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vc-builder-'));
  for (const name of ['packer', 'ansible']) mkdirSync(join(dir, name));
  writeFileSync(join(dir, 'base.raw'), Buffer.alloc(1024));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const message = (profile: string): ToBuild => ({
  ...{ is: 'build', key: null, laptop: { name: 'a', user: 'b' }, app: 'test', attempts: [] },
  order: {
    ...{ source: { kind: 'disk', path: join(dir, 'base.raw'), sha256: null }, profile, layers: [5] },
    ...{ bundle: null, name: 'box', version: '1', work: join(dir, 'work'), out: join(dir, 'set') },
    ...{
      project: dir,
      signerId: null,
      accel: 'tcg',
      memoryMiB: 512,
      cpus: 1,
      diskSize: '2G',
      secondRun: false,
    },
  },
});

/** What it says until it ends. `after`: what is done once it has the order. */
async function told(
  order: ToBuild,
  after: (input: PassThrough) => void = () => undefined,
): Promise<FromBuild[]> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let text = '';
  output.on('data', (piece: Buffer) => (text += piece.toString()));
  const done = answerBuild(input, output);
  input.write(`${JSON.stringify(order)}\n`);
  after(input);
  await done;
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => FromBuild.parse(JSON.parse(line)));
}

describe('the process that builds', () => {
  it('says by its code what it cannot build, and leaves no lock', async () => {
    const found = await told(message('no-such-profile'));
    expect(found).toMatchObject([{ is: 'failed', code: 'profile_missing' }]);
    // A second one is not told that another works here.
    expect(await told(message('no-such-profile'))).toMatchObject([{ is: 'failed', code: 'profile_missing' }]);
  });

  it('is stopped in order, by word and by the end of its input', async () => {
    const stop = (input: PassThrough) =>
      void input.write(`${JSON.stringify({ is: 'stop' } satisfies ToBuild)}\n`);
    expect((await told(message('vault-cube'), stop)).at(-1)).toEqual({ is: 'stopped' });
    expect((await told(message('vault-cube'), (input) => input.end())).at(-1)).toEqual({ is: 'stopped' });
    // Nothing of it holds the work folder against the next.
    expect(existsSync(join(dir, 'work/lock'))).toBe(false);
  });

  it('gets a signing key whole', () => {
    const key = newSecretKey();
    expect(keyOfWire(wireKey(key))).toEqual(key);
  });
});

describe('an order is judged in the same words everywhere', () => {
  it.each([
    [orderFaults.name('A box'), 'the name "A box" is none of small letters, digits, dots and dashes.'],
    [orderFaults.version(''), 'the version "" is none.'],
    [orderFaults.diskSize('46'), 'the size "46" is none like 46G.'],
    [orderFaults.sha256('abc', '--base-sha256'), '--base-sha256 wants 64 hexadecimal digits.'],
    [orderFaults.whole('1.5', '--cpus'), '--cpus wants a whole number, not "1.5".'],
    [orderFaults.layers([]), 'no layers are named.'],
    [orderFaults.name('vault-cube-demo-box'), null],
    [orderFaults.whole('4096', 'memory'), null],
  ])('%s', (found, wanted) => expect(found).toBe(wanted));
});
